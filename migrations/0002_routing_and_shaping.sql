-- Settings of a workspace: JSON, parsed by src/domain/workspace-settings.ts.
ALTER TABLE workspace ADD COLUMN settings TEXT NOT NULL DEFAULT '{}';

-- kind: 0 a subscription, 1 the target of direct dispatches, which no event matches and no list shows.
ALTER TABLE subscription ADD COLUMN kind INTEGER NOT NULL DEFAULT 0;
-- The secret before the last rotation, sealed, and until when deliveries are signed with it as well.
ALTER TABLE subscription ADD COLUMN previous_secret_cipher TEXT;
ALTER TABLE subscription ADD COLUMN previous_secret_until_ms INTEGER;
-- Credentials for the destination, and the private keys of asymmetric signatures: sealed JSON.
ALTER TABLE subscription ADD COLUMN auth_cipher TEXT;
ALTER TABLE subscription ADD COLUMN signing_keys_cipher TEXT;

-- What a delivery's first attempt sent, kept when it failed and was not the default payload, so that every retry sends
-- the same bytes. Large texts rest in R2 under `body_key`. WITHOUT ROWID although its rows are wide: one row is written
-- instead of two, and only deliveries that failed have one.
CREATE TABLE kept_body (
  subscription_no INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  content_type TEXT NOT NULL,
  body TEXT,
  body_key TEXT,
  PRIMARY KEY (subscription_no, seq)
) STRICT, WITHOUT ROWID;

-- Access tokens of OAuth 2.0 client credentials, sealed, shared by all consumers. `version` is the subscription's.
CREATE TABLE access_token (
  subscription_no INTEGER PRIMARY KEY,
  version INTEGER NOT NULL,
  token_cipher TEXT NOT NULL,
  expires_at_ms INTEGER NOT NULL
) STRICT;

-- The catalogue of a workspace's event types. `schema` (JSON Schema 2020-12) and `example` are JSON texts.
CREATE TABLE event_type (
  workspace_no INTEGER NOT NULL,
  name TEXT NOT NULL,
  description TEXT,
  group_name TEXT,
  schema TEXT,
  example TEXT,
  deprecated INTEGER NOT NULL DEFAULT 0,
  created_at_ms INTEGER NOT NULL,
  updated_at_ms INTEGER NOT NULL,
  PRIMARY KEY (workspace_no, name)
) STRICT;

-- What a delivery's first attempt was to send: 0 nothing had been rendered, 1 the default payload, 2 what `kept_body` holds.
ALTER TABLE delivery ADD COLUMN payload INTEGER NOT NULL DEFAULT 0;
