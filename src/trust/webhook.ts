import { createHmac } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { request } from 'undici';

import { GokeepError } from '../errors.ts';
import type { Incident } from '../store/log-records.ts';
import { AddressRules } from '../upstream/address-rules.ts';
import { Dispatchers } from '../upstream/dispatchers.ts';
import type { EgressVariables } from '../upstream/egress.ts';
import { firstLine } from '../upstream/git-host.ts';

/** Files are read at each message. Times in milliseconds. */
export interface WebhookOptions {
  /** http or https, without a login. Its path may itself be a secret: it is shown nowhere. */
  readonly url: string;
  /** First line: sent as `Authorization: Bearer …`. */
  readonly tokenFile?: string | undefined;
  /** First line: the key of `Gokeep-Signature: sha256=<hex>`, an HMAC over the body. */
  readonly keyFile?: string | undefined;
  /** PEM file, trusted beside the default roots. */
  readonly caFile?: string | undefined;
  readonly egress?: EgressVariables | undefined;
  /** `gokeep/<version>` */
  readonly userAgent: string;
  /** Default 4. */
  readonly attempts?: number | undefined;
  /** Before the second attempt; four times as long before each further one. Default 1 s. */
  readonly pause?: number | undefined;
  /** For one attempt. Default 10 s. */
  readonly deadline?: number | undefined;
}

/** Incidents named in one message; the others are counted. */
const MOST_NAMED = 100;

/**
 * The message about incidents, as JSON: `{version, log, sent, incidents: [{at, kind, path, version, recorded, seen, source}],
 * omitted}`. Times are ISO 8601 in UTC. It names private modules, and holds no credentials.
 */
export function incidentMessage(log: string, incidents: readonly Incident[], now: number): Buffer {
  const iso = (at: number): string => new Date(at).toISOString();
  const named = incidents.slice(0, MOST_NAMED).map((incident) => ({ ...incident, at: iso(incident.at) }));
  const omitted = incidents.length - named.length;
  return Buffer.from(JSON.stringify({ version: 1, log, sent: iso(now), incidents: named, omitted }));
}

/**
 * Posts a message. No redirect is followed, so that neither message nor token goes anywhere else. Tried again when
 * nothing or a 408, 429 or 5xx came back.
 *
 * Throws bad_config for a file that cannot be used, upstream_refused or upstream_failed for the last answer,
 * upstream_unreachable, busy when the caller gives up.
 */
export async function postWebhook(o: WebhookOptions, body: Buffer, signal: AbortSignal): Promise<void> {
  const url = new URL(o.url);
  const headers = await headersFor(o, body);
  const dispatchers = new Dispatchers({
    tls: { ca: o.caFile === undefined ? undefined : await fileText(o.caFile, 'direct.ca') },
    egress: { variables: o.egress },
    addresses: new AddressRules([]),
    connectTimeout: 10_000,
    keepAlive: 1_000,
    maxConcurrent: 1,
  });
  try {
    const { attempts = 4, pause = 1_000, deadline = 10_000 } = o;
    for (let attempt = 1; ; attempt++) {
      const failed = await post(
        url,
        headers,
        body,
        dispatchers,
        AbortSignal.any([signal, AbortSignal.timeout(deadline)]),
      );
      if (failed === undefined) return;
      if (signal.aborted) throw new GokeepError('busy', 'gokeep is shutting down.');
      if (attempt >= attempts || !failed.again) throw failed.error;
      await sleep(pause * 4 ** (attempt - 1), undefined, { signal }).catch(() => {
        throw new GokeepError('busy', 'gokeep is shutting down.');
      });
    }
  } finally {
    await dispatchers.close();
  }
}

async function headersFor(o: WebhookOptions, body: Buffer): Promise<Record<string, string>> {
  const headers: Record<string, string> = { 'content-type': 'application/json', 'user-agent': o.userAgent };
  if (o.tokenFile !== undefined) {
    headers['authorization'] = `Bearer ${await secret(o.tokenFile, 'monitor.webhook_token_file')}`;
  }
  if (o.keyFile !== undefined) {
    const key = await secret(o.keyFile, 'monitor.webhook_key_file');
    headers['gokeep-signature'] = `sha256=${createHmac('sha256', key).update(body).digest('hex')}`;
  }
  return headers;
}

async function secret(file: string, key: string): Promise<string> {
  const line = firstLine(await fileText(file, key));
  if (/^[\x21-\x7e]+$/.test(line)) return line;
  throw new GokeepError('bad_config', `${key}: ${file} does not hold a secret in its first line`);
}

async function fileText(file: string, key: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new GokeepError('bad_config', `${key}: ${file} cannot be read`, { cause });
  }
}

async function post(
  url: URL,
  headers: Record<string, string>,
  body: Buffer,
  dispatchers: Dispatchers,
  signal: AbortSignal,
): Promise<{ readonly error: GokeepError; readonly again: boolean } | undefined> {
  const say = (why: string): string => `The webhook on ${url.host} was not told of the incidents: ${why}.`;
  try {
    const dispatcher = dispatchers.for(url, false);
    const { statusCode, body: answer } = await request(url, {
      method: 'POST',
      headers,
      body,
      dispatcher,
      signal,
    });
    answer.on('error', () => {}).destroy();
    if (statusCode >= 200 && statusCode < 300) return undefined;
    const code = statusCode === 401 || statusCode === 403 ? 'upstream_refused' : 'upstream_failed';
    const again = statusCode >= 500 || statusCode === 408 || statusCode === 429;
    return { error: new GokeepError(code, say(`it answered ${statusCode}`)), again };
  } catch (cause) {
    // What undici says may name the URL.
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
    const why = /^[A-Z_]+$/.test(code)
      ? `it could not be reached (${code})`
      : 'it could not be reached, or did not answer in time';
    return { error: new GokeepError('upstream_unreachable', say(why)), again: true };
  }
}
