-- Who may do what. A token itself is never here: what is kept is its SHA-256.

CREATE TABLE meta (
  name  TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE tokens (
  id       TEXT    PRIMARY KEY, -- short and not secret: what people call it by
  digest   TEXT    NOT NULL UNIQUE, -- hexadecimal SHA-256
  name     TEXT    NOT NULL,
  "read"   TEXT    NOT NULL, -- GOPRIVATE patterns, comma-separated; so are the next two
  publish  TEXT    NOT NULL,
  admin    TEXT    NOT NULL,
  created  INTEGER NOT NULL, -- milliseconds since 1970
  expires  INTEGER,          -- likewise; null: never
  revoked  INTEGER           -- likewise; null: not
) STRICT, WITHOUT ROWID;

-- A name can be used again once nothing bears it any more.
CREATE UNIQUE INDEX tokens_in_use ON tokens (name) WHERE revoked IS NULL;
