-- A workspace's keys for the API. The secret part is stored as a hash only; `hash_before` is that of the secret before
-- a rotation, valid until `before_until_ms`. Every change raises the workspace's `config_version`: publishes look here
-- only with the rest of the configuration. `grant_json` is {"role": …} or {"scopes": […]}, `allowed_ips` a JSON list.
CREATE TABLE api_key (
  no INTEGER PRIMARY KEY,
  workspace_no INTEGER NOT NULL,
  id TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  grant_json TEXT NOT NULL,
  allowed_ips TEXT,
  limits TEXT,
  expires_at_ms INTEGER,
  hash TEXT NOT NULL,
  hash_before TEXT,
  before_until_ms INTEGER,
  created_by TEXT NOT NULL,
  created_at_ms INTEGER NOT NULL,
  -- Hours since 1970; null before the first use.
  last_used_hour INTEGER
) STRICT;
CREATE INDEX api_key_workspace ON api_key (workspace_no, no);
