"""The replay's cache against a second simulation, which knows prompts by their content alone."""

import random

import pytest

from benchmarks.window_replay.anchor import Anchor
from benchmarks.window_replay.billing import Biller
from benchmarks.window_replay.contents import Contents
from benchmarks.window_replay.lawful import Lawful
from benchmarks.window_replay.outcome import NOTHING
from benchmarks.window_replay.policies import DEFAULT, NONE, ours, usual
from benchmarks.window_replay.replaying import PRICES
from benchmarks.window_replay.subjects import Setting
from benchmarks.window_sessions import Conversation
from tests.benchmarks.window_conversations import BASE, MODEL, Message, agent, conversation, said
from tests.upstream.caching import Cache
from tests.upstream.prompts import Part
from token_tracking.usage import Usage
from token_tracking.window.laws import validate
from token_tracking.window.prompt_cache import MINIMUM_TOKENS, CacheUse


class Server:
    """Bills by content, with the breakpoints that the replay takes."""

    def __init__(self, contents: Contents, ttl: str) -> None:
        self._now = 0.0
        self._contents = contents
        self._ttl = ttl
        self._cache = Cache(lambda: self._now)

    def bill(self, places: list[int], keys: list[bytes], at_ms: int) -> CacheUse:
        self._now = at_ms / 1000
        marks = {place - 1 for place in places}
        blocks = [("base", BASE), *((key.hex(), self._contents.tokens(key)) for key in keys)]
        parts = [
            Part(content, tokens, self._ttl if number in marks else None)
            for number, (content, tokens) in enumerate(blocks)
        ]
        billed = self._cache.bill(MODEL, parts, MINIMUM_TOKENS)
        return CacheUse(billed.read, billed.write_5m, billed.write_1h, billed.fresh)


async def both(talk: Conversation, policy: str, ttl: str) -> list[tuple[CacheUse, CacheUse]]:
    """Each request as the replay bills it, and as the server does."""
    contents = Contents(talk)
    subject = ours()[policy](Setting(MODEL, 200_000, BASE, ttl))
    biller, server = Biller(contents, BASE, PRICES), Server(contents, ttl)
    history: list[Message] = []
    found: list[tuple[CacheUse, CacheUse]] = []
    last: list[bytes] = []
    for request in talk.requests:
        kept = len(history)
        history += request.add
        edited = await subject.prepare(history, kept, request.at_ms)
        keys = contents.keys(edited.messages)
        same = next((n for n, (a, b) in enumerate(zip(keys, last, strict=False)) if a != b), None)
        same = min(len(keys), len(last)) if same is None else same
        used = biller.send(edited.messages, keys, MODEL, request.at_ms)
        places = biller.places(edited.messages, same, len(keys))
        found.append((used[ttl], server.bill(places, keys, request.at_ms)))
        subject.observe(used, request.output_tokens)
        last = keys
    return found


@pytest.mark.parametrize("ttl", ["5m", "1h"])
@pytest.mark.parametrize("policy", [NONE, DEFAULT])
@pytest.mark.parametrize("seed", range(4))
async def test_both_simulations_read_and_write_the_same(seed: int, policy: str, ttl: str) -> None:
    pairs = await both(agent(random.Random(seed), 40), policy, ttl)

    assert [mine for mine, _ in pairs] == [theirs for _, theirs in pairs]
    assert sum(mine.read for mine, _ in pairs) > 0


@pytest.mark.parametrize(("blocks", "is_found"), [(19, True), (20, False)])
def test_the_look_back_counts_the_breakpoints_own_block(blocks: int, is_found: bool) -> None:
    contents = Contents(conversation({"role": "user", "content": []}, said("x")))
    first: list[Message] = [{"role": "user", "content": "one"}]
    contents.add(first[0], [3_000])
    more: list[Message] = [
        {"role": "user", "content": f"more {number}"} for number in range(blocks - 1)
    ]
    marked = {"type": "text", "text": "end", "cache_control": {"type": "ephemeral"}}
    more.append({"role": "user", "content": [marked]})
    for each in more:
        contents.add(each, [100])
    biller, server = Biller(contents, 500, PRICES), Server(contents, "5m")
    start: list[Message] = [{"role": "user", "content": [{**marked, "text": "one"}]}]

    reads: list[tuple[bool, bool]] = []
    for sent in (start, [*first, *more]):
        keys = contents.keys(sent)
        used = biller.send(sent, keys, MODEL, 0)["5m"]
        theirs = server.bill([1 + len(keys)], keys, 0)
        reads.append((used.read > 500, theirs.read > BASE))

    assert reads == [(False, False), (is_found, is_found)]


def test_models_share_no_cache() -> None:
    talk = agent(random.Random(1), 6)
    contents = Contents(talk)
    biller = Biller(contents, BASE, PRICES)
    sent = talk.requests[0].add
    keys = contents.keys(sent)

    reads = [
        biller.send(sent, keys, model, at)["5m"].read
        for at, model in enumerate((MODEL, "claude-haiku-4-5-20251001", MODEL))
    ]

    assert reads == [0, 0, BASE + 1_000]


@pytest.mark.parametrize("name", [NONE, DEFAULT, "clear_every_request", "clear_ungated"])
async def test_laws_by_induction_are_the_laws_of_the_whole(name: str) -> None:
    talk = agent(random.Random(7), 30)
    contents = Contents(talk)
    subject = {**ours(), **usual()}[name](Setting(MODEL, 200_000, BASE, "5m"))
    lawful = Lawful(contents)
    history: list[Message] = []
    for number, request in enumerate(talk.requests):
        kept = len(history)
        history += request.add
        sent = (await subject.prepare(history, kept, request.at_ms)).messages
        if number in (9, 17):  # one that breaks laws, and is followed by others that do not
            sent = sent[1:]
        whole = validate(sent, original=history)
        mine = lawful.broken(sent, contents.keys(sent), history, kept, is_last=False)
        assert mine == (None if whole is None else whole.law)
    assert lawful.read_whole < len(talk.requests) or name != NONE


@pytest.mark.parametrize("spoil", ["split", "marks"])
def test_what_keys_do_not_show_is_read_whole(spoil: str) -> None:
    """The same blocks in other messages, and more breakpoints than there may be."""
    talk = agent(random.Random(3), 8)
    contents = Contents(talk)
    lawful = Lawful(contents)
    history = [message for request in talk.requests[:4] for message in request.add]
    assert lawful.broken(history, contents.keys(history), history, 0, is_last=False) is None
    longer = [*history, *talk.requests[4].add]
    if spoil == "split":
        sent = [*longer[:-1], {"role": "assistant", "content": longer[-1]["content"]}]
    else:
        mark = {"cache_control": {"type": "ephemeral"}}
        sent = [{**m, "content": [{**b, **mark} for b in m["content"]]} for m in longer]

    law = lawful.broken(sent, contents.keys(sent), longer, len(history), is_last=False)

    assert law is not None
    assert law == getattr(validate(sent, original=longer), "law", None)


def test_the_anchor_takes_the_lifetime_that_most_was_written_for() -> None:
    talk = agent(random.Random(2), 3)
    for request in talk.requests:
        request.usage = Usage(cache_write_1h_tokens=1_000, output_tokens=5)
    anchor = Anchor()

    anchor.add(talk, NOTHING, PRICES)

    assert anchor.billed == len(talk.requests) * 1_000 * 10_000_000
    assert anchor.ratio == 0
