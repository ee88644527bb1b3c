import type { SetupSettings } from './settings.ts';

/**
 * What `go` is told. `GONOPROXY` and `GONOSUMDB` are set to `none`, the pattern that `go help module-private` names for this: unset or
 * empty they would be what GOPRIVATE is, which may stand where a script cannot clear it (the file of `go env -w`, a machine's settings).
 */
export function goVariables({ url, vkey }: SetupSettings): readonly (readonly [string, string])[] {
  return [
    ['GOPROXY', url],
    ['GOSUMDB', vkey],
    ['GONOPROXY', 'none'],
    ['GONOSUMDB', 'none'],
  ];
}

/** What is taken away where that can be done. Neither matters once the above are set, but both mislead who reads them. */
export const CLEARED = ['GOPRIVATE', 'GOINSECURE'] as const;
