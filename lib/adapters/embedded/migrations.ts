/** The state file's format, step by step; `user_version` counts those that were taken. Never change one: add one. */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE items (
    partition TEXT NOT NULL,
    sort TEXT NOT NULL,
    revision INTEGER NOT NULL,
    value TEXT NOT NULL,
    expires_at INTEGER,
    PRIMARY KEY (partition, sort)
  ) STRICT;
  CREATE INDEX items_expiry ON items (expires_at) WHERE expires_at IS NOT NULL;

  -- Revisions of removed items: an item that is made again must not get a revision that somebody still holds.
  CREATE TABLE removed (only INTEGER PRIMARY KEY CHECK (only = 1), revision INTEGER NOT NULL) STRICT;
  INSERT INTO removed VALUES (1, 0);
  CREATE TRIGGER items_removed AFTER DELETE ON items WHEN old.revision > (SELECT revision FROM removed) BEGIN
    UPDATE removed SET revision = old.revision;
  END;

  CREATE TABLE messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    "group" TEXT NOT NULL,
    body TEXT NOT NULL,
    visible_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    receipt TEXT UNIQUE,
    dead INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  CREATE INDEX messages_waiting ON messages ("group", visible_at, id) WHERE dead = 0;
  CREATE INDEX messages_next ON messages (visible_at) WHERE dead = 0;
  CREATE INDEX messages_in_flight ON messages ("group", visible_at) WHERE dead = 0 AND receipt IS NOT NULL;
  CREATE INDEX messages_dead ON messages (id) WHERE dead = 1;
  `,
];
