"""`token-tracking count`."""

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from token_tracking.counting import AnthropicCounter, Multiplier, TokenCount, TokenCounter
from token_tracking.errors import SourceError, StoreError
from token_tracking.location import default_location, locate
from token_tracking_server.cli import output
from token_tracking_server.cli.output import plain
from token_tracking_server.settings import Settings

STDIN: Final = "-"
_UTF_16: Final = (b"\xff\xfe", b"\xfe\xff")


async def run(
    settings: Settings,
    files: Sequence[str],
    model: str | None,
    *,
    reference: bool,
    as_json: bool,
) -> int:
    """Count the tokens of each file, and of all together."""
    counter = await _counter(settings, model, reference=reference)
    counts = [(file, await counter.count(_text(file), model)) for file in files]
    if as_json:
        output.json(
            {
                "model": model,
                "files": [{"file": file, **_fields(count)} for file, count in counts],
                "total": _fields(total([count for _, count in counts])),
            }
        )
    else:
        _print(counts)
    return 0


async def _counter(settings: Settings, model: str | None, *, reference: bool) -> TokenCounter:
    if not reference:
        return TokenCounter({} if model is None else await _learned(settings))
    if model is None:
        raise SourceError("--reference needs a model: add --model, such as claude-opus-4-6.")
    counter = TokenCounter()
    counter.plug_in(AnthropicCounter(model))
    return counter


async def _learned(settings: Settings) -> Mapping[str, Multiplier]:
    """What the ledger has learned. A count makes no ledger, and does not need one."""
    given = settings.database
    place = default_location(os.environ) if given is None else locate(given)
    if not place.path.exists():
        return {}
    from token_tracking.store import TokenStore

    try:
        async with TokenStore.opened(given) as store:
            return await store.multipliers()
    except StoreError as error:
        print(f"token-tracking: nothing learned is used: {error}", file=sys.stderr)  # noqa: T201
        return {}


def _text(file: str) -> str:
    """The text of a file, or of standard input.

    Raises:
        SourceError: it cannot be read, or is not UTF-8.
    """
    name = "Standard input" if file == STDIN else plain(file)
    try:
        content = sys.stdin.buffer.read() if file == STDIN else Path(file).read_bytes()
    except OSError as error:
        raise SourceError(f"{name} cannot be read: {error.strerror or error}.") from error
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        what = "UTF-16" if content.startswith(_UTF_16) else "binary, or in another encoding"
        raise SourceError(
            f"{name} is not UTF-8 text (byte {error.start:,}): it is {what}. Convert it, such as"
            " with: iconv -f ENCODING -t UTF-8 FILE."
        ) from error


def total(counts: Sequence[TokenCount]) -> TokenCount:
    """Several counts as one, as good as the worst of them."""
    methods = dict.fromkeys(count.method for count in counts)
    errors = [count.error_p95 for count in counts]
    known = [error for error in errors if error is not None]
    return TokenCount(
        tokens=sum(count.tokens for count in counts),
        method=", ".join(methods),
        exact=all(count.exact for count in counts),
        error_p95=max(known) if len(known) == len(errors) else None,
    )


def _fields(count: TokenCount) -> dict[str, Any]:
    return {
        "tokens": count.tokens,
        "method": count.method,
        "exact": count.exact,
        "error_p95": count.error_p95,
    }


def _print(counts: Sequence[tuple[str, TokenCount]]) -> None:
    together = total([count for _, count in counts])
    rows = [(f"{count.tokens:,}", plain(file)) for file, count in counts]
    if len(rows) > 1:
        rows.append((f"{together.tokens:,}", "total"))
    width = max(len(tokens) for tokens, _ in rows)
    for tokens, name in rows:
        output.line(f"{tokens:>{width}}  {name}")
    output.line(f"{together.method}: {_quality(together)}")


def _quality(count: TokenCount) -> str:
    if count.exact:
        return "exact."
    if count.error_p95 is None:
        return "an estimate of unknown error."
    return f"an estimate; 19 in 20 are within {count.error_p95:.1%}."
