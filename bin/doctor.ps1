# The essentials of `gokeep doctor` for Windows without Node: reads what go would act on, and changes nothing.
#   powershell -ExecutionPolicy Bypass -File doctor.ps1 [module@version to download for a try]
# Exit codes: 0 nothing to change, 1 something is to be changed, 2 there is no go. No password is read or printed.
# This script has not been run on Windows by its authors.
param([string] $Module = '')

$server = if ($env:GOKEEP_URL) { $env:GOKEEP_URL } else { '@GOKEEP_URL@' }
if ($server.StartsWith('@')) { $server = '' }
$script:found = 0

function Write-Finding([string] $Harm, [string] $Id, [string] $What, [string] $Fix) {
  if ($Harm -ne 'NOTE') { $script:found++ }
  Write-Output "${Harm}: $What  [$Id]"
  Write-Output "    $Fix"
}
function Hide-Secrets([string] $Text) { ($Text -replace '://[^/@,|]*@', '://') -replace '\?[^,|]*', '?[redacted]' }

if (-not (Get-Command go -ErrorAction SilentlyContinue)) {
  Write-Finding 'BROKEN' 'go-missing' 'no go command is found on PATH' '# install Go, or add its bin directory to PATH'
  exit 2
}
function Get-GoValue([string] $Name) { (& go env $Name 2>$null | Out-String).Trim() }

$goproxy = Get-GoValue 'GOPROXY'
$gosumdb = Get-GoValue 'GOSUMDB'
$private = Get-GoValue 'GOPRIVATE'
$nosum = Get-GoValue 'GONOSUMDB'

if ($gosumdb -eq 'off') { Write-Finding 'UNSAFE' 'gosumdb-off' 'GOSUMDB is off: modules are not verified' '# set the line that the server shows' }
if ($private -and $nosum -eq $private) { Write-Finding 'UNSAFE' 'goprivate' "GOPRIVATE is $private, and an empty GONOSUMDB means the same: these modules are not verified" 'Remove-Item Env:GOPRIVATE; go env -u GOPRIVATE' }
elseif ($nosum -and $nosum -ne 'none') { Write-Finding 'UNSAFE' 'gonosumdb' "GONOSUMDB is ${nosum}: these modules are not verified" 'Remove-Item Env:GONOSUMDB; go env -u GONOSUMDB' }
if ((Get-GoValue 'GO111MODULE') -eq 'off') { Write-Finding 'BROKEN' 'go111module' 'GO111MODULE is off' 'Remove-Item Env:GO111MODULE; go env -u GO111MODULE' }
if ($goproxy -eq 'off') { Write-Finding 'BROKEN' 'goproxy-off' 'GOPROXY is off: nothing is fetched' "go env -w GOPROXY=$server" }
elseif ($goproxy -match '^direct([,|]|$)') { Write-Finding 'BROKEN' 'direct-first' 'in GOPROXY direct stands first: no server is asked' "go env -w GOPROXY=$server" }
elseif ($server -and -not $goproxy.Contains(($server -replace '^https?://', ''))) { Write-Finding 'BROKEN' 'goproxy-elsewhere' "GOPROXY is $(Hide-Secrets $goproxy), not $server" "go env -w GOPROXY=$server" }
if (" $(Get-GoValue 'GOFLAGS') ".Contains(' -mod=vendor ') -and -not (Test-Path 'vendor')) { Write-Finding 'BROKEN' 'goflags-vendor' 'GOFLAGS holds -mod=vendor' 'Remove-Item Env:GOFLAGS; go env -u GOFLAGS' }

if ($server) {
  try {
    $answer = Invoke-RestMethod -Uri "$($server.TrimEnd('/'))/api/v1/server" -TimeoutSec 5 -MaximumRedirection 5
    if ($answer.program -eq 'gokeep') {
      Write-Output "ok: $server answers, and is a gokeep"
      if ($gosumdb -ne 'off' -and $gosumdb.Split('+')[0] -ne $answer.sumdb) { Write-Finding 'NOTE' 'gosumdb-elsewhere' "GOSUMDB is $($gosumdb.Split('+')[0]), which is not the database of $server" "# its line is at $server/" }
    }
    else { Write-Finding 'BROKEN' 'not-gokeep' "$server is no gokeep" "Invoke-WebRequest $server/api/v1/server" }
  }
  catch { Write-Finding 'BROKEN' 'no-answer' "$server does not answer: $($_.Exception.Message)" "Test-NetConnection $(([uri] $server).Host) -Port $(([uri] $server).Port)" }
}

if ($goproxy.Contains('|')) { Write-Finding 'RISK' 'pipe-after' 'in GOPROXY a pipe lets go on after any error, also after a refusal' '# put commas, or the server alone' }
elseif ($goproxy -match '^http.*,direct$') { Write-Finding 'RISK' 'fallback-after' 'in GOPROXY direct follows the server: names of private modules can leave' '# leave direct out' }
if (Get-GoValue 'GOINSECURE') { Write-Finding 'RISK' 'goinsecure' 'GOINSECURE is set' 'Remove-Item Env:GOINSECURE; go env -u GOINSECURE' }
foreach ($name in 'GOSUMDB_VERIFY', 'GOSUMDBPUBLICKEY', 'GONOSUMCHECK', 'GONOVERIFY', 'GO_PROXY', 'GO_SUMDB') {
  if ([Environment]::GetEnvironmentVariable($name)) { Write-Finding 'NOTE' 'myth' "$name is set, and no go command reads it" "Remove-Item Env:$name" }
}
foreach ($key in 'HKLM:\SOFTWARE\Go', 'HKCU:\SOFTWARE\Go', "$env:ProgramData\Go\certs") {
  if (Test-Path $key) { Write-Finding 'NOTE' 'myth' "$key is there, and no go command reads it" "# remove $key" }
}

if ($Module) {
  $scratch = Join-Path ([IO.Path]::GetTempPath()) "gokeep-doctor-$PID"
  New-Item -ItemType Directory -Path $scratch | Out-Null
  $before = $env:GOPATH, $env:GOMODCACHE, $env:GOCACHE, $env:GOFLAGS
  try {
    $env:GOPATH = "$scratch\gopath"; $env:GOMODCACHE = "$scratch\mod"; $env:GOCACHE = "$scratch\build"; $env:GOFLAGS = '-modcacherw'
    Push-Location $scratch
    $said = & go mod download $Module 2>&1 | Out-String
    if ($LASTEXITCODE -eq 0) { Write-Output "ok: go downloaded $Module, and verified it" }
    else { Write-Finding 'BROKEN' 'download-failed' "go cannot download ${Module}: $(Hide-Secrets $said)" "go mod download -x $Module" }
  }
  finally {
    Pop-Location
    $env:GOPATH, $env:GOMODCACHE, $env:GOCACHE, $env:GOFLAGS = $before
    Remove-Item -Recurse -Force $scratch
  }
}
if ($script:found -gt 0) { exit 1 }
Write-Output 'Nothing wrong was found in what was looked at.'
