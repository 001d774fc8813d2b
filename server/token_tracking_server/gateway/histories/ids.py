"""The ids of sessions."""

import re
from typing import Final
from uuid import uuid4

SESSION_ID: Final = r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$"
"""What an id may be: it stands in addresses and headers."""

_ID: Final = re.compile(SESSION_ID[:-1] + r"\Z")


def is_session_id(text: object) -> bool:
    """Whether a session may be called so."""
    return isinstance(text, str) and _ID.match(text) is not None


def new_session_id() -> str:
    """One that nobody can guess."""
    return f"session-{uuid4()}"
