-- name: add_name!
-- Row numbers are given here: PostgreSQL gives none to such a column.
INSERT INTO names (id, name)
SELECT COALESCE(MAX(id), 0) + 1, :name FROM names WHERE TRUE
ON CONFLICT (name) DO NOTHING;

-- name: add_session!
INSERT INTO sessions (id, session_id)
SELECT COALESCE(MAX(id), 0) + 1, :session_id FROM sessions WHERE TRUE
ON CONFLICT (session_id) DO NOTHING;

-- name: upsert_library!
INSERT INTO libraries (id, fingerprint, documents, tokens, overhead_tokens, method, at)
SELECT COALESCE(MAX(id), 0) + 1, :fingerprint, :documents, :tokens, :overhead_tokens, :method, :at
FROM libraries WHERE TRUE
ON CONFLICT (fingerprint, documents, tokens, overhead_tokens, method) DO UPDATE SET
    at = CASE WHEN excluded.at < libraries.at THEN excluded.at ELSE libraries.at END;

-- name: library_id$
SELECT id FROM libraries
WHERE fingerprint = :fingerprint AND documents = :documents AND tokens = :tokens
    AND overhead_tokens = :overhead_tokens AND method = :method;

-- name: name_load_call!
-- What was recorded without the id of its call, and now with it, is one load.
UPDATE loads SET tool_use_id = :tool_use_id
WHERE tool_use_id IS NULL AND at = :at
    AND session_id = (SELECT id FROM sessions WHERE session_id = :session_id)
    AND uri_id = (SELECT id FROM names WHERE name = :uri)
    AND NOT EXISTS (SELECT 1 FROM loads AS known
        WHERE known.tool_use_id = :tool_use_id AND known.uri_id = loads.uri_id);

-- name: insert_load!
INSERT INTO loads (
    session_id, at, kind, uri_id, category, tokens, overhead_tokens, method, tool_use_id,
    library_id
)
SELECT s.id, :at, :kind, n.id, :category, :tokens, :overhead_tokens, :method, :tool_use_id,
    :library_id
FROM sessions AS s
JOIN names AS n ON n.name = :uri
WHERE s.session_id = :session_id
    AND NOT EXISTS (SELECT 1 FROM loads AS known
        WHERE known.tool_use_id = :tool_use_id AND known.uri_id = n.id)
    AND NOT EXISTS (SELECT 1 FROM loads AS known
        WHERE known.session_id = s.id AND known.uri_id = n.id AND known.at = :at
            AND (known.tool_use_id IS NULL OR CAST(:tool_use_id AS TEXT) IS NULL));

-- name: may_have_loads$
-- Whether any session can have a load that a server or a transcript tells of.
SELECT EXISTS (SELECT 1 FROM loads)
    OR EXISTS (SELECT 1 FROM names WHERE name IN ('load_content', 'search_content'));

-- name: recorded_loads
-- What servers recorded for a session, without the calls that another session's transcript shows,
-- and with those that its own shows.
SELECT l.tool_use_id, l.at, l.kind, uri.name, l.category, l.tokens, l.overhead_tokens, l.method,
    lib.fingerprint, lib.documents, lib.tokens, lib.overhead_tokens, lib.method
FROM loads AS l
JOIN names AS uri ON uri.id = l.uri_id
LEFT JOIN libraries AS lib ON lib.id = l.library_id
WHERE l.session_id = :id
    AND NOT EXISTS (SELECT 1 FROM items AS i JOIN messages AS m ON m.id = i.message_id
        WHERE i.key = l.tool_use_id AND m.session_id <> :id)
UNION ALL
SELECT l.tool_use_id, l.at, l.kind, uri.name, l.category, l.tokens, l.overhead_tokens, l.method,
    lib.fingerprint, lib.documents, lib.tokens, lib.overhead_tokens, lib.method
FROM messages AS m
JOIN items AS i ON i.message_id = m.id
JOIN loads AS l ON l.tool_use_id = i.key
JOIN names AS uri ON uri.id = l.uri_id
LEFT JOIN libraries AS lib ON lib.id = l.library_id
WHERE m.session_id = :id AND l.session_id <> :id
ORDER BY 2, 4, 1;

-- name: content_calls
-- Calls of the tools that load content, of a server named as ours, and calls that a server
-- recorded, in a session's own messages.
SELECT i.key, tool.name, uri.name, i.bytes, m.key, m.at, m.agent_id, m.is_sidechain
FROM messages AS m
JOIN items AS i ON i.message_id = m.id
LEFT JOIN names AS tool ON tool.id = i.name_id
LEFT JOIN names AS uri ON uri.id = i.uri_id
LEFT JOIN names AS server ON server.id = i.server_id
WHERE m.session_id = :id
    AND ((tool.name IN ('load_content', 'search_content')
            AND REPLACE(server.name, '_', '-') LIKE '%token-tracking%')
        OR EXISTS (SELECT 1 FROM loads AS l WHERE l.tool_use_id = i.key))
ORDER BY m.at, i.key;

-- name: described_loads
-- Messages whose metadata an earlier system may have told of loads in.
SELECT key, at, metadata, category, agent_id, is_sidechain
FROM messages
WHERE session_id = :id AND metadata IS NOT NULL
ORDER BY at, key;

-- name: inherited_keys
-- Messages that a session has from the sessions it was forked from, and which those are.
SELECT m.key, m.session_id
FROM placements AS p
JOIN messages AS m ON m.id = p.message_id AND m.session_id <> p.session_id
WHERE p.session_id = :id;

-- name: compactions
-- Where content left a session's context. An item that names no session, as those of earlier
-- versions, is that of the message before it.
SELECT i.kind, i.detail, m.at, m.agent_id, m.is_sidechain
FROM items AS i
LEFT JOIN messages AS m ON m.id = i.after_id
WHERE i.kind IN ('compact', 'microcompact')
    AND (EXISTS (SELECT 1 FROM openings AS o WHERE o.item_key = i.key AND o.session_id = :id)
        OR (NOT EXISTS (SELECT 1 FROM openings AS o WHERE o.item_key = i.key)
            AND (m.session_id = :id OR EXISTS (SELECT 1 FROM placements AS p
                WHERE p.message_id = m.id AND p.session_id = :id))));

-- name: libraries
SELECT at, fingerprint, documents, tokens, overhead_tokens, method
FROM libraries ORDER BY at, id;

-- name: session_id_row$
SELECT id FROM sessions WHERE session_id = :session_id;

-- name: session_name$
SELECT session_id FROM sessions WHERE id = :id;

-- name: delete_loads!
DELETE FROM loads WHERE at < :before;

-- name: delete_libraries!
-- All but those that a load came from, and the one that held at that time.
DELETE FROM libraries
WHERE at < :before
    AND NOT EXISTS (SELECT 1 FROM loads AS l WHERE l.library_id = libraries.id)
    AND EXISTS (SELECT 1 FROM libraries AS later
        WHERE later.at < :before AND (later.at > libraries.at
            OR (later.at = libraries.at AND later.id > libraries.id)));

-- name: session_of_call^
SELECT s.session_id, m.agent_id, m.is_sidechain
FROM items AS i
JOIN messages AS m ON m.id = i.message_id
JOIN sessions AS s ON s.id = m.session_id
WHERE i.key = :key;
