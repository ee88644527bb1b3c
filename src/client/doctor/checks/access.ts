import { type Facts, valueOf } from '../facts/facts.ts';
import type { Finding } from '../finding.ts';
import { setTo, unset } from '../fixes.ts';
import { type Check, serverUrl } from './check.ts';

/** Credentials: whether they are sent, good, and kept well. */
export const access: Check = (facts, probed) => {
  const found: Finding[] = [];
  const { netrc } = facts;
  const inTheClear = facts.goproxy.find(
    (each) => each.credentials !== undefined && each.url?.startsWith('http:'),
  );
  if (inTheClear !== undefined)
    found.push({
      id: 'credentials-over-http',
      harm: 'broken',
      what: `GOPROXY holds a password for ${inTheClear.url}, which is plain http.`,
      why: 'go refuses to send it, and fails: anybody on the way could read it.',
      fix: setTo(facts, 'GOPROXY', (inTheClear.url ?? '').replace(/^http:/, 'https:')),
    });
  if (probed.access?.kind === 'refused') found.push(refused(facts, serverUrl(probed), probed.access));
  const isOthers = facts.netrc.mode % 0o100 !== 0;
  if (netrc.state === 'read' && isOthers && netrc.machines.length > 0)
    found.push({
      id: 'netrc-mode',
      harm: 'risk',
      what: `${netrc.file} holds passwords and is open to others (mode ${netrc.mode.toString(8).padStart(4, '0')}).`,
      why: 'Every program and user of this machine can read the passwords, and read private modules with them.',
      fix: [`chmod 600 ${netrc.file}`],
    });
  const carries = facts.goproxy.find((each) => each.credentials !== undefined && each !== inTheClear);
  if (carries !== undefined)
    found.push({
      id: 'credentials-in-goproxy',
      harm: 'risk',
      what: `GOPROXY holds a password for ${carries.url}.`,
      why: 'It shows in `go env`, in build logs and in images; netrc or GOAUTH keep it apart.',
      fix: [
        `printf 'machine %s login token password %s\\n' ${new URL(carries.url ?? '').host} "$TOKEN" >> ~/.netrc && chmod 600 ~/.netrc`,
        ...setTo(facts, 'GOPROXY', carries.url ?? ''),
      ],
    });
  return found;
};

function refused(
  facts: Facts,
  url: string,
  { sent, said }: { readonly sent: string | undefined; readonly said: string },
): Finding {
  const { host, hostname, protocol } = new URL(url);
  const { netrc } = facts;
  const base = { harm: 'broken' as const };
  const line = `printf 'machine %s login token password %s\\n' ${host} "$TOKEN" >> ${netrc.file || '~/.netrc'} && chmod 600 ${netrc.file || '~/.netrc'}`;
  const goauth = valueOf(facts, 'GOAUTH') || 'netrc';
  const forHost = netrc.machines.some(({ machine }) => machine === host || machine.startsWith(`${host}/`));
  if (sent !== undefined)
    return {
      ...base,
      id: 'auth-wrong',
      what: `${url} does not take the credentials that go sends, from ${sent === 'netrc' ? netrc.file : sent}: ${said}`,
      why: 'They are mistyped, revoked, expired, or those of another server.',
      fix: ['# ask the operator for a new token (gokeep token create), and put it where the old one stands'],
    };
  if (protocol === 'http:')
    return {
      ...base,
      id: 'auth-over-http',
      what: `${url} wants credentials, and go sends none over plain http.`,
      why: 'Neither netrc nor GOAUTH is used for http addresses: anybody on the way could read them.',
      fix: setTo(facts, 'GOPROXY', `https://${host}`),
    };
  if (forHost && !goauth.split(';').some((method) => method.trim() === 'netrc'))
    return {
      ...base,
      id: 'goauth-without-netrc',
      what: `${netrc.file} has credentials for ${host}, and GOAUTH is ${goauth.split(/\s/)[0]}, so that go does not read it.`,
      why: 'GOAUTH stands instead of netrc, unless it names netrc itself.',
      fix: unset(facts, 'GOAUTH'),
    };
  if (netrc.state === 'unreadable')
    return {
      ...base,
      id: 'netrc-unreadable',
      what: `${url} wants credentials, and ${netrc.file} cannot be read: ${netrc.why}.`,
      why: 'go goes on without it, and says nothing.',
      fix: [`ls -l ${netrc.file}`, `chmod 600 ${netrc.file}`],
    };
  if (netrc.incomplete.includes(host) || netrc.incomplete.includes(hostname))
    return {
      ...base,
      id: 'netrc-incomplete',
      what: `${netrc.file} names ${host}, but not with login and password both.`,
      why: 'go skips what is not complete, and sends nothing.',
      fix: [line],
    };
  const near = netrc.machines.find(({ machine }) => machine.split(':')[0] === hostname && !forHost);
  if (near !== undefined)
    return {
      ...base,
      id: 'netrc-port',
      what: `${netrc.file} has credentials for ${near.machine}, and the server is ${host}.`,
      why: 'go compares the whole of it, the port included where it is not 443.',
      fix: [line],
    };
  return {
    ...base,
    id: 'auth-missing',
    what: `${url} wants credentials, and go has none for ${host}: ${netrc.state === 'absent' ? `there is no ${netrc.file}` : `${netrc.file} does not name it`}.`,
    why: 'Without them go gets 401 Unauthorized for every module.',
    fix: ['# ask the operator for a token (gokeep token create), then:', line],
  };
}
