"""Claude Code itself, where it is installed."""
