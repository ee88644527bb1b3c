-- What was learned from outside. Losing this file costs nothing but requests, with one exception: the newest
-- tree head seen of each foreign database is what makes a fork of it noticeable.

CREATE TABLE meta (
  name  TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE heads (
  database TEXT PRIMARY KEY,
  note     BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE lookups (
  database TEXT NOT NULL,
  path     TEXT NOT NULL,
  version  TEXT NOT NULL,
  body     BLOB NOT NULL,
  PRIMARY KEY (database, path, version)
) STRICT, WITHOUT ROWID;

CREATE TABLE tiles (
  database TEXT    NOT NULL,
  height   INTEGER NOT NULL,
  level    INTEGER NOT NULL, -- -1 for a data tile
  n        INTEGER NOT NULL,
  width    INTEGER NOT NULL,
  data     BLOB    NOT NULL,
  PRIMARY KEY (database, height, level, n, width)
) STRICT;

-- Answers that may change: list, @latest and queries. key is the request path.
CREATE TABLE answers (
  key        TEXT PRIMARY KEY,
  body       BLOB    NOT NULL,
  source     TEXT    NOT NULL,
  fetched_at INTEGER NOT NULL -- milliseconds since 1970
) STRICT, WITHOUT ROWID;
