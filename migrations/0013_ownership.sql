-- Hosts that have answered a challenge of a workspace, with the port where it is not the standard one.
CREATE TABLE verified_host (
  workspace_no INTEGER NOT NULL,
  host TEXT NOT NULL,
  verified_at_ms INTEGER NOT NULL,
  PRIMARY KEY (workspace_no, host)
) STRICT, WITHOUT ROWID;

-- The last challenge of the host of a subscription that is `unverified`, and why that was not enough.
ALTER TABLE subscription ADD COLUMN challenged_at_ms INTEGER;
ALTER TABLE subscription ADD COLUMN challenge_problem TEXT;
