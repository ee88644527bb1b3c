import { describe, expect, it } from 'vitest';
import { resolveMonitor } from '../../src/config/monitor.ts';
import { parseSettings } from '../../src/config/parse.ts';

const resolve = (text: string, offline = false) =>
  resolveMonitor(parseSettings(`version = 1\n[monitor]\n${text}`, 'gokeep.toml'), offline, (value) =>
    value === undefined ? undefined : `/etc/gokeep/${value}`,
  );
const WEBHOOK = 'webhook = "https://hooks.corp.example/gokeep"\n';

describe('[monitor]', () => {
  it('names its files beside the configuration, and its period in milliseconds', () => {
    expect(resolve(`every = "6h"\n${WEBHOOK}webhook_token_file = "t"\nwebhook_key_file = "k"`)).toEqual({
      every: 21_600_000,
      webhook: {
        url: 'https://hooks.corp.example/gokeep',
        tokenFile: '/etc/gokeep/t',
        keyFile: '/etc/gokeep/k',
      },
    });
  });

  it('runs nothing unless it is told to, and nothing offline', () => {
    expect(resolve('')).toEqual({ every: undefined, webhook: undefined });
    expect(resolve('every = "6h"', true).every).toBeUndefined();
  });

  it.each([
    ['every = "20ms"', 'monitor.every: has to be a second or more'],
    ['webhook = "hooks.corp.example"', 'monitor.webhook: has to be an https URL'],
    ['webhook = "https://u:p@hooks.corp.example/"', 'monitor.webhook: holds a login'],
    [
      'webhook = "http://hooks.corp.example/"\nwebhook_token_file = "t"',
      'monitor.webhook: would send the token over plain http',
    ],
    ['webhook_token_file = "t"', 'monitor.webhook_token_file: says how to log in'],
    ['webhook_key_file = "k"', 'monitor.webhook_key_file: says how to sign'],
    ['evry = "6h"', 'unknown key monitor.evry; did you mean monitor.every?'],
  ])('refuses %s', (text, sentence) => {
    expect(() => resolve(text)).toThrow(sentence);
  });
});
