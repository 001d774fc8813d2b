-- name: upsert_message*!
-- The join of two sightings (token_tracking/merge.py), as one upsert: the larger count, the
-- earlier time, the larger text where a missing one is less than any. Whoever saves hands over
-- cost, place and what was billed beside it for the joined message.
INSERT INTO messages (
    id,
    key,
    at,
    session_id,
    cwd_id,
    branch_id,
    parent_id,
    model,
    terms_final,
    service_tier,
    speed,
    inference_geo,
    source,
    stop_reason,
    version,
    entrypoint,
    agent_id,
    is_sidechain,
    attribution,
    category,
    metadata,
    text_bytes,
    thinking_bytes,
    extra,
    input_tokens,
    output_tokens,
    cache_read_tokens,
    cache_write_5m_tokens,
    cache_write_1h_tokens,
    web_search_requests,
    web_fetch_requests,
    cost_pico,
    no_cache_pico,
    write_premium_pico,
    unpriced
)
VALUES (
    :id,
    :key,
    :at,
    :session_id,
    :cwd_id,
    :branch_id,
    :parent_id,
    :model,
    :terms_final,
    :service_tier,
    :speed,
    :inference_geo,
    :source,
    :stop_reason,
    :version,
    :entrypoint,
    :agent_id,
    :is_sidechain,
    :attribution,
    :category,
    :metadata,
    :text_bytes,
    :thinking_bytes,
    :extra,
    :input_tokens,
    :output_tokens,
    :cache_read_tokens,
    :cache_write_5m_tokens,
    :cache_write_1h_tokens,
    :web_search_requests,
    :web_fetch_requests,
    :cost_pico,
    :no_cache_pico,
    :write_premium_pico,
    :unpriced
)
ON CONFLICT (key) DO UPDATE SET
    at = CASE WHEN excluded.at < messages.at THEN excluded.at ELSE messages.at END,
    text_bytes = CASE
        WHEN excluded.text_bytes > messages.text_bytes
        THEN excluded.text_bytes ELSE messages.text_bytes
    END,
    thinking_bytes = CASE
        WHEN excluded.thinking_bytes > messages.thinking_bytes
        THEN excluded.thinking_bytes ELSE messages.thinking_bytes
    END,
    input_tokens = CASE
        WHEN excluded.input_tokens > messages.input_tokens
        THEN excluded.input_tokens ELSE messages.input_tokens
    END,
    output_tokens = CASE
        WHEN excluded.output_tokens > messages.output_tokens
        THEN excluded.output_tokens ELSE messages.output_tokens
    END,
    cache_read_tokens = CASE
        WHEN excluded.cache_read_tokens > messages.cache_read_tokens
        THEN excluded.cache_read_tokens ELSE messages.cache_read_tokens
    END,
    cache_write_5m_tokens = CASE
        WHEN excluded.cache_write_5m_tokens + excluded.cache_write_1h_tokens
            > messages.cache_write_5m_tokens + messages.cache_write_1h_tokens
        THEN excluded.cache_write_5m_tokens + excluded.cache_write_1h_tokens
        ELSE messages.cache_write_5m_tokens + messages.cache_write_1h_tokens
    END - CASE
        WHEN excluded.cache_write_1h_tokens > messages.cache_write_1h_tokens
        THEN excluded.cache_write_1h_tokens ELSE messages.cache_write_1h_tokens
    END,
    cache_write_1h_tokens = CASE
        WHEN excluded.cache_write_1h_tokens > messages.cache_write_1h_tokens
        THEN excluded.cache_write_1h_tokens ELSE messages.cache_write_1h_tokens
    END,
    web_search_requests = CASE
        WHEN excluded.web_search_requests > messages.web_search_requests
        THEN excluded.web_search_requests ELSE messages.web_search_requests
    END,
    web_fetch_requests = CASE
        WHEN excluded.web_fetch_requests > messages.web_fetch_requests
        THEN excluded.web_fetch_requests ELSE messages.web_fetch_requests
    END,
    source = CASE
        WHEN messages.source = 'claude_code' THEN messages.source
        WHEN excluded.source = 'claude_code' OR excluded.source > messages.source
        THEN excluded.source ELSE messages.source
    END,
    model = CASE
        WHEN (
            CASE WHEN excluded.model IS NULL THEN 0 ELSE 1 END, excluded.terms_final,
            COALESCE(excluded.model, ''), COALESCE(excluded.service_tier, ''),
            COALESCE(excluded.speed, ''), COALESCE(excluded.inference_geo, '')
        ) > (
            CASE WHEN messages.model IS NULL THEN 0 ELSE 1 END, messages.terms_final,
            COALESCE(messages.model, ''), COALESCE(messages.service_tier, ''),
            COALESCE(messages.speed, ''), COALESCE(messages.inference_geo, '')
        )
        THEN excluded.model ELSE messages.model
    END,
    terms_final = CASE
        WHEN (
            CASE WHEN excluded.model IS NULL THEN 0 ELSE 1 END, excluded.terms_final,
            COALESCE(excluded.model, ''), COALESCE(excluded.service_tier, ''),
            COALESCE(excluded.speed, ''), COALESCE(excluded.inference_geo, '')
        ) > (
            CASE WHEN messages.model IS NULL THEN 0 ELSE 1 END, messages.terms_final,
            COALESCE(messages.model, ''), COALESCE(messages.service_tier, ''),
            COALESCE(messages.speed, ''), COALESCE(messages.inference_geo, '')
        )
        THEN excluded.terms_final ELSE messages.terms_final
    END,
    stop_reason = CASE
        WHEN messages.stop_reason IS NULL OR excluded.stop_reason > messages.stop_reason
        THEN excluded.stop_reason ELSE messages.stop_reason
    END,
    service_tier = CASE
        WHEN (
            CASE WHEN excluded.model IS NULL THEN 0 ELSE 1 END, excluded.terms_final,
            COALESCE(excluded.model, ''), COALESCE(excluded.service_tier, ''),
            COALESCE(excluded.speed, ''), COALESCE(excluded.inference_geo, '')
        ) > (
            CASE WHEN messages.model IS NULL THEN 0 ELSE 1 END, messages.terms_final,
            COALESCE(messages.model, ''), COALESCE(messages.service_tier, ''),
            COALESCE(messages.speed, ''), COALESCE(messages.inference_geo, '')
        )
        THEN excluded.service_tier ELSE messages.service_tier
    END,
    speed = CASE
        WHEN (
            CASE WHEN excluded.model IS NULL THEN 0 ELSE 1 END, excluded.terms_final,
            COALESCE(excluded.model, ''), COALESCE(excluded.service_tier, ''),
            COALESCE(excluded.speed, ''), COALESCE(excluded.inference_geo, '')
        ) > (
            CASE WHEN messages.model IS NULL THEN 0 ELSE 1 END, messages.terms_final,
            COALESCE(messages.model, ''), COALESCE(messages.service_tier, ''),
            COALESCE(messages.speed, ''), COALESCE(messages.inference_geo, '')
        )
        THEN excluded.speed ELSE messages.speed
    END,
    inference_geo = CASE
        WHEN (
            CASE WHEN excluded.model IS NULL THEN 0 ELSE 1 END, excluded.terms_final,
            COALESCE(excluded.model, ''), COALESCE(excluded.service_tier, ''),
            COALESCE(excluded.speed, ''), COALESCE(excluded.inference_geo, '')
        ) > (
            CASE WHEN messages.model IS NULL THEN 0 ELSE 1 END, messages.terms_final,
            COALESCE(messages.model, ''), COALESCE(messages.service_tier, ''),
            COALESCE(messages.speed, ''), COALESCE(messages.inference_geo, '')
        )
        THEN excluded.inference_geo ELSE messages.inference_geo
    END,
    version = CASE
        WHEN messages.version IS NULL OR excluded.version > messages.version
        THEN excluded.version ELSE messages.version
    END,
    entrypoint = CASE
        WHEN messages.entrypoint IS NULL OR excluded.entrypoint > messages.entrypoint
        THEN excluded.entrypoint ELSE messages.entrypoint
    END,
    agent_id = CASE
        WHEN messages.agent_id IS NULL OR excluded.agent_id > messages.agent_id
        THEN excluded.agent_id ELSE messages.agent_id
    END,
    is_sidechain = CASE
        WHEN excluded.is_sidechain > messages.is_sidechain
        THEN excluded.is_sidechain ELSE messages.is_sidechain
    END,
    attribution = CASE
        WHEN messages.attribution IS NULL OR excluded.attribution > messages.attribution
        THEN excluded.attribution ELSE messages.attribution
    END,
    category = CASE
        WHEN messages.category IS NULL OR excluded.category > messages.category
        THEN excluded.category ELSE messages.category
    END,
    metadata = CASE
        WHEN messages.metadata IS NULL OR excluded.metadata > messages.metadata
        THEN excluded.metadata ELSE messages.metadata
    END,
    session_id = excluded.session_id,
    cwd_id = excluded.cwd_id,
    branch_id = excluded.branch_id,
    parent_id = excluded.parent_id,
    extra = excluded.extra,
    cost_pico = excluded.cost_pico,
    no_cache_pico = excluded.no_cache_pico,
    write_premium_pico = excluded.write_premium_pico,
    unpriced = excluded.unpriced;

-- name: last_message_id$
SELECT COALESCE(MAX(id), 0) FROM messages;

-- name: known_messages
SELECT m.id, m.key, m.at, m.model, m.terms_final, m.service_tier, m.speed, m.inference_geo,
    m.source, m.stop_reason, m.version, m.entrypoint, m.agent_id, m.is_sidechain,
    m.attribution, m.category, m.metadata, m.text_bytes, m.thinking_bytes, m.extra,
    m.input_tokens, m.output_tokens, m.cache_read_tokens, m.cache_write_5m_tokens,
    m.cache_write_1h_tokens, m.web_search_requests, m.web_fetch_requests, s.session_id,
    cwd.name, branch.name, parent.key, s.id, m.cwd_id, m.branch_id, m.parent_id
FROM wanted AS w
JOIN messages AS m ON m.key = w.name
LEFT JOIN sessions AS s ON s.id = m.session_id
LEFT JOIN names AS cwd ON cwd.id = m.cwd_id
LEFT JOIN names AS branch ON branch.id = m.branch_id
LEFT JOIN messages AS parent ON parent.id = m.parent_id;

-- name: known_placements
SELECT m.key, s.session_id, p.at, cwd.name, branch.name, parent.key, s.id, p.cwd_id, p.branch_id,
    p.parent_id
FROM wanted AS w
JOIN messages AS m ON m.key = w.name
JOIN placements AS p ON p.message_id = m.id
JOIN sessions AS s ON s.id = p.session_id
LEFT JOIN names AS cwd ON cwd.id = p.cwd_id
LEFT JOIN names AS branch ON branch.id = p.branch_id
LEFT JOIN messages AS parent ON parent.id = p.parent_id;

-- name: message_ids
SELECT m.key, m.id FROM wanted AS w JOIN messages AS m ON m.key = w.name;

-- name: upsert_placement*!
INSERT INTO placements (message_id, session_id, at, cwd_id, branch_id, parent_id)
VALUES (:message_id, :session_id, :at, :cwd_id, :branch_id, :parent_id)
ON CONFLICT (message_id, session_id) DO UPDATE SET
    at = excluded.at,
    cwd_id = excluded.cwd_id,
    branch_id = excluded.branch_id,
    parent_id = excluded.parent_id;

-- name: clear_placements*!
DELETE FROM placements WHERE message_id = :message_id;

-- name: shared_places
-- Every place of the messages that a touched session shares with another one.
SELECT p.message_id, m.at, m.session_id, p.session_id, COALESCE(s.born, s.first_at), s.last_at,
    s.session_id
FROM placements AS p
JOIN messages AS m ON m.id = p.message_id
JOIN sessions AS s ON s.id = p.session_id
WHERE p.message_id IN (
    SELECT shared.message_id
    FROM wanted_ids AS w
    JOIN placements AS shared ON shared.session_id = w.id
);

-- name: move_message*!
UPDATE messages SET
    session_id = :session_id,
    cwd_id = (SELECT cwd_id FROM placements
        WHERE message_id = :message_id AND session_id = :session_id),
    branch_id = (SELECT branch_id FROM placements
        WHERE message_id = :message_id AND session_id = :session_id),
    parent_id = (SELECT parent_id FROM placements
        WHERE message_id = :message_id AND session_id = :session_id)
WHERE id = :message_id;
