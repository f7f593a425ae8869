-- Requests with an Idempotency-Key that are no publish, and what they were answered, for a day. `seed` makes the ids
-- of what such a request creates: one that was cut off creates the same when it is sent again.
CREATE TABLE request_answer (
  workspace_id TEXT NOT NULL,
  key TEXT NOT NULL,
  hash TEXT NOT NULL,
  seed TEXT NOT NULL,
  -- The request is being answered until then, at the latest.
  leased_until_ms INTEGER NOT NULL,
  -- Null while it is being answered.
  status INTEGER,
  -- The answer, encrypted: it may hold a secret. Null where it was too long to be kept.
  answer_cipher TEXT,
  expires_at_ms INTEGER NOT NULL,
  PRIMARY KEY (workspace_id, key)
) STRICT;
CREATE INDEX request_answer_expiry ON request_answer (expires_at_ms);
