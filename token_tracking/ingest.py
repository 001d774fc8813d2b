"""From transcripts to the ledger: finds what changed, reads it, saves it."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from msgspec import Struct

from token_tracking.reading import FoundFile, Reading, stored_path
from token_tracking.sources.claude_code import claude_folders, read_file, transcripts
from token_tracking.store import TokenStore
