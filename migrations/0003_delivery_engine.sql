-- Resting: paused by its owner, held by its breaker, or asked for by the receiver's Retry-After (src/domain/breaker.ts).
ALTER TABLE subscription ADD COLUMN paused_at_ms INTEGER;
ALTER TABLE subscription ADD COLUMN faults_in_row INTEGER NOT NULL DEFAULT 0;
ALTER TABLE subscription ADD COLUMN held_until_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE subscription ADD COLUMN throttled_until_ms INTEGER NOT NULL DEFAULT 0;
-- The failure budget: since when nothing has succeeded, how many attempts failed since, and what was announced of it.
ALTER TABLE subscription ADD COLUMN failing_since_ms INTEGER;
ALTER TABLE subscription ADD COLUMN failed_attempts INTEGER NOT NULL DEFAULT 0;
ALTER TABLE subscription ADD COLUMN announced_percent INTEGER NOT NULL DEFAULT 0;
-- Why an inactive subscription is inactive: 'manual', 'gone' (it answered 410) or 'failing' (its budget is spent).
ALTER TABLE subscription ADD COLUMN disabled_reason TEXT;
ALTER TABLE subscription ADD COLUMN probed_at_ms INTEGER;
-- Serves the search for those to be tried again, which are few.
CREATE INDEX subscription_failing ON subscription (disabled_reason) WHERE disabled_reason = 'failing';

ALTER TABLE event ADD COLUMN deliver_at_ms INTEGER;
ALTER TABLE event ADD COLUMN expires_after_seconds INTEGER;
ALTER TABLE event ADD COLUMN cancelled_at_ms INTEGER;
ALTER TABLE event ADD COLUMN erased_at_ms INTEGER;

-- The replay that last made this delivery due again, and how many attempts there had been before it.
ALTER TABLE delivery ADD COLUMN replay_no INTEGER;
ALTER TABLE delivery ADD COLUMN replay_base INTEGER NOT NULL DEFAULT 0;

-- A background job that makes deliveries due again. `config` is its request as JSON; `cursor` is the highest seq looked
-- at. state: 0 running, 1 completed, 2 cancelled, 3 failed.
CREATE TABLE replay (
  no INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  workspace_no INTEGER NOT NULL,
  subscription_no INTEGER,
  config TEXT NOT NULL,
  state INTEGER NOT NULL DEFAULT 0,
  cursor INTEGER NOT NULL DEFAULT 0,
  until_seq INTEGER NOT NULL,
  examined INTEGER NOT NULL DEFAULT 0,
  replayed INTEGER NOT NULL DEFAULT 0,
  error TEXT,
  next_step_at_ms INTEGER NOT NULL DEFAULT 0,
  created_at_ms INTEGER NOT NULL,
  finished_at_ms INTEGER
) STRICT;
CREATE INDEX replay_workspace ON replay (workspace_no, no);
CREATE INDEX replay_running ON replay (next_step_at_ms) WHERE state = 0;

-- Retention: how far the workspace has been purged, and about how many bytes its events take.
ALTER TABLE workspace ADD COLUMN purged_seq INTEGER NOT NULL DEFAULT 0;
ALTER TABLE workspace ADD COLUMN stored_bytes INTEGER NOT NULL DEFAULT 0;

-- An archive of purged events in R2: gzipped NDJSON under `key`.
CREATE TABLE archive (
  no INTEGER PRIMARY KEY,
  workspace_no INTEGER NOT NULL,
  key TEXT NOT NULL UNIQUE,
  first_seq INTEGER NOT NULL,
  last_seq INTEGER NOT NULL,
  events INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  created_at_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX archive_workspace ON archive (workspace_no, no);
