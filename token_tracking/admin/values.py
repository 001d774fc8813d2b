"""The organisation's reports as values. Days are UTC, counted from 1970-01-01."""

from typing import Literal

from msgspec import Struct

from token_tracking.usage import Usage

Source = Literal["analytics", "reports"]
"""`analytics`: the Usage and Cost Analytics API. `reports`: the older usage and cost reports."""


class UsageRow(Struct, frozen=True, kw_only=True):
    """What was used on a day, of a model, with an API key (its id; `None` for usage without)."""

    day: int
    model: str | None
    api_key: str | None
    usage: Usage


class CostRow(Struct, frozen=True, kw_only=True):
    """What was paid on a day, of a model (`None` for what is no model's, such as searches), in
    pico-USD. `list_pico` is the same before discounts, `None` where the report does not tell it."""

    day: int
    model: str | None
    pico: int
    list_pico: int | None


class OrganizationReport(Struct, frozen=True, kw_only=True):
    """The days from `first_day` up to, not including, `end_day`. `cost` is `None` where only usage
    could be had, and `problem` says why."""

    source: Source
    first_day: int
    end_day: int
    usage: list[UsageRow]
    cost: list[CostRow] | None
    problem: str | None = None


class ClaudeCodeRow(Struct, frozen=True, kw_only=True):
    """What one user or API key (`actor`) used on a day through Claude Code, of one model, and what
    that is estimated to have cost at list prices, in pico-USD."""

    day: int
    model: str
    actor: str
    tokens: int
    pico: int
