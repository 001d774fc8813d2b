-- Sessions whose history the gateway keeps. Times are milliseconds since 1970 UTC.

CREATE TABLE sessions (
    id TEXT PRIMARY KEY,
    form TEXT NOT NULL CHECK (form IN ('anthropic', 'openai')),
    model TEXT NOT NULL,
    upstream TEXT NOT NULL,
    strategy TEXT NOT NULL,
    budget TEXT,
    system TEXT,
    tools TEXT,
    created_at INTEGER NOT NULL,
    used_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    messages INTEGER NOT NULL DEFAULT 0,
    bytes INTEGER NOT NULL DEFAULT 0,
    requests INTEGER NOT NULL DEFAULT 0,
    prompt_tokens INTEGER NOT NULL DEFAULT 0,
    output_tokens INTEGER NOT NULL DEFAULT 0,
    unbilled INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE INDEX sessions_by_expiry ON sessions (expires_at);
CREATE INDEX sessions_by_use ON sessions (used_at DESC);

CREATE TABLE session_messages (
    session TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    message TEXT NOT NULL,
    PRIMARY KEY (session, position)
) STRICT, WITHOUT ROWID;
