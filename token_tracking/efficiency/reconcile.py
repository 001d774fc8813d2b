"""The ledger against the client's own totals: what of the difference is explained, and by what.

A client's total (`ClientTotal`, of `cost-state` lines) is cumulative over its session: a session
that is resumed goes on from the total before. It covers calls that stand in no line, such as those
that name a session or check a command, often of a smaller model; and it knows the final output of
every answer. What it was reckoned at are the client's own prices.
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from msgspec import Struct
from msgspec.structs import replace

from token_tracking.efficiency.reconciliation import (
    LedgerSums,
    ModelReconciliation,
    SessionReconciliation,
)
from token_tracking.efficiency.snapshot import Reconciled
from token_tracking.pricing import normalize_model, usd
from token_tracking.reading import ClientTotal
from token_tracking.shares import Facts, quarter_of
from token_tracking.usage import SYNTHETIC_MODEL

if TYPE_CHECKING:
    from token_tracking.efficiency.attribution import Attribution, Conversation
    from token_tracking.efficiency.partial import PartialEstimate

_CENT: Final = 10**10
"""Pico-USD: smaller differences are not talked about."""


def reconcile_session(
    ledger: Mapping[str, LedgerSums],
    client_totals: Iterable[ClientTotal],
    partial_pico: int = 0,
    unseen_pico: int = 0,
    inherited_messages: int = 0,
) -> SessionReconciliation | None:
    """A session's own messages, by model, against the client's total; `None` where it told none.

    Models are the same by any of their names (`claude-x[1m]`, with a date or without).
    `partial_pico` and `unseen_pico` are estimates of the whole session. Of the
    `inherited_messages`, which the ledger counts with the session they come from, the client may
    have gone on from that session's total: no line tells, so they are a reason and no figure.
    """
    client = _client_by_model(client_totals)
    if not client:
        return None
    own = _ledger_by_model(ledger)
    models = tuple(
        _compared(model, client.get(model), own.get(model)) for model in sorted({*client, *own})
    )
    client_pico = sum(each.client_pico or 0 for each in models)
    ledger_pico = sum(each.ledger_pico or 0 for each in models)
    only_pico = sum(each.client_pico or 0 for each in models if each.ledger_pico is None)
    rest = client_pico - ledger_pico - partial_pico - unseen_pico - only_pico
    unpriced = sum(sums.unpriced_messages for sums in ledger.values())
    return SessionReconciliation(
        client_pico=client_pico,
        ledger_pico=ledger_pico,
        partial_pico=partial_pico,
        unseen_pico=unseen_pico,
        client_only_pico=only_pico,
        unexplained_pico=rest,
        unpriced_messages=unpriced,
        models=models,
        reasons=tuple(_reasons(models, rest, unpriced, inherited_messages)),
    )


def client_facts(
    ledger: Mapping[str, LedgerSums],
    client_totals: Iterable[ClientTotal],
    conversation: "Conversation",
    attribution: "Attribution",
    estimates: "Iterable[PartialEstimate]",
) -> Facts:
    """A session against the client's total, as facts; nothing where it told none."""
    found = reconcile_session(
        ledger,
        client_totals,
        sum(each.pico_more or 0 for each in estimates),
        unseen_calls_pico(conversation, attribution),
    )
    return Facts() if found is None else found.facts()


def reconciled_session(
    ledger: Mapping[str, LedgerSums],
    client_totals: Sequence[ClientTotal],
    facts: Facts,
    inherited_messages: int = 0,
) -> Reconciled:
    """A session whose facts (`client_facts`) are known, with all reasons."""
    plain = reconcile_session(ledger, client_totals)
    if plain is None or not facts.client_sessions:
        return reconciled(Facts(), 1)
    found = reconcile_session(
        ledger,
        client_totals,
        facts.client_partial_pico,
        facts.client_unseen_pico - plain.client_only_pico,
        inherited_messages,
    )
    assert found is not None
    return replace(reconciled(found.facts(), 0), reasons=list(found.reasons))


def unseen_calls_pico(conversation: "Conversation", attribution: "Attribution") -> int:
    """What the calls that stand in no line cost at least, in pico-USD: writing what later requests
    read and no known one wrote (`Facts.unseen_write_tokens`), for five minutes, at the lowest rate
    of the quarter of an hour. What they read, and what they answered, nothing tells."""
    rates: dict[int, int] = {}
    for message in conversation.messages:
        if message.is_own and message.rates is not None and message.usage.prompt_tokens:
            quarter, rate = quarter_of(message.at), message.rates.cache_write_5m
            rates[quarter] = min(rate, rates.get(quarter, rate))
    return sum(
        facts.unseen_write_tokens * rates.get(quarter, 0)
        for quarter, facts in attribution.facts.items()
    )


def reconciled(facts: Facts, sessions_without: int) -> Reconciled:
    """The sessions of a period against their clients' totals, which end in it.

    `sessions_without` have no total, and are in no figure. Money is `None` where no session has
    one. What models cost that only the client knows is with the calls that stand in no line.
    """
    if not facts.client_sessions:
        return Reconciled(
            sessions=0,
            sessions_without_total=sessions_without,
            client_usd=None,
            ledger_usd=None,
            difference_usd=None,
            partial_output_usd=None,
            unseen_calls_usd=None,
            unexplained_usd=None,
            reasons=_without(sessions_without),
        )
    difference = facts.client_pico - facts.client_ledger_pico
    rest = difference - facts.client_partial_pico - facts.client_unseen_pico
    return Reconciled(
        sessions=facts.client_sessions,
        sessions_without_total=sessions_without,
        client_usd=usd(facts.client_pico),
        ledger_usd=usd(facts.client_ledger_pico),
        difference_usd=usd(difference),
        partial_output_usd=usd(facts.client_partial_pico),
        unseen_calls_usd=usd(facts.client_unseen_pico),
        unexplained_usd=usd(rest),
        reasons=[*_rest_reasons(rest, facts.client_pico), *_without(sessions_without)],
    )


class _Side(Struct):
    """The counts of one model on one side."""

    pico: int = 0
    input: int = 0
    output: int = 0
    read: int = 0
    write: int = 0


def _client_by_model(totals: Iterable[ClientTotal]) -> dict[str, _Side]:
    sides: dict[str, _Side] = {}
    for total in totals:
        side = sides.setdefault(normalize_model(total.model), _Side())
        side.pico += total.cost_pico
        side.input += total.input_tokens
        side.output += total.output_tokens
        side.read += total.cache_read_tokens
        side.write += total.cache_write_tokens
    return sides


def _ledger_by_model(ledger: Mapping[str, LedgerSums]) -> dict[str, _Side]:
    sides: dict[str, _Side] = {}
    for model, sums in ledger.items():
        if model == SYNTHETIC_MODEL or not sums.messages:
            continue
        side = sides.setdefault(normalize_model(model), _Side())
        side.pico += sums.cost_pico
        side.input += sums.input_tokens
        side.output += sums.output_tokens
        side.read += sums.cache_read_tokens
        side.write += sums.cache_write_tokens
    return sides


def _compared(model: str, client: _Side | None, own: _Side | None) -> ModelReconciliation:
    there, here = client or _Side(), own or _Side()
    return ModelReconciliation(
        model=model,
        client_pico=None if client is None else client.pico,
        ledger_pico=None if own is None else own.pico,
        input_tokens_more=there.input - here.input,
        output_tokens_more=there.output - here.output,
        cache_read_tokens_more=there.read - here.read,
        cache_write_tokens_more=there.write - here.write,
    )


def _reasons(
    models: Iterable[ModelReconciliation], rest: int, unpriced: int, inherited: int
) -> Iterable[str]:
    for each in models:
        if each.ledger_pico is None:
            yield f"{each.model}: only the client knows of it (background calls)."
        elif each.client_pico is None:
            yield f"{each.model}: only the ledger knows of it; the client's total came before."
        elif each.tokens_agree and abs(each.client_pico - each.ledger_pico) >= _CENT:
            yield f"{each.model}: the tokens agree, and the client reckoned with other prices."
        elif not each.tokens_agree:
            yield f"{each.model}: the client counts {_more(each)}."
    if unpriced:
        noun = "message has" if unpriced == 1 else "messages have"
        yield f"{unpriced:,} {noun} no price here, and the client had one."
    if inherited:
        yield (
            f"The session begins with a copy of another's messages ({inherited:,}), which count"
            " there: the client may have gone on from that session's total."
        )
    yield from _rest_reasons(rest)


def _more(model: ModelReconciliation) -> str:
    kinds = (
        ("input", model.input_tokens_more),
        ("output", model.output_tokens_more),
        ("cache read", model.cache_read_tokens_more),
        ("cache write", model.cache_write_tokens_more),
    )
    return ", ".join(
        f"{abs(count):,} {'more' if count > 0 else 'fewer'} {kind} tokens"
        for kind, count in kinds
        if count
    )


def _rest_reasons(rest: int, client_pico: int | None = None) -> Iterable[str]:
    if abs(rest) < _CENT:
        return
    part = f" ({abs(rest) / client_pico:.1%} of its total)" if client_pico else ""
    if rest > 0:
        yield (
            f"The client has ${_dollars(rest)} more than is explained{part}: background calls that"
            " left no trace, or transcripts that were deleted before they were read."
        )
    else:
        yield (
            f"The ledger has ${_dollars(-rest)} more than the client{part}: sessions that went on"
            " after their last total, totals that began anew, or estimates that are too high."
        )


def _dollars(pico: int) -> str:
    return f"{usd(pico).quantize(Decimal('0.01')):,}"


def _without(sessions: int) -> list[str]:
    if not sessions:
        return []
    noun = "session has" if sessions == 1 else "sessions have"
    why = "earlier versions wrote none, nor do sessions that were cut off"
    return [f"{sessions:,} {noun} no total of the client's: {why}."]
