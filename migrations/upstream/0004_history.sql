-- How this server grew and what it did: for pictures, so it may be lost.

-- A row an hour and a row a day in which it ran. Bounded: see src/store/history-table.ts.
CREATE TABLE history (
  span     INTEGER NOT NULL, -- seconds: 3600 or 86400
  at       INTEGER NOT NULL, -- seconds since 1970, at which it begins
  records  INTEGER NOT NULL, -- in the log, as last seen in it; so are the next two
  versions INTEGER,          -- held; null where the catalogue was not read yet
  bytes    INTEGER,          -- of them
  memory   INTEGER NOT NULL, -- requests answered from there, and so on
  store    INTEGER NOT NULL,
  upstream INTEGER NOT NULL,
  stale    INTEGER NOT NULL,
  absent   INTEGER NOT NULL,
  refused  INTEGER NOT NULL,
  failed   INTEGER NOT NULL,
  PRIMARY KEY (span, at)
) STRICT, WITHOUT ROWID;

-- When the newest head of a foreign database was first seen: milliseconds since 1970; null for one of before.
ALTER TABLE heads ADD COLUMN seen_at INTEGER;
