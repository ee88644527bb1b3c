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

/**
 * The start page, plain text: what this is and what to copy. Everybody may read it.
 *
 * @param asksWho clients need credentials
 */
export function startPage(settings: ClientSettings, asksWho: boolean): string {
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
    ...(asksWho ? credentialsLines(settings) : []),
    `Other shells, CI systems, containers and Windows fleets, and how to undo it: ${settings.url}/setup`,
    'Leave GOPRIVATE, GONOPROXY and GONOSUMDB unset: private modules come through here too, and are verified.',
    '',
  ].join('\n');
}

function credentialsLines({ url }: ClientSettings): string[] {
  const host = URL.canParse(url) ? new URL(url).host : '<this host>';
  return [
    'Clients need a token, which the operator makes (gokeep token create), as a line of ~/.netrc:',
    `  machine ${host} login token password <token>`,
    'or from a command: export GOAUTH="npx gokeep goauth --url <this address> --token-file <file>"',
    '',
  ];
}
