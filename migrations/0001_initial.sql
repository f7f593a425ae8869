-- A tenant. `config_version` changes with everything that changes which events match which subscription,
-- `swept_seq` is the highest seq below which every owed delivery has a row of its own.
CREATE TABLE workspace (
  no INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  config_version INTEGER NOT NULL DEFAULT 1,
  swept_seq INTEGER NOT NULL DEFAULT 0,
  created_at_ms INTEGER NOT NULL
) STRICT;

-- An accepted event. pk = (workspace_no << 44) | seq; D1 assigns seq inside the commit.
-- `fanout` is a JSON list of subscription numbers owed this event; a negative number is a subscription that wanted
-- it but was disabled. `body` is the payload's text after `"event":"…",`; large ones rest in R2 under `body_key`.
CREATE TABLE event (
  pk INTEGER PRIMARY KEY,
  type TEXT NOT NULL,
  accepted_at_ms INTEGER NOT NULL,
  own_id TEXT,
  is_test INTEGER NOT NULL DEFAULT 0,
  fanout TEXT NOT NULL,
  body TEXT,
  body_key TEXT
) STRICT;

-- What makes a publish idempotent: `i:<own id>` as long as the event is kept, `k:<Idempotency-Key>` for 24 h.
CREATE TABLE event_key (
  workspace_no INTEGER NOT NULL,
  key TEXT NOT NULL,
  seq INTEGER NOT NULL,
  hash TEXT NOT NULL,
  PRIMARY KEY (workspace_no, key)
) STRICT, WITHOUT ROWID;

-- A destination and what it wants. `config` is the parsed JSON of everything but the secret; `version` counts changes.
-- `health`: 0 unproven, 1 healthy, 2 suspect (slow, hanging or failing).
CREATE TABLE subscription (
  no INTEGER PRIMARY KEY,
  workspace_no INTEGER NOT NULL,
  id TEXT NOT NULL UNIQUE,
  version INTEGER NOT NULL DEFAULT 1,
  active INTEGER NOT NULL DEFAULT 1,
  health INTEGER NOT NULL DEFAULT 0,
  config TEXT NOT NULL,
  secret_cipher TEXT,
  created_at_ms INTEGER NOT NULL,
  updated_at_ms INTEGER NOT NULL,
  deleted_at_ms INTEGER
) STRICT;
CREATE INDEX subscription_workspace ON subscription (workspace_no, no);

-- One event owed to one subscription. A plain delivery has no row before its first outcome: the event's fan-out is its
-- proof. state: 0 pending, 1 success, 2 failed, 3 skipped. `due_at_ms` is set while an attempt is owed.
CREATE TABLE delivery (
  subscription_no INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  type TEXT NOT NULL,
  state INTEGER NOT NULL CHECK (state IN (0, 1, 2, 3)),
  due_at_ms INTEGER,
  attempts INTEGER NOT NULL DEFAULT 0,
  last_at_ms INTEGER,
  status INTEGER,
  error TEXT,
  latency_ms INTEGER,
  response TEXT,
  is_test INTEGER NOT NULL DEFAULT 0,
  deaths INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (subscription_no, seq)
) STRICT, WITHOUT ROWID;
-- Serves "what is due for this subscription" and the sweeper's walk over subscriptions with due work.
CREATE INDEX delivery_due ON delivery (subscription_no, due_at_ms) WHERE due_at_ms IS NOT NULL;
-- Serves the log filtered by pending, failed or skipped.
CREATE INDEX delivery_unhappy ON delivery (subscription_no, state, seq) WHERE state <> 1;

-- Attempts before the last one; the last one is in its delivery row.
CREATE TABLE attempt (
  subscription_no INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  n INTEGER NOT NULL,
  at_ms INTEGER NOT NULL,
  status INTEGER,
  error TEXT,
  latency_ms INTEGER,
  response TEXT,
  PRIMARY KEY (subscription_no, seq, n)
) STRICT, WITHOUT ROWID;

-- Response texts too long for the narrow delivery row.
CREATE TABLE response_text (
  subscription_no INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  n INTEGER NOT NULL,
  text TEXT NOT NULL,
  PRIMARY KEY (subscription_no, seq, n)
) STRICT, WITHOUT ROWID;

-- What one consumer has taken in hand, [[subscription, seq, workspace], …]. Settled claims keep their statistics
-- until the sweeper folds them into `statistic`.
CREATE TABLE claim (
  id TEXT PRIMARY KEY,
  expires_at_ms INTEGER NOT NULL,
  pairs TEXT NOT NULL,
  parts INTEGER NOT NULL DEFAULT 0,
  live INTEGER NOT NULL DEFAULT 1,
  settled TEXT NOT NULL DEFAULT '[]'
) STRICT, WITHOUT ROWID;
CREATE INDEX claim_live ON claim (expires_at_ms) WHERE live = 1;

-- Counters per subscription and hour; latency_00 … latency_15 is a histogram (see src/domain/statistics.ts).
CREATE TABLE statistic (
  subscription_no INTEGER NOT NULL,
  hour INTEGER NOT NULL,
  delivered INTEGER NOT NULL DEFAULT 0,
  failed INTEGER NOT NULL DEFAULT 0,
  attempts INTEGER NOT NULL DEFAULT 0,
  latency_sum_ms INTEGER NOT NULL DEFAULT 0,
  last_delivery_at_ms INTEGER NOT NULL DEFAULT 0,
  latency_00 INTEGER NOT NULL DEFAULT 0,
  latency_01 INTEGER NOT NULL DEFAULT 0,
  latency_02 INTEGER NOT NULL DEFAULT 0,
  latency_03 INTEGER NOT NULL DEFAULT 0,
  latency_04 INTEGER NOT NULL DEFAULT 0,
  latency_05 INTEGER NOT NULL DEFAULT 0,
  latency_06 INTEGER NOT NULL DEFAULT 0,
  latency_07 INTEGER NOT NULL DEFAULT 0,
  latency_08 INTEGER NOT NULL DEFAULT 0,
  latency_09 INTEGER NOT NULL DEFAULT 0,
  latency_10 INTEGER NOT NULL DEFAULT 0,
  latency_11 INTEGER NOT NULL DEFAULT 0,
  latency_12 INTEGER NOT NULL DEFAULT 0,
  latency_13 INTEGER NOT NULL DEFAULT 0,
  latency_14 INTEGER NOT NULL DEFAULT 0,
  latency_15 INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (subscription_no, hour)
) STRICT, WITHOUT ROWID;

-- One row per periodic job: when it ran last and what it reported.
CREATE TABLE job (
  name TEXT PRIMARY KEY,
  ran_at_ms INTEGER NOT NULL,
  report TEXT NOT NULL
) STRICT, WITHOUT ROWID;
