import type { Config } from '../config/load.ts';
import type { SigningRule } from '../signing/rule.ts';

/** What a configuration lets whom do, as the audit trail keeps it: keys by their fingerprints, and no secret. */
export function configuredRights(config: Config, rules: readonly SigningRule[]): Record<string, unknown> {
  const { access } = config;
  return {
    private: [...config.private],
    required: access.required,
    public: access.public,
    certificates: access.certificates,
    oidc: access.oidc.map(({ issuer, audience, claims, grants }) => ({ issuer, audience, claims, grants })),
    // Not at all where it is not used: what is not there has not changed.
    signIn:
      access.signIn === undefined
        ? undefined
        : { issuer: access.signIn.issuer, client: access.signIn.clientId },
    signing: rules.map(({ match, required, keys, identities }) => ({
      match,
      required,
      keys: keys.map(({ fingerprint }) => fingerprint),
      identities,
    })),
    trust: [...config.bundles.trust],
  };
}
