-- name: attributed_messages
-- The messages that stand in a session, its own and those it inherited, each with its parent there.
SELECT m.id, m.key, m.at, m.parent_id, m.agent_id, m.is_sidechain, m.model, m.speed,
    m.service_tier, m.inference_geo, m.stop_reason, m.source, m.text_bytes, m.thinking_bytes,
    m.cost_pico, 1, m.input_tokens, m.output_tokens, m.cache_read_tokens,
    m.cache_write_5m_tokens, m.cache_write_1h_tokens, m.web_search_requests,
    m.web_fetch_requests
FROM messages AS m
WHERE m.session_id = :id
UNION ALL
SELECT m.id, m.key, m.at, p.parent_id, m.agent_id, m.is_sidechain, m.model, m.speed,
    m.service_tier, m.inference_geo, m.stop_reason, m.source, m.text_bytes, m.thinking_bytes,
    m.cost_pico, 0, m.input_tokens, m.output_tokens, m.cache_read_tokens,
    m.cache_write_5m_tokens, m.cache_write_1h_tokens, m.web_search_requests,
    m.web_fetch_requests
FROM placements AS p
JOIN messages AS m ON m.id = p.message_id
WHERE p.session_id = :id AND m.session_id <> :id;

-- name: attributed_calls
-- The tool calls of messages.
SELECT i.key, i.kind, name.name, server.name, uri.name, i.bytes, i.input_bytes, i.message_id,
    i.after_id, i.position
FROM wanted_ids AS w
CROSS JOIN items AS i ON i.message_id = w.id
LEFT JOIN names AS name ON name.id = i.name_id
LEFT JOIN names AS server ON server.id = i.server_id
LEFT JOIN names AS uri ON uri.id = i.uri_id;

-- name: attributed_entries
-- What entered after messages and is no result of a call: where it names sessions, this must be
-- one of them.
SELECT i.key, i.kind, name.name, server.name, uri.name, i.bytes, i.after_id, i.position, i.detail
FROM wanted_ids AS w
CROSS JOIN items AS i ON i.message_id IS NULL AND i.after_id = w.id
LEFT JOIN names AS name ON name.id = i.name_id
LEFT JOIN names AS server ON server.id = i.server_id
LEFT JOIN names AS uri ON uri.id = i.uri_id
WHERE EXISTS (SELECT 1 FROM openings AS o WHERE o.item_key = i.key AND o.session_id = :id)
    OR NOT EXISTS (SELECT 1 FROM openings AS o WHERE o.item_key = i.key)
UNION ALL
-- What opened a chain of the session.
SELECT i.key, i.kind, name.name, server.name, uri.name, i.bytes, i.after_id, i.position, i.detail
FROM openings AS o
CROSS JOIN items AS i ON i.key = o.item_key AND i.after_id IS NULL AND i.message_id IS NULL
LEFT JOIN names AS name ON name.id = i.name_id
LEFT JOIN names AS server ON server.id = i.server_id
LEFT JOIN names AS uri ON uri.id = i.uri_id
WHERE o.session_id = :id;
