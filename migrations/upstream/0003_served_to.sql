-- To whom zips were served, and when tokens were last used.

-- Who was served. Bounded: see src/store/served-to-table.ts.
CREATE TABLE clients (
  n        INTEGER PRIMARY KEY,
  id       TEXT    NOT NULL UNIQUE, -- of a token its id in access.db, of anybody else the name
  name     TEXT    NOT NULL, -- as in the request log; of oidc and certificate what an issuer wrote
  last_day INTEGER NOT NULL -- UTC days since 1970, as all days here
) STRICT;

-- Served before this was noted, and clients that were folded into one.
INSERT INTO clients (n, id, name, last_day) VALUES (1, 'unknown', 'unknown', 0), (2, 'others', 'others', 0);

-- The zips that were served: a number each, so that a row of the next table is small.
CREATE TABLE zips (
  n       INTEGER PRIMARY KEY,
  path    TEXT NOT NULL,
  version TEXT NOT NULL,
  UNIQUE (path, version)
) STRICT;

CREATE TABLE served_to (
  zip       INTEGER NOT NULL REFERENCES zips (n),
  client    INTEGER NOT NULL REFERENCES clients (n),
  first_day INTEGER NOT NULL,
  last_day  INTEGER NOT NULL,
  PRIMARY KEY (zip, client)
) STRICT, WITHOUT ROWID;

CREATE INDEX served_to_client ON served_to (client);

-- Of what was served before, the last day is known, and nobody's name.
INSERT INTO zips (path, version) SELECT path, version FROM served WHERE kind = 'zip';
INSERT INTO served_to (zip, client, first_day, last_day)
  SELECT zips.n, 1, served.day, served.day
  FROM served JOIN zips ON zips.path = served.path AND zips.version = served.version
  WHERE served.kind = 'zip';

-- The last day on which each token was used, for whatever; token is its id in access.db. There are no more rows than
-- an operator has made tokens.
CREATE TABLE token_uses (
  token TEXT    PRIMARY KEY,
  day   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Nothing is known of uses before that: milliseconds since 1970.
INSERT INTO meta (name, value) VALUES ('token_uses_since', CAST(unixepoch() * 1000 AS TEXT));
