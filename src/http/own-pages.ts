import type { Metrics } from './counters.ts';
import type { Exchange } from './exchange.ts';
import type { Handler } from './handler.ts';
import type { Health } from './health.ts';

const TEXT = 'text/plain; charset=utf-8';

/** A page of text that may differ the next time somebody asks. */
export function plainPage(exchange: Exchange, text: () => string): Handler {
  return async (asked) =>
    exchange.text(asked, { kind: 'page', status: 200, contentType: TEXT, body: text() });
}

/** A page of text that depends on which path below ours was asked for. */
export function plainPages(exchange: Exchange, text: (path: string) => string): Handler {
  return async (asked) =>
    exchange.text(asked, { kind: 'page', status: 200, contentType: TEXT, body: text(asked.path) });
}

/** A script that is the same for everybody; what making it throws is answered as any error is. */
export function scriptPage(exchange: Exchange, contentType: string, text: () => Promise<string>): Handler {
  return async (asked) =>
    exchange.text(asked, { kind: 'page', status: 200, contentType, body: await text() });
}

/** Says that this is a gokeep, and whose checksum database it serves: asked before anything private is sent here. */
export function identityPage(exchange: Exchange, database: string): Handler {
  const body = `${JSON.stringify({ program: 'gokeep', sumdb: database, traces: true })}\n`;
  return async (asked) =>
    exchange.text(asked, { kind: 'page', status: 200, contentType: 'application/json', body });
}

/** The process lives and its event loop turns; nothing else is looked at. */
export function livez(exchange: Exchange): Handler {
  return async (asked) =>
    exchange.text(asked, { kind: 'health', status: 200, contentType: TEXT, body: 'ok\n' });
}

/** 200 when requests may be sent here, else 503 with a few words a problem. */
export function readyz(exchange: Exchange, health: Pick<Health, 'problems'>): Handler {
  return async (asked) => {
    const problems = await health.problems();
    const ready = problems.length === 0;
    exchange.text(asked, {
      kind: 'health',
      status: ready ? 200 : 503,
      contentType: TEXT,
      body: ready ? 'ready\n' : `not ready: ${problems.join('; ')}\n`,
    });
  };
}

/** Prometheus text. */
export function metricsPage(exchange: Exchange, metrics: Metrics): Handler {
  return async (asked) => {
    const body = await metrics.registry.metrics();
    exchange.text(asked, { kind: 'metrics', status: 200, contentType: metrics.registry.contentType, body });
  };
}
