-- name: create_wanted_spans!
-- Parts of ranges of time: days or quarters of an hour, to add or (sign -1) to take away.
CREATE TEMPORARY TABLE IF NOT EXISTS wanted_spans (
    number INTEGER NOT NULL,
    unit TEXT NOT NULL,
    low BIGINT NOT NULL,
    high BIGINT NOT NULL,
    sign INTEGER NOT NULL
);

-- name: clear_wanted_spans!
DELETE FROM wanted_spans;

-- name: want_span*!
INSERT INTO wanted_spans (number, unit, low, high, sign)
VALUES (:number, :unit, :low, :high, :sign);

-- name: size_wanted_spans!
ANALYZE wanted_spans;

-- name: size_wanted_ids!
ANALYZE wanted_ids;

-- name: project_row$
SELECT id FROM names WHERE name = :name;

-- name: span_totals
-- Sums of messages by range and model, of all projects.
SELECT x.number, x.model, SUM(x.messages), SUM(x.partial_messages), SUM(x.unpriced_messages),
    SUM(x.tool_uses), SUM(x.input_tokens), SUM(x.output_tokens), SUM(x.cache_read_tokens),
    SUM(x.cache_write_5m_tokens), SUM(x.cache_write_1h_tokens), SUM(x.cost_pico),
    SUM(x.no_cache_pico), SUM(x.write_premium_pico)
FROM (
    SELECT w.number AS number, t.model AS model, SUM(w.sign * t.messages) AS messages,
        SUM(w.sign * t.partial_messages) AS partial_messages,
        SUM(w.sign * t.unpriced_messages) AS unpriced_messages,
        SUM(w.sign * t.tool_uses) AS tool_uses, SUM(w.sign * t.input_tokens) AS input_tokens,
        SUM(w.sign * t.output_tokens) AS output_tokens,
        SUM(w.sign * t.cache_read_tokens) AS cache_read_tokens,
        SUM(w.sign * t.cache_write_5m_tokens) AS cache_write_5m_tokens,
        SUM(w.sign * t.cache_write_1h_tokens) AS cache_write_1h_tokens,
        SUM(w.sign * t.cost_pico) AS cost_pico, SUM(w.sign * t.no_cache_pico) AS no_cache_pico,
        SUM(w.sign * t.write_premium_pico) AS write_premium_pico
    FROM wanted_spans AS w
    CROSS JOIN total_days AS t ON w.unit = 'day' AND t.project_id = -1 AND t.day >= w.low
        AND t.day < w.high
    GROUP BY w.number, t.model
    UNION ALL
    SELECT w.number, q.model, SUM(w.sign * q.messages), SUM(w.sign * q.partial_messages),
        SUM(w.sign * q.unpriced_messages), SUM(w.sign * q.tool_uses), SUM(w.sign * q.input_tokens),
        SUM(w.sign * q.output_tokens), SUM(w.sign * q.cache_read_tokens),
        SUM(w.sign * q.cache_write_5m_tokens), SUM(w.sign * q.cache_write_1h_tokens),
        SUM(w.sign * q.cost_pico), SUM(w.sign * q.no_cache_pico),
        SUM(w.sign * q.write_premium_pico)
    FROM wanted_spans AS w
    CROSS JOIN quarters AS q ON w.unit = 'quarter' AND q.quarter >= w.low AND q.quarter < w.high
    GROUP BY w.number, q.model
) AS x
GROUP BY x.number, x.model;

-- name: project_span_totals
-- The same of one project.
SELECT x.number, x.model, SUM(x.messages), SUM(x.partial_messages), SUM(x.unpriced_messages),
    SUM(x.tool_uses), SUM(x.input_tokens), SUM(x.output_tokens), SUM(x.cache_read_tokens),
    SUM(x.cache_write_5m_tokens), SUM(x.cache_write_1h_tokens), SUM(x.cost_pico),
    SUM(x.no_cache_pico), SUM(x.write_premium_pico)
FROM (
    SELECT w.number AS number, t.model AS model, SUM(w.sign * t.messages) AS messages,
        SUM(w.sign * t.partial_messages) AS partial_messages,
        SUM(w.sign * t.unpriced_messages) AS unpriced_messages,
        SUM(w.sign * t.tool_uses) AS tool_uses, SUM(w.sign * t.input_tokens) AS input_tokens,
        SUM(w.sign * t.output_tokens) AS output_tokens,
        SUM(w.sign * t.cache_read_tokens) AS cache_read_tokens,
        SUM(w.sign * t.cache_write_5m_tokens) AS cache_write_5m_tokens,
        SUM(w.sign * t.cache_write_1h_tokens) AS cache_write_1h_tokens,
        SUM(w.sign * t.cost_pico) AS cost_pico, SUM(w.sign * t.no_cache_pico) AS no_cache_pico,
        SUM(w.sign * t.write_premium_pico) AS write_premium_pico
    FROM wanted_spans AS w
    CROSS JOIN total_days AS t ON w.unit = 'day' AND t.project_id = :project AND t.day >= w.low
        AND t.day < w.high
    GROUP BY w.number, t.model
    UNION ALL
    SELECT w.number, t.model, SUM(w.sign * t.messages), SUM(w.sign * t.partial_messages),
        SUM(w.sign * t.unpriced_messages), SUM(w.sign * t.tool_uses), SUM(w.sign * t.input_tokens),
        SUM(w.sign * t.output_tokens), SUM(w.sign * t.cache_read_tokens),
        SUM(w.sign * t.cache_write_5m_tokens), SUM(w.sign * t.cache_write_1h_tokens),
        SUM(w.sign * t.cost_pico), SUM(w.sign * t.no_cache_pico),
        SUM(w.sign * t.write_premium_pico)
    FROM wanted_spans AS w
    CROSS JOIN totals AS t ON w.unit = 'quarter' AND t.quarter >= w.low AND t.quarter < w.high
    CROSS JOIN sessions AS s ON s.id = t.session_id
    WHERE COALESCE(s.project_id, 0) = :project
    GROUP BY w.number, t.model
) AS x
GROUP BY x.number, x.model;

-- name: totals_of_projects
-- Sums of messages by project and model.
SELECT name.name, x.model,
    SUM(x.messages), SUM(x.partial_messages), SUM(x.unpriced_messages), SUM(x.tool_uses),
    SUM(x.input_tokens), SUM(x.output_tokens), SUM(x.cache_read_tokens),
    SUM(x.cache_write_5m_tokens), SUM(x.cache_write_1h_tokens), SUM(x.cost_pico),
    SUM(x.no_cache_pico), SUM(x.write_premium_pico)
FROM (
    SELECT t.project_id, t.model,
        SUM(w.sign * t.messages) AS messages,
        SUM(w.sign * t.partial_messages) AS partial_messages,
        SUM(w.sign * t.unpriced_messages) AS unpriced_messages,
        SUM(w.sign * t.tool_uses) AS tool_uses, SUM(w.sign * t.input_tokens) AS input_tokens,
        SUM(w.sign * t.output_tokens) AS output_tokens,
        SUM(w.sign * t.cache_read_tokens) AS cache_read_tokens,
        SUM(w.sign * t.cache_write_5m_tokens) AS cache_write_5m_tokens,
        SUM(w.sign * t.cache_write_1h_tokens) AS cache_write_1h_tokens,
        SUM(w.sign * t.cost_pico) AS cost_pico, SUM(w.sign * t.no_cache_pico) AS no_cache_pico,
        SUM(w.sign * t.write_premium_pico) AS write_premium_pico
    FROM wanted_spans AS w
    CROSS JOIN total_days AS t ON w.unit = 'day' AND t.day >= w.low AND t.day < w.high
    WHERE t.project_id >= 0
    GROUP BY t.project_id, t.model
    UNION ALL
    SELECT COALESCE(s.project_id, 0), t.model,
        SUM(w.sign * t.messages), SUM(w.sign * t.partial_messages),
        SUM(w.sign * t.unpriced_messages), SUM(w.sign * t.tool_uses),
        SUM(w.sign * t.input_tokens), SUM(w.sign * t.output_tokens),
        SUM(w.sign * t.cache_read_tokens), SUM(w.sign * t.cache_write_5m_tokens),
        SUM(w.sign * t.cache_write_1h_tokens), SUM(w.sign * t.cost_pico),
        SUM(w.sign * t.no_cache_pico), SUM(w.sign * t.write_premium_pico)
    FROM wanted_spans AS w
    CROSS JOIN totals AS t ON w.unit = 'quarter' AND t.quarter >= w.low AND t.quarter < w.high
    CROSS JOIN sessions AS s ON s.id = t.session_id
    GROUP BY COALESCE(s.project_id, 0), t.model
) AS x
LEFT JOIN names AS name ON name.id = x.project_id
GROUP BY x.project_id, x.model;

-- name: attributed_facts^
-- The facts of one session.
SELECT
    COALESCE(SUM(requests), 0), COALESCE(SUM(hit_requests), 0),
    COALESCE(SUM(unread_write_tokens), 0), COALESCE(SUM(unread_write_pico), 0),
    COALESCE(SUM(lapses), 0), COALESCE(SUM(lapse_tokens), 0),
    COALESCE(SUM(lapse_pico), 0), COALESCE(SUM(switches), 0),
    COALESCE(SUM(switch_tokens), 0), COALESCE(SUM(switch_pico), 0),
    COALESCE(SUM(unseen_writes), 0), COALESCE(SUM(unseen_write_tokens), 0),
    COALESCE(SUM(unseen_write_pico), 0), COALESCE(SUM(partial_messages), 0),
    COALESCE(SUM(partial_tokens), 0), COALESCE(SUM(partial_pico), 0),
    COALESCE(SUM(jit_requests), 0), COALESCE(SUM(jit_prompt_tokens), 0),
    COALESCE(SUM(jit_baseline_tokens), 0), COALESCE(SUM(jit_priced), 0),
    COALESCE(SUM(jit_saved_pico), 0), COALESCE(SUM(client_sessions), 0),
    COALESCE(SUM(client_pico), 0), COALESCE(SUM(client_ledger_pico), 0),
    COALESCE(SUM(client_partial_pico), 0), COALESCE(SUM(client_unseen_pico), 0),
    COALESCE(SUM(jit_cost_pico), 0), COALESCE(SUM(jit_uncached_saved_pico), 0)
FROM fact_quarters
WHERE session_id = :id;

-- name: span_facts
-- Facts by range, of all projects or of one.
SELECT w.number,
    SUM(w.sign * f.requests), SUM(w.sign * f.hit_requests), SUM(w.sign * f.unread_write_tokens),
    SUM(w.sign * f.unread_write_pico), SUM(w.sign * f.lapses), SUM(w.sign * f.lapse_tokens),
    SUM(w.sign * f.lapse_pico), SUM(w.sign * f.switches), SUM(w.sign * f.switch_tokens),
    SUM(w.sign * f.switch_pico), SUM(w.sign * f.unseen_writes),
    SUM(w.sign * f.unseen_write_tokens), SUM(w.sign * f.unseen_write_pico),
    SUM(w.sign * f.partial_messages), SUM(w.sign * f.partial_tokens),
    SUM(w.sign * f.partial_pico), SUM(w.sign * f.jit_requests),
    SUM(w.sign * f.jit_prompt_tokens), SUM(w.sign * f.jit_baseline_tokens),
    SUM(w.sign * f.jit_priced), SUM(w.sign * f.jit_saved_pico), SUM(w.sign * f.client_sessions),
    SUM(w.sign * f.client_pico), SUM(w.sign * f.client_ledger_pico),
    SUM(w.sign * f.client_partial_pico), SUM(w.sign * f.client_unseen_pico),
    SUM(w.sign * f.jit_cost_pico), SUM(w.sign * f.jit_uncached_saved_pico)
FROM wanted_spans AS w
CROSS JOIN fact_days AS f ON w.unit = 'day' AND f.project_id = :row AND f.day >= w.low
    AND f.day < w.high
GROUP BY w.number
UNION ALL
SELECT w.number,
    SUM(w.sign * f.requests), SUM(w.sign * f.hit_requests), SUM(w.sign * f.unread_write_tokens),
    SUM(w.sign * f.unread_write_pico), SUM(w.sign * f.lapses), SUM(w.sign * f.lapse_tokens),
    SUM(w.sign * f.lapse_pico), SUM(w.sign * f.switches), SUM(w.sign * f.switch_tokens),
    SUM(w.sign * f.switch_pico), SUM(w.sign * f.unseen_writes),
    SUM(w.sign * f.unseen_write_tokens), SUM(w.sign * f.unseen_write_pico),
    SUM(w.sign * f.partial_messages), SUM(w.sign * f.partial_tokens),
    SUM(w.sign * f.partial_pico), SUM(w.sign * f.jit_requests),
    SUM(w.sign * f.jit_prompt_tokens), SUM(w.sign * f.jit_baseline_tokens),
    SUM(w.sign * f.jit_priced), SUM(w.sign * f.jit_saved_pico), SUM(w.sign * f.client_sessions),
    SUM(w.sign * f.client_pico), SUM(w.sign * f.client_ledger_pico),
    SUM(w.sign * f.client_partial_pico), SUM(w.sign * f.client_unseen_pico),
    SUM(w.sign * f.jit_cost_pico), SUM(w.sign * f.jit_uncached_saved_pico)
FROM wanted_spans AS w
CROSS JOIN fact_quarters AS f ON w.unit = 'quarter' AND f.quarter >= w.low AND f.quarter < w.high
CROSS JOIN sessions AS s ON s.id = f.session_id
WHERE :row = -1 OR COALESCE(s.project_id, 0) = :row
GROUP BY w.number;

-- name: period_sessions$
-- Sessions that own messages in days and quarters of an hour (none of them taken away).
SELECT COUNT(*) FROM (
    SELECT d.session_id
    FROM wanted_spans AS w
    CROSS JOIN session_days AS d ON w.unit = 'day' AND d.day >= w.low AND d.day < w.high
    CROSS JOIN sessions AS s ON s.id = d.session_id
    WHERE :row = -1 OR COALESCE(s.project_id, 0) = :row
    UNION
    SELECT t.session_id
    FROM wanted_spans AS w
    CROSS JOIN totals AS t ON w.unit = 'quarter' AND t.quarter >= w.low AND t.quarter < w.high
    CROSS JOIN sessions AS s ON s.id = t.session_id
    WHERE :row = -1 OR COALESCE(s.project_id, 0) = :row
) AS found;

-- name: all_sessions$
SELECT COUNT(*) FROM (SELECT DISTINCT session_id FROM session_days) AS found;

-- name: item_records
-- The items of a session, as they entered.
SELECT COALESCE(m.key, i.item), t.kind, name.name, server.name, uri.name,
    COALESCE(agent.name, ''), i.entered_at, entered.key, i.requests, i.tokens, i.prompt_tokens,
    i.cost_pico, i.no_cache_pico, i.first_pico, i.is_measured
FROM item_shares AS i
LEFT JOIN messages AS m ON m.id = i.message_id
LEFT JOIN messages AS entered ON entered.id = i.entered_with
JOIN labels AS l ON l.id = i.label_id
JOIN tools AS t ON t.id = l.tool_id
LEFT JOIN names AS name ON name.id = t.name_id
LEFT JOIN names AS server ON server.id = t.server_id
LEFT JOIN names AS agent ON agent.id = t.agent_id
LEFT JOIN names AS uri ON uri.id = l.uri_id
WHERE i.session_id = :id
ORDER BY i.entered_at IS NULL, i.entered_at, i.number;

-- name: items_by_place
-- The wanted items, by session and number.
SELECT s.session_id, project.name,
    COALESCE(m.key, i.item), t.kind, name.name, server.name, uri.name,
    COALESCE(agent.name, ''), i.entered_at, entered.key, i.requests, i.tokens, i.prompt_tokens,
    i.cost_pico, i.no_cache_pico, i.first_pico, i.is_measured
FROM wanted_totals AS w
CROSS JOIN item_shares AS i ON i.session_id = w.session_id AND i.number = w.quarter
JOIN sessions AS s ON s.id = i.session_id
LEFT JOIN names AS project ON project.id = s.project_id
LEFT JOIN messages AS m ON m.id = i.message_id
LEFT JOIN messages AS entered ON entered.id = i.entered_with
JOIN labels AS l ON l.id = i.label_id
JOIN tools AS t ON t.id = l.tool_id
LEFT JOIN names AS name ON name.id = t.name_id
LEFT JOIN names AS server ON server.id = t.server_id
LEFT JOIN names AS agent ON agent.id = t.agent_id
LEFT JOIN names AS uri ON uri.id = l.uri_id;

-- name: sessions_by_cost
-- Sessions with items in a range of time, those with the largest first.
SELECT a.session_id, a.top_cost
FROM attributions AS a
JOIN sessions AS s ON s.id = a.session_id
WHERE +a.last_at >= :start AND a.first_at < :end
    AND (:row = -1 OR COALESCE(s.project_id, 0) = :row)
ORDER BY a.top_cost DESC, a.session_id
LIMIT :limit OFFSET :offset;

-- name: late_sessions_by_cost
-- The same, where few sessions are as late as the range.
SELECT a.session_id, a.top_cost
FROM attributions AS a
JOIN sessions AS s ON s.id = a.session_id
WHERE a.last_at >= :start AND a.first_at < :end
    AND (:row = -1 OR COALESCE(s.project_id, 0) = :row)
ORDER BY +a.top_cost DESC, a.session_id
LIMIT :limit OFFSET :offset;

-- name: items_by_cost
-- The largest items of the wanted sessions.
SELECT i.session_id, i.number, COALESCE(i.cost_pico, 0)
FROM wanted_ids AS w
CROSS JOIN item_shares AS i ON i.session_id = w.id
WHERE i.entered_at >= :start AND i.entered_at < :end
ORDER BY 3 DESC, i.session_id, i.number
LIMIT :limit;

-- name: uri_items_by_cost
-- The largest items of one path or URI.
SELECT i.session_id, i.number, COALESCE(i.cost_pico, 0)
FROM names AS n
CROSS JOIN labels AS l ON l.uri_id = n.id AND l.uri_id <> 0
CROSS JOIN item_shares AS i ON i.has_uri = 1 AND i.label_id = l.id
JOIN sessions AS s ON s.id = i.session_id
WHERE n.name = :uri AND i.entered_at >= :start AND i.entered_at < :end
    AND (:row = -1 OR COALESCE(s.project_id, 0) = :row)
ORDER BY 3 DESC, i.session_id, i.number
LIMIT :limit;

-- name: sessions_by_tokens
-- Sessions with items in a range of time, those with the largest first.
SELECT a.session_id, a.top_tokens
FROM attributions AS a
JOIN sessions AS s ON s.id = a.session_id
WHERE +a.last_at >= :start AND a.first_at < :end
    AND (:row = -1 OR COALESCE(s.project_id, 0) = :row)
ORDER BY a.top_tokens DESC, a.session_id
LIMIT :limit OFFSET :offset;

-- name: late_sessions_by_tokens
-- The same, where few sessions are as late as the range.
SELECT a.session_id, a.top_tokens
FROM attributions AS a
JOIN sessions AS s ON s.id = a.session_id
WHERE a.last_at >= :start AND a.first_at < :end
    AND (:row = -1 OR COALESCE(s.project_id, 0) = :row)
ORDER BY +a.top_tokens DESC, a.session_id
LIMIT :limit OFFSET :offset;

-- name: items_by_tokens
-- The largest items of the wanted sessions.
SELECT i.session_id, i.number, COALESCE(i.tokens, 0)
FROM wanted_ids AS w
CROSS JOIN item_shares AS i ON i.session_id = w.id
WHERE i.entered_at >= :start AND i.entered_at < :end
ORDER BY 3 DESC, i.session_id, i.number
LIMIT :limit;

-- name: uri_items_by_tokens
-- The largest items of one path or URI.
SELECT i.session_id, i.number, COALESCE(i.tokens, 0)
FROM names AS n
CROSS JOIN labels AS l ON l.uri_id = n.id AND l.uri_id <> 0
CROSS JOIN item_shares AS i ON i.has_uri = 1 AND i.label_id = l.id
JOIN sessions AS s ON s.id = i.session_id
WHERE n.name = :uri AND i.entered_at >= :start AND i.entered_at < :end
    AND (:row = -1 OR COALESCE(s.project_id, 0) = :row)
ORDER BY 3 DESC, i.session_id, i.number
LIMIT :limit;

-- name: sessions_by_carried
-- Sessions with items in a range of time, those with the largest first.
SELECT a.session_id, a.top_carried
FROM attributions AS a
JOIN sessions AS s ON s.id = a.session_id
WHERE +a.last_at >= :start AND a.first_at < :end
    AND (:row = -1 OR COALESCE(s.project_id, 0) = :row)
ORDER BY a.top_carried DESC, a.session_id
LIMIT :limit OFFSET :offset;

-- name: late_sessions_by_carried
-- The same, where few sessions are as late as the range.
SELECT a.session_id, a.top_carried
FROM attributions AS a
JOIN sessions AS s ON s.id = a.session_id
WHERE a.last_at >= :start AND a.first_at < :end
    AND (:row = -1 OR COALESCE(s.project_id, 0) = :row)
ORDER BY +a.top_carried DESC, a.session_id
LIMIT :limit OFFSET :offset;

-- name: items_by_carried
-- The largest items of the wanted sessions.
SELECT i.session_id, i.number, COALESCE(i.prompt_tokens, 0)
FROM wanted_ids AS w
CROSS JOIN item_shares AS i ON i.session_id = w.id
WHERE i.entered_at >= :start AND i.entered_at < :end
ORDER BY 3 DESC, i.session_id, i.number
LIMIT :limit;

-- name: uri_items_by_carried
-- The largest items of one path or URI.
SELECT i.session_id, i.number, COALESCE(i.prompt_tokens, 0)
FROM names AS n
CROSS JOIN labels AS l ON l.uri_id = n.id AND l.uri_id <> 0
CROSS JOIN item_shares AS i ON i.has_uri = 1 AND i.label_id = l.id
JOIN sessions AS s ON s.id = i.session_id
WHERE n.name = :uri AND i.entered_at >= :start AND i.entered_at < :end
    AND (:row = -1 OR COALESCE(s.project_id, 0) = :row)
ORDER BY 3 DESC, i.session_id, i.number
LIMIT :limit;

-- name: count_late_sessions$
-- How many sessions end after a time, as far as it matters.
SELECT COUNT(*) FROM (SELECT 1 FROM attributions WHERE last_at >= :start LIMIT :limit) AS found;

-- name: attribution_of^
SELECT a.prompt_tokens, a.prompt_pico, a.details, a.problem
FROM attributions AS a
WHERE a.session_id = :id;

-- name: few_findings
-- Findings of a range by kind and subject, with the dearest of each: those of a short one.
WITH found AS (
    SELECT f.kind AS kind, f.subject_id AS subject_id, f.session_id AS session_id, f.at AS at,
        f.item AS item, f.pico AS pico, f.tokens AS tokens, f.count AS count,
        f.is_measured AS is_measured,
        ROW_NUMBER() OVER (PARTITION BY f.kind, f.subject_id
            ORDER BY f.pico DESC, f.session_id, f.number) AS place
    FROM findings AS f
    WHERE f.at >= :start AND f.at < :end
), grouped AS (
    SELECT kind, subject_id, SUM(pico) AS pico, SUM(tokens) AS tokens, SUM(count) AS count,
        COUNT(DISTINCT session_id) AS sessions, MIN(is_measured) AS is_measured
    FROM found
    GROUP BY kind, subject_id
)
SELECT g.kind, subject.name, g.pico, g.tokens, g.count, g.sessions, g.is_measured, s.session_id,
    top.at, top.item, top.pico
FROM grouped AS g
JOIN found AS top ON top.kind = g.kind AND top.subject_id = g.subject_id AND top.place = 1
JOIN names AS subject ON subject.id = g.subject_id
JOIN sessions AS s ON s.id = top.session_id
ORDER BY g.pico DESC, g.kind, subject.name;

-- name: project_findings
-- The same of a project's row, which has few.
WITH found AS (
    SELECT f.kind AS kind, f.subject_id AS subject_id, f.session_id AS session_id, f.at AS at,
        f.item AS item, f.pico AS pico, f.tokens AS tokens, f.count AS count,
        f.is_measured AS is_measured,
        ROW_NUMBER() OVER (PARTITION BY f.kind, f.subject_id
            ORDER BY f.pico DESC, f.session_id, f.number) AS place
    FROM sessions AS p
    CROSS JOIN findings AS f ON f.session_id = p.id
    WHERE f.at >= :start AND f.at < :end
        AND (p.project_id = :row OR (:row = 0 AND p.project_id IS NULL))
), grouped AS (
    SELECT kind, subject_id, SUM(pico) AS pico, SUM(tokens) AS tokens, SUM(count) AS count,
        COUNT(DISTINCT session_id) AS sessions, MIN(is_measured) AS is_measured
    FROM found
    GROUP BY kind, subject_id
)
SELECT g.kind, subject.name, g.pico, g.tokens, g.count, g.sessions, g.is_measured, s.session_id,
    top.at, top.item, top.pico
FROM grouped AS g
JOIN found AS top ON top.kind = g.kind AND top.subject_id = g.subject_id AND top.place = 1
JOIN names AS subject ON subject.id = g.subject_id
JOIN sessions AS s ON s.id = top.session_id
ORDER BY g.pico DESC, g.kind, subject.name;

-- name: many_findings
-- The same of any range, from kept sums: of whole days (from :low up to :high) and of what is
-- around them. A session counts where its first finding is, or where a later one is, if the first
-- is before the range (which none is where that has no start: :is_open).
WITH around AS (
    SELECT f.kind AS kind, f.subject_id AS subject_id, f.pico AS pico, f.tokens AS tokens,
        f.count AS count, f.is_measured AS is_measured, f.is_first AS is_first
    FROM findings AS f
    WHERE f.at >= :start AND f.at < :low * 86400000
        AND (:row = -1 OR :row = (SELECT COALESCE(s.project_id, 0) FROM sessions AS s
            WHERE s.id = f.session_id))
    UNION ALL
    SELECT f.kind, f.subject_id, f.pico, f.tokens, f.count, f.is_measured, f.is_first
    FROM findings AS f
    WHERE f.at >= :high * 86400000 AND f.at < :end
        AND (:row = -1 OR :row = (SELECT COALESCE(s.project_id, 0) FROM sessions AS s
            WHERE s.id = f.session_id))
), began AS (
    SELECT f.kind AS kind, f.subject_id AS subject_id, COUNT(DISTINCT f.session_id) AS sessions
    FROM findings AS f
    WHERE :is_open = 0 AND f.is_first = 0 AND f.at >= :start AND f.at < :end
        AND (:row = -1 OR :row = (SELECT COALESCE(s.project_id, 0) FROM sessions AS s
            WHERE s.id = f.session_id))
        AND EXISTS (SELECT 1 FROM findings AS e
            WHERE e.session_id = f.session_id AND e.kind = f.kind
                AND e.subject_id = f.subject_id AND e.is_first = 1 AND e.at < :start)
    GROUP BY f.kind, f.subject_id
), parts AS (
    SELECT d.kind AS kind, d.subject_id AS subject_id, d.pico AS pico, d.tokens AS tokens,
        d.count AS count, d.findings AS findings, d.measured AS measured,
        d.sessions AS sessions
    FROM finding_days AS d
    WHERE :is_all = 0 AND d.project_id = :row AND d.day >= :low AND d.day < :high
    UNION ALL
    SELECT d.kind, d.subject_id, d.pico, d.tokens, d.count, d.findings, d.measured, d.sessions
    FROM finding_sums AS d
    WHERE :is_all = 1 AND d.project_id = :row
    UNION ALL
    SELECT kind, subject_id, pico, tokens, count, 1, is_measured, is_first FROM around
    UNION ALL
    SELECT kind, subject_id, 0, 0, 0, 0, 0, sessions FROM began
), grouped AS (
    SELECT kind, subject_id, SUM(pico) AS pico, SUM(tokens) AS tokens, SUM(count) AS count,
        SUM(sessions) AS sessions,
        CASE WHEN SUM(findings) = SUM(measured) THEN 1 ELSE 0 END AS is_measured
    FROM parts
    GROUP BY kind, subject_id
), dearest AS (
    SELECT g.*,
        (SELECT f.session_id FROM findings AS f
            WHERE f.kind = g.kind AND f.subject_id = g.subject_id AND f.at >= :start AND f.at < :end
                AND (:row = -1 OR :row = (SELECT COALESCE(s.project_id, 0) FROM sessions AS s
                    WHERE s.id = f.session_id))
            ORDER BY f.pico DESC, f.at DESC, f.session_id DESC, f.number DESC
            LIMIT 1) AS top_session,
        (SELECT f.number FROM findings AS f
            WHERE f.kind = g.kind AND f.subject_id = g.subject_id AND f.at >= :start AND f.at < :end
                AND (:row = -1 OR :row = (SELECT COALESCE(s.project_id, 0) FROM sessions AS s
                    WHERE s.id = f.session_id))
            ORDER BY f.pico DESC, f.at DESC, f.session_id DESC, f.number DESC
            LIMIT 1) AS top_number
    FROM grouped AS g
)
SELECT g.kind, subject.name, g.pico, g.tokens, g.count, g.sessions, g.is_measured, s.session_id,
    f.at, f.item, f.pico
FROM dearest AS g
CROSS JOIN findings AS f ON f.session_id = g.top_session AND f.number = g.top_number
JOIN names AS subject ON subject.id = g.subject_id
JOIN sessions AS s ON s.id = f.session_id
ORDER BY g.pico DESC, g.kind, subject.name;

-- name: count_findings$
-- How many a range has, as far as it matters.
SELECT COUNT(*)
FROM (SELECT 1 FROM findings WHERE at >= :start AND at < :end LIMIT :limit) AS found;

-- name: count_project_findings$
SELECT COALESCE(SUM(findings), 0) FROM finding_sums WHERE project_id = :row;

-- name: findings_of_session
SELECT f.kind, subject.name, f.at, f.pico, f.tokens, f.count, f.is_measured, f.item
FROM findings AS f
JOIN names AS subject ON subject.id = f.subject_id
WHERE f.session_id = :id
ORDER BY f.number;

-- name: sessions_page
-- Sessions that own messages, the newest first.
SELECT s.id, s.session_id, project.name, s.first_at, s.last_at
FROM sessions AS s
LEFT JOIN names AS project ON project.id = s.project_id
WHERE EXISTS (SELECT 1 FROM totals AS t WHERE t.session_id = s.id)
ORDER BY s.last_at DESC, s.id DESC
LIMIT :limit OFFSET :offset;

-- name: project_sessions_page
-- The same of one project.
SELECT s.id, s.session_id, project.name, s.first_at, s.last_at
FROM sessions AS s
LEFT JOIN names AS project ON project.id = s.project_id
WHERE (s.project_id = :row OR (:row = 0 AND s.project_id IS NULL))
    AND EXISTS (SELECT 1 FROM totals AS t WHERE t.session_id = s.id)
ORDER BY s.last_at DESC, s.id DESC
LIMIT :limit OFFSET :offset;

-- name: sums_of_sessions
-- The sums of the wanted sessions.
SELECT t.session_id,
    SUM(t.messages), SUM(t.partial_messages), SUM(t.unpriced_messages), SUM(t.tool_uses),
    SUM(t.input_tokens), SUM(t.output_tokens), SUM(t.cache_read_tokens),
    SUM(t.cache_write_5m_tokens), SUM(t.cache_write_1h_tokens), SUM(t.cost_pico),
    SUM(t.no_cache_pico), SUM(t.write_premium_pico)
FROM wanted_ids AS w
CROSS JOIN totals AS t ON t.session_id = w.id
GROUP BY t.session_id;

-- name: client_totals_of
SELECT model, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens,
    web_search_requests, cost_pico
FROM client_totals
WHERE session_id = :id
ORDER BY model;

-- name: sessions_with_client_totals
SELECT s.session_id
FROM client_totals AS t
JOIN sessions AS s ON s.id = t.session_id
GROUP BY s.session_id
ORDER BY s.session_id;
