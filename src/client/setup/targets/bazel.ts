import { netrcMachine, type SetupSettings } from '../settings.ts';
import { HASH, type Target } from '../target.ts';
import { goVariables } from '../variables.ts';

/** Gazelle fetches with GOSUMDB=off, whatever is set, and compares with go.sum: so go.sum is what has to be verified. */
function moduleFile(settings: SetupSettings): string {
  return `# In MODULE.bazel: include("//:gokeep.MODULE.bazel"). Undo: remove that line, and both files.
#
# Modules are compared with go.sum as they are fetched, and the checksum database is asked when go.sum is written:
# bazel run @rules_go//go -- mod tidy. In CI: npx gokeep verify go.sum.
go_deps = use_extension("@gazelle//:extensions.bzl", "go_deps")
go_deps.config(
    go_env = {
${goVariables(settings)
  .map(([name, value]) => `        "${name}": "${value}",`)
  .join('\n')}
    },
)
`;
}

function rcFile(settings: SetupSettings): string {
  const { credentials, ca } = settings;
  return `# In .bazelrc: import %workspace%/gokeep.bazelrc
${goVariables(settings)
  .map(([name, value]) => `common --repo_env=${name}=${value}`)
  .join('\n')}
${credentials ? `# Credentials: machine ${netrcMachine(settings)} login token password <token>, in ~/.netrc; go finds it by HOME.\ncommon --repo_env=HOME\n` : ''}${ca === undefined ? '' : 'common --repo_env=SSL_CERT_DIR\n'}`;
}

export const bazel: Target = {
  name: 'bazel',
  title: 'Bazel with rules_go and Gazelle: two files to include',
  drafts: (settings) => [
    { name: 'gokeep.MODULE.bazel', comment: HASH, body: moduleFile(settings) },
    { name: 'gokeep.bazelrc', comment: HASH, body: rcFile(settings) },
  ],
  undo: () => 'Remove the include from MODULE.bazel, the import from .bazelrc, and both files.',
};
