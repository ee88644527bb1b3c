import { netrcMachine, type SetupSettings } from '../settings.ts';
import { HASH, type Target } from '../target.ts';
import { goVariables } from '../variables.ts';

function module(settings: SetupSettings): string {
  const { credentials, ca } = settings;
  return `# A NixOS module: imports = [ ./gokeep.nix ]; Undo: remove it from imports, and nixos-rebuild switch.
#
# buildGoModule hands GOPROXY, and nothing else of go, from the daemon to the build that fetches; what that build brings has to have
# vendorHash. Public modules are checked against sum.golang.org there, which this gokeep serves too. With private modules, add:
#   overrideModAttrs = _: { GOSUMDB = "${settings.vkey}"; GONOSUMDB = "none"; };
# Outside NixOS: nix-shell with mkShell and the same variables.
{ ... }:
let
  go = {
${goVariables(settings)
  .map(([name, value]) => `    ${name} = "${value}";`)
  .join('\n')}
  };
in
{
  environment.variables = go;
  systemd.services.nix-daemon.environment.GOPROXY = go.GOPROXY;
${credentials ? `  # Credentials of people: machine ${netrcMachine(settings)} login token password <token>, in ~/.netrc. The daemon's builds\n  # see no home: give them a gokeep with access.public = "anonymous", or vendor.\n` : ''}${ca === undefined ? '' : `  security.pki.certificates = [\n    ''\n${ca.trimEnd().replaceAll(/^/gm, '      ')}\n    ''\n  ];\n`}}
`;
}

export const nix: Target = {
  name: 'nix',
  title: 'Nix: a NixOS module, for people and for buildGoModule',
  drafts: (settings) => [{ name: 'gokeep.nix', comment: HASH, body: module(settings) }],
  undo: () => 'Remove gokeep.nix from imports, and nixos-rebuild switch.',
};
