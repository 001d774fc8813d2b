-- name: begin_reading!
-- Statements until the end of it see one state of the ledger.
BEGIN;

-- name: attributed_sessions
SELECT s.id, s.session_id FROM wanted AS w CROSS JOIN sessions AS s ON s.session_id = w.name;

-- name: attributed_sizes
-- How many messages stand in each of the wanted sessions.
SELECT s.session_id, (
    SELECT COUNT(*) FROM messages AS m WHERE m.session_id = s.id
) + (
    SELECT COUNT(*)
    FROM placements AS p
    CROSS JOIN messages AS m ON m.id = p.message_id
    WHERE p.session_id = s.id AND m.session_id <> s.id
)
FROM wanted AS w
CROSS JOIN sessions AS s ON s.session_id = w.name;

-- name: attributed_messages
-- The messages that stand in the wanted sessions, their own and those they inherited, each with
-- its parent there.
SELECT w.id, m.id, m.key, m.at, m.parent_id, m.agent_id, m.is_sidechain, m.model, m.speed,
    m.service_tier, m.inference_geo, m.stop_reason, m.source, m.text_bytes, m.thinking_bytes,
    m.cost_pico, 1, m.attribution, m.input_tokens, m.output_tokens, m.cache_read_tokens,
    m.cache_write_5m_tokens, m.cache_write_1h_tokens, m.web_search_requests,
    m.web_fetch_requests
FROM wanted_ids AS w
CROSS JOIN messages AS m ON m.session_id = w.id
UNION ALL
SELECT w.id, m.id, m.key, m.at, p.parent_id, m.agent_id, m.is_sidechain, m.model, m.speed,
    m.service_tier, m.inference_geo, m.stop_reason, m.source, m.text_bytes, m.thinking_bytes,
    m.cost_pico, 0, m.attribution, m.input_tokens, m.output_tokens, m.cache_read_tokens,
    m.cache_write_5m_tokens, m.cache_write_1h_tokens, m.web_search_requests,
    m.web_fetch_requests
FROM wanted_ids AS w
CROSS JOIN placements AS p ON p.session_id = w.id
CROSS JOIN messages AS m ON m.id = p.message_id AND m.session_id <> w.id;

-- name: attributed_calls
-- The tool calls of these messages.
SELECT w.id, i.key, i.kind, name.name, server.name, uri.name, i.bytes, i.input_bytes,
    i.message_id, i.after_id, i.position, i.detail
FROM wanted_ids AS w
CROSS JOIN messages AS m ON m.session_id = w.id
CROSS JOIN items AS i ON i.message_id = m.id
LEFT JOIN names AS name ON name.id = i.name_id
LEFT JOIN names AS server ON server.id = i.server_id
LEFT JOIN names AS uri ON uri.id = i.uri_id
UNION ALL
SELECT w.id, i.key, i.kind, name.name, server.name, uri.name, i.bytes, i.input_bytes,
    i.message_id, i.after_id, i.position, i.detail
FROM wanted_ids AS w
CROSS JOIN placements AS p ON p.session_id = w.id
CROSS JOIN messages AS m ON m.id = p.message_id AND m.session_id <> w.id
CROSS JOIN items AS i ON i.message_id = m.id
LEFT JOIN names AS name ON name.id = i.name_id
LEFT JOIN names AS server ON server.id = i.server_id
LEFT JOIN names AS uri ON uri.id = i.uri_id;

-- name: attributed_entries
-- What entered after these messages and is no result of a call: where it names sessions, only in
-- these.
SELECT w.id, i.key, i.kind, name.name, server.name, uri.name, i.bytes, i.after_id, i.position,
    i.detail
FROM wanted_ids AS w
CROSS JOIN messages AS m ON m.session_id = w.id
CROSS JOIN items AS i ON i.message_id IS NULL AND i.after_id = m.id
LEFT JOIN names AS name ON name.id = i.name_id
LEFT JOIN names AS server ON server.id = i.server_id
LEFT JOIN names AS uri ON uri.id = i.uri_id
WHERE EXISTS (SELECT 1 FROM openings AS o WHERE o.item_key = i.key AND o.session_id = w.id)
    OR NOT EXISTS (SELECT 1 FROM openings AS o WHERE o.item_key = i.key)
UNION ALL
SELECT w.id, i.key, i.kind, name.name, server.name, uri.name, i.bytes, i.after_id, i.position,
    i.detail
FROM wanted_ids AS w
CROSS JOIN placements AS p ON p.session_id = w.id
CROSS JOIN messages AS m ON m.id = p.message_id AND m.session_id <> w.id
CROSS JOIN items AS i ON i.message_id IS NULL AND i.after_id = m.id
LEFT JOIN names AS name ON name.id = i.name_id
LEFT JOIN names AS server ON server.id = i.server_id
LEFT JOIN names AS uri ON uri.id = i.uri_id
WHERE EXISTS (SELECT 1 FROM openings AS o WHERE o.item_key = i.key AND o.session_id = w.id)
    OR NOT EXISTS (SELECT 1 FROM openings AS o WHERE o.item_key = i.key)
UNION ALL
-- What opened a chain of a session.
SELECT w.id, i.key, i.kind, name.name, server.name, uri.name, i.bytes, i.after_id, i.position,
    i.detail
FROM wanted_ids AS w
CROSS JOIN openings AS o ON o.session_id = w.id
CROSS JOIN items AS i ON i.key = o.item_key AND i.after_id IS NULL AND i.message_id IS NULL
LEFT JOIN names AS name ON name.id = i.name_id
LEFT JOIN names AS server ON server.id = i.server_id
LEFT JOIN names AS uri ON uri.id = i.uri_id;
