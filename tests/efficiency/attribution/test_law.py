"""The conservation law: for every request, the items have its prompt tokens and its prompt cost,
to the token and to the pico-dollar."""

from collections import Counter

from hypothesis import given, settings
from msgspec.structs import replace

from tests.efficiency.attribution.conversations import conversations
from token_tracking.efficiency.attribution import Attribution, Conversation, attribute, prompt_pico


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
