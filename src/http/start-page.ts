/** What a client sets to use this server. */
export interface ClientSettings {
  readonly url: string;
  readonly vkey: string;
}

/** The lines to copy, for bash and PowerShell. */
export function settingsLines({ url, vkey }: ClientSettings): { bash: string[]; powershell: string[] } {
  return {
    bash: [`export GOPROXY=${url}`, `export GOSUMDB="${vkey}"`],
    powershell: [`$env:GOPROXY = "${url}"`, `$env:GOSUMDB = "${vkey}"`],
  };
}

/** The start page, plain text: what this is and what to copy. */
export function startPage(settings: ClientSettings): string {
  const { bash, powershell } = settingsLines(settings);
  return [
    'gokeep: Go module proxy and checksum database',
    '',
    'bash, zsh:',
    ...bash.map((line) => `  ${line}`),
    '',
    'PowerShell:',
    ...powershell.map((line) => `  ${line}`),
    '',
    'Leave GOPRIVATE, GONOPROXY and GONOSUMDB unset: private modules come through here too, and are verified.',
    '',
  ].join('\n');
}
