"""Conversations that the gateway keeps: history, documents and budgets, answered by agents."""
