"""Claude Code's transcripts: `projects/**/*.jsonl` under its configuration folders."""

from token_tracking.sources.claude_code.folders import claude_folders, transcripts
from token_tracking.sources.claude_code.reader import read_file

__all__ = ["claude_folders", "read_file", "transcripts"]
