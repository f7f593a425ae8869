-- Until when consumers tell the workspace's listeners of what they do (src/stream); 0 where nobody has listened.
ALTER TABLE workspace ADD COLUMN streamed_until_ms INTEGER NOT NULL DEFAULT 0;
