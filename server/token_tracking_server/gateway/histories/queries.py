"""The statements of the store of sessions."""

from typing import Final

COLUMNS: Final = (
    "id",
    "form",
    "model",
    "upstream",
    "strategy",
    "budget",
    "system",
    "tools",
    "created_at",
    "used_at",
    "expires_at",
    "messages",
    "bytes",
)
"""What `add` writes."""

BILLED: Final = ("requests", "prompt_tokens", "output_tokens", "unbilled")
"""What `bill` adds to."""

_ALL: Final = ", ".join((*COLUMNS, *BILLED))

GET: Final = f"SELECT {_ALL} FROM sessions WHERE id = ? AND expires_at > ?"
LIST: Final = (
    f"SELECT {_ALL} FROM sessions WHERE expires_at > ? ORDER BY used_at DESC, id LIMIT ? OFFSET ?"
)
COUNT: Final = "SELECT count(*) FROM sessions WHERE expires_at > ?"
POSITION: Final = "SELECT messages FROM sessions WHERE id = ?"
LATEST: Final = f"SELECT {_ALL} FROM sessions WHERE id = ?"
LAST_MESSAGE: Final = (
    "SELECT message FROM session_messages WHERE session = ? ORDER BY position DESC LIMIT 1"
)
PUT: Final = (
    f"INSERT INTO sessions ({', '.join(COLUMNS)}) VALUES ({', '.join('?' for _ in COLUMNS)})"
    " ON CONFLICT (id) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in COLUMNS[1:])
)
MESSAGES: Final = "SELECT message FROM session_messages WHERE session = ? ORDER BY position"
ADD_MESSAGE: Final = "INSERT INTO session_messages (session, position, message) VALUES (?, ?, ?)"
DELETE: Final = "DELETE FROM sessions WHERE id = ? AND expires_at > ? RETURNING id"
DELETE_EXPIRED_ONE: Final = "DELETE FROM sessions WHERE id = ? AND expires_at <= ? RETURNING id"
EXPIRE: Final = "DELETE FROM sessions WHERE expires_at <= ? RETURNING id"
BILL: Final = (
    "UPDATE sessions SET requests = requests + 1, prompt_tokens = prompt_tokens + ?,"
    " output_tokens = output_tokens + ?, unbilled = unbilled + ? WHERE id = ?"
)
