"""Work that takes long leaves the event loop free, and never goes on behind anybody's back."""

import asyncio
import threading

import pytest

from tests.window.talk import MODEL, agent
from token_tracking.counting import TokenCount, TokenCounter
from token_tracking.window.off_loop import off_loop
from token_tracking.window.policies.cap import CapToolResults
from token_tracking.window.window import ContextWindow


class WhereItCounts:
    """A token for each word; it notes in which threads it is asked."""

    def __init__(self) -> None:
        self.threads: set[int] = set()

    def count(self, text: str) -> TokenCount:
        self.threads.add(threading.get_ident())
        return TokenCount(tokens=len(text.split()), method="words", exact=True, error_p95=0.0)


@pytest.mark.parametrize("keep", ["head_and_tail", "matching"])
async def test_results_are_cut_off_the_event_loop(keep: str):
    watching, counter = WhereItCounts(), TokenCounter()
    counter.plug_in(watching)
    policy = CapToolResults(max_tokens=300, keep=keep)  # pyright: ignore[reportArgumentType]
    window = ContextWindow(MODEL, policy=policy, counter=counter)
    await window.prepare(None, agent(1, 200))
    watching.threads.clear()
    prepared = await window.prepare(None, agent(300, 200) + agent(360, 400)[601:])
    assert prepared.actions[0].policy == "cap_tool_results"
    assert watching.threads
    assert threading.get_ident() not in watching.threads


async def test_work_gives_its_result_and_its_error():
    assert await off_loop(divmod, 7, 2) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        await off_loop(divmod, 7, 0)


@pytest.mark.parametrize("is_failing", [False, True])
async def test_who_is_cancelled_waits_for_the_thread(is_failing: bool):
    may_end, ended = threading.Event(), list[int]()

    def work() -> None:
        may_end.wait(10)
        ended.append(1)
        if is_failing:
            raise ValueError

    task = asyncio.create_task(off_loop(work))
    for _ in range(3):
        await asyncio.sleep(0)
        task.cancel()  # also who is in a hurry
    assert not task.done()
    may_end.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended == [1]
