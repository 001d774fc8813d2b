"""Chat routes whose history the gateway keeps. They answer as the provider's API does."""

from typing import Any, Final

from fastapi import APIRouter, Response
from starlette.types import Receive, Scope, Send

from token_tracking_server.gateway.api.limits import MOST_BYTES
from token_tracking_server.gateway.histories import SESSION_ID
from token_tracking_server.gateway.managing.sessions import SessionChat
from token_tracking_server.gateway.managing.strategies import STRATEGIES
from token_tracking_server.gateway.passing import Passing
from token_tracking_server.gateway.services import Services

PATHS: Final = {"/messages": "Anthropic", "/chat/completions": "OpenAI"}

_BODY: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["model", "messages"],
    "additionalProperties": True,
    "properties": {
        "model": {"type": "string"},
        "messages": {
            "type": "array",
            "items": {"type": "object"},
            "description": "What is new in the session. What came before is put in front of it.",
        },
        "session_id": {
            "type": "string",
            "pattern": SESSION_ID,
            "description": "The session to go on with, or to begin. It can stand in the header"
            " x-token-tracking-session as well; without one a session with a new id is begun.",
        },
        "strategy": {
            "enum": list(STRATEGIES),
            "description": "How the session is kept within the model's window, from now on.",
        },
        "budget": {
            "type": "object",
            "description": "The session's budget in tokens, from now on: max_context_tokens,"
            " max_history_tokens, max_rag_tokens, max_output_tokens; and enable_summarization,"
            " summarize_threshold.",
        },
    },
}

_SESSION: Final = {
    "x-token-tracking-session": {"schema": {"type": "string"}, "description": "The session's id."}
}


class Chat:
    """The chat routes in raw ASGI: bytes go to the caller as they come."""

    def __init__(self, services: Services) -> None:
        chat = SessionChat(
            services.exchanges,
            services.histories,
            services.gauges,
            default_strategy=services.config.default_strategy,
            prices=services.prices,
        )
        most = min(MOST_BYTES, services.config.max_body_bytes)
        self._passing = Passing(
            chat,
            services.upstreams,
            services.gauges,
            most_bytes=most,
            request_seconds=services.config.answer_seconds,
        )

    def takes(self, scope: Scope) -> bool:
        """Whether a request is for one of them."""
        return scope["type"] == "http" and scope["method"] == "POST" and scope["path"] in PATHS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        await self._passing(scope, receive, send, path=f"/v1{scope['path']}")


def chat_router() -> APIRouter:
    """The chat routes as OpenAPI describes them; `Chat` answers."""
    router = APIRouter(tags=["chat"])
    for path, form in PATHS.items():
        router.add_api_route(
            path,
            _described,
            methods=["POST"],
            summary=f"Chat with a session, in {form}'s form",
            description="All fields but session_id, strategy and budget go to the upstream as they"
            " are, and its answer comes back as it is, streamed where that is asked for.",
            response_class=Response,
            responses=_responses(form),
            openapi_extra={
                "requestBody": {
                    "required": True,
                    "content": {"application/json": {"schema": _BODY}},
                }
            },
        )
    return router


async def _described() -> Response:
    raise AssertionError("`Chat` answers this route")


def _responses(form: str) -> dict[int | str, dict[str, Any]]:
    streamed: dict[str, Any] = {"text/event-stream": {"schema": {"type": "string"}}}
    answered: dict[str, Any] = {"application/json": {"schema": {"type": "object"}}, **streamed}
    error: dict[str, Any] = {
        "description": f"An error of the upstream's or the gateway's, in {form}'s form.",
        "content": {"application/json": {}},
    }
    return {
        200: {
            "description": "The upstream's answer.",
            "headers": _SESSION,
            "content": answered,
        },
        422: error,
        "4XX": error,
        "5XX": error,
    }
