import type { Page } from 'playwright-core';

/** What is wrong with how a page loads and is built, in a line each; nothing here is a time. */
export class PageQuality {
  readonly #page: Page;
  #bytes = 0;

  private constructor(page: Page) {
    this.#page = page;
  }

  /** Watches a page, whose files are from now on fetched anew each time, as by somebody who comes for the first time. */
  static async watch(page: Page): Promise<PageQuality> {
    const quality = new PageQuality(page);
    const protocol = await page.context().newCDPSession(page);
    await protocol.send('Network.enable');
    await protocol.send('Network.setCacheDisabled', { cacheDisabled: true });
    protocol.on('Network.loadingFinished', ({ encodedDataLength }) => (quality.#bytes += encodedDataLength));
    return quality;
  }

  /** Forgets what was transferred before. */
  begin(): void {
    this.#bytes = 0;
  }

  /** Everything that came over the network since, heads and compressed bodies as they were sent. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * How far what was visible has moved by itself since the page began to load, as browsers score it: 0 is not at all. What is below a
   * ten-thousandth is a fraction of a pixel, of a browser that has just read its fonts.
   */
  async shift(): Promise<number> {
    const shift = await this.#page.evaluate(`new Promise((done) => {
      let shift = 0;
      new PerformanceObserver((list) => { for (const each of list.getEntries()) shift += each.value; })
        .observe({ type: 'layout-shift', buffered: true });
      requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => done(shift), 60)));
    })`);
    return Math.round((shift as number) * 1e4) / 1e4;
  }

  /** What a document has to have besides what axe looks at. */
  async problems(): Promise<string[]> {
    const found = await this.#page.evaluate(`(() => {
      const content = (name) => document.querySelector('meta[name=' + name + ']')?.content ?? '';
      const levels = [...document.querySelectorAll('h1, h2, h3, h4, h5, h6')].map((each) => Number(each.tagName[1]));
      const problems = [];
      const must = (holds, what) => { if (!holds) problems.push(what); };
      must(document.doctype?.name === 'html' && document.compatMode === 'CSS1Compat', 'doctype');
      must(document.documentElement.lang === 'en', 'lang');
      must(document.title.length > 8 && document.title.length < 400, 'title ' + document.title.length);
      must(content('description').length > 20 && content('description').length <= 200, 'description');
      must(/width=device-width/.test(content('viewport')) && !/user-scalable|maximum/.test(content('viewport')), 'viewport');
      must(levels.filter((level) => level === 1).length === 1 && levels[0] === 1, 'one h1, first: ' + levels);
      must(levels.every((level, at) => at === 0 || level <= levels[at - 1] + 1), 'order of headings: ' + levels);
      return problems;
    })()`);
    return found as string[];
  }
}
