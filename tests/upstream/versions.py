"""What differs between versions of the API (`anthropic-version`).

2026-10-21 no longer takes sampling parameters, documents directly in an assistant's message, nor
citations on a user's text (the API's page on that migration; its wording of the refusals is not
published).
"""

from tests.upstream.errors import invalid
from tests.upstream.values import Json, blocks, objects

OLD = "2023-06-01"
NEW = "2026-10-21"
_SAMPLING = ("temperature", "top_p", "top_k")


def check_version(version: str | None) -> None:
    """Check the header. Raises `Refusal` (400)."""
    if version is None:
        raise invalid("anthropic-version: header is required")
    if version not in (OLD, NEW):
        raise invalid(f'anthropic-version: "{version}" is not a valid version')


def check_for_version(request: Json, version: str) -> None:
    """Check what only the newer version refuses. Raises `Refusal` (400)."""
    if version == OLD:
        return
    for name in _SAMPLING:
        if name in request:
            raise invalid(f"{name}: Extra inputs are not permitted")
    for number, message in enumerate(objects(request["messages"])):
        for place, block in enumerate(blocks(message["content"])):
            _check_block(f"messages.{number}.content.{place}", message["role"], block)


def _check_block(where: str, role: str, block: Json) -> None:
    if role == "assistant" and block["type"] == "document":
        raise invalid(f"{where}: `document` blocks can only be in `user` messages")
    if role == "user" and block["type"] == "text" and block.get("citations"):
        raise invalid(f"{where}.text.citations: Extra inputs are not permitted")
