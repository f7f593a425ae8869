-- What else is known of an attempt, as a list in JSON: the version of the subscription it was made under, the time to
-- its first byte, the status that came, and headers of the answer (src/deliver/attempt/answer-detail.ts). Null where no
-- request was made, and of attempts before this column.
ALTER TABLE delivery ADD COLUMN detail TEXT;
ALTER TABLE attempt ADD COLUMN detail TEXT;
