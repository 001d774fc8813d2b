-- Attribution, stored by session, and what is kept of it and of messages by UTC day: sums that no
-- question has to add up from the beginning. Money is integer pico-USD, times are milliseconds
-- since 1970 UTC, a quarter is time / 900000, a block is quarter / 24, a day is quarter / 96. Where
-- nothing is named, the row of a name is 0; the row of all projects together is -1.
-- depends: 0004.attribution

-- One row: how often the ledger was changed.
CREATE TABLE IF NOT EXISTS revisions (
    value BIGINT NOT NULL
);
INSERT INTO revisions (value) SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM revisions);

-- Sessions that changed since they were attributed, and the revision that changed them last.
CREATE TABLE IF NOT EXISTS due (
    session_id INTEGER PRIMARY KEY,
    since BIGINT NOT NULL
);

-- What an item is: a tool, an answer of a model, ..., in the chain of an agent; and the stem of its
-- path or URI (shares.uri_stem), so that a category needs no list of paths.
CREATE TABLE IF NOT EXISTS tools (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    name_id INTEGER NOT NULL,
    server_id INTEGER NOT NULL,
    agent_id INTEGER NOT NULL,
    stem TEXT NOT NULL,
    UNIQUE (kind, name_id, server_id, agent_id, stem)
);

-- The same with a path or URI.
CREATE TABLE IF NOT EXISTS labels (
    id INTEGER PRIMARY KEY,
    tool_id INTEGER NOT NULL,
    uri_id INTEGER NOT NULL,
    UNIQUE (tool_id, uri_id)
);
CREATE INDEX IF NOT EXISTS labels_by_uri ON labels (uri_id) WHERE uri_id <> 0;

-- How a session was attributed, by which version of the algorithm, or why it was not (problem).
-- first_at and last_at are when its first and its last item entered; top_* are the largest of its
-- items: no other session has to be read to find the largest of all.
CREATE TABLE IF NOT EXISTS attributions (
    session_id INTEGER PRIMARY KEY,
    version BIGINT NOT NULL,
    prompt_tokens BIGINT NOT NULL,
    prompt_pico BIGINT,
    details TEXT NOT NULL,
    problem TEXT,
    first_at BIGINT,
    last_at BIGINT,
    top_cost BIGINT NOT NULL,
    top_tokens BIGINT NOT NULL,
    top_carried BIGINT NOT NULL
);
CREATE INDEX IF NOT EXISTS attributions_by_version ON attributions (version);
CREATE INDEX IF NOT EXISTS attributions_by_end ON attributions (last_at);
CREATE INDEX IF NOT EXISTS attributions_by_cost ON attributions (top_cost);
CREATE INDEX IF NOT EXISTS attributions_by_tokens ON attributions (top_tokens);
CREATE INDEX IF NOT EXISTS attributions_by_carried ON attributions (top_carried);

-- One row an item of a session. Its id is the key of message_id, or else item.
CREATE TABLE IF NOT EXISTS item_shares (
    session_id INTEGER NOT NULL,
    number INTEGER NOT NULL,
    message_id INTEGER,
    item TEXT,
    label_id INTEGER NOT NULL,
    entered_at BIGINT,
    entered_with INTEGER,      -- a message
    requests BIGINT NOT NULL,
    tokens BIGINT,
    prompt_tokens BIGINT NOT NULL,
    cost_pico BIGINT,
    no_cache_pico BIGINT,
    first_pico BIGINT,
    is_measured SMALLINT NOT NULL,
    has_uri SMALLINT NOT NULL, -- of its label
    PRIMARY KEY (session_id, number)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS item_shares_by_label ON item_shares (label_id) WHERE has_uri = 1;

-- What the items of one label cost a session in a quarter of an hour.
CREATE TABLE IF NOT EXISTS share_quarters (
    quarter BIGINT NOT NULL,
    session_id INTEGER NOT NULL,
    label_id INTEGER NOT NULL,
    loads BIGINT NOT NULL,
    tokens BIGINT NOT NULL,
    carried BIGINT NOT NULL,
    prompt_tokens BIGINT NOT NULL,
    cost_pico BIGINT NOT NULL,
    no_cache_pico BIGINT NOT NULL,
    first_pico BIGINT NOT NULL,
    PRIMARY KEY (quarter, session_id, label_id)
) WITHOUT ROWID;

-- What was remarkable about a session in a quarter of an hour. There is a row for each quarter that
-- share_quarters has of it.
CREATE TABLE IF NOT EXISTS fact_quarters (
    session_id INTEGER NOT NULL,
    quarter BIGINT NOT NULL,
    requests BIGINT NOT NULL,
    hit_requests BIGINT NOT NULL,
    unread_write_tokens BIGINT NOT NULL,
    unread_write_pico BIGINT NOT NULL,
    lapses BIGINT NOT NULL,
    lapse_tokens BIGINT NOT NULL,
    lapse_pico BIGINT NOT NULL,
    switches BIGINT NOT NULL,
    switch_tokens BIGINT NOT NULL,
    switch_pico BIGINT NOT NULL,
    unseen_writes BIGINT NOT NULL,
    unseen_write_tokens BIGINT NOT NULL,
    unseen_write_pico BIGINT NOT NULL,
    partial_messages BIGINT NOT NULL,
    partial_tokens BIGINT NOT NULL,
    partial_pico BIGINT NOT NULL,
    jit_requests BIGINT NOT NULL,
    jit_prompt_tokens BIGINT NOT NULL,
    jit_baseline_tokens BIGINT NOT NULL,
    jit_priced BIGINT NOT NULL,
    jit_saved_pico BIGINT NOT NULL,
    client_sessions BIGINT NOT NULL,
    client_pico BIGINT NOT NULL,
    client_ledger_pico BIGINT NOT NULL,
    client_partial_pico BIGINT NOT NULL,
    client_unseen_pico BIGINT NOT NULL,
    jit_cost_pico BIGINT NOT NULL,
    jit_uncached_saved_pico BIGINT NOT NULL,
    PRIMARY KEY (session_id, quarter)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS fact_quarters_by_quarter ON fact_quarters (quarter);

-- Money that a session need not have spent.
CREATE TABLE IF NOT EXISTS findings (
    session_id INTEGER NOT NULL,
    number INTEGER NOT NULL,
    kind TEXT NOT NULL,
    subject_id INTEGER NOT NULL,
    at BIGINT NOT NULL,
    pico BIGINT NOT NULL,
    tokens BIGINT NOT NULL,
    count BIGINT NOT NULL,
    is_measured SMALLINT NOT NULL,
    item TEXT,
    is_first SMALLINT NOT NULL, -- of its kind and subject in the session
    PRIMARY KEY (session_id, number)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS findings_by_time ON findings (at);
CREATE INDEX IF NOT EXISTS findings_by_money ON findings (kind, subject_id, pico, at);
CREATE INDEX IF NOT EXISTS findings_again ON findings (at) WHERE is_first = 0;

-- Sums over sessions, kept in the transaction that changes what they sum up: for each project, and
-- for all of them together. first_block and last_block are the first and the last that have any.
CREATE TABLE IF NOT EXISTS label_blocks (
    project_id INTEGER NOT NULL,
    label_id INTEGER NOT NULL,
    block BIGINT NOT NULL,
    loads BIGINT NOT NULL,
    tokens BIGINT NOT NULL,
    carried BIGINT NOT NULL,
    prompt_tokens BIGINT NOT NULL,
    cost_pico BIGINT NOT NULL,
    no_cache_pico BIGINT NOT NULL,
    first_pico BIGINT NOT NULL,
    PRIMARY KEY (project_id, label_id, block)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS label_blocks_by_time ON label_blocks (project_id, block);

CREATE TABLE IF NOT EXISTS label_sums (
    project_id INTEGER NOT NULL,
    label_id INTEGER NOT NULL,
    loads BIGINT NOT NULL,
    tokens BIGINT NOT NULL,
    carried BIGINT NOT NULL,
    prompt_tokens BIGINT NOT NULL,
    cost_pico BIGINT NOT NULL,
    no_cache_pico BIGINT NOT NULL,
    first_pico BIGINT NOT NULL,
    first_block BIGINT NOT NULL,
    last_block BIGINT NOT NULL,
    PRIMARY KEY (project_id, label_id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS label_sums_by_cost
    ON label_sums (project_id, cost_pico, first_block, last_block);
CREATE INDEX IF NOT EXISTS label_sums_by_tokens
    ON label_sums (project_id, tokens, first_block, last_block);
CREATE INDEX IF NOT EXISTS label_sums_by_carried
    ON label_sums (project_id, prompt_tokens, first_block, last_block);

-- Of a path or URI, whatever tool it was of. sort is 1, or 2 for a skill, 3 for an agent.
CREATE TABLE IF NOT EXISTS uri_blocks (
    project_id INTEGER NOT NULL,
    uri_id INTEGER NOT NULL,
    block BIGINT NOT NULL,
    loads BIGINT NOT NULL,
    tokens BIGINT NOT NULL,
    carried BIGINT NOT NULL,
    prompt_tokens BIGINT NOT NULL,
    cost_pico BIGINT NOT NULL,
    no_cache_pico BIGINT NOT NULL,
    first_pico BIGINT NOT NULL,
    PRIMARY KEY (project_id, uri_id, block)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS uri_blocks_by_time ON uri_blocks (project_id, block);

CREATE TABLE IF NOT EXISTS uri_sums (
    project_id INTEGER NOT NULL,
    uri_id INTEGER NOT NULL,
    loads BIGINT NOT NULL,
    tokens BIGINT NOT NULL,
    carried BIGINT NOT NULL,
    prompt_tokens BIGINT NOT NULL,
    cost_pico BIGINT NOT NULL,
    no_cache_pico BIGINT NOT NULL,
    first_pico BIGINT NOT NULL,
    first_block BIGINT NOT NULL,
    last_block BIGINT NOT NULL,
    sort SMALLINT NOT NULL,
    PRIMARY KEY (project_id, uri_id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS uri_sums_by_cost
    ON uri_sums (project_id, sort, cost_pico, first_block, last_block);
CREATE INDEX IF NOT EXISTS uri_sums_by_tokens
    ON uri_sums (project_id, sort, tokens, first_block, last_block);
CREATE INDEX IF NOT EXISTS uri_sums_by_carried
    ON uri_sums (project_id, sort, prompt_tokens, first_block, last_block);
CREATE INDEX IF NOT EXISTS uri_sums_by_end ON uri_sums (project_id, sort, last_block);

-- Of a tool; tool 0 is all together.
CREATE TABLE IF NOT EXISTS tool_blocks (
    project_id INTEGER NOT NULL,
    block BIGINT NOT NULL,
    tool_id INTEGER NOT NULL,
    loads BIGINT NOT NULL,
    tokens BIGINT NOT NULL,
    carried BIGINT NOT NULL,
    prompt_tokens BIGINT NOT NULL,
    cost_pico BIGINT NOT NULL,
    no_cache_pico BIGINT NOT NULL,
    first_pico BIGINT NOT NULL,
    PRIMARY KEY (project_id, block, tool_id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS tool_blocks_of_all ON tool_blocks (block) WHERE tool_id = 0;

CREATE TABLE IF NOT EXISTS tool_days (
    project_id INTEGER NOT NULL,
    day BIGINT NOT NULL,
    tool_id INTEGER NOT NULL,
    loads BIGINT NOT NULL,
    tokens BIGINT NOT NULL,
    carried BIGINT NOT NULL,
    prompt_tokens BIGINT NOT NULL,
    cost_pico BIGINT NOT NULL,
    no_cache_pico BIGINT NOT NULL,
    first_pico BIGINT NOT NULL,
    PRIMARY KEY (project_id, day, tool_id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS tool_days_of_all ON tool_days (day) WHERE tool_id = 0;

CREATE TABLE IF NOT EXISTS tool_sums (
    project_id INTEGER NOT NULL,
    tool_id INTEGER NOT NULL,
    loads BIGINT NOT NULL,
    tokens BIGINT NOT NULL,
    carried BIGINT NOT NULL,
    prompt_tokens BIGINT NOT NULL,
    cost_pico BIGINT NOT NULL,
    no_cache_pico BIGINT NOT NULL,
    first_pico BIGINT NOT NULL,
    PRIMARY KEY (project_id, tool_id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS tool_sums_of_all ON tool_sums (cost_pico) WHERE tool_id = 0;

-- Of findings. findings is how many they are, and sessions how many of them are the first of their
-- kind and subject in their session.
CREATE TABLE IF NOT EXISTS finding_sums (
    project_id INTEGER NOT NULL,
    kind TEXT NOT NULL,
    subject_id INTEGER NOT NULL,
    pico BIGINT NOT NULL,
    tokens BIGINT NOT NULL,
    count BIGINT NOT NULL,
    findings BIGINT NOT NULL,
    measured BIGINT NOT NULL,
    sessions BIGINT NOT NULL,
    PRIMARY KEY (project_id, kind, subject_id)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS finding_days (
    project_id INTEGER NOT NULL,
    day BIGINT NOT NULL,
    kind TEXT NOT NULL,
    subject_id INTEGER NOT NULL,
    pico BIGINT NOT NULL,
    tokens BIGINT NOT NULL,
    count BIGINT NOT NULL,
    findings BIGINT NOT NULL,
    measured BIGINT NOT NULL,
    sessions BIGINT NOT NULL,
    PRIMARY KEY (project_id, day, kind, subject_id)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS fact_days (
    project_id INTEGER NOT NULL,
    day BIGINT NOT NULL,
    requests BIGINT NOT NULL,
    hit_requests BIGINT NOT NULL,
    unread_write_tokens BIGINT NOT NULL,
    unread_write_pico BIGINT NOT NULL,
    lapses BIGINT NOT NULL,
    lapse_tokens BIGINT NOT NULL,
    lapse_pico BIGINT NOT NULL,
    switches BIGINT NOT NULL,
    switch_tokens BIGINT NOT NULL,
    switch_pico BIGINT NOT NULL,
    unseen_writes BIGINT NOT NULL,
    unseen_write_tokens BIGINT NOT NULL,
    unseen_write_pico BIGINT NOT NULL,
    partial_messages BIGINT NOT NULL,
    partial_tokens BIGINT NOT NULL,
    partial_pico BIGINT NOT NULL,
    jit_requests BIGINT NOT NULL,
    jit_prompt_tokens BIGINT NOT NULL,
    jit_baseline_tokens BIGINT NOT NULL,
    jit_priced BIGINT NOT NULL,
    jit_saved_pico BIGINT NOT NULL,
    client_sessions BIGINT NOT NULL,
    client_pico BIGINT NOT NULL,
    client_ledger_pico BIGINT NOT NULL,
    client_partial_pico BIGINT NOT NULL,
    client_unseen_pico BIGINT NOT NULL,
    jit_cost_pico BIGINT NOT NULL,
    jit_uncached_saved_pico BIGINT NOT NULL,
    PRIMARY KEY (project_id, day)
) WITHOUT ROWID;

-- Of messages.
CREATE TABLE IF NOT EXISTS total_days (
    project_id INTEGER NOT NULL,
    day BIGINT NOT NULL,
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
    PRIMARY KEY (project_id, day, model)
) WITHOUT ROWID;

-- The days on which a session has messages.
CREATE TABLE IF NOT EXISTS session_days (
    day BIGINT NOT NULL,
    session_id INTEGER NOT NULL,
    PRIMARY KEY (day, session_id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS session_days_by_session ON session_days (session_id);

CREATE INDEX IF NOT EXISTS sessions_by_end ON sessions (last_at);
CREATE INDEX IF NOT EXISTS sessions_by_project ON sessions (project_id, last_at);

-- A ledger of an earlier version: transcripts that are still there are read again, since which
-- agent a call started, which skill a text is of and which servers are listed was not kept; all of
-- it is due; and its days are summed up.
UPDATE files SET inode = -1, modified_ns = -1;
INSERT INTO due (session_id, since)
SELECT DISTINCT session_id, 0 FROM totals WHERE TRUE
ON CONFLICT (session_id) DO NOTHING;
DELETE FROM total_days;
INSERT INTO total_days (
    project_id, day, model,
    messages, partial_messages, unpriced_messages, tool_uses, input_tokens, output_tokens,
    cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens, cost_pico, no_cache_pico,
    write_premium_pico
)
SELECT COALESCE(s.project_id, 0), t.quarter / 96, t.model,
    SUM(t.messages), SUM(t.partial_messages), SUM(t.unpriced_messages), SUM(t.tool_uses),
    SUM(t.input_tokens), SUM(t.output_tokens), SUM(t.cache_read_tokens),
    SUM(t.cache_write_5m_tokens), SUM(t.cache_write_1h_tokens), SUM(t.cost_pico),
    SUM(t.no_cache_pico), SUM(t.write_premium_pico)
FROM totals AS t
JOIN sessions AS s ON s.id = t.session_id
GROUP BY COALESCE(s.project_id, 0), t.quarter / 96, t.model;
INSERT INTO total_days (
    project_id, day, model,
    messages, partial_messages, unpriced_messages, tool_uses, input_tokens, output_tokens,
    cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens, cost_pico, no_cache_pico,
    write_premium_pico
)
SELECT -1, day, model,
    SUM(messages), SUM(partial_messages), SUM(unpriced_messages), SUM(tool_uses),
    SUM(input_tokens), SUM(output_tokens), SUM(cache_read_tokens), SUM(cache_write_5m_tokens),
    SUM(cache_write_1h_tokens), SUM(cost_pico), SUM(no_cache_pico), SUM(write_premium_pico)
FROM total_days
GROUP BY day, model;
DELETE FROM session_days;
INSERT INTO session_days (day, session_id)
SELECT DISTINCT quarter / 96, session_id FROM totals;
