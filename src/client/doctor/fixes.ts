import type { Facts, Origin, Variable } from './facts/facts.ts';

/** Where a value stands, for a person. */
export function originText(origin: Origin): string {
  switch (origin.kind) {
    case 'environment':
      return origin.profile === undefined
        ? 'the environment'
        : `the environment, by ${placeText(origin.profile)}`;
    case 'goenv':
      return `${origin.file}, which \`go env -w\` writes`;
    case 'go.env':
      return origin.file;
    case 'derived':
      return `${origin.from}, which stands in where it is empty`;
    case 'default':
      return "go's default";
  }
}

/** A line of a profile; in the Windows registry there are keys only. */
export function placeText({ file, line }: { readonly file: string; readonly line: number }): string {
  return line === 0 ? file : `${file}:${line}`;
}

/** The commands that give a variable another value, where it is set now. */
export function setTo(facts: Pick<Facts, 'platform' | 'variables'>, name: string, value: string): string[] {
  const variable = facts.variables.get(name);
  const { origin } = variable ?? { origin: { kind: 'default' } as Origin };
  if (origin.kind !== 'environment') return [`go env -w ${name}=${quoted(facts.platform, value)}`];
  const line =
    facts.platform === 'win32'
      ? `$env:${name} = ${quoted(facts.platform, value)}`
      : `export ${name}=${quoted(facts.platform, value)}`;
  return [...whereItStands(origin), line];
}

/** The commands that take a variable away, where it is set now, and below. */
export function unset(facts: Pick<Facts, 'platform' | 'variables'>, name: string): string[] {
  const variable = facts.variables.get(name);
  const origins = variable === undefined ? [] : [variable.origin, ...variable.shadowed.map((s) => s.origin)];
  const lines = origins.flatMap((origin) => {
    if (origin.kind === 'goenv') return [`go env -u ${name}`];
    if (origin.kind !== 'environment') return [];
    return [
      ...whereItStands(origin),
      facts.platform === 'win32' ? `Remove-Item Env:${name}` : `unset ${name}`,
    ];
  });
  return lines.length === 0 ? [`go env -u ${name}`] : lines;
}

function whereItStands(origin: Variable['origin']): string[] {
  if (origin.kind !== 'environment' || origin.profile === undefined) return [];
  return [`# also change ${placeText(origin.profile)}, or it is back in the next shell`];
}

/** One word of a shell: bash and PowerShell agree on these quotes as long as there are none inside. */
export function quoted(platform: NodeJS.Platform, text: string): string {
  if (/^[A-Za-z0-9_@%+=:,./-]+$/.test(text)) return text;
  return platform === 'win32' ? `'${text.replaceAll("'", "''")}'` : `'${text.replaceAll("'", `'\\''`)}'`;
}
