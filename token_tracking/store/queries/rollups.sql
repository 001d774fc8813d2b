-- Sums over sessions: what a transaction changes of them is put together by project, block and
-- label, tool or path, and added. The row of all projects together is -1, that of all tools 0.

-- name: create_label_changes!
CREATE TEMPORARY TABLE IF NOT EXISTS label_changes (
    project_id BIGINT NOT NULL,
    block BIGINT NOT NULL,
    label_id BIGINT NOT NULL,
    loads BIGINT NOT NULL,
    tokens BIGINT NOT NULL,
    carried BIGINT NOT NULL,
    prompt_tokens BIGINT NOT NULL,
    cost_pico BIGINT NOT NULL,
    no_cache_pico BIGINT NOT NULL,
    first_pico BIGINT NOT NULL
);

-- name: clear_label_changes!
DELETE FROM label_changes;

-- name: change_label*!
INSERT INTO label_changes (
    project_id, block, label_id, loads, tokens, carried, prompt_tokens, cost_pico, no_cache_pico,
    first_pico
)
VALUES (
    :project_id, :block, :label_id, :loads, :tokens, :carried, :prompt_tokens, :cost_pico,
    :no_cache_pico, :first_pico
);

-- name: change_labels_of_all!
INSERT INTO label_changes (
    project_id, block, label_id, loads, tokens, carried, prompt_tokens, cost_pico, no_cache_pico,
    first_pico
)
SELECT -1, c.block, c.label_id, SUM(c.loads), SUM(c.tokens), SUM(c.carried), SUM(c.prompt_tokens),
    SUM(c.cost_pico), SUM(c.no_cache_pico), SUM(c.first_pico)
FROM label_changes AS c
GROUP BY c.block, c.label_id;

-- name: create_tool_changes!
CREATE TEMPORARY TABLE IF NOT EXISTS tool_changes (
    project_id BIGINT NOT NULL,
    block BIGINT NOT NULL,
    tool_id BIGINT NOT NULL,
    loads BIGINT NOT NULL,
    tokens BIGINT NOT NULL,
    carried BIGINT NOT NULL,
    prompt_tokens BIGINT NOT NULL,
    cost_pico BIGINT NOT NULL,
    no_cache_pico BIGINT NOT NULL,
    first_pico BIGINT NOT NULL
);

-- name: clear_tool_changes!
DELETE FROM tool_changes;

-- name: change_tools!
INSERT INTO tool_changes (
    project_id, block, tool_id, loads, tokens, carried, prompt_tokens, cost_pico, no_cache_pico,
    first_pico
)
SELECT c.project_id, c.block, l.tool_id, SUM(c.loads), SUM(c.tokens), SUM(c.carried),
    SUM(c.prompt_tokens), SUM(c.cost_pico), SUM(c.no_cache_pico), SUM(c.first_pico)
FROM label_changes AS c
JOIN labels AS l ON l.id = c.label_id
GROUP BY c.project_id, c.block, l.tool_id;

-- name: change_all_tools!
INSERT INTO tool_changes (
    project_id, block, tool_id, loads, tokens, carried, prompt_tokens, cost_pico, no_cache_pico,
    first_pico
)
SELECT c.project_id, c.block, 0, SUM(c.loads), SUM(c.tokens), SUM(c.carried), SUM(c.prompt_tokens),
    SUM(c.cost_pico), SUM(c.no_cache_pico), SUM(c.first_pico)
FROM tool_changes AS c
GROUP BY c.project_id, c.block;

-- name: create_uri_changes!
CREATE TEMPORARY TABLE IF NOT EXISTS uri_changes (
    project_id BIGINT NOT NULL,
    block BIGINT NOT NULL,
    uri_id BIGINT NOT NULL,
    sort BIGINT NOT NULL,
    loads BIGINT NOT NULL,
    tokens BIGINT NOT NULL,
    carried BIGINT NOT NULL,
    prompt_tokens BIGINT NOT NULL,
    cost_pico BIGINT NOT NULL,
    no_cache_pico BIGINT NOT NULL,
    first_pico BIGINT NOT NULL
);

-- name: clear_uri_changes!
DELETE FROM uri_changes;

-- name: change_uris!
INSERT INTO uri_changes (
    project_id, block, uri_id, sort, loads, tokens, carried, prompt_tokens, cost_pico,
    no_cache_pico, first_pico
)
SELECT c.project_id, c.block, l.uri_id,
    MIN(CASE t.stem WHEN 'skill:' THEN 2 WHEN 'agent:' THEN 3 ELSE 1 END),
    SUM(c.loads), SUM(c.tokens), SUM(c.carried), SUM(c.prompt_tokens), SUM(c.cost_pico),
    SUM(c.no_cache_pico), SUM(c.first_pico)
FROM label_changes AS c
JOIN labels AS l ON l.id = c.label_id
JOIN tools AS t ON t.id = l.tool_id
WHERE t.stem <> ''
GROUP BY c.project_id, c.block, l.uri_id;

-- name: add_label_blocks!
INSERT INTO label_blocks (
    project_id, label_id, block, loads, tokens, carried, prompt_tokens, cost_pico, no_cache_pico,
    first_pico
)
SELECT c.project_id, c.label_id, c.block, SUM(c.loads), SUM(c.tokens), SUM(c.carried),
    SUM(c.prompt_tokens), SUM(c.cost_pico), SUM(c.no_cache_pico), SUM(c.first_pico)
FROM label_changes AS c
WHERE TRUE
GROUP BY c.project_id, c.label_id, c.block
ON CONFLICT (project_id, label_id, block) DO UPDATE SET
    loads = label_blocks.loads + excluded.loads,
    tokens = label_blocks.tokens + excluded.tokens,
    carried = label_blocks.carried + excluded.carried,
    prompt_tokens = label_blocks.prompt_tokens + excluded.prompt_tokens,
    cost_pico = label_blocks.cost_pico + excluded.cost_pico,
    no_cache_pico = label_blocks.no_cache_pico + excluded.no_cache_pico,
    first_pico = label_blocks.first_pico + excluded.first_pico;

-- name: add_label_sums!
INSERT INTO label_sums (
    project_id, label_id, loads, tokens, carried, prompt_tokens, cost_pico, no_cache_pico,
    first_pico, first_block, last_block
)
SELECT c.project_id, c.label_id, SUM(c.loads), SUM(c.tokens), SUM(c.carried), SUM(c.prompt_tokens),
    SUM(c.cost_pico), SUM(c.no_cache_pico), SUM(c.first_pico), MIN(c.block), MAX(c.block)
FROM label_changes AS c
WHERE TRUE
GROUP BY c.project_id, c.label_id
ON CONFLICT (project_id, label_id) DO UPDATE SET
    loads = label_sums.loads + excluded.loads,
    tokens = label_sums.tokens + excluded.tokens,
    carried = label_sums.carried + excluded.carried,
    prompt_tokens = label_sums.prompt_tokens + excluded.prompt_tokens,
    cost_pico = label_sums.cost_pico + excluded.cost_pico,
    no_cache_pico = label_sums.no_cache_pico + excluded.no_cache_pico,
    first_pico = label_sums.first_pico + excluded.first_pico,
    first_block = CASE WHEN excluded.first_block < label_sums.first_block
        THEN excluded.first_block ELSE label_sums.first_block END,
    last_block = CASE WHEN excluded.last_block > label_sums.last_block
        THEN excluded.last_block ELSE label_sums.last_block END;

-- name: add_uri_blocks!
INSERT INTO uri_blocks (
    project_id, uri_id, block, loads, tokens, carried, prompt_tokens, cost_pico, no_cache_pico,
    first_pico
)
SELECT c.project_id, c.uri_id, c.block, SUM(c.loads), SUM(c.tokens), SUM(c.carried),
    SUM(c.prompt_tokens), SUM(c.cost_pico), SUM(c.no_cache_pico), SUM(c.first_pico)
FROM uri_changes AS c
WHERE TRUE
GROUP BY c.project_id, c.uri_id, c.block
ON CONFLICT (project_id, uri_id, block) DO UPDATE SET
    loads = uri_blocks.loads + excluded.loads,
    tokens = uri_blocks.tokens + excluded.tokens,
    carried = uri_blocks.carried + excluded.carried,
    prompt_tokens = uri_blocks.prompt_tokens + excluded.prompt_tokens,
    cost_pico = uri_blocks.cost_pico + excluded.cost_pico,
    no_cache_pico = uri_blocks.no_cache_pico + excluded.no_cache_pico,
    first_pico = uri_blocks.first_pico + excluded.first_pico;

-- name: add_uri_sums!
INSERT INTO uri_sums (
    project_id, uri_id, loads, tokens, carried, prompt_tokens, cost_pico, no_cache_pico,
    first_pico, first_block, last_block, sort
)
SELECT c.project_id, c.uri_id, SUM(c.loads), SUM(c.tokens), SUM(c.carried), SUM(c.prompt_tokens),
    SUM(c.cost_pico), SUM(c.no_cache_pico), SUM(c.first_pico), MIN(c.block), MAX(c.block),
    MIN(c.sort)
FROM uri_changes AS c
WHERE TRUE
GROUP BY c.project_id, c.uri_id
ON CONFLICT (project_id, uri_id) DO UPDATE SET
    loads = uri_sums.loads + excluded.loads,
    tokens = uri_sums.tokens + excluded.tokens,
    carried = uri_sums.carried + excluded.carried,
    prompt_tokens = uri_sums.prompt_tokens + excluded.prompt_tokens,
    cost_pico = uri_sums.cost_pico + excluded.cost_pico,
    no_cache_pico = uri_sums.no_cache_pico + excluded.no_cache_pico,
    first_pico = uri_sums.first_pico + excluded.first_pico,
    first_block = CASE WHEN excluded.first_block < uri_sums.first_block
        THEN excluded.first_block ELSE uri_sums.first_block END,
    last_block = CASE WHEN excluded.last_block > uri_sums.last_block
        THEN excluded.last_block ELSE uri_sums.last_block END;

-- name: add_tool_blocks!
INSERT INTO tool_blocks (
    project_id, block, tool_id, loads, tokens, carried, prompt_tokens, cost_pico, no_cache_pico,
    first_pico
)
SELECT c.project_id, c.block, c.tool_id, SUM(c.loads), SUM(c.tokens), SUM(c.carried),
    SUM(c.prompt_tokens), SUM(c.cost_pico), SUM(c.no_cache_pico), SUM(c.first_pico)
FROM tool_changes AS c
WHERE TRUE
GROUP BY c.project_id, c.block, c.tool_id
ON CONFLICT (project_id, block, tool_id) DO UPDATE SET
    loads = tool_blocks.loads + excluded.loads,
    tokens = tool_blocks.tokens + excluded.tokens,
    carried = tool_blocks.carried + excluded.carried,
    prompt_tokens = tool_blocks.prompt_tokens + excluded.prompt_tokens,
    cost_pico = tool_blocks.cost_pico + excluded.cost_pico,
    no_cache_pico = tool_blocks.no_cache_pico + excluded.no_cache_pico,
    first_pico = tool_blocks.first_pico + excluded.first_pico;

-- name: add_tool_days!
INSERT INTO tool_days (
    project_id, day, tool_id, loads, tokens, carried, prompt_tokens, cost_pico, no_cache_pico,
    first_pico
)
SELECT c.project_id, c.block / 4, c.tool_id, SUM(c.loads), SUM(c.tokens), SUM(c.carried),
    SUM(c.prompt_tokens), SUM(c.cost_pico), SUM(c.no_cache_pico), SUM(c.first_pico)
FROM tool_changes AS c
WHERE TRUE
GROUP BY c.project_id, c.block / 4, c.tool_id
ON CONFLICT (project_id, day, tool_id) DO UPDATE SET
    loads = tool_days.loads + excluded.loads,
    tokens = tool_days.tokens + excluded.tokens,
    carried = tool_days.carried + excluded.carried,
    prompt_tokens = tool_days.prompt_tokens + excluded.prompt_tokens,
    cost_pico = tool_days.cost_pico + excluded.cost_pico,
    no_cache_pico = tool_days.no_cache_pico + excluded.no_cache_pico,
    first_pico = tool_days.first_pico + excluded.first_pico;

-- name: add_tool_sums!
INSERT INTO tool_sums (
    project_id, tool_id, loads, tokens, carried, prompt_tokens, cost_pico, no_cache_pico,
    first_pico
)
SELECT c.project_id, c.tool_id, SUM(c.loads), SUM(c.tokens), SUM(c.carried), SUM(c.prompt_tokens),
    SUM(c.cost_pico), SUM(c.no_cache_pico), SUM(c.first_pico)
FROM tool_changes AS c
WHERE TRUE
GROUP BY c.project_id, c.tool_id
ON CONFLICT (project_id, tool_id) DO UPDATE SET
    loads = tool_sums.loads + excluded.loads,
    tokens = tool_sums.tokens + excluded.tokens,
    carried = tool_sums.carried + excluded.carried,
    prompt_tokens = tool_sums.prompt_tokens + excluded.prompt_tokens,
    cost_pico = tool_sums.cost_pico + excluded.cost_pico,
    no_cache_pico = tool_sums.no_cache_pico + excluded.no_cache_pico,
    first_pico = tool_sums.first_pico + excluded.first_pico;

-- name: prune_label_blocks!
DELETE FROM label_blocks
WHERE (project_id, label_id, block)
    IN (SELECT c.project_id, c.label_id, c.block FROM label_changes AS c)
    AND loads = 0 AND tokens = 0 AND carried = 0 AND prompt_tokens = 0 AND cost_pico = 0
    AND no_cache_pico = 0 AND first_pico = 0;

-- name: prune_label_sums!
DELETE FROM label_sums
WHERE (project_id, label_id) IN (SELECT c.project_id, c.label_id FROM label_changes AS c)
    AND loads = 0 AND tokens = 0 AND carried = 0 AND prompt_tokens = 0 AND cost_pico = 0
    AND no_cache_pico = 0 AND first_pico = 0;

-- name: bound_label_sums!
UPDATE label_sums SET
    first_block = (SELECT MIN(b.block) FROM label_blocks AS b
        WHERE b.project_id = label_sums.project_id AND b.label_id = label_sums.label_id),
    last_block = (SELECT MAX(b.block) FROM label_blocks AS b
        WHERE b.project_id = label_sums.project_id AND b.label_id = label_sums.label_id)
WHERE (project_id, label_id) IN (SELECT c.project_id, c.label_id FROM label_changes AS c);

-- name: prune_uri_blocks!
DELETE FROM uri_blocks
WHERE (project_id, uri_id, block) IN (SELECT c.project_id, c.uri_id, c.block FROM uri_changes AS c)
    AND loads = 0 AND tokens = 0 AND carried = 0 AND prompt_tokens = 0 AND cost_pico = 0
    AND no_cache_pico = 0 AND first_pico = 0;

-- name: prune_uri_sums!
DELETE FROM uri_sums
WHERE (project_id, uri_id) IN (SELECT c.project_id, c.uri_id FROM uri_changes AS c)
    AND loads = 0 AND tokens = 0 AND carried = 0 AND prompt_tokens = 0 AND cost_pico = 0
    AND no_cache_pico = 0 AND first_pico = 0;

-- name: bound_uri_sums!
UPDATE uri_sums SET
    first_block = (SELECT MIN(b.block) FROM uri_blocks AS b
        WHERE b.project_id = uri_sums.project_id AND b.uri_id = uri_sums.uri_id),
    last_block = (SELECT MAX(b.block) FROM uri_blocks AS b
        WHERE b.project_id = uri_sums.project_id AND b.uri_id = uri_sums.uri_id)
WHERE (project_id, uri_id) IN (SELECT c.project_id, c.uri_id FROM uri_changes AS c);

-- name: prune_tool_blocks!
DELETE FROM tool_blocks
WHERE (project_id, block, tool_id)
    IN (SELECT c.project_id, c.block, c.tool_id FROM tool_changes AS c)
    AND loads = 0 AND tokens = 0 AND carried = 0 AND prompt_tokens = 0 AND cost_pico = 0
    AND no_cache_pico = 0 AND first_pico = 0;

-- name: prune_tool_days!
DELETE FROM tool_days
WHERE (project_id, day, tool_id)
    IN (SELECT c.project_id, c.block / 4, c.tool_id FROM tool_changes AS c)
    AND loads = 0 AND tokens = 0 AND carried = 0 AND prompt_tokens = 0 AND cost_pico = 0
    AND no_cache_pico = 0 AND first_pico = 0;

-- name: prune_tool_sums!
DELETE FROM tool_sums
WHERE (project_id, tool_id) IN (SELECT c.project_id, c.tool_id FROM tool_changes AS c)
    AND loads = 0 AND tokens = 0 AND carried = 0 AND prompt_tokens = 0 AND cost_pico = 0
    AND no_cache_pico = 0 AND first_pico = 0;

-- name: add_finding_sum*!
INSERT INTO finding_sums (
    project_id, kind, subject_id, pico, tokens, count, findings, measured, sessions
)
VALUES (
    :project_id, :kind, :subject_id, :pico, :tokens, :count, :findings, :measured, :sessions
)
ON CONFLICT (project_id, kind, subject_id) DO UPDATE SET
    pico = finding_sums.pico + excluded.pico,
    tokens = finding_sums.tokens + excluded.tokens,
    count = finding_sums.count + excluded.count,
    findings = finding_sums.findings + excluded.findings,
    measured = finding_sums.measured + excluded.measured,
    sessions = finding_sums.sessions + excluded.sessions;

-- name: prune_finding_sum*!
DELETE FROM finding_sums
WHERE project_id = :project_id AND kind = :kind AND subject_id = :subject_id
    AND findings = 0;

-- name: add_finding_day*!
INSERT INTO finding_days (
    project_id, day, kind, subject_id, pico, tokens, count, findings, measured, sessions
)
VALUES (
    :project_id, :day, :kind, :subject_id, :pico, :tokens, :count, :findings, :measured, :sessions
)
ON CONFLICT (project_id, day, kind, subject_id) DO UPDATE SET
    pico = finding_days.pico + excluded.pico,
    tokens = finding_days.tokens + excluded.tokens,
    count = finding_days.count + excluded.count,
    findings = finding_days.findings + excluded.findings,
    measured = finding_days.measured + excluded.measured,
    sessions = finding_days.sessions + excluded.sessions;

-- name: prune_finding_day*!
DELETE FROM finding_days
WHERE project_id = :project_id AND day = :day AND kind = :kind AND subject_id = :subject_id
    AND findings = 0;

-- name: stored_findings
-- The findings of the wanted sessions, summed up by day.
SELECT f.session_id, f.at / 86400000, f.kind, f.subject_id, SUM(f.pico), SUM(f.tokens),
    SUM(f.count), COUNT(*), SUM(f.is_measured), SUM(f.is_first)
FROM wanted_ids AS w
CROSS JOIN findings AS f ON f.session_id = w.id
GROUP BY f.session_id, f.at / 86400000, f.kind, f.subject_id;
