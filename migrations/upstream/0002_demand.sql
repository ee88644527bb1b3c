-- What clients asked for: what was missing when they did, and what was served when.

-- What an offline server could not answer. query is a version, a branch or another revision, or 'latest'.
CREATE TABLE wishes (
  path       TEXT    NOT NULL,
  query      TEXT    NOT NULL,
  kinds      INTEGER NOT NULL, -- bits, see src/store/wish-table.ts
  asked      INTEGER NOT NULL,
  last_asked INTEGER NOT NULL, -- milliseconds since 1970
  PRIMARY KEY (path, query)
) STRICT, WITHOUT ROWID;

-- The last day on which each file of a module version was served.
CREATE TABLE served (
  path    TEXT    NOT NULL,
  version TEXT    NOT NULL,
  kind    TEXT    NOT NULL, -- info, mod or zip
  day     INTEGER NOT NULL, -- UTC days since 1970
  PRIMARY KEY (path, version, kind)
) STRICT, WITHOUT ROWID;
