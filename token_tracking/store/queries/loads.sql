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

-- name: known_loads
-- What is known of a load: by its answer, by its call, or else, where one of the two has neither,
-- by its session and moment.
SELECT s.session_id, l.at, l.kind, l.category, l.tokens, l.overhead_tokens, l.method,
    l.tool_use_id, l.answer, l.library_id
FROM loads AS l
JOIN names AS uri ON uri.id = l.uri_id
JOIN sessions AS s ON s.id = l.session_id
WHERE uri.name = :uri
    AND ((l.answer = :answer AND :answer <> '')
        OR (l.tool_use_id = :tool_use_id AND (:is_global OR s.session_id = :session_id))
        OR (s.session_id = :session_id AND l.at = :at
            AND (:is_nameless OR (l.answer = '' AND l.tool_use_id IS NULL))));

-- name: delete_known_loads!
-- Those that `known_loads` finds.
DELETE FROM loads
WHERE uri_id = (SELECT id FROM names WHERE name = :uri)
    AND ((answer = :answer AND :answer <> '')
        OR (tool_use_id = :tool_use_id AND (:is_global
            OR session_id = (SELECT id FROM sessions WHERE session_id = :session_id)))
        OR (session_id = (SELECT id FROM sessions WHERE session_id = :session_id) AND at = :at
            AND (:is_nameless OR (answer = '' AND tool_use_id IS NULL))));

-- name: insert_load!
INSERT INTO loads (
    session_id, at, kind, uri_id, category, tokens, overhead_tokens, method, tool_use_id, answer,
    library_id
)
SELECT s.id, :at, :kind, n.id, :category, :tokens, :overhead_tokens, :method, :tool_use_id,
    :answer, :library_id
FROM sessions AS s
JOIN names AS n ON n.name = :uri
WHERE s.session_id = :session_id;

-- name: may_have_loads$
-- Whether any session can have a load that a server or a transcript tells of.
SELECT EXISTS (SELECT 1 FROM loads)
    OR EXISTS (SELECT 1 FROM names WHERE name IN ('load_content', 'search_content'));

-- name: recorded_loads
-- What servers recorded for a session, without the calls that another session's transcript shows,
-- and with those that its own shows. Only ids of Anthropic's mean the same call in any session.
SELECT l.tool_use_id, l.at, l.kind, uri.name, l.category, l.tokens, l.overhead_tokens, l.method,
    l.answer, lib.fingerprint, lib.documents, lib.tokens, lib.overhead_tokens, lib.method
FROM loads AS l
JOIN names AS uri ON uri.id = l.uri_id
LEFT JOIN libraries AS lib ON lib.id = l.library_id
WHERE l.session_id = :id
    AND NOT EXISTS (SELECT 1 FROM items AS i JOIN messages AS m ON m.id = i.message_id
        WHERE i.key = l.tool_use_id AND SUBSTR(i.key, 1, 6) = 'toolu_' AND m.session_id <> :id)
UNION ALL
SELECT l.tool_use_id, l.at, l.kind, uri.name, l.category, l.tokens, l.overhead_tokens, l.method,
    l.answer, lib.fingerprint, lib.documents, lib.tokens, lib.overhead_tokens, lib.method
FROM messages AS m
JOIN items AS i ON i.message_id = m.id
JOIN loads AS l ON l.tool_use_id = i.key
JOIN names AS uri ON uri.id = l.uri_id
LEFT JOIN libraries AS lib ON lib.id = l.library_id
WHERE m.session_id = :id AND l.session_id <> :id AND SUBSTR(i.key, 1, 6) = 'toolu_'
ORDER BY 2, 4, 1, 9;

-- name: content_calls
-- Calls of the tools that load content, of a server named as ours, and calls that a server
-- recorded, in a session's own messages.
SELECT i.key, tool.name, uri.name, i.bytes, i.detail, m.key, m.at, m.agent_id, m.is_sidechain
FROM messages AS m
JOIN items AS i ON i.message_id = m.id
LEFT JOIN names AS tool ON tool.id = i.name_id
LEFT JOIN names AS uri ON uri.id = i.uri_id
LEFT JOIN names AS server ON server.id = i.server_id
WHERE m.session_id = :id
    AND ((tool.name IN ('load_content', 'search_content')
            AND REPLACE(server.name, '_', '-') LIKE '%token-tracking%')
        OR EXISTS (SELECT 1 FROM loads AS l WHERE l.tool_use_id = i.key
            AND (SUBSTR(i.key, 1, 6) = 'toolu_' OR l.session_id = m.session_id)))
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

-- name: library_changes
-- Which library was seen when, over the whole ledger: a moment for each change.
SELECT seen.at, lib.fingerprint, lib.documents, lib.tokens, lib.overhead_tokens, lib.method
FROM (SELECT at, id, LAG(id) OVER (ORDER BY at, id) AS before
    FROM (SELECT at, id FROM libraries
        UNION
        SELECT at, library_id FROM loads WHERE library_id IS NOT NULL) AS sightings) AS seen
JOIN libraries AS lib ON lib.id = seen.id
WHERE seen.before IS NULL OR seen.before <> seen.id
ORDER BY seen.at, seen.id;

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
WHERE i.key = :key AND SUBSTR(i.key, 1, 6) = 'toolu_';
