-- The audit log: who has changed what, or was shown a secret. Rows are appended only; each holds the hash of the one
-- before it in its chain (src/audit/entry.ts). A chain is of a workspace; '' is that of the relay itself. The hash is in
-- the key: a row that was put in by other means stands beside the one it imitates, and hinders no append.
CREATE TABLE audit_entry (
  chain TEXT NOT NULL,
  no INTEGER NOT NULL,
  hash TEXT NOT NULL,
  previous_hash TEXT NOT NULL,
  at_ms INTEGER NOT NULL,
  actor TEXT NOT NULL,
  address TEXT,
  user_agent TEXT,
  action TEXT NOT NULL,
  route TEXT NOT NULL,
  object TEXT NOT NULL,
  -- JSON: the names of fields, and their values where they are no secrets.
  fields TEXT NOT NULL,
  request_id TEXT NOT NULL,
  outcome TEXT NOT NULL,
  code TEXT,
  PRIMARY KEY (chain, no, hash)
) STRICT, WITHOUT ROWID;

-- The newest row of each chain, and the newest that was removed because of its age: what is kept is between them.
CREATE TABLE audit_chain (
  chain TEXT PRIMARY KEY,
  head_no INTEGER NOT NULL,
  head_hash TEXT NOT NULL,
  purged_no INTEGER NOT NULL,
  purged_hash TEXT NOT NULL
) STRICT, WITHOUT ROWID;
