"""`/sessions`: what the gateway keeps of conversations that asked for it."""

from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from token_tracking_server.gateway.api.times import Moment, moment
from token_tracking_server.gateway.histories import SESSION_ID, Session
from token_tracking_server.gateway.services import Services

SessionId = Annotated[str, Path(pattern=SESSION_ID, description="The session's id.")]


class SessionOut(BaseModel):
    """A session. Its tokens are what was billed for its requests so far."""

    id: str
    form: Literal["anthropic", "openai"] = Field(description="Whose form its messages have.")
    model: str = Field(description="The model that was asked last.")
    upstream: str
    strategy: str = Field(description="How the window manager keeps it within the model's window.")
    created_at: Moment
    used_at: Moment
    expires_at: Moment
    messages: int = Field(description="How many messages its history has.")
    requests: int = Field(description="How many were answered, summaries among them.")
    prompt_tokens: int
    output_tokens: int
    unbilled_requests: int = Field(description="Requests whose response told no usage.")


class SessionDetail(SessionOut):
    """A session, with its messages where they were asked for."""

    history: list[Any] | None = Field(
        description="The messages in order, in the session's form; null unless `history=true`."
    )


class SessionList(BaseModel):
    """Sessions, the last used first."""

    sessions: list[SessionOut]
    total: int = Field(description="How many there are.")


def sessions_router(services: Services) -> APIRouter:
    """Listing, reading and deleting sessions."""
    router = APIRouter(prefix="/sessions", tags=["sessions"])
    histories = services.histories

    @router.get("", summary="Sessions that have not expired")
    async def list_sessions(
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
        offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
    ) -> SessionList:
        found = await histories.list(limit=limit, offset=offset)
        return SessionList(
            sessions=[SessionOut(**_fields(each)) for each in found], total=await histories.count()
        )

    @router.get("/{session_id}", summary="One session")
    async def get_session(
        session_id: SessionId,
        history: Annotated[bool, Query(description="Also its messages.")] = False,
    ) -> SessionDetail:
        session = await histories.get(session_id)
        if session is None:
            raise _no_session(session_id)
        messages = await histories.messages(session_id) if history else None
        return SessionDetail(**_fields(session), history=messages)

    @router.delete("/{session_id}", status_code=204, summary="Delete a session and its text")
    async def delete_session(session_id: SessionId) -> Response:
        if not await histories.delete(session_id):
            raise _no_session(session_id)
        return Response(status_code=204)

    _ = (list_sessions, get_session, delete_session)
    return router


def _fields(session: Session) -> dict[str, Any]:
    fields: dict[str, Any] = msgspec.structs.asdict(session)
    for name in ("created_at", "used_at", "expires_at"):
        fields[name] = moment(fields[name])
    fields["unbilled_requests"] = fields.pop("unbilled")
    return {name: fields[name] for name in SessionOut.model_fields}


def _no_session(session_id: str) -> HTTPException:
    return HTTPException(
        404,
        f"There is no session {session_id}: it expired, was deleted, or never was. GET"
        " /sessions lists those that there are.",
    )
