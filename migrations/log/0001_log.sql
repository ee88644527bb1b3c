-- The transparency log: records, their tree, every head ever signed, and the incidents that it refused.

CREATE TABLE meta (
  name  TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- id is the leaf's index in the tree. The record's text is derived: its two hashes are all that is not in
-- (path, version). Hashes are the 32 raw bytes behind "h1:".
CREATE TABLE records (
  id         INTEGER PRIMARY KEY,
  path       TEXT    NOT NULL,
  version    TEXT    NOT NULL,
  zip_h1     BLOB    NOT NULL CHECK (length(zip_h1) = 32),
  mod_h1     BLOB    NOT NULL CHECK (length(mod_h1) = 32),
  source     INTEGER NOT NULL, -- 1 proven, 2 computed, 3 trusted on first use, 4 seeded
  first_seen INTEGER NOT NULL, -- seconds since 1970
  evidence   INTEGER REFERENCES evidence (id)
) STRICT;

-- One record for one module version, for ever.
CREATE UNIQUE INDEX records_by_module ON records (path, version);

-- What a record was accepted on: the upstream database's signed head, or where the bytes or the go.sum came from.
CREATE TABLE evidence (
  id     INTEGER PRIMARY KEY,
  text   TEXT NOT NULL UNIQUE
) STRICT;

-- Hash tiles of height 8. The rightmost tile of each level grows in place; all others are full and final.
CREATE TABLE tiles (
  level INTEGER NOT NULL,
  n     INTEGER NOT NULL,
  data  BLOB    NOT NULL,
  PRIMARY KEY (level, n)
) STRICT, WITHOUT ROWID;

-- A head is integrated (note IS NULL), then, once the high-water mark stands on it, published.
CREATE TABLE heads (
  size      INTEGER PRIMARY KEY,
  root      BLOB NOT NULL CHECK (length(root) = 32),
  note      BLOB,
  signed_at INTEGER
) STRICT;

-- Bytes or records that differed from what is recorded. They were refused; this is what was seen.
CREATE TABLE incidents (
  id       INTEGER PRIMARY KEY,
  at       INTEGER NOT NULL, -- milliseconds since 1970
  kind     TEXT NOT NULL,
  path     TEXT NOT NULL,
  version  TEXT NOT NULL,
  recorded TEXT NOT NULL,
  seen     TEXT NOT NULL,
  source   TEXT NOT NULL
) STRICT;
