import { createHash } from 'node:crypto';
import { tables } from '../powershell-text.ts';
import type { SetupSettings } from '../settings.ts';
import { type Draft, HASH, type Target } from '../target.ts';
import { goVariables } from '../variables.ts';

/** A note of our own about what was set; `go` never reads it. */
const MARK = 'HKLM:\\SOFTWARE\\gokeep';

/** Names these settings: scripts of another version neither take them for theirs nor remove them. */
function versionOf(settings: SetupSettings): string {
  return createHash('sha256')
    .update(JSON.stringify(goVariables(settings)))
    .digest('hex')
    .slice(0, 12);
}

function head(settings: SetupSettings, what: string): string {
  return `# Intune, as SYSTEM and in 64-bit PowerShell: ${what}
# The environment of the machine, for the gokeep at ${settings.url}; new sessions see it.
$ErrorActionPreference = 'Stop'
$version = '${versionOf(settings)}'
$mark = '${MARK}'
${tables(settings)}

function Get-GokeepMark {
    $item = Get-ItemProperty -LiteralPath $mark -Name SetupVersion -ErrorAction SilentlyContinue
    if ($item) { $item.SetupVersion }
}
`;
}

const detect = (settings: SetupSettings) => `${head(settings, 'detection; exit code 1 asks for remediation.')}
$wrong = @()
foreach ($name in $set.Keys) {
    if ([Environment]::GetEnvironmentVariable($name, 'Machine') -cne $set[$name]) { $wrong += $name }
}
foreach ($name in $cleared) {
    if ($null -ne [Environment]::GetEnvironmentVariable($name, 'Machine')) { $wrong += $name }
}
if ((Get-GokeepMark) -ne $version) { $wrong += 'version' }
if ($wrong.Count -gt 0) {
    Write-Output "gokeep $($version): not as it should be: $($wrong -join ', ')"
    exit 1
}
Write-Output "gokeep $($version): set"
exit 0
`;

const remediate = (
  settings: SetupSettings,
) => `${head(settings, 'remediation; running it again changes nothing.')}
foreach ($name in $set.Keys) {
    if ([Environment]::GetEnvironmentVariable($name, 'Machine') -cne $set[$name]) {
        [Environment]::SetEnvironmentVariable($name, $set[$name], 'Machine')
    }
}
foreach ($name in $cleared) {
    if ($null -ne [Environment]::GetEnvironmentVariable($name, 'Machine')) {
        [Environment]::SetEnvironmentVariable($name, $null, 'Machine')
    }
}
New-Item -Path $mark -Force | Out-Null
New-ItemProperty -LiteralPath $mark -Name SetupVersion -Value $version -PropertyType String -Force | Out-Null
Write-Output "gokeep $($version): set"
exit 0
`;

const remove = (
  settings: SetupSettings,
) => `${head(settings, 'removal of what this version set, and of nothing else.')}
$found = Get-GokeepMark
if ($found -and $found -ne $version) {
    Write-Output "gokeep: version $found is set here and not $($version): nothing was removed"
    exit 1
}
foreach ($name in @($set.Keys)) {
    if ([Environment]::GetEnvironmentVariable($name, 'Machine') -ceq $set[$name]) {
        [Environment]::SetEnvironmentVariable($name, $null, 'Machine')
    }
}
if (Test-Path -LiteralPath $mark) { Remove-Item -LiteralPath $mark }
Write-Output "gokeep $($version): removed"
exit 0
`;

const drafts = (settings: SetupSettings): Draft[] => [
  { name: 'detect.ps1', comment: HASH, body: detect(settings) },
  { name: 'remediate.ps1', comment: HASH, body: remediate(settings) },
  { name: 'remove.ps1', comment: HASH, body: remove(settings) },
];

export const intune: Target = {
  name: 'intune',
  title: 'Intune: detection, remediation and removal on Windows machines',
  drafts,
  undoDrafts: (settings) => drafts(settings).filter(({ name }) => name === 'remove.ps1'),
  undo: () => 'Assign remove.ps1 in place of the other two.',
};
