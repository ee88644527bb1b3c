import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { GoClient } from '../world/go-client.ts';
import { GokeepProcess } from '../world/gokeep-process.ts';
import { answeringGoproxy } from '../world/host-goproxy.ts';
import { downloadAndBuild, loadGraph } from '../world/live-program.ts';

const upstream = answeringGoproxy('live.test.ts');

describe.skipIf(upstream === undefined)('a real program of 300 modules, from the host’s own GOPROXY', () => {
  it('builds, and builds again with upstream unplugged and caches gone, by our database and by the public one', {
    timeout: 900_000,
  }, async () => {
    const directory = await mkdtemp(path.join(tmpdir(), 'gokeep-live-'));
    const data = path.join(directory, 'data');
    try {
      const connected = await GokeepProcess.start({ data, env: { GOKEEP_UPSTREAM: upstream! } });
      {
        await using server = connected;
        await using own = await GoClient.create({ GOPROXY: server.url, GOSUMDB: server.vkey });
        expect(await downloadAndBuild(own)).toBeGreaterThanOrEqual(300);
        await using byPublic = await GoClient.create({ GOPROXY: server.url, GOSUMDB: 'sum.golang.org' });
        expect(await loadGraph(byPublic)).toBeGreaterThanOrEqual(300);
      }
      // Nothing listens on the discard port: every attempt to reach upstream fails at once.
      const unplugged = { GOKEEP_UPSTREAM: 'http://127.0.0.1:9', GOKEEP_UPSTREAM_SUMDB: 'sum.golang.org' };
      await using server = await GokeepProcess.start({ data, env: unplugged });
      await using own = await GoClient.create({ GOPROXY: server.url, GOSUMDB: server.vkey });
      expect(await loadGraph(own)).toBeGreaterThanOrEqual(300);
      await using byPublic = await GoClient.create({ GOPROXY: server.url, GOSUMDB: 'sum.golang.org' });
      expect(await downloadAndBuild(byPublic)).toBeGreaterThanOrEqual(300);
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  });
});
