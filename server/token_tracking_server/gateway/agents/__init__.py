"""Agents of the gateway's conversations: a model, a system prompt and a budget by a name."""
