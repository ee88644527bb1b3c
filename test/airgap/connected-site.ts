import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect } from 'vitest';
import { gokeep, type ProgramResult } from '../cli/program.ts';
import { memoryDirectory } from '../faults/memory-directory.ts';
import { UpstreamWorld } from '../world/upstream-world.ts';
import { makeDatabase } from '../vulndb/made-database.ts';

/** The connected side: a world of made modules, and the real command that makes bundles of it; with a directory for whatever else a test makes. */
export class ConnectedSite implements AsyncDisposable {
  readonly directory: string;
  readonly world: UpstreamWorld;
  readonly #toml: string;

  private constructor(directory: string, world: UpstreamWorld) {
    this.directory = directory;
    this.world = world;
    this.#toml = `[[upstream]]\nproxy = "${world.url}"\nsumdb = "${world.gosumdb}"\n`;
  }

  static async start(): Promise<ConnectedSite> {
    const directory = await memoryDirectory();
    const site = new ConnectedSite(directory, await UpstreamWorld.start());
    await site.file('connected.toml', `version = 1\n${site.#toml}`);
    return site;
  }

  at(...names: string[]): string {
    return path.join(this.directory, ...names);
  }

  /** Writes a file for a test and gives its name. */
  async file(name: string, content: string | Buffer): Promise<string> {
    await mkdir(path.dirname(this.at(name)), { recursive: true });
    await writeFile(this.at(name), content);
    return this.at(name);
  }

  /** Runs a command of the connected side. There is a go command, which is asked where toolchains are. */
  run(...args: string[]): Promise<ProgramResult> {
    const common = ['--config', this.at('connected.toml'), '--data', this.at('connected')];
    return gokeep([...args, ...common], { PATH: process.env['PATH']! });
  }

  create(name: string, ...args: string[]): Promise<ProgramResult> {
    return this.run('bundle', 'create', '--output', this.at(name), ...args);
  }

  /** The name of a bundle that was made without a complaint. */
  async bundle(name: string, ...args: string[]): Promise<string> {
    expect(await this.create(name, ...args)).toMatchObject({ code: 0, stderr: '' });
    return this.at(name);
  }

  async vkey(): Promise<string> {
    return (await this.run('key', 'show')).stdout.trim();
  }

  get worldVkey(): string {
    return this.world.gosumdb.split(' ')[0]!;
  }

  /** Settings of a closed side that takes this side's bundles. */
  async closedToml(kind: 'replica' | 'offline'): Promise<string> {
    return `${kind} = true\n[bundles]\ntrust = ["${await this.vkey()}"]\n[[upstream]]\nsumdb = "${this.worldVkey}"\n`;
  }

  /** A vulnerability database of one entry, as the real ones are laid out. */
  async vulndb(module: string): Promise<string> {
    for (const [name, body] of makeDatabase([{ id: 'GO-2024-0001', path: module }]))
      await this.file(path.join('vulndb', name), body);
    return this.at('vulndb');
  }

  /** The id in a bundle's first header: that of its manifest. */
  async idOf(bundle: string): Promise<string> {
    const id = /^bundles\/([0-9a-f]{32})\/manifest/.exec((await readFile(bundle)).toString('latin1', 0, 100));
    return id?.[1] ?? '';
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.world[Symbol.asyncDispose]();
    await rm(this.directory, { recursive: true, force: true });
  }
}
