"""What leaves a conversation is counted once."""

from typing import Any

from tests.gateway.api.test_metrics import samples
from token_tracking.window import Budget, ContextWindow, Emergency, Prepared, SlidingWindow
from token_tracking_server.gateway.managing.tallies import Tallies, removed_by
from token_tracking_server.gateway.metrics import Gauges

BUDGET = Budget(max_context_tokens=1500, max_output_tokens=300)


def window(model: str = "claude-sonnet-4-5") -> ContextWindow:
    return ContextWindow(model, BUDGET, (SlidingWindow(), Emergency()), form="anthropic")


def turns(count: int) -> list[dict[str, Any]]:
    said = ("user", "assistant")
    return [
        {"role": said[n % 2], "content": f"{n} " + "lorem ipsum " * 60}
        for n in range(2 * count + 1)
    ]


class Counting:
    """A conversation that grows, prepared by windows."""

    def __init__(self) -> None:
        self.gauges = Gauges()
        self.tallies = Tallies(self.gauges)

    async def prepare(self, window: ContextWindow, messages: list[dict[str, Any]]) -> Prepared:
        prepared = await window.prepare(None, messages)
        self.tallies.of("c").count(window, prepared, len(messages))
        return prepared

    def counted(self) -> tuple[float, float, float]:
        """Requests that were made smaller, tokens that left, requests that would be too large."""
        found = samples(self.gauges)
        names = ("compactions", "tokens_saved", "overflows_avoided")
        one, two, three = (found[f"token_tracking_{name}_total"] for name in names)
        return one, two, three


async def test_what_a_window_takes_out_is_counted_exactly() -> None:
    counting, only = Counting(), window()
    prepared = [await counting.prepare(only, turns(number)) for number in range(1, 15)]
    removed = [removed_by(each) for each in prepared]
    assert sum(each > 0 for each in removed) > 1
    compactions, saved, overflows = counting.counted()
    assert (compactions, saved) == (sum(each > 0 for each in removed), sum(removed))
    whole = [each.tokens.total + sum(removed[: n + 1]) for n, each in enumerate(prepared)]
    assert overflows == sum(each > 1500 for each in whole) > 1


async def test_what_another_window_takes_out_as_well_is_not_counted_again() -> None:
    counting, first, second = Counting(), window(), window("claude-haiku-4-5")
    one = sum([removed_by(await counting.prepare(first, turns(n))) for n in range(1, 12)])
    two = removed_by(await counting.prepare(second, turns(11)))
    assert two > 0
    assert counting.counted()[1] == max(one, two)
    three = removed_by(await counting.prepare(window(), turns(11)))  # the first one lapsed
    assert counting.counted()[1] == max(one, two, three)


async def test_a_conversation_that_begins_again_is_counted_again() -> None:
    counting = Counting()
    one = removed_by(await counting.prepare(window(), turns(11)))
    two = removed_by(await counting.prepare(window(), turns(9)))
    assert counting.counted()[1] == one + two


async def test_conversations_are_counted_apart_and_the_oldest_forgotten() -> None:
    gauges = Gauges()
    tallies = Tallies(gauges, most=2)
    first = tallies.of("a")
    tallies.of("b")
    assert tallies.of("a") is first
    tallies.of("c")
    assert tallies.of("a") is first
    tallies.of("b")
    tallies.of("c")
    assert tallies.of("a") is not first
