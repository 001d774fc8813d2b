"""Errors that speak of limits: what providers write into the bodies of their refusals.

The texts are those that OpenAI, Groq, Anthropic, Gemini, vLLM and llama.cpp return. Only the
error's own message is read, as a request's text may be quoted beside it. Errors of bad requests
quote it in the message too (`Invalid value: '...'`): of a 400 nothing is learnt that others than
its own request feel, and limits are read from whole sentences only.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final, Literal, cast

import msgspec
from msgspec import Struct

from token_tracking.limits.rate.learning.durations import duration
from token_tracking.limits.rate.learning.headers import (
    INPUT,
    MAX_LIMIT,
    MIN_TOKENS,
    OUTPUT,
    REQUESTS,
    TOKENS,
)

MAX_BODY: Final = 65_536
MAX_MESSAGE: Final = 4_096
"""Bytes and characters that are looked at: an error is short."""

TOO_LARGE: Final = 413
LIMITED: Final = 429


class Refusal(Struct, frozen=True, kw_only=True):
    """What a text says; the fields are those of `Learned`. `limit_kind` is which of our counts
    `limit` is a minute's limit of, if it is. With `is_daily` the day's requests are used up."""

    kind: Literal["rate", "too_large"] | None = None
    retry_after: float | None = None
    shrink_to: int | None = None
    requested: int | None = None
    includes_output: bool = False
    limit: int | None = None
    limit_kind: int | None = None
    is_daily: bool = False


_N: Final = r"([0-9][0-9,]{0,14})"
_CONTEXT: Final = rf"maximum context length is (?P<limit>{_N}) tokens.{{0,80}}"
_REQUESTED: Final = rf"{_CONTEXT}requested (?P<both>{_N}) tokens"
_PARTS: Final = rf" \((?P<prompt>{_N}) [^)]{{0,80}}?(?P<output>{_N}) [^)]{{0,40}}\)"
_PASSED: Final = rf"passed (?P<prompt>{_N}) input tokens and requested (?P<output>{_N}) output"
_OVERFLOWS: Final = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"prompt is too long: (?P<prompt>{_N}) tokens > (?P<limit>{_N})",
        rf"exceed context limit: (?P<prompt>{_N}) \+ (?P<output>{_N}) > (?P<limit>{_N})",
        _REQUESTED + _PARTS,
        _REQUESTED,
        rf"{_CONTEXT}in (?P<prompt>{_N}) tokens",
        rf"{_PASSED} tokens.{{0,80}}context length is only (?P<limit>{_N})",
        rf"\((?P<prompt>{_N})\) exceeds model's maximum context length \((?P<limit>{_N})\)",
        rf"\((?P<prompt>{_N}) tokens\) exceeds the available context size \((?P<limit>{_N})",
        rf"input token count \((?P<prompt>{_N})\) exceeds the maximum .{{0,40}}\((?P<limit>{_N})\)",
    )
)
_OVERFLOW_WORDS: Final = frozenset(
    {"context_length_exceeded", "exceed_context_size_error", "request_too_large"}
)
_BARE_OVERFLOW: Final = re.compile(
    r"[^'\"`]{0,120}?(?:(?:this model's )?maximum context length|exceeds the context window"
    r"|prompt is too long)",
    re.IGNORECASE,
)
"""Without numbers, and not behind a quotation mark."""
_LIMIT_REQUESTED: Final = re.compile(
    r"(?:rate limit reached|request too large) (?:for|on) .{0,400}?\((?P<unit>[A-Z]{3,5})\): "
    rf"limit:? (?P<limit>{_N})\b(?:, used:? {_N})?,? requested:? (?P<requested>{_N})\b",
    re.IGNORECASE,
)
_DAY_OF_REQUESTS: Final = "RPD"
_KINDS: Final = {"RPM": REQUESTS, "TPM": TOKENS, "ITPM": INPUT, "OTPM": OUTPUT}
_RATE_OF: Final = re.compile(
    rf"this request would exceed (?:the|your organization's) rate limit .{{0,100}}?of {_N}"
    r" (requests|input tokens|output tokens|tokens) per minute",
    re.IGNORECASE,
)
_WORDS: Final = {"requests": REQUESTS, "input tokens": INPUT, "output tokens": OUTPUT}
_TRY_AGAIN: Final = re.compile(
    r"please (?:try again|retry) in ((?:[0-9][0-9.]{0,12}(?:ms|[dhms])){1,5})", re.IGNORECASE
)


def refusal(status: int, body: bytes) -> Refusal:
    """Read an error's body. Never raises."""
    error = _error(body[:MAX_BODY])
    words = {str(error.get(name)) for name in ("code", "type", "status")}
    quotas = list(_quotas(error))
    if "insufficient_quota" in words or any("PerDay" in quota for quota in quotas):
        return Refusal()
    message = str(error.get("message") or "")[:MAX_MESSAGE]
    found = _overflow(message, words)
    if found is None and status in {TOO_LARGE, LIMITED}:
        found = _limit(message)
    if found is not None:
        return found
    if status == TOO_LARGE:
        return Refusal(kind="too_large")
    if status == LIMITED:
        return _rate(message, error)
    return Refusal()


def _overflow(message: str, words: set[str]) -> Refusal | None:
    """The request against the model's context."""
    for pattern in _OVERFLOWS:
        if found := pattern.search(message):
            return _overflowing({name: _integer(text) for name, text in found.groupdict().items()})
    if words & _OVERFLOW_WORDS or _BARE_OVERFLOW.match(message):
        return Refusal(kind="too_large")
    return None


def _overflowing(numbers: Mapping[str, int]) -> Refusal | None:
    limit, output = numbers["limit"], numbers.get("output", 0)
    requested = numbers.get("prompt", numbers.get("both", 0))
    if not MIN_TOKENS <= limit <= MAX_LIMIT or requested + output <= limit:
        return None
    return Refusal(
        kind="too_large",
        shrink_to=limit - output if output < limit else None,
        requested=requested,
        includes_output="prompt" not in numbers,
        limit=limit,
    )


def _limit(message: str) -> Refusal | None:
    """The request against a rate limit: "Limit 6000, Used 5000, Requested 9000"."""
    found = _LIMIT_REQUESTED.match(message)
    if found is None:
        return None
    limit, requested, unit = _integer(found["limit"]), _integer(found["requested"]), found["unit"]
    kind = _believed(limit, _KINDS.get(unit))
    if requested > limit:
        is_sane = limit >= MIN_TOKENS
        return Refusal(
            kind="too_large",
            shrink_to=limit if is_sane else None,
            requested=requested if is_sane else None,
            includes_output=True,
            limit=limit,
            limit_kind=kind,
        )
    return Refusal(
        kind="rate",
        retry_after=_wait(message),
        limit=limit,
        limit_kind=kind,
        is_daily=unit == _DAY_OF_REQUESTS,
    )


def _rate(message: str, error: Mapping[str, object]) -> Refusal:
    found = _RATE_OF.match(message)
    limit = _integer(found[1]) if found else None
    kind = _believed(limit, _WORDS.get(found[2].lower(), TOKENS)) if found and limit else None
    wait = _wait(message)
    return Refusal(
        kind="rate",
        retry_after=_retry_delay(error) if wait is None else wait,
        limit=limit,
        limit_kind=kind,
    )


def _believed(limit: int, kind: int | None) -> int | None:
    lowest = 1 if kind == REQUESTS else MIN_TOKENS
    return kind if lowest <= limit <= MAX_LIMIT else None


def _wait(message: str) -> float | None:
    found = _TRY_AGAIN.search(message)
    return duration(found[1]) if found else None


def _integer(text: str | None) -> int:
    return int((text or "0").replace(",", ""))


def _error(body: bytes) -> Mapping[str, object]:
    """The object that holds the message; of what is no JSON, the text is the message."""
    try:
        found: object = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        return {"message": body[:MAX_MESSAGE].decode(errors="replace")}
    # A list is Gemini's, at its endpoint in OpenAI's form.
    several = cast("list[object]", found) if isinstance(found, list) else [found]
    outer = _mapping(several[0] if several else None)
    inner = outer.get("error")
    return {"message": inner} if isinstance(inner, str) else _mapping(inner) or outer


def _details(error: Mapping[str, object]) -> Iterator[Mapping[str, object]]:
    details = error.get("details")
    if isinstance(details, list):
        yield from map(_mapping, cast("list[object]", details))


def _quotas(error: Mapping[str, object]) -> Iterator[str]:
    """Names of Google's quotas that were passed."""
    for detail in _details(error):
        violations = detail.get("violations")
        if isinstance(violations, list):
            for violation in cast("list[object]", violations):
                yield str(_mapping(violation).get("quotaId"))


def _retry_delay(error: Mapping[str, object]) -> float | None:
    for detail in _details(error):
        delay = detail.get("retryDelay")
        if isinstance(delay, str):
            return duration(delay)
    return None


def _mapping(value: object) -> Mapping[str, object]:
    return cast("Mapping[str, object]", value) if isinstance(value, dict) else {}
