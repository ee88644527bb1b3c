import { createHash } from 'node:crypto';
import type { SetupSettings } from '../settings.ts';
import { type Draft, type Target, XML } from '../target.ts';
import { CLEARED, goVariables } from '../variables.ts';

/** What `go` reads on Windows is its environment, which Windows makes of these two keys. No key of the name of Go exists. */
const MACHINE_KEY = 'SYSTEM\\CurrentControlSet\\Control\\Session Manager\\Environment';
const USER_KEY = 'Environment';
const NAMESPACE = 'http://schemas.microsoft.com/GroupPolicy/2006/07/PolicyDefinitions';

const xml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');

/** One policy: address and key in its two text boxes, the rest fixed. Disabled, it removes all of it again. */
function policy(name: string, scope: 'Machine' | 'User', key: string): string {
  const item = (value: string, content: string) => `        <item key="${xml(key)}" valueName="${value}">
          <value>${content}</value>
        </item>`;
  const fixed = ['GONOPROXY', 'GONOSUMDB'];
  return `    <policy name="${name}" class="${scope}" displayName="$(string.${name})" explainText="$(string.${name}_Explain)" presentation="$(presentation.${name})" key="${xml(key)}">
      <parentCategory ref="Gokeep" />
      <supportedOn ref="windows:SUPPORTED_WindowsVista" />
      <enabledList>
${[...fixed.map((value) => item(value, '<string>none</string>')), ...CLEARED.map((value) => item(value, '<delete />'))].join('\n')}
      </enabledList>
      <disabledList>
${fixed.map((value) => item(value, '<delete />')).join('\n')}
      </disabledList>
      <elements>
        <text id="${name}_GOPROXY" valueName="GOPROXY" required="true" />
        <text id="${name}_GOSUMDB" valueName="GOSUMDB" required="true" />
      </elements>
    </policy>`;
}

function admx(): string {
  return `<policyDefinitions xmlns="${NAMESPACE}" revision="1.0" schemaVersion="1.0">
  <policyNamespaces>
    <target prefix="gokeep" namespace="Gokeep.Policies.Client" />
    <using prefix="windows" namespace="Microsoft.Policies.Windows" />
  </policyNamespaces>
  <resources minRequiredRevision="1.0" />
  <categories>
    <category name="Gokeep" displayName="$(string.Gokeep)" />
  </categories>
  <policies>
${policy('GokeepMachine', 'Machine', MACHINE_KEY)}
${policy('GokeepUser', 'User', USER_KEY)}
  </policies>
</policyDefinitions>
`;
}

function adml({ url, vkey }: SetupSettings): string {
  const explain = (scope: string) =>
    `Sets GOPROXY, GOSUMDB, GONOPROXY and GONOSUMDB in the environment of ${scope}, and removes GOPRIVATE and GOINSECURE from it. New sessions see it. A variable of the user wins over one of the machine. To undo it, set the policy to Disabled, which removes the variables; Not Configured alone leaves them.`;
  const presentation = (name: string) => `      <presentation id="${name}">
        <textBox refId="${name}_GOPROXY">
          <label>GOPROXY</label>
          <defaultValue>${xml(url)}</defaultValue>
        </textBox>
        <textBox refId="${name}_GOSUMDB">
          <label>GOSUMDB</label>
          <defaultValue>${xml(vkey)}</defaultValue>
        </textBox>
      </presentation>`;
  return `<policyDefinitionResources xmlns="${NAMESPACE}" revision="1.0" schemaVersion="1.0">
  <displayName>gokeep</displayName>
  <description>Go module proxy and checksum database of clients</description>
  <resources>
    <stringTable>
      <string id="Gokeep">Go modules (gokeep)</string>
      <string id="GokeepMachine">Go module proxy and checksum database of this machine</string>
      <string id="GokeepMachine_Explain">${explain('the machine')}</string>
      <string id="GokeepUser">Go module proxy and checksum database of this user</string>
      <string id="GokeepUser_Explain">${explain('the user')}</string>
    </stringTable>
    <presentationTable>
${presentation('GokeepMachine')}
${presentation('GokeepUser')}
    </presentationTable>
  </resources>
</policyDefinitionResources>
`;
}

/** A GUID that is the same for the same variable, so that a file made again is the same file. */
function uid(name: string): string {
  const hex = createHash('sha256').update(`gokeep environment ${name}`).digest('hex').toUpperCase();
  return `{${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}-A${hex.slice(17, 20)}-${hex.slice(20, 32)}}`;
}

/** Group Policy preferences (MS-GPPREF), variables of the machine: put back by each refresh, and gone once the policy no longer applies. */
function preferences(settings: SetupSettings): string {
  const variable = (name: string, action: 'R' | 'D', value: string) =>
    `  <EnvironmentVariable clsid="{78570023-8373-4a19-BA80-2F150738EA19}" name="${name}" status="${xml(`${name} = ${value}`)}" image="${action === 'R' ? 1 : 3}" changed="2026-01-01 00:00:00" uid="${uid(name)}" bypassErrors="1"${action === 'R' ? ' removePolicy="1"' : ''}>
    <Properties action="${action}" name="${name}" value="${xml(value)}" user="0" partial="0" />
  </EnvironmentVariable>`;
  return `<EnvironmentVariables clsid="{BF141A63-327B-438a-B9BF-2C188F13B7AD}">
${[
  ...goVariables(settings).map(([name, value]) => variable(name, 'R', value)),
  ...CLEARED.map((name) => variable(name, 'D', '')),
].join('\n')}
</EnvironmentVariables>
`;
}

const drafts = (settings: SetupSettings): Draft[] => [
  { name: 'gokeep.admx', comment: XML, body: admx() },
  { name: 'en-US/gokeep.adml', comment: XML, body: adml(settings) },
  { name: 'EnvironmentVariables.xml', comment: XML, body: preferences(settings) },
];

export const gpo: Target = {
  name: 'gpo',
  title: 'Group Policy: ADMX and ADML, or preferences (EnvironmentVariables.xml); use one of the two',
  drafts,
  undo: () =>
    'ADMX: set the policy to Disabled, wait for a refresh, then remove it. Preferences: unlink the policy; it removes its variables itself.',
};
