-- name: conversation_lengths
-- By session, the one that ended last first: the requests of its main chain and of each agent's. A
-- fork's chains begin with what it inherited. Agents that are not named are left out, since nothing
-- tells several of them apart.
SELECT (
    SELECT GROUP_CONCAT(requests) FROM (
        SELECT SUM(requests) AS requests FROM (
            SELECT m.agent_id, COUNT(*) AS requests
            FROM messages AS m
            WHERE m.session_id = s.id AND (m.agent_id IS NOT NULL OR m.is_sidechain = 0)
                AND COALESCE(m.model, '') <> :synthetic
            GROUP BY m.agent_id
            UNION ALL
            SELECT m.agent_id, COUNT(*)
            FROM placements AS p
            CROSS JOIN messages AS m ON m.id = p.message_id AND m.session_id <> p.session_id
            WHERE p.session_id = s.id AND (m.agent_id IS NOT NULL OR m.is_sidechain = 0)
                AND COALESCE(m.model, '') <> :synthetic
            GROUP BY m.agent_id
        ) AS parts
        GROUP BY agent_id
    ) AS chains
)
FROM sessions AS s
WHERE s.last_at < :before AND s.session_id <> ''
ORDER BY s.last_at DESC
LIMIT :limit;
