"""Rate limiters under load, each in processes of its own: libraries in an environment of theirs.

A process (`python -m benchmarks.limiter_peers`, or `....ours` for token-tracking) takes one
argument, a `load.Task` in JSON. It writes `ready`, reads the time to start (seconds since 1970),
and answers with one line of JSON: `{"taken": [[time, tokens], ...]}` under load (ours also
`granted`, the same by Redis' clock), or `{"microseconds": n, "bytes": n}` where its speed is
measured.
"""

PEERS = {
    "throttled_sliding_window": "throttled-py, sliding window",
    "throttled_token_bucket": "throttled-py, token bucket",
    "throttled_gcra": "throttled-py, GCRA",
    "limits_moving": "limits, moving window",
    "limits_sliding": "limits, sliding window counter",
    "pyrate_log": "pyrate-limiter, sliding window log",
    "pyrate_gcra": "pyrate-limiter, GCRA",
}
"""The libraries' ways that can be asked for tokens at all; fixed windows pass twice their limit."""

OURS = "token_tracking"
"""The one that is measured beside them."""
