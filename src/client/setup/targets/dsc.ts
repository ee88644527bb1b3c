import { tables } from '../powershell-text.ts';
import type { SetupSettings } from '../settings.ts';
import { HASH, type Target } from '../target.ts';

function configuration(settings: SetupSettings): string {
  return `# PowerShell DSC (Windows PowerShell 5.1): the environment of the machine, which new sessions see.
#
#   Install-Module PSDscResources -RequiredVersion 2.12.0.0
#   . .\\gokeep.ps1
#   GokeepClient -OutputPath .\\gokeep;                 Start-DscConfiguration -Path .\\gokeep -Wait
#   GokeepClient -OutputPath .\\gokeep -Ensure Absent;  Start-DscConfiguration -Path .\\gokeep -Wait    takes it back
#   Test-DscConfiguration -Path .\\gokeep               tells whether a machine has it
Configuration GokeepClient {
    param(
        [ValidateSet('Present', 'Absent')]
        [string] $Ensure = 'Present'
    )
    # One version, so that every machine is configured by the same code.
    Import-DscResource -ModuleName PSDscResources -ModuleVersion 2.12.0.0

${tables(settings).replaceAll(/^/gm, '    ')}

    Node localhost {
        foreach ($name in $set.Keys) {
            Environment $name {
                Name   = $name
                Value  = $set[$name]
                Ensure = $Ensure
                Target = @('Machine')
            }
        }
        foreach ($name in $cleared) {
            Environment $name {
                Name   = $name
                Ensure = 'Absent'
                Target = @('Machine')
            }
        }
    }
}
`;
}

export const dsc: Target = {
  name: 'dsc',
  title: 'PowerShell DSC: the environment of Windows machines',
  drafts: (settings) => [{ name: 'gokeep.ps1', comment: HASH, body: configuration(settings) }],
  undo: () => 'GokeepClient -OutputPath .\\gokeep -Ensure Absent, and Start-DscConfiguration.',
};
