"""Conversations for attribution: random ones for the law, and plain ones for behaviour."""

from hypothesis import strategies as st

from token_tracking.efficiency.attribution import Conversation, Entry, Message, Removal
from token_tracking.pricing import Rates
from token_tracking.usage import SYNTHETIC_MODEL, Usage

RATES = Rates(5_000_000, 25_000_000, 500_000, 6_250_000, 10_000_000, None, "a list")
CHEAP = Rates(100, 500, 3, 125, 201, None, "a list")
MODELS = {"claude-opus-4-6": RATES, "claude-haiku-5-5": CHEAP, "nobody-knows": None}

_CHAINS = st.sampled_from(["", "", "agent"])
_TOKENS = st.sampled_from([0, 0, 1, 2, 50]) | st.integers(0, 1_000) | st.integers(0, 10**9)
_BYTES = st.sampled_from([0, 1]) | st.integers(0, 5_000) | st.integers(0, 10**8)
_STEP_MS = 4 * 60 * 1000
"""Four steps are more than a quarter of an hour, and two more than a cache lasts."""
_AT = st.integers(0, 20).map(lambda step: step * _STEP_MS)
_POSITIONS = st.integers(0, 5)


def message(
    key: str,
    parent: str | None = None,
    *,
    read: int = 0,
    write: int = 0,
    hour: int = 0,
    fresh: int = 0,
    output: int = 10,
    at: int | None = None,
    **fields: object,
) -> Message:
    """A message of one model, with a prompt of `read`, `write` and `fresh` tokens."""
    given = {
        "model": "claude-opus-4-6",
        "rates": RATES,
        "at": int(key[1:]) if at is None else at,
        "usage": Usage(
            input_tokens=fresh,
            output_tokens=output,
            cache_read_tokens=read,
            cache_write_5m_tokens=write,
            cache_write_1h_tokens=hour,
        ),
        **fields,
    }
    return Message(key=key, parent=parent, **given)  # pyright: ignore[reportArgumentType]


@st.composite
def _usages(draw: st.DrawFn) -> Usage:
    if draw(st.integers(0, 9)) == 0:
        return Usage(output_tokens=draw(_TOKENS))
    return Usage(
        input_tokens=draw(_TOKENS),
        output_tokens=draw(_TOKENS),
        cache_read_tokens=draw(_TOKENS),
        cache_write_5m_tokens=draw(_TOKENS),
        cache_write_1h_tokens=draw(_TOKENS),
    )


@st.composite
def _growing(draw: st.DrawFn, count: int) -> list[Usage]:
    """Usages as a client has them: mostly growing, mostly read from the cache."""
    usages: list[Usage] = []
    before = draw(st.integers(1, 20_000))
    for _ in range(count):
        size = max(1, before + draw(st.integers(-300, 3_000) | st.integers(-20_000, 0)))
        lapsed = draw(st.integers(0, 4)) == 0
        read = 0 if lapsed else min(size, before + draw(st.sampled_from([0, 0, 0, -100, 90])))
        read = max(0, read)
        fresh = draw(st.integers(0, size - read))
        hour = draw(st.integers(0, size - read - fresh))
        usages.append(
            Usage(
                input_tokens=fresh,
                output_tokens=draw(st.integers(0, 2_000)),
                cache_read_tokens=read,
                cache_write_1h_tokens=hour,
                cache_write_5m_tokens=size - read - fresh - hour,
            )
        )
        before = size
    return usages


@st.composite
def conversations(draw: st.DrawFn) -> Conversation:
    """Any conversation: with missing parents, cycles, several roots, wrong clocks."""
    count = draw(st.integers(1, 8))
    keys = [f"m{index}" for index in range(count)]
    is_plain = draw(st.booleans())
    usages = draw(_growing(count) if is_plain else st.lists(
        _usages(), min_size=count, max_size=count))  # fmt: skip
    any_key = st.sampled_from([*keys, "gone"])
    messages: list[Message] = []
    for index, key in enumerate(keys):
        before = keys[index - 1] if index else None
        model = draw(st.sampled_from([*MODELS, SYNTHETIC_MODEL, None]))
        messages.append(
            Message(
                key=key,
                at=index * _STEP_MS if is_plain else draw(_AT),
                usage=usages[index],
                parent=before if is_plain and draw(st.booleans()) else draw(st.none() | any_key),
                chain="" if is_plain else draw(_CHAINS),
                model=model,
                rates=MODELS.get(model or ""),
                is_final=draw(st.booleans()),
                is_own=draw(st.integers(0, 3)) > 0,
                is_linked=draw(st.booleans()),
                visible_bytes=draw(_BYTES),
                thinking_bytes=draw(_BYTES),
            )
        )
    names = st.sampled_from([f"e{index}" for index in range(8)])
    entries = st.lists(
        st.builds(
            Entry,
            key=names,
            kind=st.sampled_from(["tool", "user", "meta", "summary", "attachment", "image"]),
            uri=st.sampled_from([None, "/a.png", "/a.py"]),
            bytes=st.none() | _BYTES,
            after=st.none() | any_key,
            call=st.none() | any_key,
            position=_POSITIONS,
            at=st.none() | _AT,
            chain=st.none() | _CHAINS,
        ),
        max_size=8,
        unique_by=lambda entry: entry.key,
    )
    removals = st.lists(
        st.builds(
            Removal,
            after=st.none() | any_key,
            position=_POSITIONS,
            removed=st.none() | st.frozensets(names),
            kept=st.frozensets(names),
            kept_lines=st.integers(0, 5),
        ),
        max_size=2,
    )
    return Conversation(messages=messages, entries=draw(entries), removals=draw(removals))
