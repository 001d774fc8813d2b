-- Quotas and what was used of them. Tokens are prompt and output together; money is whole pico-USD
-- (10^-12 USD); times are milliseconds since 1970 UTC. Keys of an API never stand here: only their
-- fingerprints.

-- What the gateway that was started last was told, so that other programs can show it.
CREATE TABLE quotas (
    subject TEXT NOT NULL,
    name TEXT NOT NULL,
    period TEXT NOT NULL,
    tokens INTEGER,
    pico INTEGER,
    is_hard INTEGER NOT NULL,
    allows_unpriced INTEGER NOT NULL,
    alert_at TEXT NOT NULL,
    timezone TEXT NOT NULL,
    PRIMARY KEY (subject, name, period)
);

-- One user, agent, project or key in one day, week or month. Of `estimated` requests the bill is
-- not known: they count with what was reserved. `unpriced` ones are not in the money.
CREATE TABLE accounts (
    id INTEGER PRIMARY KEY,
    subject TEXT NOT NULL,
    name TEXT NOT NULL,
    period TEXT NOT NULL,
    starts_at INTEGER NOT NULL,
    resets_at INTEGER NOT NULL,
    tokens INTEGER NOT NULL DEFAULT 0 CHECK (typeof(tokens) = 'integer'),
    pico INTEGER NOT NULL DEFAULT 0 CHECK (typeof(pico) = 'integer'),
    requests INTEGER NOT NULL DEFAULT 0,
    unpriced INTEGER NOT NULL DEFAULT 0,
    estimated INTEGER NOT NULL DEFAULT 0,
    first_at INTEGER,
    UNIQUE (subject, name, period, starts_at)
);
CREATE INDEX accounts_by_end ON accounts (resets_at);

-- What requests under way may use at most. A process renews its own; those of a dead one expire.
CREATE TABLE reserved (
    account INTEGER NOT NULL,
    reservation INTEGER NOT NULL,
    holder TEXT NOT NULL,
    tokens INTEGER NOT NULL,
    pico INTEGER,
    begun_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (account, reservation)
) WITHOUT ROWID;

-- Each level of a quota, once per window. `used` and `most` are tokens or pico-USD, as `measure`
-- says. A process claims what it is about to tell, so that no two do.
CREATE TABLE alerts (
    id INTEGER PRIMARY KEY,
    subject TEXT NOT NULL,
    name TEXT NOT NULL,
    period TEXT NOT NULL,
    measure TEXT NOT NULL,
    kind TEXT NOT NULL,
    share REAL NOT NULL,
    used INTEGER NOT NULL,
    most INTEGER NOT NULL,
    is_hard INTEGER NOT NULL,
    starts_at INTEGER NOT NULL,
    resets_at INTEGER NOT NULL,
    raised_at INTEGER NOT NULL,
    claimed_until INTEGER NOT NULL DEFAULT 0,
    told_at INTEGER,
    UNIQUE (subject, name, period, measure, starts_at, kind, share)
);
CREATE INDEX alerts_untold ON alerts (raised_at) WHERE told_at IS NULL;
