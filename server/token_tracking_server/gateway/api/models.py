"""`GET /models`: what the upstreams' models take and cost."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from token_tracking_server.gateway.api.catalog import Catalog, KnownModel
from token_tracking_server.gateway.services import Services


class Prices(BaseModel):
    """USD per million tokens, today, at the standard tier, for prompts of ordinary length: some
    models cost more from a length on."""

    input: float
    output: float
    cache_read: float
    cache_write_5m: float
    cache_write_1h: float
    source: str


class ModelOut(BaseModel):
    """A model. What no source tells is null."""

    id: str
    upstream: str
    context_window: int | None = Field(description="Tokens.")
    max_output_tokens: int | None = Field(
        description="Tokens; null where no source tells them, as for all models but Claude's."
    )
    prices: Prices | None
    why_no_prices: str | None


class ModelList(BaseModel):
    """Models that the configured upstreams are known to serve. Others can be asked for as well."""

    models: list[ModelOut]


def models_router(services: Services) -> APIRouter:
    """Windows, limits and prices."""
    router = APIRouter(prefix="/models", tags=["models"])
    catalog = Catalog(services.config.upstreams, services.prices)

    @router.get("", summary="Context windows, maximum output, and prices")
    async def list_models(
        upstream: Annotated[
            str | None, Query(max_length=100, description="Only those of one upstream.")
        ] = None,
    ) -> ModelList:
        names = [each.name for each in services.config.upstreams]
        if upstream is not None and upstream not in names:
            raise HTTPException(404, f"There is no such upstream: use {', '.join(names)}.")
        found = await asyncio.to_thread(catalog.models)
        return ModelList(
            models=[model_shown(each) for each in found if upstream in (None, each.upstream)]
        )

    _ = list_models
    return router


def model_shown(model: KnownModel) -> ModelOut:
    """A model as the API tells it."""
    prices = model.rates and Prices(
        **{
            name: getattr(model.rates, name) / 1e6  # pico-USD a token: USD a million, exactly
            for name in ("input", "output", "cache_read", "cache_write_5m", "cache_write_1h")
        },
        source=model.rates.source,
    )
    return ModelOut(
        id=model.id,
        upstream=model.upstream,
        context_window=model.context_window,
        max_output_tokens=model.max_output_tokens,
        prices=prices,
        why_no_prices=model.why_no_rates,
    )
