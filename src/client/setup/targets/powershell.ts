import { credentialsLines } from '../credentials.ts';
import { quoted, tables } from '../powershell-text.ts';
import type { SetupSettings } from '../settings.ts';
import { type Draft, HASH, type Target } from '../target.ts';

/**
 * On Windows the variables of the user in the registry: every new process has them, whatever its profiles are and in whichever order they
 * run. Elsewhere PowerShell keeps nothing there, so a block at the end of the profile of all hosts.
 */
function script(settings: SetupSettings, undo: boolean): Draft[] {
  const { url, ca } = settings;
  const netrc = "$(if ($onWindows) { '%USERPROFILE%\\_netrc' } else { '~/.netrc' })";
  const trusted = `if ($onWindows) {
    Edit-GokeepStore 'Add'
} else {
    Write-Host 'gokeep: have the system trust your authority, or use the setup for bash, zsh or fish.'
}
`;
  const inner = `$ErrorActionPreference = 'Stop'
${tables(settings)}
$onWindows = $env:OS -eq 'Windows_NT'

function Set-GokeepVariable([string] $name, [string] $value) {
    $old = [Environment]::GetEnvironmentVariable($name, 'User')
    if ($old -ceq $value) { return }
    if ($old) { Write-Host "gokeep: $name was: $old" }
    [Environment]::SetEnvironmentVariable($name, $value, 'User')
}

function Remove-GokeepVariable([string] $name) {
    $old = [Environment]::GetEnvironmentVariable($name, 'User')
    if ($null -eq $old) { return }
    Write-Host "gokeep: $name is removed; it was: $old"
    [Environment]::SetEnvironmentVariable($name, $null, 'User')
}

function Edit-GokeepProfile([string] $file, [string[]] $block) {
    $lines = @()
    if (Test-Path -LiteralPath $file) { $lines = @(Get-Content -LiteralPath $file) }
    $kept = @()
    $inside = $false
    foreach ($line in $lines) {
        if ($line -eq '# >>> gokeep >>>') { $inside = $true }
        if (-not $inside) { $kept += $line }
        if ($line -eq '# <<< gokeep <<<') { $inside = $false }
    }
    if ($inside) { throw "$file has the beginning of gokeep's block and not its end: mend it by hand." }
    $wanted = @($kept) + @($block)
    if (($wanted -join "\`n") -ceq ($lines -join "\`n")) { return }
    New-Item -ItemType Directory -Force -Path (Split-Path -Parent $file) | Out-Null
    Set-Content -LiteralPath $file -Value $wanted
    Write-Host "gokeep: wrote $file"
}

$block = @('# >>> gokeep >>>')
foreach ($name in $set.Keys) { $block += "\`$env:$name = '$($set[$name])'" }
foreach ($name in $cleared) { $block += "Remove-Item Env:$name -ErrorAction SilentlyContinue" }
$block += '# <<< gokeep <<<'

${ca === undefined ? '' : trust(ca)}if ($Undo) {
${ca === undefined ? '' : "    if ($onWindows) { Edit-GokeepStore 'Remove' }\n"}    foreach ($name in @($set.Keys)) {
        # Only what is still ours.
        if ($onWindows -and ([Environment]::GetEnvironmentVariable($name, 'User') -ceq $set[$name])) {
            [Environment]::SetEnvironmentVariable($name, $null, 'User')
        }
        Remove-Item "Env:$name" -ErrorAction SilentlyContinue
    }
    if (-not $onWindows) { Edit-GokeepProfile $PROFILE.CurrentUserAllHosts @() }
    Write-Host 'gokeep: undone'
    return
}

if ($onWindows) {
    foreach ($name in @($set.Keys)) { Set-GokeepVariable $name $set[$name] }
    foreach ($name in $cleared) { Remove-GokeepVariable $name }
} else {
    Edit-GokeepProfile $PROFILE.CurrentUserAllHosts $block
}
foreach ($name in $set.Keys) { Set-Item "Env:$name" $set[$name] }
foreach ($name in $cleared) { Remove-Item "Env:$name" -ErrorAction SilentlyContinue }

# A profile runs in each new PowerShell, and what it sets hides what was set here.
foreach ($file in @($PROFILE.AllUsersAllHosts, $PROFILE.AllUsersCurrentHost, $PROFILE.CurrentUserAllHosts, $PROFILE.CurrentUserCurrentHost)) {
    if ($onWindows -and $file -and (Test-Path -LiteralPath $file)) {
        Select-String -LiteralPath $file -Pattern 'env:GO(PROXY|SUMDB|NOPROXY|NOSUMDB|PRIVATE|INSECURE)' | ForEach-Object {
            Write-Warning "gokeep: $($file):$($_.LineNumber) sets it again, and wins: $($_.Line.Trim())"
        }
    }
}
${ca === undefined ? '' : trusted}Write-Host 'gokeep: done; programs that are already open see it after a restart. Then ask: go env GOPROXY GOSUMDB'
${credentialsLines(settings, netrc)
  .map((line) => `Write-Host "gokeep: ${line}"\n`)
  .join('')}`;
  const body = `# PowerShell 5.1 and later: go uses the gokeep at ${url}.
#
#   irm ${url}/setup/powershell | iex
#   & ([scriptblock]::Create((irm ${url}/setup/powershell))) -Undo    takes it back
param([switch] $Undo${undo ? ' = $true' : ''})
# One block: what is set in it does not stay in the session, and without its end nothing runs.
& {
${inner.replaceAll(/^(?=.)/gm, '    ')}}
`;
  return [{ name: 'powershell.ps1', comment: HASH, body }];
}

/** On Windows go trusts what the system's store trusts; a change of it asks the person. */
function trust(ca: string): string {
  const certificates = ca.split(/-----[A-Z ]+-----/).map((part) => part.replaceAll(/\s/g, ''));
  return `function Edit-GokeepStore([string] $change) {
    $store = [Security.Cryptography.X509Certificates.X509Store]::new('Root', 'CurrentUser')
    $store.Open('ReadWrite')
    foreach ($base64 in @(${certificates
      .filter((each) => each !== '')
      .map(quoted)
      .join(', ')})) {
        $bytes = [Convert]::FromBase64String($base64)
        $certificate = [Security.Cryptography.X509Certificates.X509Certificate2]::new($bytes)
        if ($change -eq 'Remove') { $store.Remove($certificate) } else { $store.Add($certificate) }
    }
    $store.Close()
}

`;
}

export const powershell: Target = {
  name: 'powershell',
  title: "PowerShell: the user's variables on Windows, the profile elsewhere",
  drafts: (settings) => script(settings, false),
  undoDrafts: (settings) => script(settings, true),
  undo: ({ url }) => `& ([scriptblock]::Create((irm ${url}/setup/powershell))) -Undo`,
};
