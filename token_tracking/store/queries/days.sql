-- name: cell_totals
-- What the wanted cells sum up to, by project, day and model.
SELECT COALESCE(s.project_id, 0), t.quarter / 96, t.model,
    SUM(t.messages), SUM(t.partial_messages), SUM(t.unpriced_messages), SUM(t.tool_uses),
    SUM(t.input_tokens), SUM(t.output_tokens), SUM(t.cache_read_tokens),
    SUM(t.cache_write_5m_tokens), SUM(t.cache_write_1h_tokens), SUM(t.cost_pico),
    SUM(t.no_cache_pico), SUM(t.write_premium_pico)
FROM wanted_totals AS w
CROSS JOIN totals AS t ON t.session_id = w.session_id AND t.quarter = w.quarter
JOIN sessions AS s ON s.id = t.session_id
GROUP BY COALESCE(s.project_id, 0), t.quarter / 96, t.model;

-- name: session_totals
-- What a session sums up to, by day and model.
SELECT t.quarter / 96, t.model,
    SUM(t.messages), SUM(t.partial_messages), SUM(t.unpriced_messages), SUM(t.tool_uses),
    SUM(t.input_tokens), SUM(t.output_tokens), SUM(t.cache_read_tokens),
    SUM(t.cache_write_5m_tokens), SUM(t.cache_write_1h_tokens), SUM(t.cost_pico),
    SUM(t.no_cache_pico), SUM(t.write_premium_pico)
FROM totals AS t
WHERE t.session_id = :id
GROUP BY t.quarter / 96, t.model;

-- name: add_total_day*!
INSERT INTO total_days (
    project_id, day, model, messages, partial_messages, unpriced_messages, tool_uses,
    input_tokens, output_tokens, cache_read_tokens, cache_write_5m_tokens,
    cache_write_1h_tokens, cost_pico, no_cache_pico, write_premium_pico
)
VALUES (
    :project_id, :day, :model, :messages, :partial_messages, :unpriced_messages, :tool_uses,
    :input_tokens, :output_tokens, :cache_read_tokens, :cache_write_5m_tokens,
    :cache_write_1h_tokens, :cost_pico, :no_cache_pico, :write_premium_pico
)
ON CONFLICT (project_id, day, model) DO UPDATE SET
    messages = total_days.messages + excluded.messages,
    partial_messages = total_days.partial_messages + excluded.partial_messages,
    unpriced_messages = total_days.unpriced_messages + excluded.unpriced_messages,
    tool_uses = total_days.tool_uses + excluded.tool_uses,
    input_tokens = total_days.input_tokens + excluded.input_tokens,
    output_tokens = total_days.output_tokens + excluded.output_tokens,
    cache_read_tokens = total_days.cache_read_tokens + excluded.cache_read_tokens,
    cache_write_5m_tokens = total_days.cache_write_5m_tokens + excluded.cache_write_5m_tokens,
    cache_write_1h_tokens = total_days.cache_write_1h_tokens + excluded.cache_write_1h_tokens,
    cost_pico = total_days.cost_pico + excluded.cost_pico,
    no_cache_pico = total_days.no_cache_pico + excluded.no_cache_pico,
    write_premium_pico = total_days.write_premium_pico + excluded.write_premium_pico;

-- name: prune_total_day*!
DELETE FROM total_days
WHERE project_id = :project_id AND day = :day AND model = :model AND messages = 0;

-- name: clear_session_day*!
DELETE FROM session_days WHERE day = :day AND session_id = :session_id;

-- name: find_session_day*!
INSERT INTO session_days (day, session_id)
SELECT :day, :session_id
WHERE EXISTS (SELECT 1 FROM totals
    WHERE session_id = :session_id AND quarter >= :day * 96 AND quarter < (:day + 1) * 96)
ON CONFLICT (day, session_id) DO NOTHING;
