-- The smallest and largest numbers among a claim's pairs: another claim need not look into one whose bounds lie apart from
-- its own. Null where a claim has none: then it may hold any pair.
ALTER TABLE claim ADD COLUMN sub_min INTEGER;
ALTER TABLE claim ADD COLUMN sub_max INTEGER;
ALTER TABLE claim ADD COLUMN seq_min INTEGER;
ALTER TABLE claim ADD COLUMN seq_max INTEGER;

-- Rows whose consumer has crashed are few: found by an index of their own, they are not looked for among all that is due.
CREATE INDEX delivery_crashed ON delivery (subscription_no) WHERE crashes > 0;
