#!/bin/sh
# The essentials of `gokeep doctor` for a machine without Node: reads what go would act on, and changes nothing.
#   sh doctor.sh [module@version to download for a try]
# Exit codes: 0 nothing to change, 1 something is to be changed, 2 there is no go. No password is read or printed.
set -u

server=${GOKEEP_URL:-@GOKEEP_URL@}
case $server in @*) server= ;; esac
found=0

# finding harm id what fix
finding() {
  [ "$1" = NOTE ] || found=$((found + 1))
  printf '%s: %s  [%s]\n    %s\n' "$1" "$3" "$2" "$4"
}

# Without userinfo and query strings.
clean() { printf '%s' "$1" | sed -e 's#://[^/@,|]*@#://#g' -e 's#?[^,|]*#?[redacted]#g'; }

if ! command -v go >/dev/null 2>&1; then
  finding BROKEN go-missing 'no go command is found on PATH' '# install Go, or add its bin directory to PATH'
  exit 2
fi

GOTOOLCHAIN_WAS=${GOTOOLCHAIN:-}
value() { GOTOOLCHAIN=local go env "$1" 2>/dev/null; }
goproxy=$(value GOPROXY)
gosumdb=$(value GOSUMDB)
shown=$(clean "$goproxy")

# What is unsafe.
[ "$gosumdb" = off ] && finding UNSAFE gosumdb-off 'GOSUMDB is off: modules are not verified' "# set the line that ${server:-the server} shows"
private=$(value GOPRIVATE)
nosum=$(value GONOSUMDB)
if [ -n "$private" ] && [ "$nosum" = "$private" ]; then
  finding UNSAFE goprivate "GOPRIVATE is $private, and an empty GONOSUMDB means the same: these modules are not verified" 'unset GOPRIVATE; go env -u GOPRIVATE'
elif [ -n "$nosum" ] && [ "$nosum" != none ]; then
  finding UNSAFE gonosumdb "GONOSUMDB is $nosum: these modules are not verified" 'unset GONOSUMDB; go env -u GONOSUMDB'
fi

# What is broken.
[ "$(value GO111MODULE)" = off ] && finding BROKEN go111module 'GO111MODULE is off: go works as before there were modules' 'unset GO111MODULE; go env -u GO111MODULE'
case $goproxy in
  off) finding BROKEN goproxy-off 'GOPROXY is off: nothing is fetched' "go env -w GOPROXY=${server:-<address of the server>}" ;;
  direct | direct[,\|]*) finding BROKEN direct-first 'in GOPROXY direct stands first: no server is asked' "go env -w GOPROXY=${server:-<address of the server>}" ;;
  *)
    if [ -n "$server" ]; then
      case $goproxy in
        *"${server#*://}"*) ;;
        *) finding BROKEN goproxy-elsewhere "GOPROXY is $shown, not $server" "go env -w GOPROXY=$server" ;;
      esac
    fi
    ;;
esac
case " $(value GOFLAGS) " in
  *' -mod=vendor '*) [ -d vendor ] || finding BROKEN goflags-vendor 'GOFLAGS holds -mod=vendor: go takes packages from vendor alone' 'unset GOFLAGS; go env -u GOFLAGS' ;;
esac
for name in GOCACHE GOMODCACHE; do
  at=$(value "$name")
  directory=$at
  while [ -n "$directory" ] && [ ! -e "$directory" ] && [ "$directory" != / ]; do directory=$(dirname "$directory"); done
  if [ -z "$at" ] || [ "$at" = off ] || [ ! -d "$directory" ] || [ ! -w "$directory" ]; then
    finding BROKEN "$(printf '%s' "$name" | tr '[:upper:]' '[:lower:]')" "$name ${at:-is not set, and} cannot be written" "export $name=\"\${TMPDIR:-/tmp}/$name\""
  fi
done
if [ "$(value CGO_ENABLED)" = 1 ]; then
  cc=$(value CC)
  command -v "${cc%% *}" >/dev/null 2>&1 || finding BROKEN cgo-without-compiler "CGO_ENABLED is 1, and there is no C compiler $cc" 'export CGO_ENABLED=0'
fi

# Whether the server answers.
ask() {
  if command -v curl >/dev/null 2>&1; then
    curl -fsS --max-time 5 --max-filesize 65536 "$1" 2>&1
  else
    wget -q -T 5 -O - "$1" 2>&1
  fi
}
first=$server
[ -n "$first" ] || first=$(printf '%s' "$goproxy" | tr '|' ',' | tr ',' '\n' | grep -E '^https?://' | grep -v '^https://proxy\.golang\.org' | head -n 1)
if [ -n "$first" ]; then
  shown_first=$(clean "$first")
  if command -v curl >/dev/null 2>&1 || command -v wget >/dev/null 2>&1; then
    answer=$(ask "${shown_first%/}/api/v1/server" | head -c 400 | tr -d '\000-\037\177')
    case $answer in
      *'"program":"gokeep"'*)
        printf 'ok: %s answers, and is a gokeep\n' "$shown_first"
        case $answer in
          *"\"sumdb\":\"${gosumdb%%+*}\""*) ;;
          *) [ "$gosumdb" = off ] || finding NOTE gosumdb-elsewhere "GOSUMDB is ${gosumdb%%+*}, which is not the database of $shown_first" "# its line is at $shown_first/" ;;
        esac
        ;;
      *) finding BROKEN no-answer "$shown_first does not answer as a gokeep: $answer" "curl -v ${shown_first%/}/api/v1/server" ;;
    esac
  fi
fi

# What is a risk, or without effect.
case $goproxy in
  *'|'*) finding RISK pipe-after 'in GOPROXY a pipe lets go on after any error, also after a refusal' '# put commas, or the server alone' ;;
  http*,direct) finding RISK fallback-after 'in GOPROXY direct follows the server: names of private modules can leave' '# leave direct out' ;;
esac
insecure=$(value GOINSECURE)
[ -n "$insecure" ] && finding RISK goinsecure "GOINSECURE is $insecure" 'unset GOINSECURE; go env -u GOINSECURE'
netrc=${NETRC:-${HOME:-}/.netrc}
if [ -f "$netrc" ] && [ -n "$(find "$netrc" -perm /077 2>/dev/null)" ]; then
  finding RISK netrc-mode "$netrc holds passwords and is open to others" "chmod 600 $netrc"
fi
for name in GOSUMDB_VERIFY GOSUMDBPUBLICKEY GONOSUMCHECK GONOVERIFY GO_PROXY GO_SUMDB; do
  if env | grep -q "^$name=."; then finding NOTE myth "$name is set, and no go command reads it" "unset $name"; fi
done

# A real download, in caches of its own.
if [ $# -gt 0 ]; then
  scratch=$(mktemp -d) || exit 2
  trap 'rm -rf "$scratch"' EXIT
  if said=$(cd "$scratch" && GOTOOLCHAIN=${GOTOOLCHAIN_WAS:-local} GOFLAGS=-modcacherw GOWORK=off GOPATH=$scratch/gopath GOMODCACHE=$scratch/mod GOCACHE=$scratch/build go mod download "$1" 2>&1); then
    printf 'ok: go downloaded %s, and verified it\n' "$1"
  else
    finding BROKEN download-failed "go cannot download $1: $(clean "$said" | tail -n 3)" "go mod download -x $1"
  fi
else
  echo 'not tried: a download; name a module: sh doctor.sh example.com/mod@v1.2.3'
fi

[ "$found" -eq 0 ] || exit 1
echo 'Nothing wrong was found in what was looked at.'
