-- Agents, conversations and what their answers were billed. Times are milliseconds since 1970 UTC;
-- money is pico-USD.
-- depends: 0001.sessions

CREATE TABLE agents (
    name TEXT PRIMARY KEY,
    settings TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

CREATE TABLE conversations (
    id TEXT PRIMARY KEY,
    user TEXT NOT NULL,
    agent TEXT NOT NULL,
    title TEXT,
    metadata TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

CREATE INDEX conversations_by_user ON conversations (user, updated_at DESC);
CREATE INDEX conversations_by_time ON conversations (updated_at DESC);

CREATE TABLE conversation_messages (
    conversation_id TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    id TEXT NOT NULL UNIQUE,
    role TEXT NOT NULL CHECK (role IN ('user', 'assistant')),
    content TEXT NOT NULL,
    agent TEXT,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (conversation_id, position)
) STRICT, WITHOUT ROWID;

-- One row for each response that was asked for: an answer, or a summary of what came before it. It
-- stays when the messages are cleared. What is not known is NULL.
CREATE TABLE conversation_bills (
    id TEXT PRIMARY KEY,
    conversation_id TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    kind TEXT NOT NULL CHECK (kind IN ('answer', 'summary')),
    agent TEXT NOT NULL,
    model TEXT,
    prompt_tokens INTEGER,
    completion_tokens INTEGER,
    cost_pico_usd INTEGER,
    is_whole INTEGER NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE INDEX conversation_bills_of ON conversation_bills (conversation_id);
