-- name: revision$
-- How often the ledger was changed.
SELECT MAX(value) FROM revisions;

-- name: count_change!
UPDATE revisions SET value = value + 1;

-- name: mark_session*!
INSERT INTO due (session_id, since) VALUES (:session_id, :since)
ON CONFLICT (session_id) DO UPDATE SET since = excluded.since;

-- name: sessions_of_messages
-- Every session that the wanted messages stand in, their owners and forks.
SELECT m.session_id FROM wanted_ids AS w CROSS JOIN messages AS m ON m.id = w.id
UNION
SELECT p.session_id FROM wanted_ids AS w CROSS JOIN placements AS p ON p.message_id = w.id;

-- name: sessions_of_calls
-- The sessions that own the wanted tool calls, and those that loads of these calls were recorded
-- for.
SELECT m.session_id
FROM wanted AS w
CROSS JOIN items AS i ON i.key = w.name
CROSS JOIN messages AS m ON m.id = i.message_id
UNION
SELECT l.session_id FROM wanted AS w CROSS JOIN loads AS l ON l.tool_use_id = w.name;

-- name: sessions_named
SELECT s.id FROM wanted AS w CROSS JOIN sessions AS s ON s.session_id = w.name;

-- name: sessions_before
-- Every session that a message or load before a time stands in.
SELECT m.session_id FROM messages AS m WHERE m.at < :before
UNION
SELECT p.session_id
FROM placements AS p
JOIN messages AS m ON m.id = p.message_id
WHERE m.at < :before
UNION
SELECT l.session_id FROM loads AS l WHERE l.at < :before;

-- name: has_loads$
SELECT EXISTS (SELECT 1 FROM loads);

-- name: known_items
-- Items as they are known, and for calls the session and time of the message that counts them.
SELECT i.key, i.kind, name.name, server.name, uri.name, i.bytes, i.input_bytes, m.key, a.key,
    i.position, i.detail, m.session_id, m.at, m.id, a.id
FROM wanted AS w
CROSS JOIN items AS i ON i.key = w.name
LEFT JOIN names AS name ON name.id = i.name_id
LEFT JOIN names AS server ON server.id = i.server_id
LEFT JOIN names AS uri ON uri.id = i.uri_id
LEFT JOIN messages AS m ON m.id = i.message_id
LEFT JOIN messages AS a ON a.id = i.after_id;

-- name: known_openings
SELECT o.item_key, s.session_id
FROM wanted AS w
CROSS JOIN openings AS o ON o.item_key = w.name
JOIN sessions AS s ON s.id = o.session_id;

-- name: known_client_total^
SELECT model, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens,
    web_search_requests, cost_pico
FROM client_totals
WHERE session_id = :session_id AND model = :model;
