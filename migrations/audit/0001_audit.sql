-- Who did what. Entries are added and never changed: each is chained to the one before it by its hash, and the newest hash
-- is recorded in the transparency log from time to time.

CREATE TABLE meta (
  name  TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- hash is SHA-256 of the hash before it (32 zero bytes before the first) and the bytes of entry.
CREATE TABLE entries (
  n     INTEGER PRIMARY KEY,
  entry TEXT NOT NULL, -- JSON, exactly as it was hashed
  hash  BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT;

-- Against mistakes; against whoever can write this file stands the chain.
CREATE TRIGGER entries_are_not_changed BEFORE UPDATE ON entries
BEGIN SELECT raise(ABORT, 'the audit trail is append-only'); END;
CREATE TRIGGER entries_are_not_deleted BEFORE DELETE ON entries
BEGIN SELECT raise(ABORT, 'the audit trail is append-only'); END;
