"""LiteLLM's proxy, pinned, in an environment of its own: what our gateway is held against."""
