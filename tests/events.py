"""Random sightings, for laws."""

from hypothesis import strategies as st
from msgspec.json import encode

from token_tracking.extra_usage import ExtraUsage
from token_tracking.usage import ContentItem, Place, Usage, UsageEvent

KEYS = ("msg_1", "msg_2", "msg_3")
PARENTS = ("msg_p", "msg_q")
"""Messages that are there before any other: a parent stands earlier in its file."""
SESSIONS = ("s1", "s2", "s3")
MODELS = ("claude-opus-4-6", "claude-haiku-5-5", "claude-sonnet-5-5", "nobody-knows")


def _extra(*outputs: int) -> str:
    usages = [Usage(output_tokens=output) for output in outputs]
    model = "claude-opus-4-6"
    return encode(
        [ExtraUsage(type="advisor_message", model=model, usage=usage) for usage in usages]
    ).decode()


EXTRA = (_extra(5), _extra(1000), _extra(900, 1), _extra(9, 20))

_counts = st.integers(0, 50) | st.sampled_from([99_999, 100_000, 100_001, 10**7])
_names = st.sampled_from([None, "a", "b"])

usages = st.builds(
    Usage,
    input_tokens=_counts,
    output_tokens=_counts,
    cache_read_tokens=_counts,
    cache_write_5m_tokens=_counts,
    cache_write_1h_tokens=_counts,
    web_search_requests=st.integers(0, 2),
    web_fetch_requests=st.integers(0, 2),
)

_places = st.builds(
    Place,
    session_id=st.sampled_from(SESSIONS),
    timestamp=st.integers(0, 3) | st.integers(1_760_000_000_000, 1_760_000_000_003),
    cwd=_names,
    git_branch=_names,
    parent=st.sampled_from([None, *PARENTS]),
)


@st.composite
def events(draw: st.DrawFn, key: str | None = None) -> UsageEvent:
    """A sighting in one session, as a source yields it."""
    place = draw(_places)
    stop_reason = draw(st.sampled_from([None, "", "end_turn", "tool_use"]))
    return UsageEvent(
        key=key or draw(st.sampled_from(KEYS)),
        usage=draw(usages),
        timestamp=place.timestamp,
        source=draw(st.sampled_from(["claude_code", "track"])),
        model=draw(st.sampled_from([None, *MODELS])),
        terms_final=stop_reason is not None,
        stop_reason=stop_reason,
        service_tier=draw(st.sampled_from([None, "standard", "batch"])),
        speed=draw(st.sampled_from([None, "standard"])),
        inference_geo=draw(st.sampled_from([None, "us"])),
        version=draw(_names),
        entrypoint=draw(_names),
        agent_id=draw(_names),
        is_sidechain=draw(st.booleans()),
        attribution=draw(_names),
        category=draw(_names),
        metadata=draw(_names),
        text_bytes=draw(st.integers(0, 3)),
        thinking_bytes=draw(st.integers(0, 3)),
        extra=draw(st.sampled_from([None, *EXTRA])),
        places=(place,),
    )


parents = [
    UsageEvent(
        key=key,
        usage=Usage(output_tokens=1),
        timestamp=1,
        source="claude_code",
        model="claude-opus-4-6",
        places=(Place(session_id="s0", timestamp=1),),
    )
    for key in PARENTS
]

sessions = [
    UsageEvent(
        key=f"msg_{session}",
        usage=Usage(output_tokens=1),
        timestamp=2,
        source="claude_code",
        places=(Place(session_id=session, timestamp=2),),
    )
    for session in SESSIONS
]
"""A message of each session, so that it is known before an item names it."""

items = st.builds(
    ContentItem,
    key=st.sampled_from(["toolu_1", "toolu_2"]),
    kind=st.sampled_from(["tool", "user"]),
    name=_names,
    server=_names,
    uri=_names,
    bytes=st.none() | st.integers(0, 3),
    input_bytes=st.none() | st.integers(0, 3),
    message=st.sampled_from([None, *PARENTS]),
    after=st.sampled_from([None, *PARENTS]),
    position=st.none() | st.integers(0, 3),
    detail=_names,
    sessions=st.sampled_from([(), ("s1",), ("s2",)]),
)
