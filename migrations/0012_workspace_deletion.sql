-- A workspace that is being deleted: JSON of how far that is, parsed by src/workspace/deletion.ts. Null for all others.
ALTER TABLE workspace ADD COLUMN deletion TEXT;
CREATE INDEX workspace_deletion ON workspace (no) WHERE deletion IS NOT NULL;
