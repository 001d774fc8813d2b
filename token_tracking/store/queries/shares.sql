-- name: create_wanted_tools!
CREATE TEMPORARY TABLE IF NOT EXISTS wanted_tools (
    kind TEXT NOT NULL,
    name_id INTEGER NOT NULL,
    server_id INTEGER NOT NULL,
    agent_id INTEGER NOT NULL,
    stem TEXT NOT NULL
);

-- name: create_wanted_labels!
CREATE TEMPORARY TABLE IF NOT EXISTS wanted_labels (
    tool_id INTEGER NOT NULL,
    uri_id INTEGER NOT NULL
);

-- name: clear_wanted_tools!
DELETE FROM wanted_tools;

-- name: want_tool*!
INSERT INTO wanted_tools (kind, name_id, server_id, agent_id, stem)
VALUES (:kind, :name_id, :server_id, :agent_id, :stem);

-- name: tool_ids
SELECT t.kind, t.name_id, t.server_id, t.agent_id, t.stem, t.id
FROM wanted_tools AS w
CROSS JOIN tools AS t ON t.kind = w.kind AND t.name_id = w.name_id AND t.server_id = w.server_id
    AND t.agent_id = w.agent_id AND t.stem = w.stem;

-- name: last_tool_id$
SELECT COALESCE(MAX(id), 0) FROM tools;

-- name: insert_tool*!
INSERT INTO tools (id, kind, name_id, server_id, agent_id, stem)
VALUES (:id, :kind, :name_id, :server_id, :agent_id, :stem);

-- name: clear_wanted_labels!
DELETE FROM wanted_labels;

-- name: want_label*!
INSERT INTO wanted_labels (tool_id, uri_id) VALUES (:tool_id, :uri_id);

-- name: label_ids
SELECT l.tool_id, l.uri_id, l.id
FROM wanted_labels AS w
CROSS JOIN labels AS l ON l.tool_id = w.tool_id AND l.uri_id = w.uri_id;

-- name: last_label_id$
SELECT COALESCE(MAX(id), 0) FROM labels;

-- name: insert_label*!
INSERT INTO labels (id, tool_id, uri_id) VALUES (:id, :tool_id, :uri_id);

-- name: described_sessions
-- The wanted sessions with messages whose metadata an earlier system may have told of loads in.
SELECT w.name
FROM wanted AS w
CROSS JOIN sessions AS s ON s.session_id = w.name
WHERE EXISTS (SELECT 1 FROM messages AS m
        WHERE m.session_id = s.id AND m.metadata IS NOT NULL)
    OR EXISTS (SELECT 1
        FROM placements AS p
        JOIN messages AS m ON m.id = p.message_id AND m.metadata IS NOT NULL
        WHERE p.session_id = s.id);

-- name: reconciled_sessions
-- The wanted sessions of which the client told a total.
SELECT w.name
FROM wanted AS w
CROSS JOIN sessions AS s ON s.session_id = w.name
WHERE EXISTS (SELECT 1 FROM client_totals AS t WHERE t.session_id = s.id);

-- name: sessions_to_save
-- The wanted sessions: their rows, projects, and whether something is stored of them.
SELECT s.session_id, s.id, COALESCE(s.project_id, 0), a.session_id IS NOT NULL
FROM wanted AS w
CROSS JOIN sessions AS s ON s.session_id = w.name
LEFT JOIN attributions AS a ON a.session_id = s.id;

-- name: keys_of_sessions
-- The messages of the wanted sessions, their own and those they inherited.
SELECT m.key, m.id FROM wanted_ids AS w CROSS JOIN messages AS m ON m.session_id = w.id
UNION
SELECT m.key, m.id
FROM wanted_ids AS w
CROSS JOIN placements AS p ON p.session_id = w.id
JOIN messages AS m ON m.id = p.message_id;

-- name: stored_items
SELECT
    i.session_id, i.number, i.message_id, i.item, i.label_id, i.entered_at, i.entered_with,
    i.requests, i.tokens, i.prompt_tokens, i.cost_pico, i.no_cache_pico, i.first_pico,
    i.is_measured, i.has_uri
FROM wanted_ids AS w
CROSS JOIN item_shares AS i ON i.session_id = w.id
ORDER BY i.session_id, i.number;

-- name: stored_quarters
SELECT
    q.session_id, q.quarter, q.label_id, q.loads, q.tokens, q.carried, q.prompt_tokens,
    q.cost_pico, q.no_cache_pico, q.first_pico
FROM wanted_ids AS w
CROSS JOIN fact_quarters AS f ON f.session_id = w.id
CROSS JOIN share_quarters AS q ON q.quarter = f.quarter AND q.session_id = f.session_id;

-- name: stored_facts
SELECT
    f.session_id, f.quarter, f.requests, f.hit_requests, f.unread_write_tokens,
    f.unread_write_pico, f.lapses, f.lapse_tokens, f.lapse_pico, f.switches, f.switch_tokens,
    f.switch_pico, f.unseen_writes, f.unseen_write_tokens, f.unseen_write_pico,
    f.partial_messages, f.partial_tokens, f.partial_pico, f.jit_requests, f.jit_prompt_tokens,
    f.jit_baseline_tokens, f.jit_priced, f.jit_saved_pico, f.client_sessions, f.client_pico,
    f.client_ledger_pico, f.client_partial_pico, f.client_unseen_pico, f.jit_cost_pico,
    f.jit_uncached_saved_pico
FROM wanted_ids AS w
CROSS JOIN fact_quarters AS f ON f.session_id = w.id;

-- name: delete_item_share*!
DELETE FROM item_shares WHERE session_id = :session_id AND number = :number;

-- name: insert_item_share*!
INSERT INTO item_shares (
    session_id, number, message_id, item, label_id, entered_at, entered_with, requests, tokens,
    prompt_tokens, cost_pico, no_cache_pico, first_pico, is_measured, has_uri
)
VALUES (
    :session_id, :number, :message_id, :item, :label_id, :entered_at, :entered_with, :requests,
    :tokens, :prompt_tokens, :cost_pico, :no_cache_pico, :first_pico, :is_measured, :has_uri
);

-- name: delete_share_quarter*!
DELETE FROM share_quarters
WHERE quarter = :quarter AND session_id = :session_id AND label_id = :label_id;

-- name: insert_share_quarter*!
INSERT INTO share_quarters (
    quarter, session_id, label_id, loads, tokens, carried, prompt_tokens, cost_pico,
    no_cache_pico, first_pico
)
VALUES (
    :quarter, :session_id, :label_id, :loads, :tokens, :carried, :prompt_tokens, :cost_pico,
    :no_cache_pico, :first_pico
);

-- name: delete_fact_quarter*!
DELETE FROM fact_quarters WHERE session_id = :session_id AND quarter = :quarter;

-- name: insert_fact_quarter*!
INSERT INTO fact_quarters (
    session_id, quarter, requests, hit_requests, unread_write_tokens, unread_write_pico, lapses,
    lapse_tokens, lapse_pico, switches, switch_tokens, switch_pico, unseen_writes,
    unseen_write_tokens, unseen_write_pico, partial_messages, partial_tokens, partial_pico,
    jit_requests, jit_prompt_tokens, jit_baseline_tokens, jit_priced, jit_saved_pico,
    client_sessions, client_pico, client_ledger_pico, client_partial_pico, client_unseen_pico,
    jit_cost_pico, jit_uncached_saved_pico
)
VALUES (
    :session_id, :quarter, :requests, :hit_requests, :unread_write_tokens, :unread_write_pico,
    :lapses, :lapse_tokens, :lapse_pico, :switches, :switch_tokens, :switch_pico,
    :unseen_writes, :unseen_write_tokens, :unseen_write_pico, :partial_messages,
    :partial_tokens, :partial_pico, :jit_requests, :jit_prompt_tokens, :jit_baseline_tokens,
    :jit_priced, :jit_saved_pico, :client_sessions, :client_pico, :client_ledger_pico,
    :client_partial_pico, :client_unseen_pico, :jit_cost_pico, :jit_uncached_saved_pico
);

-- name: delete_findings*!
DELETE FROM findings WHERE session_id = :session_id;

-- name: insert_finding*!
INSERT INTO findings (
    session_id, number, kind, subject_id, at, pico, tokens, count, is_measured, item, is_first
)
VALUES (
    :session_id, :number, :kind, :subject_id, :at, :pico, :tokens, :count, :is_measured, :item,
    :is_first
);

-- name: save_attribution*!
INSERT INTO attributions (
    session_id, version, prompt_tokens, prompt_pico, details, problem, first_at, last_at,
    top_cost, top_tokens, top_carried
)
VALUES (
    :session_id, :version, :prompt_tokens, :prompt_pico, :details, :problem, :first_at,
    :last_at, :top_cost, :top_tokens, :top_carried
)
ON CONFLICT (session_id) DO UPDATE SET
    version = excluded.version,
    prompt_tokens = excluded.prompt_tokens,
    prompt_pico = excluded.prompt_pico,
    details = excluded.details,
    problem = excluded.problem,
    first_at = excluded.first_at,
    last_at = excluded.last_at,
    top_cost = excluded.top_cost,
    top_tokens = excluded.top_tokens,
    top_carried = excluded.top_carried;

-- name: clear_due*!
-- What was marked again meanwhile stays due.
DELETE FROM due WHERE session_id = :session_id AND since = :since;

-- name: mark_all!
INSERT INTO due (session_id, since)
SELECT s.id, r.value
FROM sessions AS s
CROSS JOIN (SELECT MAX(value) AS value FROM revisions) AS r
WHERE EXISTS (SELECT 1 FROM totals AS t WHERE t.session_id = s.id)
    OR EXISTS (SELECT 1 FROM attributions AS a WHERE a.session_id = s.id)
ON CONFLICT (session_id) DO UPDATE SET since = excluded.since;

-- name: due_sessions
-- Sessions that changed since they were attributed, and those that an older version of the
-- algorithm attributed.
SELECT s.session_id, d.since
FROM (SELECT session_id, since FROM due
    UNION ALL
    SELECT a.session_id, -1 FROM attributions AS a
    WHERE a.version < :version
        AND NOT EXISTS (SELECT 1 FROM due WHERE due.session_id = a.session_id)) AS d
JOIN sessions AS s ON s.id = d.session_id
ORDER BY d.session_id
LIMIT :limit;

-- name: last_due_sessions
-- The same from the other end.
SELECT s.session_id, d.since
FROM (SELECT session_id, since FROM due
    UNION ALL
    SELECT a.session_id, -1 FROM attributions AS a
    WHERE a.version < :version
        AND NOT EXISTS (SELECT 1 FROM due WHERE due.session_id = a.session_id)) AS d
JOIN sessions AS s ON s.id = d.session_id
ORDER BY d.session_id DESC
LIMIT :limit;

-- name: has_due$
SELECT EXISTS (SELECT 1 FROM due)
    OR EXISTS (SELECT 1 FROM attributions WHERE version < :version);

-- name: attribution_problems
-- Why sessions could not be attributed, and how many.
SELECT problem, COUNT(*) FROM attributions WHERE problem IS NOT NULL
GROUP BY problem ORDER BY COUNT(*) DESC, problem LIMIT 10;

-- name: count_due_messages$
SELECT COALESCE(SUM(t.messages), 0) FROM due AS d CROSS JOIN totals AS t ON t.session_id = d.session_id;

-- name: count_due$
SELECT (SELECT COUNT(*) FROM due) + (SELECT COUNT(*) FROM attributions AS a
    WHERE a.version < :version
        AND NOT EXISTS (SELECT 1 FROM due WHERE due.session_id = a.session_id));

-- name: add_fact_day*!
INSERT INTO fact_days (
    project_id, day, requests, hit_requests, unread_write_tokens, unread_write_pico, lapses,
    lapse_tokens, lapse_pico, switches, switch_tokens, switch_pico, unseen_writes,
    unseen_write_tokens, unseen_write_pico, partial_messages, partial_tokens, partial_pico,
    jit_requests, jit_prompt_tokens, jit_baseline_tokens, jit_priced, jit_saved_pico,
    client_sessions, client_pico, client_ledger_pico, client_partial_pico, client_unseen_pico,
    jit_cost_pico, jit_uncached_saved_pico
)
VALUES (
    :project_id, :day, :requests, :hit_requests, :unread_write_tokens, :unread_write_pico,
    :lapses, :lapse_tokens, :lapse_pico, :switches, :switch_tokens, :switch_pico,
    :unseen_writes, :unseen_write_tokens, :unseen_write_pico, :partial_messages,
    :partial_tokens, :partial_pico, :jit_requests, :jit_prompt_tokens, :jit_baseline_tokens,
    :jit_priced, :jit_saved_pico, :client_sessions, :client_pico, :client_ledger_pico,
    :client_partial_pico, :client_unseen_pico, :jit_cost_pico, :jit_uncached_saved_pico
)
ON CONFLICT (project_id, day) DO UPDATE SET
    requests = fact_days.requests + excluded.requests,
    hit_requests = fact_days.hit_requests + excluded.hit_requests,
    unread_write_tokens = fact_days.unread_write_tokens + excluded.unread_write_tokens,
    unread_write_pico = fact_days.unread_write_pico + excluded.unread_write_pico,
    lapses = fact_days.lapses + excluded.lapses,
    lapse_tokens = fact_days.lapse_tokens + excluded.lapse_tokens,
    lapse_pico = fact_days.lapse_pico + excluded.lapse_pico,
    switches = fact_days.switches + excluded.switches,
    switch_tokens = fact_days.switch_tokens + excluded.switch_tokens,
    switch_pico = fact_days.switch_pico + excluded.switch_pico,
    unseen_writes = fact_days.unseen_writes + excluded.unseen_writes,
    unseen_write_tokens = fact_days.unseen_write_tokens + excluded.unseen_write_tokens,
    unseen_write_pico = fact_days.unseen_write_pico + excluded.unseen_write_pico,
    partial_messages = fact_days.partial_messages + excluded.partial_messages,
    partial_tokens = fact_days.partial_tokens + excluded.partial_tokens,
    partial_pico = fact_days.partial_pico + excluded.partial_pico,
    jit_requests = fact_days.jit_requests + excluded.jit_requests,
    jit_prompt_tokens = fact_days.jit_prompt_tokens + excluded.jit_prompt_tokens,
    jit_baseline_tokens = fact_days.jit_baseline_tokens + excluded.jit_baseline_tokens,
    jit_priced = fact_days.jit_priced + excluded.jit_priced,
    jit_saved_pico = fact_days.jit_saved_pico + excluded.jit_saved_pico,
    client_sessions = fact_days.client_sessions + excluded.client_sessions,
    client_pico = fact_days.client_pico + excluded.client_pico,
    client_ledger_pico = fact_days.client_ledger_pico + excluded.client_ledger_pico,
    client_partial_pico = fact_days.client_partial_pico + excluded.client_partial_pico,
    client_unseen_pico = fact_days.client_unseen_pico + excluded.client_unseen_pico,
    jit_cost_pico = fact_days.jit_cost_pico + excluded.jit_cost_pico,
    jit_uncached_saved_pico = fact_days.jit_uncached_saved_pico + excluded.jit_uncached_saved_pico;

-- name: prune_fact_day*!
DELETE FROM fact_days
WHERE project_id = :project_id AND day = :day
    AND requests = 0 AND hit_requests = 0 AND unread_write_tokens = 0 AND unread_write_pico = 0
    AND lapses = 0 AND lapse_tokens = 0 AND lapse_pico = 0 AND switches = 0 AND
    switch_tokens = 0 AND switch_pico = 0 AND unseen_writes = 0 AND unseen_write_tokens = 0
    AND unseen_write_pico = 0 AND partial_messages = 0 AND partial_tokens = 0 AND
    partial_pico = 0 AND jit_requests = 0 AND jit_prompt_tokens = 0 AND jit_baseline_tokens
    = 0 AND jit_priced = 0 AND jit_saved_pico = 0 AND client_sessions = 0 AND client_pico =
    0 AND client_ledger_pico = 0 AND client_partial_pico = 0 AND client_unseen_pico = 0 AND
    jit_cost_pico = 0 AND jit_uncached_saved_pico = 0;

-- name: free_deleted_answers!
-- Row numbers are given again: what names a message that is about to be deleted takes its key.
UPDATE item_shares SET
    item = (SELECT m.key FROM messages AS m WHERE m.id = item_shares.message_id),
    message_id = NULL
WHERE session_id IN (SELECT session_id FROM due)
    AND message_id IN (SELECT m.id FROM messages AS m WHERE m.at < :before);

-- name: free_deleted_requests!
UPDATE item_shares SET entered_with = NULL
WHERE session_id IN (SELECT session_id FROM due)
    AND entered_with IN (SELECT m.id FROM messages AS m WHERE m.at < :before);
