-- The same counters of all subscriptions of a workspace together, of hours that nothing is added to any more; older ones
-- are added up in the first hour of their day. The workspace's figures over weeks are read from a row an hour.
CREATE TABLE workspace_statistic (
  workspace_no INTEGER NOT NULL,
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
  PRIMARY KEY (workspace_no, hour)
) STRICT, WITHOUT ROWID;
