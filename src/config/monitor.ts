import { GokeepError } from '../errors.ts';
import type { Settings } from './schema.ts';
import { milliseconds } from './units.ts';

/** What the monitor of private repositories is told. */
export interface MonitorConfig {
  /** Milliseconds from the end of one round inside the server to the next; undefined: only `gokeep monitor` asks. */
  readonly every: number | undefined;
  readonly webhook: WebhookConfig | undefined;
}

/** Who is told of new incidents. */
export interface WebhookConfig {
  readonly url: string;
  /** File whose first line is sent as a bearer token. */
  readonly tokenFile: string | undefined;
  /** File whose first line is the key of an HMAC-SHA256 over the body. */
  readonly keyFile: string | undefined;
}

/** Shorter than a round takes on most hosts; below it a slip of the unit would be a flood. */
const SHORTEST_MS = 1_000;

/** The `[monitor]` table. Throws bad_config, naming the key. */
export function resolveMonitor(
  settings: Settings,
  offline: boolean,
  fromFile: (value: string | undefined) => string | undefined,
): MonitorConfig {
  const { every, webhook, webhook_token_file, webhook_key_file } = settings.monitor ?? {};
  const refuse = (key: string, why: string): never => {
    throw new GokeepError('bad_config', `monitor.${key}: ${why}`);
  };
  const said = every === undefined ? undefined : milliseconds(every, 'monitor.every');
  if (said !== undefined && said < SHORTEST_MS) refuse('every', 'has to be a second or more, such as "6h"');
  // An offline server asks nobody; the file may be that of a server which is cut off for a while.
  const period = offline ? undefined : said;
  if (webhook === undefined) {
    if (webhook_token_file !== undefined)
      refuse('webhook_token_file', 'says how to log in to monitor.webhook, which is not set');
    if (webhook_key_file !== undefined)
      refuse('webhook_key_file', 'says how to sign for monitor.webhook, which is not set');
    return { every: period, webhook: undefined };
  }
  const url = URL.canParse(webhook) ? new URL(webhook) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol))
    return refuse('webhook', 'has to be an https URL');
  if (url.username !== '' || url.password !== '') {
    refuse('webhook', 'holds a login, which belongs in a file: see webhook_token_file');
  }
  if (url.protocol === 'http:' && webhook_token_file !== undefined) {
    refuse('webhook', 'would send the token over plain http');
  }
  return {
    every: period,
    webhook: { url: url.href, tokenFile: fromFile(webhook_token_file), keyFile: fromFile(webhook_key_file) },
  };
}
