"""The bill of a response is what the ledger says of it."""

import msgspec

from token_tracking.extra_usage import ExtraUsage
from token_tracking.pricing import PriceBook
from token_tracking.sources.replies import Call, Reply
from token_tracking.usage import Usage
from token_tracking_server.gateway.conversations.bills import bill_of

CALL = Call(started_at=1_800_000_000_000, source="gateway", model="claude-sonnet-4-5")
USAGE = Usage(input_tokens=100, output_tokens=10)


def reply(*extra: ExtraUsage) -> Reply:
    return Reply(
        form="anthropic",
        message_id="msg_1",
        model="claude-sonnet-4-5",
        usage=USAGE,
        is_complete=True,
        stop_reason="end_turn",
        extra=msgspec.json.encode(extra).decode() if extra else None,
    )


def test_what_was_billed_beside_the_message_is_in_its_cost() -> None:
    prices = PriceBook()
    plain = bill_of([reply()], CALL, prices)
    own = ExtraUsage(type="compaction", usage=Usage(input_tokens=1000, output_tokens=50))
    advisor = ExtraUsage(
        type="advisor_message", usage=Usage(input_tokens=2000), model="claude-opus-4-5"
    )
    whole = bill_of([reply(own, advisor)], CALL, prices)
    assert plain.cost == 100 * 3_000_000 + 10 * 15_000_000
    assert whole.cost == plain.cost + 1000 * 3_000_000 + 50 * 15_000_000 + 2000 * 5_000_000
    assert (whole.prompt_tokens, whole.completion_tokens) == (100, 10)


def test_an_extra_model_without_a_price_leaves_the_cost_unknown() -> None:
    extra = ExtraUsage(type="advisor_message", usage=Usage(input_tokens=1), model="nobodys-model")
    assert bill_of([reply(extra)], CALL, PriceBook()).cost is None
