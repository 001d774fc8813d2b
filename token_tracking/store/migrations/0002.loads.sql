-- Just-in-time content: what was loaded from a library, and how large the library was. Names and
-- sizes, never text. Times are milliseconds since 1970 UTC; tokens are as `method` counts them.
-- depends: 0001.ledger

-- A library at a moment. overhead_tokens are those of the tools' definitions, which every request
-- carries.
CREATE TABLE libraries (
    id INTEGER PRIMARY KEY,
    fingerprint TEXT NOT NULL,
    documents BIGINT NOT NULL,
    tokens BIGINT NOT NULL,
    overhead_tokens BIGINT NOT NULL,
    method TEXT NOT NULL,
    at BIGINT NOT NULL,              -- when it was first seen so; loads tell when it was seen again
    UNIQUE (fingerprint, documents, tokens, overhead_tokens, method)
);

-- What a server answered. session_id is what it believed: a transcript that shows the call
-- (tool_use_id, or else the nearest time) knows better, and is asked at every reading. Ids of
-- calls that do not begin with toolu_ mean a call within their session only.
CREATE TABLE loads (
    session_id INTEGER NOT NULL,
    at BIGINT NOT NULL,
    kind TEXT NOT NULL,              -- 'load'; 'search': an index; 'notice': why nothing came
    uri_id INTEGER NOT NULL,
    category TEXT NOT NULL,
    tokens BIGINT NOT NULL,          -- of the content alone
    overhead_tokens BIGINT NOT NULL, -- of the rest of the answer
    method TEXT NOT NULL,
    tool_use_id TEXT,
    answer TEXT NOT NULL,            -- the server's own id of the answer; '' where it gave none
    library_id INTEGER
);
CREATE INDEX loads_by_session ON loads (session_id, uri_id, at);
CREATE UNIQUE INDEX loads_by_call ON loads (tool_use_id, uri_id, session_id)
    WHERE tool_use_id IS NOT NULL;
CREATE UNIQUE INDEX loads_by_answer ON loads (answer, uri_id) WHERE answer <> '';
CREATE INDEX loads_by_time ON loads (at);

-- The few items that say when content left a context.
CREATE INDEX items_of_compactions ON items (key) WHERE kind IN ('compact', 'microcompact');
