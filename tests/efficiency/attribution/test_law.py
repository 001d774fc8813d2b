"""The conservation law: for every request, the items have its prompt tokens and its prompt cost,
to the token and to the pico-dollar."""

from collections import Counter

from hypothesis import given, settings
from msgspec.structs import replace

from tests.efficiency.attribution.conversations import conversations
from token_tracking.attributing import session_shares
from token_tracking.efficiency.attribution import (
    Attribution,
    Conversation,
    ItemShare,
    attribute,
    prompt_pico,
)
from token_tracking.shares import FACT_FIELDS, Facts, ShareLabel, ShareSums, quarter_of


def label_of(item: ItemShare) -> ShareLabel:
    """What it is called in reports."""
    return ShareLabel(item.kind, item.name, item.server, item.uri, item.agent)


def _alone(conversation: Conversation, key: str) -> Conversation:
    """The same conversation, of which one message is the session's own."""
    messages = [replace(each, is_own=each.key == key) for each in conversation.messages]
    return replace(conversation, messages=messages)


def _carried(attribution: Attribution) -> dict[str, tuple[int, int, int]]:
    return {
        item.id: (item.requests, item.prompt_tokens, item.cost_pico or 0)
        for item in attribution.items
        if item.requests
    }


@settings(max_examples=300, deadline=None)
@given(conversations())
def test_the_items_of_every_request_have_exactly_its_prompt(conversation: Conversation) -> None:
    for message in conversation.messages:
        found = attribute(_alone(conversation, message.key))
        items = found.items
        assert sum(item.prompt_tokens for item in items) == message.usage.prompt_tokens
        assert sum(item.tokens or 0 for item in items) >= message.usage.prompt_tokens
        paid = [item.cost_pico for item in items if item.requests]
        if message.rates is None:
            assert paid == [None] * len(paid)
        else:
            assert sum(each or 0 for each in paid) == prompt_pico(message.usage, message.rates)
            assert None not in paid
            assert all(each is not None and each >= 0 for each in paid)


@settings(max_examples=200, deadline=None)
@given(conversations())
def test_a_session_is_the_sum_of_its_own_requests(conversation: Conversation) -> None:
    whole = attribute(conversation)
    sums: dict[str, Counter[str]] = {}
    for message in conversation.messages:
        if not message.is_own:
            continue
        for item, (requests, tokens, pico) in _carried(
            attribute(_alone(conversation, message.key))
        ).items():
            sums.setdefault(item, Counter()).update(requests=requests, tokens=tokens, pico=pico)
    assert _carried(whole) == {
        item: (each["requests"], each["tokens"], each["pico"]) for item, each in sums.items()
    }
    assert whole.prompt_tokens == sum(
        each.usage.prompt_tokens for each in conversation.messages if each.is_own
    )
    assert len({item.id for item in whole.items}) == len(whole.items)


def _by_quarter(conversation: Conversation) -> dict[tuple[int, ShareLabel], ShareSums]:
    """The sums, request by request, without what entered."""
    sums: dict[tuple[int, ShareLabel], ShareSums] = {}
    for message in conversation.messages:
        if message.is_own:
            for item in attribute(_alone(conversation, message.key)).items:
                if item.requests:
                    key = (quarter_of(message.at), label_of(item))
                    sums[key] = sums.get(key, ShareSums()) + ShareSums(
                        carried=1,
                        prompt_tokens=item.prompt_tokens,
                        cost_pico=item.cost_pico or 0,
                        no_cache_pico=item.no_cache_pico or 0,
                    )
    return sums


@settings(max_examples=200, deadline=None)
@given(conversations())
def test_the_quarters_of_each_label_are_the_sums_of_its_requests(
    conversation: Conversation,
) -> None:
    found = attribute(conversation).sums
    without = {key: replace(each, loads=0, tokens=0, first_pico=0) for key, each in found.items()}
    assert without == _by_quarter(conversation)


@settings(max_examples=200, deadline=None)
@given(conversations())
def test_labels_and_items_have_the_same_sums(conversation: Conversation) -> None:
    found = attribute(conversation)
    carried = [item for item in found.items if item.requests]
    for label in {label_of(item) for item in carried}:
        items = [item for item in carried if label_of(item) == label]
        sums = sum((each for key, each in found.sums.items() if key[1] == label), ShareSums())
        assert sums == ShareSums(
            loads=sum(not item.is_inherited for item in items),
            tokens=sum(item.tokens or 0 for item in items if not item.is_inherited),
            carried=sum(item.requests for item in items),
            prompt_tokens=sum(item.prompt_tokens for item in items),
            cost_pico=sum(item.cost_pico or 0 for item in items),
            no_cache_pico=sum(item.no_cache_pico or 0 for item in items),
            first_pico=sum(item.first_pico or 0 for item in items),
        )
        assert 0 <= sums.first_pico <= sums.cost_pico
    assert {key[1] for key in found.sums} == {label_of(item) for item in carried}


@settings(max_examples=200, deadline=None)
@given(conversations())
def test_what_a_session_keeps_adds_up_to_its_prompts(conversation: Conversation) -> None:
    found = attribute(conversation)
    kept = session_shares("s", found)
    assert sum(item.prompt_tokens for item in kept.items) == found.prompt_tokens
    assert sum(item.cost_pico or 0 for item in kept.items) == (found.prompt_pico or 0)
    assert sum(each.prompt_tokens for each in kept.sums.values()) == kept.prompt_tokens
    assert sum(each.cost_pico for each in kept.sums.values()) == (kept.prompt_pico or 0)
    assert (kept.prompt_tokens, kept.prompt_pico) == (found.prompt_tokens, found.prompt_pico)
    assert {item.label for item in kept.items if item.requests} == {key[1] for key in kept.sums}


@settings(max_examples=200, deadline=None)
@given(conversations())
def test_facts_are_of_own_requests_and_never_more_than_these(conversation: Conversation) -> None:
    own = [each for each in conversation.messages if each.is_own and each.usage.prompt_tokens]
    found = attribute(conversation)
    together = sum(found.facts.values(), Facts())
    assert set(found.facts) == {quarter_of(each.at) for each in own}
    assert (together.requests, together.unseen_write_tokens) == (
        found.findings.requests,
        found.findings.unseen_write_tokens,
    )
    assert together.hit_requests == sum(each.usage.cache_read_tokens > 0 for each in own)
    written = sum(each.usage.cache_write_tokens for each in own)
    unread = sum(each.usage.prompt_tokens - each.usage.cache_read_tokens for each in own)
    assert 0 <= together.unread_write_tokens <= written
    assert 0 <= together.lapse_tokens + together.switch_tokens <= unread
    assert all(getattr(together, name) >= 0 for name in FACT_FIELDS)


@settings(max_examples=100, deadline=None)
@given(conversations())
def test_an_answer_is_implied_only_where_its_count_is_not_final(conversation: Conversation) -> None:
    found = attribute(conversation)
    messages = {message.key: message for message in conversation.messages}
    for key, tokens in found.implied_outputs.items():
        assert not messages[key].is_final
        assert tokens >= messages[key].usage.output_tokens


@settings(max_examples=100, deadline=None)
@given(conversations())
def test_the_order_in_which_a_ledger_gives_its_rows_changes_nothing(
    conversation: Conversation,
) -> None:
    backwards = Conversation(
        messages=conversation.messages[::-1],
        entries=conversation.entries[::-1],
        removals=conversation.removals,
    )
    assert attribute(backwards) == attribute(conversation)
