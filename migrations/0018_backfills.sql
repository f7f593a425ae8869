-- Serves lists of a workspace's deliveries: back-fills make deliveries that no event's fan-out names.
CREATE INDEX replay_backfill ON replay (workspace_no, subscription_no) WHERE config ->> 'backfill' = 1;
