"""Other libraries' ways to shorten conversations, each run in an environment of its own.

`client` starts the process and talks to it; all else here is that process, which imports nothing
of token-tracking. Both sides speak JSON, one object a line:

    {"op": "open", "peer": NAME, "model": MODEL, "system_tokens": n}
        -> {"settings": text, "versions": {...}, "error": null or text}
    {"op": "prepare", "keep": K, "add": [messages], "usage": null or {...}}
        -> {"messages": [...], "ms": n, "extra": {...} or null, "note": ..., "error": ...}

The history of a request is the first `keep` messages of the one before, then `add`, in Anthropic's
form. `usage` is what the last answer in `add` was billed: `{"input_tokens", "output_tokens"}`.
`ms` is spent inside the library's call alone. A message of the answer that is the original one is
`{"ref": number}`. `extra` is a request of the peer's own, such as a summary's: its tokens. `note`
says what the peer did beside its task; `error` that it raised, and then there are no messages.
"""

PEERS = {
    "langchain_trim": "langchain_peers",
    "langchain_trim_documented": "langchain_peers",
    "langchain_clear": "langchain_peers",
    "langchain_summary": "langchain_peers",
    "langchain_summary_fraction": "langchain_peers",
    "langchain_nothing": "langchain_peers",
    "litellm_trim": "litellm_peer",
    "litellm_trim_100k": "litellm_peer",
    "litellm_nothing": "litellm_peer",
}
"""Each peer and its module. The two that do nothing only convert: there and back again."""

MAX_TOKENS = 100_000
"""The limit given to those that have none of their own: ClearToolUsesEdit's default trigger."""
