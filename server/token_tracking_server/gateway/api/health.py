"""`GET /health` and `GET /metrics`."""

from typing import Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field
from yarl import URL

from token_tracking import __version__
from token_tracking_server.gateway.config.values import Upstream
from token_tracking_server.gateway.services import Services


class UpstreamOut(BaseModel):
    """An upstream as it is configured."""

    name: str
    form: Literal["anthropic", "openai"]
    address: str
    key: Literal["environment", "missing", "caller"] = Field(
        description="Whose key it is asked with: that of the environment (or it is missing there),"
        " or the caller's own."
    )


class RecorderOut(BaseModel):
    """What becomes of usage: messages since the gateway started."""

    recorded: int
    drained: int = Field(description="Those that are in the ledger.")
    waiting: int = Field(description="Those that are on disk, and not yet in the ledger.")
    refused: int = Field(description="Those that the ledger would not have.")
    lost: int = Field(description="Those that could be written nowhere.")
    problem: str | None = Field(description="Why some wait or were lost.")


class Health(BaseModel):
    """How the gateway is."""

    ok: bool = Field(description="Whether usage is recorded without a problem.")
    version: str
    upstreams: list[UpstreamOut]
    recorder: RecorderOut


def health_router(services: Services) -> APIRouter:
    """What watches the gateway asks these."""
    router = APIRouter(tags=["health"])

    @router.get("/health", summary="Whether the gateway records what it passes on")
    async def health() -> Health:
        stats = services.recorder.stats
        return Health(
            ok=stats.problem is None and stats.lost == 0,
            version=__version__,
            upstreams=[upstream_shown(each) for each in services.config.upstreams],
            recorder=RecorderOut(
                recorded=stats.recorded,
                drained=stats.drained,
                waiting=stats.waiting,
                refused=stats.refused,
                lost=stats.lost,
                problem=stats.problem,
            ),
        )

    @router.get(
        "/metrics",
        summary="Counters and gauges in Prometheus' form",
        response_class=Response,
        responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
    )
    async def metrics() -> Response:
        services.gauges.sessions(await services.histories.count())
        text, kind = services.gauges.asked_for()
        return Response(text, headers={"content-type": kind})

    _ = (health, metrics)
    return router


def upstream_shown(upstream: Upstream) -> UpstreamOut:
    """An upstream as the API tells it: no password, and no key."""
    key = "caller"
    if upstream.key_env is not None:
        key = "environment" if upstream.own_key() else "missing"
    address = str(URL(upstream.base_url).with_user(None))  # a password may stand there
    return UpstreamOut(name=upstream.name, form=upstream.form, address=address, key=key)
