-- The paced subscription that all pairs of a claim belong to; null where they may be of several. What is in hand for one
-- subscription can then be read without the lists of all others.
ALTER TABLE claim ADD COLUMN paced_no INTEGER;
