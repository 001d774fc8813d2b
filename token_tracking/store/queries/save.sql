-- name: begin!
-- The one statement that only SQLite has: it takes the write lock at once.
BEGIN IMMEDIATE;

-- name: commit!
COMMIT;

-- name: rollback!
ROLLBACK;

-- name: kept_from$
SELECT MAX(kept_from) FROM retention;

-- name: create_wanted#
CREATE TEMPORARY TABLE IF NOT EXISTS wanted (name TEXT NOT NULL);

-- name: create_wanted_ids#
CREATE TEMPORARY TABLE IF NOT EXISTS wanted_ids (id INTEGER NOT NULL);

-- name: create_wanted_totals#
CREATE TEMPORARY TABLE IF NOT EXISTS wanted_totals (
    session_id INTEGER NOT NULL,
    quarter INTEGER NOT NULL
);

-- name: clear_wanted_totals!
DELETE FROM wanted_totals;

-- name: want_totals*!
INSERT INTO wanted_totals (session_id, quarter) VALUES (:session_id, :quarter);

-- name: clear_wanted!
DELETE FROM wanted;

-- name: clear_wanted_ids!
DELETE FROM wanted_ids;

-- name: want*!
INSERT INTO wanted (name) VALUES (:name);

-- name: want_id*!
INSERT INTO wanted_ids (id) VALUES (:id);

-- name: name_ids
SELECT n.name, n.id FROM wanted AS w JOIN names AS n ON n.name = w.name;

-- name: last_name_id$
SELECT COALESCE(MAX(id), 0) FROM names;

-- name: insert_name*!
INSERT INTO names (id, name) VALUES (:id, :name);

-- name: known_spans
SELECT s.id, s.session_id, s.first_at, s.last_at, s.born, cwd.name, s.project_at,
    s.project_id
FROM wanted AS w
JOIN sessions AS s ON s.session_id = w.name
LEFT JOIN names AS cwd ON cwd.id = s.project_id;

-- name: last_session_id$
SELECT COALESCE(MAX(id), 0) FROM sessions;

-- name: upsert_session*!
INSERT INTO sessions (id, session_id, born, first_at, last_at, project_id, project_at)
VALUES (:id, :session_id, :born, :first_at, :last_at, :project_id, :project_at)
ON CONFLICT (session_id) DO UPDATE SET
    born = excluded.born,
    first_at = excluded.first_at,
    last_at = excluded.last_at,
    project_id = excluded.project_id,
    project_at = excluded.project_at;

-- name: upsert_item*!
INSERT INTO items (
    key, kind, name_id, server_id, uri_id, bytes, input_bytes, message_id, after_id, position,
    detail
)
VALUES (
    :key, :kind, :name_id, :server_id, :uri_id, :bytes, :input_bytes, :message_id, :after_id,
    :position, :detail
)
ON CONFLICT (key) DO UPDATE SET
    kind = CASE WHEN excluded.kind > items.kind THEN excluded.kind ELSE items.kind END,
    name_id = CASE
        WHEN items.name_id IS NULL OR (
            excluded.name_id <> items.name_id
            AND (SELECT name FROM names WHERE id = excluded.name_id)
                > (SELECT name FROM names WHERE id = items.name_id))
        THEN excluded.name_id ELSE items.name_id
    END,
    server_id = CASE
        WHEN items.server_id IS NULL OR (
            excluded.server_id <> items.server_id
            AND (SELECT name FROM names WHERE id = excluded.server_id)
                > (SELECT name FROM names WHERE id = items.server_id))
        THEN excluded.server_id ELSE items.server_id
    END,
    uri_id = CASE
        WHEN items.uri_id IS NULL OR (
            excluded.uri_id <> items.uri_id
            AND (SELECT name FROM names WHERE id = excluded.uri_id)
                > (SELECT name FROM names WHERE id = items.uri_id))
        THEN excluded.uri_id ELSE items.uri_id
    END,
    bytes = CASE
        WHEN items.bytes IS NULL OR excluded.bytes > items.bytes
        THEN excluded.bytes ELSE items.bytes
    END,
    input_bytes = CASE
        WHEN items.input_bytes IS NULL OR excluded.input_bytes > items.input_bytes
        THEN excluded.input_bytes ELSE items.input_bytes
    END,
    message_id = CASE
        WHEN items.message_id IS NULL OR (
            excluded.message_id <> items.message_id
            AND (SELECT key FROM messages WHERE id = excluded.message_id)
                > (SELECT key FROM messages WHERE id = items.message_id))
        THEN excluded.message_id ELSE items.message_id
    END,
    after_id = CASE
        WHEN items.after_id IS NULL OR (
            excluded.after_id <> items.after_id
            AND (SELECT key FROM messages WHERE id = excluded.after_id)
                > (SELECT key FROM messages WHERE id = items.after_id))
        THEN excluded.after_id ELSE items.after_id
    END,
    position = CASE
        WHEN items.position IS NULL OR excluded.position > items.position
        THEN excluded.position ELSE items.position
    END,
    detail = CASE
        WHEN items.detail IS NULL OR excluded.detail > items.detail
        THEN excluded.detail ELSE items.detail
    END;

-- name: calls_counted
-- Which messages known tool calls count for.
SELECT i.key, m.session_id, m.at
FROM wanted AS w
JOIN items AS i ON i.key = w.name AND i.kind = 'tool'
JOIN messages AS m ON m.id = i.message_id;

-- name: insert_opening*!
INSERT INTO openings (item_key, session_id) VALUES (:item_key, :session_id)
ON CONFLICT (item_key, session_id) DO NOTHING;

-- name: upsert_client_total*!
INSERT INTO client_totals (
    session_id, model, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens,
    web_search_requests, cost_pico
)
VALUES (
    :session_id, :model, :input_tokens, :output_tokens, :cache_read_tokens,
    :cache_write_tokens, :web_search_requests, :cost_pico
)
ON CONFLICT (session_id, model) DO UPDATE SET
    input_tokens = CASE WHEN excluded.input_tokens > client_totals.input_tokens
        THEN excluded.input_tokens ELSE client_totals.input_tokens END,
    output_tokens = CASE WHEN excluded.output_tokens > client_totals.output_tokens
        THEN excluded.output_tokens ELSE client_totals.output_tokens END,
    cache_read_tokens = CASE WHEN excluded.cache_read_tokens > client_totals.cache_read_tokens
        THEN excluded.cache_read_tokens ELSE client_totals.cache_read_tokens END,
    cache_write_tokens = CASE WHEN excluded.cache_write_tokens > client_totals.cache_write_tokens
        THEN excluded.cache_write_tokens ELSE client_totals.cache_write_tokens END,
    web_search_requests = CASE
        WHEN excluded.web_search_requests > client_totals.web_search_requests
        THEN excluded.web_search_requests ELSE client_totals.web_search_requests END,
    cost_pico = CASE WHEN excluded.cost_pico > client_totals.cost_pico
        THEN excluded.cost_pico ELSE client_totals.cost_pico END;

-- name: upsert_file*!
INSERT INTO files (
    path, inode, modified_ns, size, read_to, fingerprint, chains, lines, malformed_lines,
    unusable_lines
)
VALUES (
    :path, :inode, :modified_ns, :size, :offset, :fingerprint, :chains, :lines,
    :malformed_lines, :unusable_lines
)
ON CONFLICT (path) DO UPDATE SET
    inode = excluded.inode,
    modified_ns = excluded.modified_ns,
    size = excluded.size,
    read_to = excluded.read_to,
    fingerprint = excluded.fingerprint,
    chains = excluded.chains,
    lines = excluded.lines,
    malformed_lines = excluded.malformed_lines,
    unusable_lines = excluded.unusable_lines;

-- name: dirty_sessions$
-- How many of the sessions whose sums are about to change own messages.
SELECT COUNT(*) FROM (SELECT DISTINCT session_id FROM wanted_totals) AS w
WHERE EXISTS (SELECT 1 FROM totals AS t WHERE t.session_id = w.session_id);

-- name: clear_totals*!
DELETE FROM totals WHERE session_id = :session_id AND quarter = :quarter;

-- name: sum_totals*!
INSERT INTO totals (
    session_id, quarter, model, messages, partial_messages, unpriced_messages, tool_uses,
    input_tokens, output_tokens, cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens,
    cost_pico, no_cache_pico, write_premium_pico
)
SELECT :session_id, :quarter, COALESCE(model, ''), COUNT(*),
    SUM(CASE WHEN stop_reason IS NULL THEN 1 ELSE 0 END),
    SUM(CASE WHEN cost_pico IS NULL THEN 1 ELSE 0 END),
    SUM((SELECT COUNT(*) FROM items WHERE items.message_id = messages.id AND items.kind = 'tool')),
    SUM(input_tokens), SUM(output_tokens), SUM(cache_read_tokens), SUM(cache_write_5m_tokens),
    SUM(cache_write_1h_tokens), SUM(COALESCE(cost_pico, 0)), SUM(COALESCE(no_cache_pico, 0)),
    SUM(COALESCE(write_premium_pico, 0))
FROM messages
WHERE session_id = :session_id AND at >= :start AND at < :end
GROUP BY COALESCE(model, '');

-- name: clear_quarter*!
DELETE FROM quarters WHERE quarter = :quarter;

-- name: sum_quarter*!
INSERT INTO quarters (
    quarter, model, messages, partial_messages, unpriced_messages, tool_uses, input_tokens,
    output_tokens, cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens, cost_pico,
    no_cache_pico, write_premium_pico
)
SELECT quarter, model, SUM(messages), SUM(partial_messages), SUM(unpriced_messages),
    SUM(tool_uses), SUM(input_tokens), SUM(output_tokens), SUM(cache_read_tokens),
    SUM(cache_write_5m_tokens), SUM(cache_write_1h_tokens), SUM(cost_pico), SUM(no_cache_pico),
    SUM(write_premium_pico)
FROM totals
WHERE quarter = :quarter
GROUP BY quarter, model;
