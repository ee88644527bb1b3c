-- What is known of the modules held: made of the store, and made again whenever it is lost, damaged or of another schema.

CREATE TABLE meta (
  name  TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE modules (
  id         INTEGER PRIMARY KEY,
  path       TEXT    NOT NULL UNIQUE,
  folded     TEXT    NOT NULL, -- the path in lower case
  last       TEXT    NOT NULL, -- its last element in lower case, without the major version
  newest     TEXT    NOT NULL, -- the newest version held
  synopsis   TEXT    NOT NULL, -- of the newest version
  dependents INTEGER NOT NULL, -- modules whose newest version requires this one
  -- Of the newest version, what is searched of them: see src/store/catalogue-table.ts. Last, since it is long and seldom read.
  packages   TEXT    NOT NULL
) STRICT;
CREATE INDEX modules_by_folded ON modules (folded);
CREATE INDEX modules_by_last ON modules (last, dependents DESC);

CREATE TABLE versions (
  module   INTEGER NOT NULL REFERENCES modules (id),
  version  TEXT    NOT NULL,
  size     INTEGER NOT NULL, -- of the zip, in bytes
  time     INTEGER,          -- milliseconds since 1970, as .info says
  attempts INTEGER NOT NULL, -- how often its zip was begun to be read: one that ends its reader is left alone
  facts    BLOB,             -- JSON, deflated; null until its zip was read
  PRIMARY KEY (module, version)
) STRICT;

-- What the newest version of a module requires.
CREATE TABLE requires (
  path      TEXT NOT NULL, -- what is required
  dependent TEXT NOT NULL, -- path of the module that requires it
  version   TEXT NOT NULL,
  PRIMARY KEY (path, dependent)
) STRICT, WITHOUT ROWID;
CREATE INDEX requires_by_dependent ON requires (dependent);

CREATE TABLE totals (
  modules  INTEGER NOT NULL,
  versions INTEGER NOT NULL,
  bytes    INTEGER NOT NULL
) STRICT;
INSERT INTO totals VALUES (0, 0, 0);
CREATE TRIGGER modules_counted AFTER INSERT ON modules BEGIN UPDATE totals SET modules = modules + 1; END;
CREATE TRIGGER modules_uncounted AFTER DELETE ON modules BEGIN UPDATE totals SET modules = modules - 1; END;
CREATE TRIGGER versions_counted AFTER INSERT ON versions
BEGIN UPDATE totals SET versions = versions + 1, bytes = bytes + NEW.size; END;
CREATE TRIGGER versions_uncounted AFTER DELETE ON versions
BEGIN UPDATE totals SET versions = versions - 1, bytes = bytes - OLD.size; END;
CREATE TRIGGER versions_recounted AFTER UPDATE OF size ON versions
BEGIN UPDATE totals SET bytes = bytes + NEW.size - OLD.size; END;

-- A document a module, in lower case: path, synopsis, packages. Which modules hold three letters; that they are the wanted
-- word the reader checks. Row ids put what many depend on first: see src/store/catalogue-table.ts.
CREATE VIRTUAL TABLE search USING fts5 (
  document, content = '', contentless_delete = 1, detail = none, tokenize = 'trigram case_sensitive 1'
);
