import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/**
 * The host's own GOPROXY, if a proxy of it answers for a module that has been there for years. Else undefined, said once on
 * standard error as the reason why the tests of `file` are skipped.
 */
export function answeringGoproxy(file: string): string | undefined {
  // What the host's own module cache holds would be an answer too.
  const cache = mkdtempSync(path.join(tmpdir(), 'gokeep-upstream-'));
  try {
    const upstream = execFileSync('go', ['env', 'GOPROXY'], { encoding: 'utf8' }).trim();
    const env = { ...process.env, GOFLAGS: '-mod=mod -modcacherw', GOPROXY: upstream, GOMODCACHE: cache };
    execFileSync('go', ['list', '-m', 'golang.org/x/mod@v0.20.0'], {
      env,
      timeout: 20_000,
      stdio: 'ignore',
      cwd: tmpdir(),
    });
    return upstream;
  } catch {
    process.stderr.write(`${file}: no proxy of this host’s GOPROXY answers; its tests are skipped\n`);
    return undefined;
  } finally {
    rmSync(cache, { recursive: true, force: true });
  }
}
