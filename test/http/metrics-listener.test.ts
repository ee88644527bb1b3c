import { expect, it } from 'vitest';
import { freePort } from '../world/free-port.ts';
import { GokeepProcess } from '../world/gokeep-process.ts';

it('with http.metrics_listen the metrics are there and nothing else is, and clients do not see them', async () => {
  const metrics = `http://127.0.0.1:${await freePort()}`;
  await using gokeep = await GokeepProcess.start({
    toml: `offline = true\n[http]\nmetrics_listen = "${new URL(metrics).host}"\n`,
  });
  // On the port of the clients it is no page of ours any more: the same answer as for any other word.
  const [main, other] = [await gokeep.get('/metrics'), await gokeep.get('/nothing')];
  expect({ status: main.status, text: await main.text() }).toEqual({
    status: 400,
    text: (await other.text()).replaceAll('/nothing', '/metrics'),
  });

  const own = await fetch(`${metrics}/metrics`);
  expect(own.status).toBe(200);
  expect(own.headers.get('content-type')).toMatch(/^text\/plain; version=/);
  expect(await own.text()).toMatch(/^gokeep_requests_total\{.*\} 2$/m);
  for (const target of ['/', '/livez', '/metrics/', '/example.test/m/@v/list']) {
    expect((await fetch(metrics + target)).status, target).toBe(404);
  }
});
