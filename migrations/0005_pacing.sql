-- How much a subscription's deliveries are held back: 0 not at all, 1 by their order, 2 by a pacer as well. It stays
-- above 0 after the settings have been dropped, for as long as deliveries rest because of them.
ALTER TABLE subscription ADD COLUMN paced INTEGER NOT NULL DEFAULT 0;
-- Deliveries up to this number that rest for their batch are to leave at once, and why.
ALTER TABLE subscription ADD COLUMN flush_until_seq INTEGER NOT NULL DEFAULT 0;
ALTER TABLE subscription ADD COLUMN flush_cause TEXT;
CREATE INDEX subscription_paced ON subscription (no) WHERE paced > 0;

-- A delivery of a paced subscription has a row from its publish on: state 0 and no due time, found in order through
-- `delivery_unhappy`. `order_key` is the value of its event's ordering key; `batch_no` the batch of its last attempt:
-- as long as an attempt of such a row is due, it is due as a member of its batch.
ALTER TABLE delivery ADD COLUMN order_key TEXT;
ALTER TABLE delivery ADD COLUMN batch_no INTEGER;

-- Events that go to one subscription in one request. `members` is the JSON list of their numbers in accepted order,
-- `order_keys` of their ordering keys, each once. `due_at_ms` is set as long as an attempt is owed; `fresh` until the
-- first has been recorded. What a failed first attempt sent is kept as in `kept_body`; `payload` likewise.
CREATE TABLE batch (
  no INTEGER PRIMARY KEY,
  subscription_no INTEGER NOT NULL,
  members TEXT NOT NULL,
  order_keys TEXT NOT NULL DEFAULT '[]',
  cause TEXT NOT NULL,
  bound_at_ms INTEGER NOT NULL,
  due_at_ms INTEGER,
  fresh INTEGER NOT NULL DEFAULT 1,
  attempts INTEGER NOT NULL DEFAULT 0,
  payload INTEGER NOT NULL DEFAULT 0,
  content_type TEXT,
  body TEXT,
  body_key TEXT
) STRICT;
CREATE INDEX batch_open ON batch (subscription_no, fresh, due_at_ms) WHERE due_at_ms IS NOT NULL;
-- Serves the walk over R2 that removes texts no row names.
CREATE INDEX batch_body_key ON batch (body_key) WHERE body_key IS NOT NULL;
