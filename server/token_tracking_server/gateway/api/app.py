"""The application, made of one router for each of its nouns."""

from typing import Final

from fastapi import FastAPI
from starlette.types import Receive, Scope, Send

from token_tracking import __version__
from token_tracking_server.gateway.agents.routes import agents_router
from token_tracking_server.gateway.api.chat import Chat, chat_router
from token_tracking_server.gateway.api.health import health_router
from token_tracking_server.gateway.api.limits import BodyLimit
from token_tracking_server.gateway.api.models import models_router
from token_tracking_server.gateway.api.problems import PROBLEMS, answer_problems
from token_tracking_server.gateway.api.sessions import sessions_router
from token_tracking_server.gateway.api.tokens import tokens_router
from token_tracking_server.gateway.conversations.routes import conversations_router
from token_tracking_server.gateway.services import Services

_DESCRIPTION: Final = """\
What the gateway answers itself. Requests to `/v1/...` are passed on to an upstream and are not
described here. All amounts of tokens are whole numbers, money is USD; what is unknown is null."""


class Api(FastAPI):
    """FastAPI for everything but the chat routes, which it only describes: what it wraps around
    an answer would stand between an upstream and its caller."""

    chat: Chat

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        answer = self.chat if self.chat.takes(scope) else super().__call__
        await answer(scope, receive, send)


def create_api(services: Services) -> FastAPI:
    """The gateway's own API. It has no page of documentation: those load scripts from elsewhere;
    `/openapi.json` describes it."""
    api = Api(
        title="token-tracking gateway",
        version=__version__,
        description=_DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        responses=PROBLEMS,
        separate_input_output_schemas=False,
    )
    api.chat = Chat(services)
    answer_problems(api, services.gauges)
    api.add_middleware(BodyLimit, gauges=services.gauges)
    api.include_router(chat_router())
    for router in (
        sessions_router,
        tokens_router,
        models_router,
        conversations_router,
        agents_router,
        health_router,
    ):
        api.include_router(router(services))
    return api
