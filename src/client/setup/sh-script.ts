import { credentialsLines } from './credentials.ts';
import type { SetupSettings } from './settings.ts';
import { type Draft, HASH } from './target.ts';

/** A script for any POSIX shell that keeps a block of lines at the end of some files. */
export interface BlockScript {
  readonly target: string;
  /** What is set up, for the first comment. */
  readonly title: string;
  /** Lines of sh that call `gokeep_edit FILE` for each file, in which `$1` may be a file that the person named. */
  readonly edits: string;
  /** The lines of the block, without its markers. */
  readonly block: readonly string[];
  /** Where the certificate is written, as a word of sh. */
  readonly caDirectory: string;
  /** What to do next, as a word for `echo`. */
  readonly next: string;
}

/**
 * The script. It is one function that its last line calls, so that a download that broke off runs nothing. Running it again changes
 * nothing; a link stays a link, since the file is written through it.
 */
export function blockScript(settings: SetupSettings, o: BlockScript, undo: boolean): Draft {
  const { url, ca } = settings;
  const body = `# ${o.title}: go uses the gokeep at ${url}.
#
#   curl -fsS ${url}/setup/${o.target} | sh
#   curl -fsS ${url}/setup/${o.target} | sh -s -- --undo    takes it back
gokeep_block() {
  cat <<'GOKEEP_BLOCK'
# >>> gokeep >>>
${o.block.join('\n')}
# <<< gokeep <<<
GOKEEP_BLOCK
}

# A file without our block. One whose end was lost is left as it is.
gokeep_without_block() {
  awk '
    !inside && $0 == "# >>> gokeep >>>" { held = $0 ORS; inside = 1; next }
    inside { held = held $0 ORS; if ($0 == "# <<< gokeep <<<") { inside = 0; held = "" } next }
    { print }
    END { printf "%s", held }
  ' "$1"
}

gokeep_edit() {
  if [ ! -e "$1" ] && [ "$gokeep_undo" = yes ]; then return 0; fi
  gokeep_new=$(mktemp)
  if [ -e "$1" ]; then gokeep_without_block "$1" >"$gokeep_new"; fi
  if [ "$gokeep_undo" = no ] && grep -nE '(GOPROXY|GOSUMDB|GONOPROXY|GONOSUMDB|GOPRIVATE|GOINSECURE)[ =]|GOFLAGS.*-insecure' "$gokeep_new"; then
    echo "gokeep: note: the lines above are of $1 and not ours. While ours come last they win; better remove them."
  fi
  if [ "$gokeep_undo" = no ]; then gokeep_block >>"$gokeep_new"; fi
  if cmp -s "$gokeep_new" "$1"; then
    echo "gokeep: $1 is as it should be"
  else
    mkdir -p "$(dirname "$1")"
    cat "$gokeep_new" >"$1"
    echo "gokeep: wrote $1"
  fi
  rm -f "$gokeep_new"
  if [ "$gokeep_undo" = yes ] && [ ! -s "$1" ] && [ ! -L "$1" ]; then rm -f "$1"; fi
}
${ca === undefined ? '' : caFunction(ca, o.caDirectory)}
gokeep_setup() {
  set -eu
  gokeep_undo=${undo ? 'yes' : 'no'}
  if [ "\${1-}" = --undo ]; then
    gokeep_undo=yes
    shift
  fi
${ca === undefined ? '' : '  gokeep_ca\n'}${o.edits.trimEnd()}
  if [ "$gokeep_undo" = yes ]; then
    echo "gokeep: undone for new shells. This one keeps its variables until it ends."
    return 0
  fi
  case " \${GOFLAGS-} " in *" -insecure "*)
    echo "gokeep: note: GOFLAGS holds -insecure, which go get has refused since Go 1.17: remove it." ;;
  esac
  echo "gokeep: ${o.next} Then ask: go env GOPROXY GOSUMDB"
${credentialsLines(settings)
  .map((line) => `  echo 'gokeep: ${line}'\n`)
  .join('')}}
gokeep_setup "$@"
`;
  return { name: `${o.target}.sh`, comment: HASH, body };
}

function caFunction(ca: string, directory: string): string {
  return `
gokeep_ca() {
  if [ "$gokeep_undo" = yes ]; then
    rm -f "${directory}/gokeep.pem"
    return 0
  fi
  mkdir -p "${directory}"
  cat >"${directory}/gokeep.pem" <<'GOKEEP_CA'
${ca.trimEnd()}
GOKEEP_CA
  if [ "$(uname)" = Darwin ]; then
    echo "gokeep: on macOS go trusts what the keychain trusts: sudo security add-trusted-cert -d -k /Library/Keychains/System.keychain '${directory}/gokeep.pem'" | sed "s|\\$HOME|$HOME|"
  fi
}
`;
}

/** Lines that export the variables, for every shell of the Bourne family. */
export function exportLines(
  settings: SetupSettings,
  variables: readonly (readonly [string, string])[],
  cleared: readonly string[],
): readonly string[] {
  const set = variables.map(([name, value]) => `export ${name}='${value}'`);
  const clear = `unset ${cleared.join(' ')}`;
  if (settings.ca === undefined) return [...set, clear];
  // Besides the system's own directories and bundle, which go still reads; SSL_CERT_FILE would replace the bundle.
  return [
    ...set,
    clear,
    `case ":\${SSL_CERT_DIR:-}:" in *":$HOME/.config/gokeep/ca:"*) ;; *)`,
    `  export SSL_CERT_DIR="\${SSL_CERT_DIR:-/etc/ssl/certs:/etc/pki/tls/certs}:$HOME/.config/gokeep/ca" ;;`,
    'esac',
  ];
}
