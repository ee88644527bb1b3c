-- What was published here, and what was yanked. A record stays whatever stands here. From here on a record's source
-- may also be 5 imported, 6 replicated and 7 published.

-- Versions whose files came from a publisher, and which nothing upstream has to know of. The row is written last: with
-- it the version is listed.
CREATE TABLE hosted (
  path         TEXT    NOT NULL,
  version      TEXT    NOT NULL,
  published_at INTEGER NOT NULL, -- milliseconds since 1970
  PRIMARY KEY (path, version)
) STRICT, WITHOUT ROWID;

-- Versions that no list and no @latest names any more. They are still served to whoever asks for them by name.
CREATE TABLE yanks (
  path      TEXT    NOT NULL,
  version   TEXT    NOT NULL,
  yanked_at INTEGER NOT NULL, -- milliseconds since 1970
  reason    TEXT    NOT NULL,
  PRIMARY KEY (path, version)
) STRICT, WITHOUT ROWID;
