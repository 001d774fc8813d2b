-- name: file_states
SELECT path, inode, modified_ns, size FROM files;

-- name: file_cursor^
SELECT path, inode, modified_ns, size, read_to, fingerprint, chains, lines, malformed_lines,
    unusable_lines
FROM files WHERE path = :path;

-- name: line_counts^
SELECT COUNT(*), COALESCE(SUM(lines), 0), COALESCE(SUM(malformed_lines), 0),
    COALESCE(SUM(unusable_lines), 0)
FROM files;

-- name: recent_messages
SELECT * FROM ledger
WHERE (CAST(:category AS TEXT) IS NULL OR category = :category)
ORDER BY at DESC, key DESC
LIMIT :limit;

-- name: messages_in_range
SELECT * FROM ledger WHERE at >= :start AND at < :end ORDER BY at, key;

-- name: session_messages
SELECT * FROM ledger WHERE session_row = :id ORDER BY at, key;

-- name: message_known$
SELECT COUNT(*) FROM messages WHERE key = :key;

-- name: message_sums
-- Each message as sums, in order of time.
SELECT m.at, COALESCE(m.model, ''), s.project_id, 1, CASE WHEN m.stop_reason IS NULL THEN 1 ELSE 0 END,
    CASE WHEN m.cost_pico IS NULL THEN 1 ELSE 0 END,
    (SELECT COUNT(*) FROM items WHERE items.message_id = m.id AND items.kind = 'tool'),
    m.input_tokens, m.output_tokens, m.cache_read_tokens, m.cache_write_5m_tokens,
    m.cache_write_1h_tokens, COALESCE(m.cost_pico, 0), COALESCE(m.no_cache_pico, 0),
    COALESCE(m.write_premium_pico, 0)
FROM messages AS m
JOIN sessions AS s ON s.id = m.session_id
WHERE m.at < :end
ORDER BY m.at;

-- name: session_row^
SELECT s.id, s.session_id, project.name, s.first_at, s.last_at
FROM sessions AS s
LEFT JOIN names AS project ON project.id = s.project_id
WHERE s.session_id = :session_id AND s.first_at IS NOT NULL;

-- name: sessions_like
SELECT session_id FROM sessions
WHERE session_id LIKE :pattern ESCAPE '\' AND session_id <> '' AND first_at IS NOT NULL
ORDER BY COALESCE(last_at, 0) DESC, session_id
LIMIT :limit;

-- name: latest_session^
-- The session of the newest message, of one project where one is named.
SELECT s.session_id
FROM sessions AS s
LEFT JOIN names AS project ON project.id = s.project_id
WHERE s.session_id <> '' AND s.last_at IS NOT NULL AND (CAST(:project AS TEXT) IS NULL OR project.name = :project)
    AND EXISTS (SELECT 1 FROM messages AS m WHERE m.session_id = s.id)
ORDER BY s.last_at DESC, s.session_id DESC
LIMIT 1;

-- name: inherited_messages
SELECT other.session_id, COUNT(*)
FROM placements AS p
JOIN messages AS m ON m.id = p.message_id AND m.session_id <> p.session_id
JOIN sessions AS other ON other.id = m.session_id
WHERE p.session_id = :id
GROUP BY other.session_id
ORDER BY other.session_id;

-- name: session_models
-- The dearest model first.
SELECT model, SUM(messages), SUM(partial_messages), SUM(unpriced_messages), SUM(tool_uses),
    SUM(input_tokens), SUM(output_tokens), SUM(cache_read_tokens), SUM(cache_write_5m_tokens),
    SUM(cache_write_1h_tokens), SUM(cost_pico), SUM(no_cache_pico), SUM(write_premium_pico)
FROM totals WHERE session_id = :id
GROUP BY model
ORDER BY SUM(cost_pico) DESC, model;

-- name: message_by_key^
SELECT * FROM ledger WHERE key = :key;

-- name: session_tools
SELECT tool.name, server.name, COUNT(*), COALESCE(SUM(i.bytes), 0)
FROM messages AS m
JOIN items AS i ON i.message_id = m.id AND i.kind = 'tool'
JOIN names AS tool ON tool.id = i.name_id
LEFT JOIN names AS server ON server.id = i.server_id
WHERE m.session_id = :id
GROUP BY tool.name, server.name
ORDER BY COUNT(*) DESC, tool.name, server.name;

-- name: totals_by_quarter
SELECT t.quarter, t.model, SUM(t.messages), SUM(t.partial_messages),
    SUM(t.unpriced_messages), SUM(t.tool_uses), SUM(t.input_tokens), SUM(t.output_tokens),
    SUM(t.cache_read_tokens), SUM(t.cache_write_5m_tokens), SUM(t.cache_write_1h_tokens),
    SUM(t.cost_pico), SUM(t.no_cache_pico), SUM(t.write_premium_pico)
FROM totals AS t
JOIN sessions AS s ON s.id = t.session_id
WHERE t.quarter >= :start AND t.quarter < :end
    AND (:any_project = 1 OR s.project_id IN (SELECT id FROM wanted_ids))
GROUP BY t.quarter, t.model;

-- name: quarters
SELECT quarter, model, messages, partial_messages, unpriced_messages, tool_uses, input_tokens,
    output_tokens, cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens, cost_pico,
    no_cache_pico, write_premium_pico
FROM quarters
WHERE quarter >= :start AND quarter < :end AND :any_project = 1;

-- name: totals_by_session
SELECT s.session_id, t.model, SUM(t.messages), SUM(t.partial_messages),
    SUM(t.unpriced_messages), SUM(t.tool_uses), SUM(t.input_tokens), SUM(t.output_tokens),
    SUM(t.cache_read_tokens), SUM(t.cache_write_5m_tokens), SUM(t.cache_write_1h_tokens),
    SUM(t.cost_pico), SUM(t.no_cache_pico), SUM(t.write_premium_pico)
FROM totals AS t
JOIN sessions AS s ON s.id = t.session_id
WHERE t.quarter >= :start AND t.quarter < :end
    AND (:any_project = 1 OR s.project_id IN (SELECT id FROM wanted_ids))
GROUP BY s.session_id, t.model;

-- name: totals_by_project
SELECT COALESCE(project.name, ''), t.model, SUM(t.messages), SUM(t.partial_messages),
    SUM(t.unpriced_messages), SUM(t.tool_uses), SUM(t.input_tokens), SUM(t.output_tokens),
    SUM(t.cache_read_tokens), SUM(t.cache_write_5m_tokens), SUM(t.cache_write_1h_tokens),
    SUM(t.cost_pico), SUM(t.no_cache_pico), SUM(t.write_premium_pico)
FROM totals AS t
JOIN sessions AS s ON s.id = t.session_id
LEFT JOIN names AS project ON project.id = s.project_id
WHERE t.quarter >= :start AND t.quarter < :end
    AND (:any_project = 1 OR s.project_id IN (SELECT id FROM wanted_ids))
GROUP BY COALESCE(project.name, ''), t.model;

-- name: session_facts
SELECT s.session_id, COALESCE(project.name, ''), s.first_at, s.last_at
FROM sessions AS s
LEFT JOIN names AS project ON project.id = s.project_id
WHERE s.first_at IS NOT NULL;

-- name: projects
SELECT DISTINCT project.id, project.name
FROM sessions AS s JOIN names AS project ON project.id = s.project_id;

-- name: delete_messages!
DELETE FROM messages WHERE at < :before;

-- name: expired_totals
SELECT DISTINCT session_id, at / 900000 FROM messages WHERE at < :before;

-- name: delete_orphan_items!
DELETE FROM items WHERE
    (message_id IS NOT NULL OR after_id IS NOT NULL)
    AND NOT EXISTS (SELECT 1 FROM messages AS m WHERE m.id = items.message_id)
    AND NOT EXISTS (SELECT 1 FROM messages AS m WHERE m.id = items.after_id);

-- name: clear_retention_check!
-- Changes nothing, and fails where nothing can be changed.
DELETE FROM retention WHERE kept_from < 0;

-- name: clear_retention!
DELETE FROM retention;

-- name: set_retention!
INSERT INTO retention (kept_from) VALUES (:kept_from);

-- name: clear_lost_parents!
-- Row numbers are given again: nothing may go on naming a message that is gone.
UPDATE messages SET parent_id = NULL
WHERE parent_id IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM messages AS m WHERE m.id = messages.parent_id);

-- name: clear_lost_placement_parents!
UPDATE placements SET parent_id = NULL
WHERE parent_id IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM messages AS m WHERE m.id = placements.parent_id);

-- name: clear_lost_item_messages!
UPDATE items SET message_id = NULL
WHERE message_id IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM messages AS m WHERE m.id = items.message_id);

-- name: clear_lost_item_anchors!
UPDATE items SET after_id = NULL
WHERE after_id IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM messages AS m WHERE m.id = items.after_id);

-- name: delete_orphan_openings!
DELETE FROM openings
WHERE NOT EXISTS (SELECT 1 FROM items AS i WHERE i.key = openings.item_key);

-- name: delete_orphan_placements!
DELETE FROM placements
WHERE NOT EXISTS (SELECT 1 FROM messages AS m WHERE m.id = placements.message_id);

-- name: messages_to_price
SELECT id, session_id, at, model, speed, service_tier, inference_geo, input_tokens,
    output_tokens, cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens,
    web_search_requests, web_fetch_requests, cost_pico, no_cache_pico, write_premium_pico,
    unpriced, extra
FROM messages WHERE id > :after ORDER BY id LIMIT :limit;

-- name: reprice_message*!
UPDATE messages SET
    cost_pico = :cost_pico,
    no_cache_pico = :no_cache_pico,
    write_premium_pico = :write_premium_pico,
    unpriced = :unpriced
WHERE id = :id;
