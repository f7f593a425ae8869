-- An id that the creator of a subscription chose. A deleted subscription gives it back.
ALTER TABLE subscription ADD COLUMN uid TEXT;
CREATE UNIQUE INDEX subscription_uid ON subscription (workspace_no, uid) WHERE uid IS NOT NULL AND deleted_at_ms IS NULL;
