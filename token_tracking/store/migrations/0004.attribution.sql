-- Attribution asks for what entered after a message. Results are found by their calls; what has
-- none (texts, attachments, compactions) is the smaller part.
-- depends: 0003.multipliers

CREATE INDEX IF NOT EXISTS items_by_anchor ON items (after_id) WHERE message_id IS NULL;
CREATE INDEX IF NOT EXISTS openings_by_session ON openings (session_id);
