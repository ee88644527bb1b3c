import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';

const ip = (...args: string[]) => execFileSync('ip', args, { encoding: 'utf8' });

/** A network of its own with nothing but a loopback interface. Only root makes one. */
export class NetworkNamespace implements Disposable {
  readonly #name = `gokeep-${randomBytes(6).toString('hex')}`;

  constructor() {
    ip('netns', 'add', this.#name);
    ip('-n', this.#name, 'link', 'set', 'lo', 'up');
  }

  /** Whether this machine lets this process make them. */
  static available(): boolean {
    try {
      using _ = new NetworkNamespace();
      return true;
    } catch {
      return false;
    }
  }

  /** What runs before a command for it to run in here. */
  get wrapper(): readonly string[] {
    return ['ip', 'netns', 'exec', this.#name];
  }

  /** Names of its interfaces. */
  get interfaces(): string[] {
    return [...ip('-n', this.#name, '-oneline', 'link').matchAll(/^\d+: ([^:@]+)/gm)].map(
      ([, name]) => name!,
    );
  }

  [Symbol.dispose](): void {
    ip('netns', 'delete', this.#name);
  }
}
