-- Keys that were taken away. A call with one of them is told from a call with a key that never was: it is in the audit
-- log of the workspace that the key was of. Kept as long as rows of that log.
CREATE TABLE revoked_key (
  id TEXT PRIMARY KEY,
  workspace_no INTEGER NOT NULL,
  revoked_at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX revoked_key_of_workspace ON revoked_key (workspace_no, revoked_at_ms);

-- When the purge looks at a chain next: once its oldest row is past its time. So an idle purge looks at none.
ALTER TABLE audit_chain ADD COLUMN purge_at_ms INTEGER NOT NULL DEFAULT 0;
CREATE INDEX audit_chain_to_purge ON audit_chain (purge_at_ms);
