/**
 * When a browser paints the pages: `node test/bench/page-speed.ts [ROUNDS]`. Prints the median first contentful paint of each, with nothing
 * cached, and how many times that of a line of plain text from the same server in the same rounds. Nothing is asserted.
 */
import type { Browser } from 'playwright-core';
import { MadeSite, NOW, recordOf } from '../web/made-site.ts';
import { launch } from '../world/browser.ts';
import { median, ratio } from './table.ts';

const P = 'example.test/team/toml';
/** A line without style, which costs what any page costs. */
const PLAINEST = '/setup';
const PAGES = [
  PLAINEST,
  '/',
  '/ui/setup',
  '/ui/setup/gpo',
  '/ui/search?q=module',
  '/ui/modules',
  `/ui/mod/${P}`,
  `/ui/mod/${P}?tab=versions`,
  `/ui/mod/${P}?tab=record`,
  `/ui/src/${P}@v1.2.0/a.go`,
  `/ui/diff/${P}/v1.1.0...v1.2.0`,
  '/ui/log',
  '/ui/log/records?from=10',
];

const versions = [
  ...['v1.0.0', 'v1.1.0', 'v1.2.0'].map((version) => ({
    path: P,
    version,
    time: NOW - 9e9,
    synopsis: 'Package toml reads and writes TOML.',
    readme: 'README.md',
    files: {
      'go.mod': `module ${P}\n`,
      'README.md': `# Toml\n\n${'Some words about it. '.repeat(400)}\n`,
      'a.go': `package toml\n\n${`// ${version}\n`.repeat(300)}`,
    },
  })),
  ...Array.from({ length: 60 }, (_, n) => ({
    path: `github.com/organisation/module-${n}`,
    version: 'v1.0.0',
    synopsis: 'Package module does one thing.',
    requires: [{ path: P, version: 'v1.0.0', indirect: false }],
  })),
];

/** In a context of its own, which has nothing cached and no connection. */
async function firstPaint(browser: Browser, url: string): Promise<number> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  try {
    const page = await context.newPage();
    await page.goto(url, { waitUntil: 'load' });
    return (await page.evaluate(`new Promise((done) => {
      new PerformanceObserver((list) => {
        const found = list.getEntries().find(({ name }) => name === 'first-contentful-paint');
        if (found !== undefined) done(found.startTime);
      }).observe({ type: 'paint', buffered: true });
    })`)) as number;
  } finally {
    await context.close();
  }
}

const rounds = Number(process.argv[2] ?? 9);
const records = Array.from({ length: 600 }, (_, n) => recordOf(`example.test/r${n}`, 'v1.0.0'));
await using site = await MadeSite.start({ versions, records });
const browser = await launch();
try {
  const painted = new Map<string, number[]>(PAGES.map((target) => [target, []]));
  // The first round is the browser's own warming up. Pages take turns, so that a busy moment hits them all.
  for (let round = 0; round <= rounds; round++)
    for (const [target, times] of painted) {
      const ms = await firstPaint(browser, site.url + target);
      if (round > 0) times.push(ms);
    }
  const plainest = median(painted.get(PLAINEST) ?? []);
  for (const [target, times] of painted)
    console.log(`${median(times).toFixed(0).padStart(5)} ms  ${ratio(median(times), plainest)}  ${target}`);
} finally {
  await browser.close();
}
