-- What was attributed, in groups: of a project's row, or of all together (-1).

-- name: all_tool_shares
-- By tool, over all time.
SELECT t.kind, name.name, server.name, NULLIF(t.stem, ''), COALESCE(agent.name, ''), x.loads,
    x.tokens, x.carried, x.prompt_tokens, x.cost_pico, x.no_cache_pico, x.first_pico
FROM tool_sums AS x
JOIN tools AS t ON t.id = x.tool_id
LEFT JOIN names AS name ON name.id = t.name_id
LEFT JOIN names AS server ON server.id = t.server_id
LEFT JOIN names AS agent ON agent.id = t.agent_id
WHERE x.project_id = :row;

-- name: tool_shares
-- By tool, of a range.
SELECT t.kind, name.name, server.name, NULLIF(t.stem, ''), COALESCE(agent.name, ''), SUM(x.loads),
    SUM(x.tokens), SUM(x.carried), SUM(x.prompt_tokens), SUM(x.cost_pico), SUM(x.no_cache_pico),
    SUM(x.first_pico)
FROM (
    SELECT b.tool_id AS tool_id, SUM(w.sign * b.loads) AS loads, SUM(w.sign * b.tokens) AS tokens,
        SUM(w.sign * b.carried) AS carried, SUM(w.sign * b.prompt_tokens) AS prompt_tokens,
        SUM(w.sign * b.cost_pico) AS cost_pico, SUM(w.sign * b.no_cache_pico) AS no_cache_pico,
        SUM(w.sign * b.first_pico) AS first_pico
    FROM wanted_spans AS w
    CROSS JOIN tool_days AS b ON w.unit = 'day' AND b.project_id = :row
        AND b.day >= w.low AND b.day < w.high
    GROUP BY b.tool_id
    UNION ALL
    SELECT b.tool_id AS tool_id, SUM(w.sign * b.loads) AS loads, SUM(w.sign * b.tokens) AS tokens,
        SUM(w.sign * b.carried) AS carried, SUM(w.sign * b.prompt_tokens) AS prompt_tokens,
        SUM(w.sign * b.cost_pico) AS cost_pico, SUM(w.sign * b.no_cache_pico) AS no_cache_pico,
        SUM(w.sign * b.first_pico) AS first_pico
    FROM wanted_spans AS w
    CROSS JOIN tool_blocks AS b ON w.unit = 'block' AND b.project_id = :row
        AND b.block >= w.low AND b.block < w.high
    GROUP BY b.tool_id
    UNION ALL
    SELECT l.tool_id, SUM(w.sign * q.loads) AS loads, SUM(w.sign * q.tokens) AS tokens,
        SUM(w.sign * q.carried) AS carried, SUM(w.sign * q.prompt_tokens) AS prompt_tokens,
        SUM(w.sign * q.cost_pico) AS cost_pico, SUM(w.sign * q.no_cache_pico) AS no_cache_pico,
        SUM(w.sign * q.first_pico) AS first_pico
    FROM wanted_spans AS w
    CROSS JOIN share_quarters AS q ON w.unit = 'quarter' AND q.quarter >= w.low
        AND q.quarter < w.high
    CROSS JOIN labels AS l ON l.id = q.label_id
    WHERE (:row = -1 OR :row = (SELECT COALESCE(s.project_id, 0) FROM sessions AS s
            WHERE s.id = q.session_id))
    GROUP BY l.tool_id
) AS x
JOIN tools AS t ON t.id = x.tool_id
LEFT JOIN names AS name ON name.id = t.name_id
LEFT JOIN names AS server ON server.id = t.server_id
LEFT JOIN names AS agent ON agent.id = t.agent_id
GROUP BY x.tool_id;

-- name: all_total_shares^
-- All of it together.
SELECT x.loads, x.tokens, x.carried, x.prompt_tokens, x.cost_pico, x.no_cache_pico, x.first_pico
FROM tool_sums AS x
WHERE x.project_id = :row AND x.tool_id = 0;

-- name: total_shares^
SELECT SUM(x.loads), SUM(x.tokens), SUM(x.carried), SUM(x.prompt_tokens), SUM(x.cost_pico),
    SUM(x.no_cache_pico), SUM(x.first_pico)
FROM (
    SELECT SUM(w.sign * b.loads) AS loads, SUM(w.sign * b.tokens) AS tokens,
        SUM(w.sign * b.carried) AS carried, SUM(w.sign * b.prompt_tokens) AS prompt_tokens,
        SUM(w.sign * b.cost_pico) AS cost_pico, SUM(w.sign * b.no_cache_pico) AS no_cache_pico,
        SUM(w.sign * b.first_pico) AS first_pico
    FROM wanted_spans AS w
    CROSS JOIN tool_days AS b ON w.unit = 'day' AND b.project_id = :row AND b.day >= w.low
        AND b.day < w.high AND b.tool_id = 0
    UNION ALL
    SELECT SUM(w.sign * b.loads) AS loads, SUM(w.sign * b.tokens) AS tokens,
        SUM(w.sign * b.carried) AS carried, SUM(w.sign * b.prompt_tokens) AS prompt_tokens,
        SUM(w.sign * b.cost_pico) AS cost_pico, SUM(w.sign * b.no_cache_pico) AS no_cache_pico,
        SUM(w.sign * b.first_pico) AS first_pico
    FROM wanted_spans AS w
    CROSS JOIN tool_blocks AS b ON w.unit = 'block' AND b.project_id = :row
        AND b.block >= w.low AND b.block < w.high AND b.tool_id = 0
    UNION ALL
    SELECT SUM(w.sign * q.loads) AS loads, SUM(w.sign * q.tokens) AS tokens,
        SUM(w.sign * q.carried) AS carried, SUM(w.sign * q.prompt_tokens) AS prompt_tokens,
        SUM(w.sign * q.cost_pico) AS cost_pico, SUM(w.sign * q.no_cache_pico) AS no_cache_pico,
        SUM(w.sign * q.first_pico) AS first_pico
    FROM wanted_spans AS w
    CROSS JOIN share_quarters AS q ON w.unit = 'quarter' AND q.quarter >= w.low
        AND q.quarter < w.high
    WHERE (:row = -1 OR :row = (SELECT COALESCE(s.project_id, 0) FROM sessions AS s
            WHERE s.id = q.session_id))
) AS x;

-- name: all_label_shares
-- By label, over all time.
SELECT t.kind, name.name, server.name, uri.name, COALESCE(agent.name, ''), x.loads, x.tokens,
    x.carried, x.prompt_tokens, x.cost_pico, x.no_cache_pico, x.first_pico
FROM label_sums AS x
JOIN labels AS l ON l.id = x.label_id
JOIN tools AS t ON t.id = l.tool_id
LEFT JOIN names AS name ON name.id = t.name_id
LEFT JOIN names AS server ON server.id = t.server_id
LEFT JOIN names AS agent ON agent.id = t.agent_id
LEFT JOIN names AS uri ON uri.id = l.uri_id
WHERE x.project_id = :row;

-- name: label_shares
-- By label, of a range.
SELECT t.kind, name.name, server.name, uri.name, COALESCE(agent.name, ''), SUM(x.loads),
    SUM(x.tokens), SUM(x.carried), SUM(x.prompt_tokens), SUM(x.cost_pico), SUM(x.no_cache_pico),
    SUM(x.first_pico)
FROM (
    SELECT b.label_id AS label_id, SUM(w.sign * b.loads) AS loads,
        SUM(w.sign * b.tokens) AS tokens, SUM(w.sign * b.carried) AS carried,
        SUM(w.sign * b.prompt_tokens) AS prompt_tokens, SUM(w.sign * b.cost_pico) AS cost_pico,
        SUM(w.sign * b.no_cache_pico) AS no_cache_pico, SUM(w.sign * b.first_pico) AS first_pico
    FROM wanted_spans AS w
    CROSS JOIN label_blocks AS b ON w.unit = 'block' AND b.project_id = :row
        AND b.block >= w.low AND b.block < w.high
    GROUP BY b.label_id
    UNION ALL
    SELECT q.label_id, SUM(w.sign * q.loads) AS loads, SUM(w.sign * q.tokens) AS tokens,
        SUM(w.sign * q.carried) AS carried, SUM(w.sign * q.prompt_tokens) AS prompt_tokens,
        SUM(w.sign * q.cost_pico) AS cost_pico, SUM(w.sign * q.no_cache_pico) AS no_cache_pico,
        SUM(w.sign * q.first_pico) AS first_pico
    FROM wanted_spans AS w
    CROSS JOIN share_quarters AS q ON w.unit = 'quarter' AND q.quarter >= w.low
        AND q.quarter < w.high
    WHERE (:row = -1 OR :row = (SELECT COALESCE(s.project_id, 0) FROM sessions AS s
            WHERE s.id = q.session_id))
    GROUP BY q.label_id
) AS x
JOIN labels AS l ON l.id = x.label_id
JOIN tools AS t ON t.id = l.tool_id
LEFT JOIN names AS name ON name.id = t.name_id
LEFT JOIN names AS server ON server.id = t.server_id
LEFT JOIN names AS agent ON agent.id = t.agent_id
LEFT JOIN names AS uri ON uri.id = l.uri_id
GROUP BY x.label_id;

-- name: all_project_shares
-- By project, over all time: those with most, and how many there are.
SELECT project.name, x.number, x.loads, x.tokens, x.carried, x.prompt_tokens, x.cost_pico,
    x.no_cache_pico, x.first_pico
FROM (
    SELECT y.project_id AS project_id, COUNT(*) OVER () AS number, y.loads, y.tokens, y.carried,
        y.prompt_tokens, y.cost_pico, y.no_cache_pico, y.first_pico
    FROM tool_sums AS y
    WHERE y.tool_id = 0 AND y.cost_pico >= 0 AND +y.project_id >= 0
) AS x
LEFT JOIN names AS project ON project.id = x.project_id
WHERE :metric <> 'efficiency' OR (x.no_cache_pico > 0 AND x.prompt_tokens >= :floor)
ORDER BY
    CASE :metric
        WHEN 'cost' THEN x.cost_pico
        WHEN 'tokens' THEN x.tokens
        WHEN 'carried' THEN x.prompt_tokens
        ELSE CAST(x.no_cache_pico - x.cost_pico AS DOUBLE PRECISION) / x.no_cache_pico
    END DESC
LIMIT :limit;

-- name: project_shares
-- By project, of a range.
SELECT project.name, x.number, x.loads, x.tokens, x.carried, x.prompt_tokens, x.cost_pico,
    x.no_cache_pico, x.first_pico
FROM (
    SELECT y.project_id AS project_id, COUNT(*) OVER () AS number, SUM(y.loads) AS loads,
        SUM(y.tokens) AS tokens, SUM(y.carried) AS carried, SUM(y.prompt_tokens) AS prompt_tokens,
        SUM(y.cost_pico) AS cost_pico, SUM(y.no_cache_pico) AS no_cache_pico,
        SUM(y.first_pico) AS first_pico
    FROM (
        SELECT b.project_id AS project_id, SUM(w.sign * b.loads) AS loads,
            SUM(w.sign * b.tokens) AS tokens, SUM(w.sign * b.carried) AS carried,
            SUM(w.sign * b.prompt_tokens) AS prompt_tokens, SUM(w.sign * b.cost_pico) AS cost_pico,
            SUM(w.sign * b.no_cache_pico) AS no_cache_pico,
            SUM(w.sign * b.first_pico) AS first_pico
        FROM wanted_spans AS w
        CROSS JOIN tool_days AS b ON w.unit = 'day' AND b.tool_id = 0 AND b.day >= w.low
            AND b.day < w.high
        WHERE +b.project_id >= 0
        GROUP BY b.project_id
        UNION ALL
        SELECT b.project_id, SUM(w.sign * b.loads) AS loads, SUM(w.sign * b.tokens) AS tokens,
            SUM(w.sign * b.carried) AS carried, SUM(w.sign * b.prompt_tokens) AS prompt_tokens,
            SUM(w.sign * b.cost_pico) AS cost_pico, SUM(w.sign * b.no_cache_pico) AS no_cache_pico,
            SUM(w.sign * b.first_pico) AS first_pico
        FROM wanted_spans AS w
        CROSS JOIN tool_blocks AS b ON w.unit = 'block' AND b.tool_id = 0 AND b.block >= w.low
            AND b.block < w.high
        WHERE +b.project_id >= 0
        GROUP BY b.project_id
        UNION ALL
        SELECT COALESCE(s.project_id, 0), SUM(w.sign * q.loads) AS loads,
            SUM(w.sign * q.tokens) AS tokens, SUM(w.sign * q.carried) AS carried,
            SUM(w.sign * q.prompt_tokens) AS prompt_tokens, SUM(w.sign * q.cost_pico) AS cost_pico,
            SUM(w.sign * q.no_cache_pico) AS no_cache_pico,
            SUM(w.sign * q.first_pico) AS first_pico
        FROM wanted_spans AS w
        CROSS JOIN share_quarters AS q ON w.unit = 'quarter' AND q.quarter >= w.low
            AND q.quarter < w.high
        CROSS JOIN sessions AS s ON s.id = q.session_id
        GROUP BY COALESCE(s.project_id, 0)
    ) AS y
    GROUP BY y.project_id
    HAVING SUM(y.loads) <> 0 OR SUM(y.tokens) <> 0 OR SUM(y.carried) <> 0
        OR SUM(y.prompt_tokens) <> 0
        OR SUM(y.cost_pico) <> 0 OR SUM(y.no_cache_pico) <> 0 OR SUM(y.first_pico) <> 0
) AS x
LEFT JOIN names AS project ON project.id = x.project_id
WHERE :metric <> 'efficiency' OR (x.no_cache_pico > 0 AND x.prompt_tokens >= :floor)
ORDER BY
    CASE :metric
        WHEN 'cost' THEN x.cost_pico
        WHEN 'tokens' THEN x.tokens
        WHEN 'carried' THEN x.prompt_tokens
        ELSE CAST(x.no_cache_pico - x.cost_pico AS DOUBLE PRECISION) / x.no_cache_pico
    END DESC
LIMIT :limit;

-- name: all_top_labels_by_cost
-- Those with most over all time.
SELECT x.label_id, x.loads, x.tokens, x.carried, x.prompt_tokens, x.cost_pico, x.no_cache_pico,
    x.first_pico
FROM label_sums AS x
WHERE x.project_id = :row AND x.cost_pico >= :floor
ORDER BY x.cost_pico DESC
LIMIT :limit;

-- name: labels_by_cost
-- Those that may be in a range, with most over all time: in no range do they have more.
SELECT x.label_id, x.cost_pico
FROM label_sums AS x
WHERE x.project_id = :row AND x.cost_pico >= :floor
    AND x.first_block < :high AND x.last_block >= :low
ORDER BY x.cost_pico DESC
LIMIT :limit OFFSET :offset;

-- name: all_top_labels_by_tokens
-- Those with most over all time.
SELECT x.label_id, x.loads, x.tokens, x.carried, x.prompt_tokens, x.cost_pico, x.no_cache_pico,
    x.first_pico
FROM label_sums AS x
WHERE x.project_id = :row AND x.tokens >= :floor
ORDER BY x.tokens DESC
LIMIT :limit;

-- name: labels_by_tokens
-- Those that may be in a range, with most over all time: in no range do they have more.
SELECT x.label_id, x.tokens
FROM label_sums AS x
WHERE x.project_id = :row AND x.tokens >= :floor
    AND x.first_block < :high AND x.last_block >= :low
ORDER BY x.tokens DESC
LIMIT :limit OFFSET :offset;

-- name: all_top_labels_by_carried
-- Those with most over all time.
SELECT x.label_id, x.loads, x.tokens, x.carried, x.prompt_tokens, x.cost_pico, x.no_cache_pico,
    x.first_pico
FROM label_sums AS x
WHERE x.project_id = :row AND x.prompt_tokens >= :floor
ORDER BY x.prompt_tokens DESC
LIMIT :limit;

-- name: labels_by_carried
-- Those that may be in a range, with most over all time: in no range do they have more.
SELECT x.label_id, x.prompt_tokens
FROM label_sums AS x
WHERE x.project_id = :row AND x.prompt_tokens >= :floor
    AND x.first_block < :high AND x.last_block >= :low
ORDER BY x.prompt_tokens DESC
LIMIT :limit OFFSET :offset;

-- name: create_label_edges!
-- The sums of a range's quarters of an hour.
CREATE TEMPORARY TABLE IF NOT EXISTS label_edges (
    id INTEGER PRIMARY KEY,
    loads BIGINT NOT NULL,
    tokens BIGINT NOT NULL,
    carried BIGINT NOT NULL,
    prompt_tokens BIGINT NOT NULL,
    cost_pico BIGINT NOT NULL,
    no_cache_pico BIGINT NOT NULL,
    first_pico BIGINT NOT NULL
);

-- name: clear_label_edges!
DELETE FROM label_edges;

-- name: find_label_edges!
INSERT INTO label_edges (
    id, loads, tokens, carried, prompt_tokens, cost_pico, no_cache_pico, first_pico
)
SELECT q.label_id, SUM(w.sign * q.loads) AS loads, SUM(w.sign * q.tokens) AS tokens,
    SUM(w.sign * q.carried) AS carried, SUM(w.sign * q.prompt_tokens) AS prompt_tokens,
    SUM(w.sign * q.cost_pico) AS cost_pico, SUM(w.sign * q.no_cache_pico) AS no_cache_pico,
    SUM(w.sign * q.first_pico) AS first_pico
FROM wanted_spans AS w
CROSS JOIN share_quarters AS q ON w.unit = 'quarter' AND q.quarter >= w.low
    AND q.quarter < w.high
WHERE (:row = -1 OR :row = (SELECT COALESCE(s.project_id, 0) FROM sessions AS s
        WHERE s.id = q.session_id))
GROUP BY q.label_id;

-- name: count_label_blocks$
-- How many sums a range has to add up, as far as it matters.
SELECT COUNT(*)
FROM (
    SELECT 1
    FROM label_blocks
    WHERE project_id = :row AND block >= :low AND block < :high
    LIMIT :limit
) AS found;

-- name: top_labels
-- Those with most in a range.
SELECT x.id, x.loads, x.tokens, x.carried, x.prompt_tokens, x.cost_pico, x.no_cache_pico,
    x.first_pico
FROM (
    SELECT y.id AS id, SUM(y.loads) AS loads, SUM(y.tokens) AS tokens, SUM(y.carried) AS carried,
        SUM(y.prompt_tokens) AS prompt_tokens, SUM(y.cost_pico) AS cost_pico,
        SUM(y.no_cache_pico) AS no_cache_pico, SUM(y.first_pico) AS first_pico
    FROM (
        SELECT b.label_id AS id, SUM(w.sign * b.loads) AS loads, SUM(w.sign * b.tokens) AS tokens,
            SUM(w.sign * b.carried) AS carried, SUM(w.sign * b.prompt_tokens) AS prompt_tokens,
            SUM(w.sign * b.cost_pico) AS cost_pico, SUM(w.sign * b.no_cache_pico) AS no_cache_pico,
            SUM(w.sign * b.first_pico) AS first_pico
        FROM wanted_spans AS w
        CROSS JOIN label_blocks AS b ON w.unit = 'block' AND b.project_id = :row
            AND b.block >= w.low AND b.block < w.high
        GROUP BY b.label_id
        UNION ALL
        SELECT e.id, e.loads, e.tokens, e.carried, e.prompt_tokens, e.cost_pico, e.no_cache_pico,
            e.first_pico FROM label_edges AS e
    ) AS y
    GROUP BY y.id
) AS x
WHERE x.prompt_tokens >= :floor
    AND (x.loads <> 0 OR x.tokens <> 0 OR x.carried <> 0 OR x.prompt_tokens <> 0
        OR x.cost_pico <> 0 OR x.no_cache_pico <> 0 OR x.first_pico <> 0)
ORDER BY
    CASE :metric
        WHEN 'cost' THEN x.cost_pico WHEN 'tokens' THEN x.tokens ELSE x.prompt_tokens
    END DESC
LIMIT :limit;

-- name: top_wanted_labels
-- Those with most in a range, of the wanted ones.
SELECT x.id, x.loads, x.tokens, x.carried, x.prompt_tokens, x.cost_pico, x.no_cache_pico,
    x.first_pico
FROM (
    SELECT y.id AS id, SUM(y.loads) AS loads, SUM(y.tokens) AS tokens, SUM(y.carried) AS carried,
        SUM(y.prompt_tokens) AS prompt_tokens, SUM(y.cost_pico) AS cost_pico,
        SUM(y.no_cache_pico) AS no_cache_pico, SUM(y.first_pico) AS first_pico
    FROM (
        SELECT i.id AS id, SUM(w.sign * b.loads) AS loads, SUM(w.sign * b.tokens) AS tokens,
            SUM(w.sign * b.carried) AS carried, SUM(w.sign * b.prompt_tokens) AS prompt_tokens,
            SUM(w.sign * b.cost_pico) AS cost_pico, SUM(w.sign * b.no_cache_pico) AS no_cache_pico,
            SUM(w.sign * b.first_pico) AS first_pico
        FROM wanted_ids AS i
        CROSS JOIN wanted_spans AS w
        CROSS JOIN label_blocks AS b ON w.unit = 'block' AND b.project_id = :row
            AND b.label_id = i.id AND b.block >= w.low AND b.block < w.high
        GROUP BY i.id
        UNION ALL
        SELECT e.id, e.loads, e.tokens, e.carried, e.prompt_tokens, e.cost_pico, e.no_cache_pico,
            e.first_pico
        FROM wanted_ids AS i
        CROSS JOIN label_edges AS e ON e.id = i.id
    ) AS y
    GROUP BY y.id
) AS x
WHERE x.prompt_tokens >= :floor
    AND (x.loads <> 0 OR x.tokens <> 0 OR x.carried <> 0 OR x.prompt_tokens <> 0
        OR x.cost_pico <> 0 OR x.no_cache_pico <> 0 OR x.first_pico <> 0)
ORDER BY
    CASE :metric
        WHEN 'cost' THEN x.cost_pico WHEN 'tokens' THEN x.tokens ELSE x.prompt_tokens
    END DESC
LIMIT :limit;

-- name: all_top_uris_by_cost
-- Those with most over all time.
SELECT x.uri_id, x.loads, x.tokens, x.carried, x.prompt_tokens, x.cost_pico, x.no_cache_pico,
    x.first_pico
FROM uri_sums AS x
WHERE x.project_id = :row AND x.sort = :sort AND x.cost_pico >= :floor
ORDER BY x.cost_pico DESC
LIMIT :limit;

-- name: uris_by_cost
-- Those that may be in a range, with most over all time: in no range do they have more.
SELECT x.uri_id, x.cost_pico
FROM uri_sums AS x
WHERE x.project_id = :row AND x.sort = :sort AND x.cost_pico >= :floor
    AND x.first_block < :high AND x.last_block >= :low
ORDER BY x.cost_pico DESC
LIMIT :limit OFFSET :offset;

-- name: all_top_uris_by_tokens
-- Those with most over all time.
SELECT x.uri_id, x.loads, x.tokens, x.carried, x.prompt_tokens, x.cost_pico, x.no_cache_pico,
    x.first_pico
FROM uri_sums AS x
WHERE x.project_id = :row AND x.sort = :sort AND x.tokens >= :floor
ORDER BY x.tokens DESC
LIMIT :limit;

-- name: uris_by_tokens
-- Those that may be in a range, with most over all time: in no range do they have more.
SELECT x.uri_id, x.tokens
FROM uri_sums AS x
WHERE x.project_id = :row AND x.sort = :sort AND x.tokens >= :floor
    AND x.first_block < :high AND x.last_block >= :low
ORDER BY x.tokens DESC
LIMIT :limit OFFSET :offset;

-- name: all_top_uris_by_carried
-- Those with most over all time.
SELECT x.uri_id, x.loads, x.tokens, x.carried, x.prompt_tokens, x.cost_pico, x.no_cache_pico,
    x.first_pico
FROM uri_sums AS x
WHERE x.project_id = :row AND x.sort = :sort AND x.prompt_tokens >= :floor
ORDER BY x.prompt_tokens DESC
LIMIT :limit;

-- name: uris_by_carried
-- Those that may be in a range, with most over all time: in no range do they have more.
SELECT x.uri_id, x.prompt_tokens
FROM uri_sums AS x
WHERE x.project_id = :row AND x.sort = :sort AND x.prompt_tokens >= :floor
    AND x.first_block < :high AND x.last_block >= :low
ORDER BY x.prompt_tokens DESC
LIMIT :limit OFFSET :offset;

-- name: create_uri_edges!
-- The sums of a range's quarters of an hour.
CREATE TEMPORARY TABLE IF NOT EXISTS uri_edges (
    id INTEGER PRIMARY KEY,
    loads BIGINT NOT NULL,
    tokens BIGINT NOT NULL,
    carried BIGINT NOT NULL,
    prompt_tokens BIGINT NOT NULL,
    cost_pico BIGINT NOT NULL,
    no_cache_pico BIGINT NOT NULL,
    first_pico BIGINT NOT NULL
);

-- name: clear_uri_edges!
DELETE FROM uri_edges;

-- name: find_uri_edges!
INSERT INTO uri_edges (
    id, loads, tokens, carried, prompt_tokens, cost_pico, no_cache_pico, first_pico
)
SELECT l.uri_id, SUM(w.sign * q.loads) AS loads, SUM(w.sign * q.tokens) AS tokens,
    SUM(w.sign * q.carried) AS carried, SUM(w.sign * q.prompt_tokens) AS prompt_tokens,
    SUM(w.sign * q.cost_pico) AS cost_pico, SUM(w.sign * q.no_cache_pico) AS no_cache_pico,
    SUM(w.sign * q.first_pico) AS first_pico
FROM wanted_spans AS w
CROSS JOIN share_quarters AS q ON w.unit = 'quarter' AND q.quarter >= w.low
    AND q.quarter < w.high
CROSS JOIN labels AS l ON l.id = q.label_id
WHERE (:row = -1 OR :row = (SELECT COALESCE(s.project_id, 0) FROM sessions AS s
        WHERE s.id = q.session_id))
GROUP BY l.uri_id;

-- name: count_uri_blocks$
-- How many sums a range has to add up, as far as it matters.
SELECT COUNT(*)
FROM (
    SELECT 1
    FROM uri_blocks
    WHERE project_id = :row AND block >= :low AND block < :high
    LIMIT :limit
) AS found;

-- name: top_uris
-- Those with most in a range.
SELECT x.id, x.loads, x.tokens, x.carried, x.prompt_tokens, x.cost_pico, x.no_cache_pico,
    x.first_pico
FROM (
    SELECT y.id AS id, SUM(y.loads) AS loads, SUM(y.tokens) AS tokens, SUM(y.carried) AS carried,
        SUM(y.prompt_tokens) AS prompt_tokens, SUM(y.cost_pico) AS cost_pico,
        SUM(y.no_cache_pico) AS no_cache_pico, SUM(y.first_pico) AS first_pico
    FROM (
        SELECT b.uri_id AS id, SUM(w.sign * b.loads) AS loads, SUM(w.sign * b.tokens) AS tokens,
            SUM(w.sign * b.carried) AS carried, SUM(w.sign * b.prompt_tokens) AS prompt_tokens,
            SUM(w.sign * b.cost_pico) AS cost_pico, SUM(w.sign * b.no_cache_pico) AS no_cache_pico,
            SUM(w.sign * b.first_pico) AS first_pico
        FROM wanted_spans AS w
        CROSS JOIN uri_blocks AS b ON w.unit = 'block' AND b.project_id = :row
            AND b.block >= w.low AND b.block < w.high
        GROUP BY b.uri_id
        UNION ALL
        SELECT e.id, e.loads, e.tokens, e.carried, e.prompt_tokens, e.cost_pico, e.no_cache_pico,
            e.first_pico FROM uri_edges AS e
    ) AS y
    GROUP BY y.id
) AS x
WHERE x.prompt_tokens >= :floor
    AND :sort = (SELECT u.sort FROM uri_sums AS u
        WHERE u.project_id = :row AND u.uri_id = x.id)
    AND (x.loads <> 0 OR x.tokens <> 0 OR x.carried <> 0 OR x.prompt_tokens <> 0
        OR x.cost_pico <> 0 OR x.no_cache_pico <> 0 OR x.first_pico <> 0)
ORDER BY
    CASE :metric
        WHEN 'cost' THEN x.cost_pico WHEN 'tokens' THEN x.tokens ELSE x.prompt_tokens
    END DESC
LIMIT :limit;

-- name: top_wanted_uris
-- Those with most in a range, of the wanted ones.
SELECT x.id, x.loads, x.tokens, x.carried, x.prompt_tokens, x.cost_pico, x.no_cache_pico,
    x.first_pico
FROM (
    SELECT y.id AS id, SUM(y.loads) AS loads, SUM(y.tokens) AS tokens, SUM(y.carried) AS carried,
        SUM(y.prompt_tokens) AS prompt_tokens, SUM(y.cost_pico) AS cost_pico,
        SUM(y.no_cache_pico) AS no_cache_pico, SUM(y.first_pico) AS first_pico
    FROM (
        SELECT i.id AS id, SUM(w.sign * b.loads) AS loads, SUM(w.sign * b.tokens) AS tokens,
            SUM(w.sign * b.carried) AS carried, SUM(w.sign * b.prompt_tokens) AS prompt_tokens,
            SUM(w.sign * b.cost_pico) AS cost_pico, SUM(w.sign * b.no_cache_pico) AS no_cache_pico,
            SUM(w.sign * b.first_pico) AS first_pico
        FROM wanted_ids AS i
        CROSS JOIN wanted_spans AS w
        CROSS JOIN uri_blocks AS b ON w.unit = 'block' AND b.project_id = :row
            AND b.uri_id = i.id AND b.block >= w.low AND b.block < w.high
        GROUP BY i.id
        UNION ALL
        SELECT e.id, e.loads, e.tokens, e.carried, e.prompt_tokens, e.cost_pico, e.no_cache_pico,
            e.first_pico
        FROM wanted_ids AS i
        CROSS JOIN uri_edges AS e ON e.id = i.id
    ) AS y
    GROUP BY y.id
) AS x
WHERE x.prompt_tokens >= :floor
    AND (x.loads <> 0 OR x.tokens <> 0 OR x.carried <> 0 OR x.prompt_tokens <> 0
        OR x.cost_pico <> 0 OR x.no_cache_pico <> 0 OR x.first_pico <> 0)
ORDER BY
    CASE :metric
        WHEN 'cost' THEN x.cost_pico WHEN 'tokens' THEN x.tokens ELSE x.prompt_tokens
    END DESC
LIMIT :limit;

-- name: described_labels
-- What the wanted labels are.
SELECT l.id, t.kind, name.name, server.name, uri.name, COALESCE(agent.name, '')
FROM wanted_ids AS w
CROSS JOIN labels AS l ON l.id = w.id
JOIN tools AS t ON t.id = l.tool_id
LEFT JOIN names AS name ON name.id = t.name_id
LEFT JOIN names AS server ON server.id = t.server_id
LEFT JOIN names AS agent ON agent.id = t.agent_id
LEFT JOIN names AS uri ON uri.id = l.uri_id;

-- name: described_uris
SELECT n.id, n.name FROM wanted_ids AS w CROSS JOIN names AS n ON n.id = w.id;

-- name: count_all_uris$
SELECT COUNT(*) FROM uri_sums WHERE project_id = :row AND sort = :sort;

-- name: last_uri_block$
SELECT MAX(last_block) FROM uri_sums WHERE project_id = :row AND sort = :sort;

-- name: count_late_uris$
-- Those that are in blocks from a first on.
SELECT COUNT(*) FROM uri_sums WHERE project_id = :row AND sort = :sort AND last_block >= :low;

-- name: count_last_uris$
-- Those whose last block is this one, in its quarters of an hour from a first on.
SELECT COUNT(DISTINCT l.uri_id)
FROM share_quarters AS q
CROSS JOIN labels AS l ON l.id = q.label_id
WHERE q.quarter >= :start AND q.quarter < :end
    AND :block = (SELECT u.last_block FROM uri_sums AS u
        WHERE u.project_id = :row AND u.uri_id = l.uri_id AND u.sort = :sort)
    AND (:row = -1 OR :row = (SELECT COALESCE(s.project_id, 0) FROM sessions AS s
        WHERE s.id = q.session_id));

-- name: count_uris$
-- Those of any range, in blocks and in the quarters of an hour at its edges.
SELECT COUNT(*)
FROM (
    SELECT b.uri_id AS uri_id
    FROM uri_blocks AS b
    WHERE b.project_id = :row AND b.block >= :low AND b.block < :high
    UNION
    SELECT l.uri_id
    FROM wanted_spans AS w
    CROSS JOIN share_quarters AS q ON w.unit = 'quarter' AND q.quarter >= w.low
        AND q.quarter < w.high
    CROSS JOIN labels AS l ON l.id = q.label_id
    WHERE (:row = -1 OR :row = (SELECT COALESCE(s.project_id, 0) FROM sessions AS s
            WHERE s.id = q.session_id))
) AS x
WHERE :sort = (SELECT u.sort FROM uri_sums AS u
    WHERE u.project_id = :row AND u.uri_id = x.uri_id);
