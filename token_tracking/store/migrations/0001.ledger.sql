-- The ledger. Times are milliseconds since 1970 UTC; money is integer pico-USD.
-- A process that is killed may leave any of these behind: each migration can be applied again.
-- depends:

-- Long texts that recur: working directories, branches, tools, servers, paths and URIs.
CREATE TABLE IF NOT EXISTS names (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
);

CREATE TABLE IF NOT EXISTS sessions (
    id INTEGER PRIMARY KEY,
    session_id TEXT NOT NULL UNIQUE,  -- '' holds the messages that name no session
    born BIGINT,               -- earliest line that forks do not copy
    first_at BIGINT,           -- null: only lines without a time named it so far
    last_at BIGINT,
    project_id INTEGER,        -- its first working directory, and when it was seen
    project_at BIGINT
);

-- One row a message: the join of its sightings. session_id, cwd_id, branch_id and parent_id are
-- those of the session that owns it; where several sessions hold it, placements has all of them.
CREATE TABLE IF NOT EXISTS messages (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    at BIGINT NOT NULL,
    session_id INTEGER NOT NULL,
    cwd_id INTEGER,
    branch_id INTEGER,
    parent_id INTEGER,
    source TEXT NOT NULL,
    model TEXT,
    terms_final SMALLINT NOT NULL,   -- whether a final sighting told the terms of billing
    stop_reason TEXT,
    service_tier TEXT,
    speed TEXT,
    inference_geo TEXT,
    version TEXT,
    entrypoint TEXT,
    agent_id TEXT,
    is_sidechain SMALLINT NOT NULL,
    attribution TEXT,
    category TEXT,
    metadata TEXT,
    text_bytes BIGINT NOT NULL,      -- of the visible answer, tool calls apart
    thinking_bytes BIGINT NOT NULL,
    extra TEXT,                -- JSON: billed beside the message's own counts
    input_tokens BIGINT NOT NULL,
    output_tokens BIGINT NOT NULL,
    cache_read_tokens BIGINT NOT NULL,
    cache_write_5m_tokens BIGINT NOT NULL,
    cache_write_1h_tokens BIGINT NOT NULL,
    web_search_requests BIGINT NOT NULL,
    web_fetch_requests BIGINT NOT NULL,
    cost_pico BIGINT,          -- null: no price is known, and unpriced says why
    no_cache_pico BIGINT,
    write_premium_pico BIGINT,
    unpriced TEXT
);
CREATE INDEX IF NOT EXISTS messages_by_time ON messages (at);
CREATE INDEX IF NOT EXISTS messages_by_session ON messages (session_id, at);

CREATE TABLE IF NOT EXISTS placements (
    message_id INTEGER NOT NULL,
    session_id INTEGER NOT NULL,
    at BIGINT NOT NULL,
    cwd_id INTEGER,
    branch_id INTEGER,
    parent_id INTEGER,
    PRIMARY KEY (message_id, session_id)
);
CREATE INDEX IF NOT EXISTS placements_by_session ON placements (session_id);

-- What entered the context: ids, names and sizes, never text.
CREATE TABLE IF NOT EXISTS items (
    key TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    name_id INTEGER,
    server_id INTEGER,
    uri_id INTEGER,
    bytes BIGINT,
    input_bytes BIGINT,
    message_id INTEGER,
    after_id INTEGER,
    position BIGINT,
    detail TEXT
);
CREATE INDEX IF NOT EXISTS items_by_message ON items (message_id);

-- Items before the first message of a chain: nothing else tells their session.
CREATE TABLE IF NOT EXISTS openings (
    item_key TEXT NOT NULL,
    session_id INTEGER NOT NULL,
    PRIMARY KEY (item_key, session_id)
);

-- The client's own totals, against which the ledger is reconciled.
CREATE TABLE IF NOT EXISTS client_totals (
    session_id INTEGER NOT NULL,
    model TEXT NOT NULL,
    input_tokens BIGINT NOT NULL,
    output_tokens BIGINT NOT NULL,
    cache_read_tokens BIGINT NOT NULL,
    cache_write_tokens BIGINT NOT NULL,
    web_search_requests BIGINT NOT NULL,
    cost_pico BIGINT NOT NULL,
    PRIMARY KEY (session_id, model)
);

-- How far each file was read.
CREATE TABLE IF NOT EXISTS files (
    path TEXT PRIMARY KEY,
    inode BIGINT NOT NULL,
    modified_ns BIGINT NOT NULL,
    size BIGINT NOT NULL,
    read_to BIGINT NOT NULL,
    fingerprint TEXT NOT NULL,
    chains TEXT NOT NULL,
    lines BIGINT NOT NULL,
    malformed_lines BIGINT NOT NULL,
    unusable_lines BIGINT NOT NULL
);

-- Messages before this time were deleted at the user's wish, and are not taken again.
CREATE TABLE IF NOT EXISTS retention (
    kept_from BIGINT NOT NULL
);

-- Sums by session, model and quarter of an hour, kept in the transaction that changes a message:
-- derived from messages, never the source of anything.
CREATE TABLE IF NOT EXISTS totals (
    session_id INTEGER NOT NULL,
    quarter BIGINT NOT NULL,   -- at / 900000
    model TEXT NOT NULL,       -- '' where a message names none
    messages BIGINT NOT NULL,
    partial_messages BIGINT NOT NULL,
    unpriced_messages BIGINT NOT NULL,
    tool_uses BIGINT NOT NULL,
    input_tokens BIGINT NOT NULL,
    output_tokens BIGINT NOT NULL,
    cache_read_tokens BIGINT NOT NULL,
    cache_write_5m_tokens BIGINT NOT NULL,
    cache_write_1h_tokens BIGINT NOT NULL,
    cost_pico BIGINT NOT NULL,
    no_cache_pico BIGINT NOT NULL,
    write_premium_pico BIGINT NOT NULL,
    PRIMARY KEY (session_id, quarter, model)
);
CREATE INDEX IF NOT EXISTS totals_by_quarter ON totals (quarter);

-- The same over all sessions: what a report by time needs does not grow with the history.
CREATE TABLE IF NOT EXISTS quarters (
    quarter BIGINT NOT NULL,
    model TEXT NOT NULL,
    messages BIGINT NOT NULL,
    partial_messages BIGINT NOT NULL,
    unpriced_messages BIGINT NOT NULL,
    tool_uses BIGINT NOT NULL,
    input_tokens BIGINT NOT NULL,
    output_tokens BIGINT NOT NULL,
    cache_read_tokens BIGINT NOT NULL,
    cache_write_5m_tokens BIGINT NOT NULL,
    cache_write_1h_tokens BIGINT NOT NULL,
    cost_pico BIGINT NOT NULL,
    no_cache_pico BIGINT NOT NULL,
    write_premium_pico BIGINT NOT NULL,
    PRIMARY KEY (quarter, model)
);

-- A message as people read it: names for ids.
DROP VIEW IF EXISTS ledger;
CREATE VIEW ledger AS
SELECT m.key, m.at, m.input_tokens, m.output_tokens, m.cache_read_tokens,
    m.cache_write_5m_tokens, m.cache_write_1h_tokens, m.web_search_requests,
    m.web_fetch_requests, m.model, s.session_id, project.name AS project, cwd.name AS cwd,
    branch.name AS git_branch, m.source, m.stop_reason, m.service_tier, m.speed,
    m.inference_geo, m.version, m.entrypoint, m.agent_id, m.is_sidechain, m.attribution,
    m.category, m.metadata, m.cost_pico, m.no_cache_pico, m.write_premium_pico, m.unpriced,
    m.session_id AS session_row
FROM messages AS m
JOIN sessions AS s ON s.id = m.session_id
LEFT JOIN names AS project ON project.id = s.project_id
LEFT JOIN names AS cwd ON cwd.id = m.cwd_id
LEFT JOIN names AS branch ON branch.id = m.branch_id;
