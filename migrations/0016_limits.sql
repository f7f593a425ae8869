-- Events that the workspace keeps, as sweeps and purges have counted them. Null, and not counted, until a limit of
-- stored events is used for the first time.
ALTER TABLE workspace ADD COLUMN stored_events INTEGER;
