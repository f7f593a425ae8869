-- Columns take the field's words: a consumer crashes, and a subscription's pacing has a level.
ALTER TABLE delivery RENAME COLUMN deaths TO crashes;
ALTER TABLE subscription RENAME COLUMN paced TO pacing_level;
