-- A text sealed with the key that all secrets are sealed with: under another key nothing that is stored could be opened.
-- An empty text takes the key that the relay has now.
CREATE TABLE key_check (
  no INTEGER PRIMARY KEY CHECK (no = 1),
  sealed TEXT NOT NULL
) STRICT;
