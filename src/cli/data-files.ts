/** Names of what lies in the data directory. */
export const LOG_DATABASE = 'gokeep.db';
export const UPSTREAM_DATABASE = 'upstream.db';
export const ACCESS_DATABASE = 'access.db';
/** The audit trail. */
export const AUDIT_DATABASE = 'audit.db';
/** The catalogue of the modules held. */
export const CATALOGUE_DATABASE = 'catalogue.db';
