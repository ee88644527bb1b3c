import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { Metrics } from '../../src/http/counters.ts';
import { incidentMessage } from '../../src/trust/webhook.ts';
import { gokeep } from '../cli/program.ts';

const WHOLE = readFileSync(path.join(import.meta.dirname, '../../docs/private-modules.md'), 'utf8');
const [PAGE = ''] = /^## Watch\n[^]*?(?=^## |(?![^]))/m.exec(WHOLE) ?? [];

const blocks = (language: string): string[] =>
  [...PAGE.matchAll(new RegExp(`\`\`\`${language}\\n([^]*?)\`\`\``, 'g'))].map(([, block]) => block!);

const directory = mkdtempSync(path.join(tmpdir(), 'gokeep-page-'));
afterAll(() => rmSync(directory, { recursive: true }));

describe('the page on private modules, on watching them', () => {
  it.each(blocks('toml'))('shows a configuration that loads: %s', (text) => {
    writeFileSync(path.join(directory, 'gokeep.toml'), `version = 1\n${text}`);
    const { monitor } = loadConfig({ env: { GOPROXY: 'off' }, cwd: directory });
    expect(monitor.every).toBe(6 * 3_600_000);
  });

  it('types commands and options of ours that exist', async () => {
    const commands = [...PAGE.matchAll(/npx gokeep ([a-z]+)/g)].map(([, name]) => name!);
    expect(new Set(commands)).toEqual(new Set(['monitor', 'why', 'fsck']));
    for (const command of new Set(commands)) {
      const { code, stdout } = await gokeep([command, '--help']);
      expect(code).toBe(0);
      if (command === 'fsck') expect(stdout).toContain('--deep');
    }
  });

  it('shows the message as the webhook gets it', () => {
    const shown = JSON.parse(blocks('json')[0]!) as {
      log: string;
      sent: string;
      incidents: { at: string }[];
    };
    const incidents = shown.incidents.map((incident) => ({ ...incident, at: Date.parse(incident.at) }));
    const sent = incidentMessage(shown.log, incidents as never, Date.parse(shown.sent));
    expect(JSON.parse(sent.toString())).toEqual(shown);
  });

  it('names metrics that there are', async () => {
    const names = new Set(PAGE.match(/gokeep_[a-z_]+/g));
    expect(names.size).toBeGreaterThan(3);
    const exported = await new Metrics().registry.metrics();
    for (const name of names) expect(exported).toContain(`# TYPE ${name} `);
  });
});
