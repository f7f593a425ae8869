-- Portal tokens name the epoch of their workspace; raising it ends them all.
ALTER TABLE workspace ADD COLUMN portal_epoch INTEGER NOT NULL DEFAULT 0;

-- The subscriptions by the values in their metadata, to which portal tokens are bound.
CREATE TABLE subscription_metadata (
  workspace_no INTEGER NOT NULL,
  name TEXT NOT NULL,
  value TEXT NOT NULL,
  subscription_no INTEGER NOT NULL,
  PRIMARY KEY (workspace_no, name, value, subscription_no)
) STRICT, WITHOUT ROWID;

-- Kept by the database itself, so that a relay of before this migration keeps it as well while it is being replaced.
CREATE TRIGGER subscription_metadata_insert AFTER INSERT ON subscription
WHEN new.kind = 0 AND new.config ->> '$.metadata' <> '{}'
BEGIN
  INSERT INTO subscription_metadata (workspace_no, name, value, subscription_no)
  SELECT new.workspace_no, m.key, m.value, new.no FROM json_each(new.config, '$.metadata') m;
END;

CREATE TRIGGER subscription_metadata_update AFTER UPDATE OF config ON subscription
WHEN new.kind = 0 AND new.config ->> '$.metadata' IS NOT old.config ->> '$.metadata'
BEGIN
  DELETE FROM subscription_metadata WHERE workspace_no = old.workspace_no AND subscription_no = old.no
    AND (name, value) IN (SELECT m.key, m.value FROM json_each(old.config, '$.metadata') m);
  INSERT INTO subscription_metadata (workspace_no, name, value, subscription_no)
  SELECT new.workspace_no, m.key, m.value, new.no FROM json_each(new.config, '$.metadata') m;
END;

CREATE TRIGGER subscription_metadata_delete AFTER DELETE ON subscription
WHEN old.kind = 0 AND old.config ->> '$.metadata' <> '{}'
BEGIN
  DELETE FROM subscription_metadata WHERE workspace_no = old.workspace_no AND subscription_no = old.no
    AND (name, value) IN (SELECT m.key, m.value FROM json_each(old.config, '$.metadata') m);
END;

INSERT INTO subscription_metadata (workspace_no, name, value, subscription_no)
SELECT s.workspace_no, m.key, m.value, s.no FROM subscription s, json_each(s.config, '$.metadata') m WHERE s.kind = 0;
