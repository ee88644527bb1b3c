import { afterAll, beforeAll, expect, it } from 'vitest';
import { accessibilityProblems, CHROMIUM, launch, openPage } from '../world/browser.ts';
import { GokeepProcess } from '../world/gokeep-process.ts';
import { needs } from '../world/programs.ts';
import { UpstreamWorld } from '../world/upstream-world.ts';

let open: GokeepProcess;
let guarded: GokeepProcess;

beforeAll(async () => {
  const upstream = '[upstream]\nproxy = "off"\nsumdb = "off"\n';
  [open, guarded] = await Promise.all([
    GokeepProcess.start({ toml: upstream }),
    GokeepProcess.start({ toml: `${upstream}[access]\nrequired = true\n` }),
  ]);
});

afterAll(async () => {
  await open[Symbol.asyncDispose]();
  await guarded[Symbol.asyncDispose]();
});

const page = async (gokeep: GokeepProcess, target: string, accept = 'text/html') => {
  const answer = await gokeep.get(target, { accept });
  return { status: answer.status, text: await answer.text() };
};

it('the program serves its pages, with its own address and key', async () => {
  const { status, text } = await page(open, '/');
  expect(status).toBe(200);
  expect(text).toContain(`export GOPROXY=${open.url}\nexport GOSUMDB=&quot;${open.vkey}&quot;`);
  const style = /href="(\/ui\/assets\/[^"]+\.css)"/.exec(text)![1]!;
  expect((await page(open, style)).status).toBe(200);
  for (const target of [
    '/ui/modules',
    '/ui/search?q=a',
    '/ui/log',
    '/ui/log/records',
    '/api/v1/log',
    '/api/v1/openapi.json',
  ])
    expect([target, (await page(open, target)).status]).toEqual([target, 200]);
  expect((await page(open, '/ui/mod/example.test/m')).status).toBe(404);
});

it('the program serves plain text to what asks for no page', async () => {
  const { text } = await page(open, '/', '*/*');
  expect(text).toContain(`  export GOPROXY=${open.url}\n`);
});

it('the program asks for a token where access is required, and takes those of its operator', async () => {
  expect((await page(guarded, '/')).text).toContain('A token is needed.');
  for (const target of ['/ui/log/records', '/ui/mod/example.test/m', '/api/v1/modules/example.test/m'])
    expect([target, (await page(guarded, target)).status]).toEqual([target, 401]);
});

it('the program shows what a package declares that it has just admitted', async () => {
  await using world = await UpstreamWorld.start();
  const files = {
    'sub/s.go':
      '// Package sub adds.\npackage sub\n\n// Add adds.\nfunc Add(a, b int) int { return a + b }\n',
  };
  await world.publish({ path: 'example.test/Docs', version: 'v1.0.0', files });
  await using gokeep = await GokeepProcess.start({
    toml: `[upstream]\nproxy = "${world.url}"\nsumdb = "${world.gosumdb}"\n`,
  });
  const address = '/ui/doc/example.test/Docs@v1.0.0/sub';
  expect((await page(gokeep, address)).status).toBe(404);
  expect((await gokeep.get('/example.test/!docs/@v/v1.0.0.zip')).status).toBe(200);
  const { status, text } = await page(gokeep, address);
  expect([status, text.includes('func Add(a, b int) int')]).toEqual([200, true]);
  const told = await gokeep.get('/api/v1/docs/example.test/!docs@v1.0.0/sub');
  expect(await told.json()).toMatchObject({ name: 'sub', declarations: [{ name: 'Add', line: 5 }] });
});

it.skipIf(!needs(CHROMIUM))(
  'a browser proves what the program has just admitted (needs chromium)',
  async () => {
    await using world = await UpstreamWorld.start();
    await world.publish({ path: 'example.test/Fresh', version: 'v1.0.0' });
    await using gokeep = await GokeepProcess.start({
      toml: `[upstream]\nproxy = "${world.url}"\nsumdb = "${world.gosumdb}"\n`,
    });
    const name = gokeep.vkey.split('+')[0]!;
    expect((await gokeep.get(`/sumdb/${name}/lookup/example.test/!fresh@v1.0.0`)).status).toBe(200);
    const browser = await launch();
    try {
      const { page: tab, problems } = await openPage(browser);
      await tab.goto(`${gokeep.url}/ui/log`);
      await tab.getByRole('link', { name: 'example.test/Fresh@v1.0.0' }).click();
      await tab.waitForSelector('.proof[data-state=good]');
      expect(await tab.getByText('proven by').count()).toBe(1);
      expect(await accessibilityProblems(tab)).toEqual([]);
      expect(problems).toEqual([]);
    } finally {
      await browser.close();
    }
  },
);
