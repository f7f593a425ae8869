-- Events by hour and type, as sweeps have counted them: [[hour, type, events, deliveries owed], …] of the hours that have
-- no rows of their own yet. In the workspace's row, which a sweep writes anyway, they cost no row.
ALTER TABLE workspace ADD COLUMN recent_events TEXT NOT NULL DEFAULT '[]';

-- The same of hours that are over. Old ones are added up in the first hour of their day. An empty type stands for those
-- that come after the first few hundred of an hour.
CREATE TABLE event_statistic (
  workspace_no INTEGER NOT NULL,
  hour INTEGER NOT NULL,
  type TEXT NOT NULL,
  events INTEGER NOT NULL,
  owed INTEGER NOT NULL,
  PRIMARY KEY (workspace_no, hour, type)
) STRICT, WITHOUT ROWID;
