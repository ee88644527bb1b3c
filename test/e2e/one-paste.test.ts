import { existsSync } from 'node:fs';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BareMachine } from '../world/bare-machine.ts';
import { CHROMIUM, launch, openPage } from '../world/browser.ts';
import { GokeepProcess } from '../world/gokeep-process.ts';
import { needs } from '../world/programs.ts';
import { UpstreamWorld } from '../world/upstream-world.ts';

const BUILD = 'go mod download && go build ./... && go mod verify';
const TITLE = 'One line, in any shell';

describe.skipIf(!needs(CHROMIUM))('the one line that the page gives', () => {
  let world: UpstreamWorld;
  let gokeep: GokeepProcess;
  let browser: Browser;
  let pasted: string;

  beforeAll(async () => {
    world = await UpstreamWorld.start();
    await world.publish({ path: 'public.test/lib', version: 'v1.0.0' });
    const toml = `[upstream]\nproxy = "${world.url}"\nsumdb = "${world.gosumdb}"\n`;
    [gokeep, browser] = await Promise.all([GokeepProcess.start({ toml }), launch()]);
    const { page } = await openPage(browser, { permissions: ['clipboard-read', 'clipboard-write'] });
    await page.goto(`${gokeep.url}/`);
    await page.getByRole('button', { name: `Copy: ${TITLE}` }).click();
    await page.getByText('Copied').waitFor();
    pasted = String(await page.evaluate('navigator.clipboard.readText()'));
    await page.context().close();
  });
  afterAll(async () => {
    await browser.close();
    await gokeep[Symbol.asyncDispose]();
    await world[Symbol.asyncDispose]();
  });

  it('is the same on both pages, and can be read without JavaScript', async () => {
    const { page } = await openPage(browser, { javaScriptEnabled: false });
    for (const target of ['/', '/ui/setup']) {
      await page.goto(gokeep.url + target);
      const shown = await page.locator(`pre[data-copy="${TITLE}"]`).textContent();
      expect([target, shown]).toEqual([target, pasted]);
    }
    await page.context().close();
  });

  it('has a system be picked by a link, whose file is downloaded as the server hands it out', async () => {
    const { page } = await openPage(browser, { javaScriptEnabled: false, acceptDownloads: true });
    await page.goto(`${gokeep.url}/ui/setup`);
    await page.getByRole('link', { name: 'GitLab CI' }).click();
    const begun = page.waitForEvent('download');
    await page.getByRole('link', { name: 'Download .gitlab-ci.yml' }).click();
    const downloaded = await begun;
    const chunks = await (await downloaded.createReadStream()).toArray();
    const text = Buffer.concat(chunks as Buffer[]).toString();
    expect(text).toBe(await (await gokeep.get('/setup/gitlab-ci')).text());
    expect(text).toBe(await page.locator('pre[data-copy=".gitlab-ci.yml"]').textContent());
    await page.context().close();
  });

  const where = BareMachine.isolates() ? 'in a root of its own' : 'with a PATH of its own';
  for (const shell of ['bash', 'zsh', 'fish', 'sh'])
    it.skipIf(!needs(shell))(
      `sets up a machine that has only go, ${where}, by one paste into ${shell}: it builds, verified, in later shells too, until it is undone`,
      async () => {
        using machine = new BareMachine();
        machine.write('go.mod', 'module main.test/main\n\ngo 1.21\n\nrequire public.test/lib v1.0.0\n');
        machine.write('app.go', 'package app\n\nimport _ "public.test/lib"\n');
        const environment = async () =>
          (await machine.run(shell, 'go env')).out.replaceAll(/go-build\d+/g, 'go-build');
        const before = await environment();
        expect(before).toContain('GOSUMDB=');
        const same = await machine.run(shell, `${pasted}\ngo mod tidy && ${BUILD}`);
        expect(same.out).toContain('all modules verified');
        expect(same.code, same.out).toBe(0);
        const [name] = gokeep.vkey.split('+');
        const lookup = `go/pkg/mod/cache/download/sumdb/${name}/lookup/public.test/lib@v1.0.0`;
        expect(existsSync(machine.file(lookup))).toBe(true);
        const later = await machine.run(
          shell,
          `go clean -modcache && ${BUILD} && go env GOPROXY GOSUMDB GONOPROXY GONOSUMDB`,
        );
        expect(later.out).toContain(`all modules verified\n${gokeep.url}\n${gokeep.vkey}\nnone\nnone\n`);
        const { page } = await openPage(browser, { javaScriptEnabled: false });
        await page.goto(`${gokeep.url}/ui/setup`);
        const undo = await page.getByLabel('Undo of the one line').textContent();
        await page.context().close();
        const undone = await machine.run(shell, `go clean -modcache\n${undo}`);
        expect(undone).toEqual({ code: 0, out: '' });
        expect(await environment()).toBe(before);
      },
    );
});
