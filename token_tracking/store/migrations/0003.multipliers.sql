-- How many of a model's tokens one token of o200k_base stands for, as it was learned from what was
-- billed. Errors are relative, measured on sessions that were not learned from. Times are
-- milliseconds since 1970 UTC.
-- depends: 0001.ledger

CREATE TABLE IF NOT EXISTS multipliers (
    model TEXT PRIMARY KEY,
    multiplier DOUBLE PRECISION NOT NULL,
    error_median DOUBLE PRECISION NOT NULL,
    error_p95 DOUBLE PRECISION NOT NULL,
    samples BIGINT NOT NULL,
    learned_at BIGINT NOT NULL
);
