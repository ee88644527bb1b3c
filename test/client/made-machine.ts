import type { FileState, Machine, Ran } from '../../src/client/doctor/machine.ts';

export interface Made {
  readonly platform?: NodeJS.Platform;
  readonly env?: Readonly<Record<string, string>>;
  /** What `go env` says, beyond what a fresh one does. */
  readonly go?: Readonly<Record<string, string>>;
}

/** A machine that is nowhere: what it has is what a test gives it. */
export class MadeMachine implements Machine {
  readonly platform: NodeJS.Platform;
  readonly env: Readonly<Record<string, string>>;
  readonly home = '/home/a';
  readonly cwd = '/home/a';
  readonly uid = 1000;
  readonly files = new Map<string, string>();
  /** Kinds of file systems, by directory. */
  readonly kinds = new Map<string, string>();
  readonly #go: Readonly<Record<string, string>>;
  readonly #answers = new Map<string, { readonly code: number; readonly stdout: string }>();

  constructor({ platform = 'linux', env = {}, go = {} }: Made) {
    this.platform = platform;
    this.env = env;
    this.#go = {
      GOVERSION: 'go1.26.8',
      GOPROXY: 'https://proxy.example.org,direct',
      GOSUMDB: 'sum.golang.org',
      GOPATH: '/home/a/go',
      GOMODCACHE: '/home/a/go/pkg/mod',
      GOCACHE: '/home/a/.cache/go-build',
      CGO_ENABLED: '0',
      ...go,
    };
  }

  /** What a command whose line begins so prints. */
  answer(line: string, stdout: string, code = 0): void {
    this.#answers.set(line, { code, stdout });
  }

  now(): number {
    return 1_700_000_000_000;
  }

  read(file: string): FileState {
    const text = this.files.get(file);
    return text === undefined ? { kind: 'absent' } : { kind: 'file', text, mode: 0o600, uid: this.uid };
  }

  list(): readonly string[] {
    return [];
  }

  writeProblem(): string | undefined {
    return undefined;
  }

  fileSystem(path: string): string | undefined {
    return this.kinds.get(path);
  }

  hasProgram(): boolean {
    return true;
  }

  run(command: string, args: readonly string[]): Promise<Ran> {
    const line = [command, ...args].join(' ');
    const given = [...this.#answers].find(([begin]) => line === begin || line.startsWith(`${begin} `))?.[1];
    const isGoEnv = line.startsWith('go env -json');
    const answer = given ?? { code: isGoEnv ? 0 : 1, stdout: isGoEnv ? JSON.stringify(this.#go) : '' };
    return Promise.resolve({ ...answer, stderr: '', missing: false, timedOut: false });
  }

  scratch(): Promise<never> {
    return Promise.reject(new Error('nothing is downloaded on a made machine'));
  }

  write(): void {
    throw new Error('nothing is written on a made machine');
  }
}
