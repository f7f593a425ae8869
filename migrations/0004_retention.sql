-- Events of an archive that was restored are older than the purge has come: they are marked, and leave again some time
-- after their archive's `restored_at_ms`.
ALTER TABLE event ADD COLUMN restored_at_ms INTEGER;
ALTER TABLE archive ADD COLUMN restored_at_ms INTEGER;
ALTER TABLE archive ADD COLUMN accepted_from_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE archive ADD COLUMN accepted_to_ms INTEGER NOT NULL DEFAULT 0;
CREATE INDEX archive_restored ON archive (restored_at_ms) WHERE restored_at_ms IS NOT NULL;

-- Serve the walk over R2 that removes texts no row names. Small texts have no entry, so most rows cost nothing more.
CREATE INDEX event_body_key ON event (body_key) WHERE body_key IS NOT NULL;
CREATE INDEX kept_body_key ON kept_body (body_key) WHERE body_key IS NOT NULL;
