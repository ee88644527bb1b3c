-- Signatures and attestations of module versions. Each was verified before it came here; who is trusted now is asked anew
-- whenever one is shown.
CREATE TABLE signatures (
  path        TEXT    NOT NULL,
  version     TEXT    NOT NULL,
  id          TEXT    NOT NULL, -- SHA-256 of the bundle, hex
  bundle      TEXT    NOT NULL,
  verdict     TEXT    NOT NULL, -- JSON: kind, signer, predicateType, sha256
  verified_at INTEGER NOT NULL, -- milliseconds since 1970
  PRIMARY KEY (path, version, id)
) STRICT, WITHOUT ROWID;
