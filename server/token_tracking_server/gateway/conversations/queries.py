"""The queries over conversations."""

from typing import Final

ADD_CONVERSATION: Final = """
INSERT INTO conversations (id, user, agent, title, metadata, created_at, updated_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6)
"""

_CONVERSATION: Final = """
SELECT
    id, user, agent, title, metadata,
    (SELECT count(*) FROM conversation_messages WHERE conversation_id = conversations.id),
    created_at, updated_at
FROM conversations
"""

READ: Final = f"{_CONVERSATION} WHERE id = ?"

LIST: Final = f"""
{_CONVERSATION}
WHERE ?1 IS NULL OR user = ?1
ORDER BY updated_at DESC, id
LIMIT ?2 OFFSET ?3
"""

MESSAGES: Final = """
SELECT id, position, role, content, agent, created_at
FROM conversation_messages
WHERE conversation_id = ?1 AND (?2 IS NULL OR position < ?2)
ORDER BY position DESC
LIMIT ?3
"""

LAST_POSITION: Final = """
SELECT (
    SELECT coalesce(max(position), -1) FROM conversation_messages WHERE conversation_id = ?1
)
FROM conversations WHERE id = ?1
"""

ADD_MESSAGE: Final = """
INSERT INTO conversation_messages (conversation_id, position, id, role, content, agent, created_at)
VALUES (?, ?, ?, ?, ?, ?, ?)
"""

ADD_BILL: Final = """
INSERT INTO conversation_bills (
    id, conversation_id, kind, agent, model, prompt_tokens, completion_tokens, cost_pico_usd,
    is_whole, created_at
)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""

TOUCH: Final = "UPDATE conversations SET updated_at = ? WHERE id = ?"

CLEAR: Final = "DELETE FROM conversation_messages WHERE conversation_id = ?"

DELETE: Final = "DELETE FROM conversations WHERE id = ?"

_SUMS: Final = """
    coalesce(sum(bills.kind = 'answer'), 0),
    coalesce(sum(bills.kind = 'summary'), 0),
    coalesce(sum(1 - bills.is_whole), 0),
    count(bills.id) - count(bills.prompt_tokens),
    count(bills.id) - count(bills.cost_pico_usd),
    coalesce(sum(bills.prompt_tokens), 0),
    coalesce(sum(bills.completion_tokens), 0),
    coalesce(sum(bills.cost_pico_usd), 0)
"""

SUMS_OF_CONVERSATION: Final = f"""
SELECT {_SUMS} FROM conversation_bills AS bills WHERE conversation_id = ?
"""

SUMS_OF_USER: Final = f"""
SELECT count(DISTINCT conversations.id), {_SUMS}
FROM conversations
LEFT JOIN conversation_bills AS bills ON bills.conversation_id = conversations.id
WHERE ?1 IS NULL OR conversations.user = ?1
"""
