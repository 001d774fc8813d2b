-- name: conversation_lengths
-- The requests of each conversation in the sessions that ended last: of the main chain and of each
-- agent's. A fork's conversation begins with what it inherited. Agents that are not named are left
-- out, since nothing tells several of them apart.
WITH ended AS MATERIALIZED (
    SELECT id, last_at FROM sessions
    WHERE last_at < :before AND session_id <> ''
    ORDER BY last_at DESC
    LIMIT :limit
),
requests AS (
    SELECT s.id, s.last_at, m.agent_id, m.is_sidechain, m.model
    FROM ended AS s
    CROSS JOIN messages AS m ON m.session_id = s.id
    UNION ALL
    SELECT s.id, s.last_at, m.agent_id, m.is_sidechain, m.model
    FROM ended AS s
    CROSS JOIN placements AS p ON p.session_id = s.id
    CROSS JOIN messages AS m ON m.id = p.message_id AND m.session_id <> s.id
)
SELECT COUNT(*)
FROM requests
WHERE (agent_id IS NOT NULL OR is_sidechain = 0) AND COALESCE(model, '') <> :synthetic
GROUP BY last_at, id, COALESCE(agent_id, '')
ORDER BY last_at DESC, id DESC, COALESCE(agent_id, '')
LIMIT :limit;
