"""The row of slots gives what adding up every slot of every request would."""

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from token_tracking.efficiency.attribution.fenwick import Fenwick
from token_tracking.efficiency.attribution.positions import (
    OTHER,
    RESULT,
    THINKING,
    Positions,
    Range,
)
from token_tracking.efficiency.attribution.steps import Steps

_SIZES = st.integers(0, 9)


class PositionsMachine(RuleBasedStateMachine):
    """The row beside a plain one, which adds up token by token."""

    def __init__(self) -> None:
        super().__init__()
        self.row = Positions()
        self.slots: list[tuple[int, int, int]] = []
        self.marks: list[tuple[int, list[tuple[int, int, int]]]] = []
        self.sums: dict[int, list[int]] = {}

    def _row(self) -> list[int]:
        """The item of each token of the prompt."""
        return [item for item, _, tokens in self.slots for _ in range(tokens)]

    @rule(tokens=_SIZES, is_new=st.booleans(), kind=st.sampled_from([RESULT, THINKING, OTHER]))
    def append(self, tokens: int, is_new: bool, kind: int) -> None:
        if is_new or not self.row.items:
            self.sums[self.row.item()] = [0, 0, 0, 0]
        item = len(self.row.items) - 1
        assert self.row.append(item, tokens, kind) == len(self.slots)
        self.slots.append((item, kind, tokens))

    @precondition(lambda self: self.slots)
    @rule(data=st.data(), tokens=_SIZES)
    def resize(self, data: st.DataObject, tokens: int) -> None:
        slot = data.draw(st.integers(0, len(self.slots) - 1))
        self.row.resize(slot, tokens)
        self.slots[slot] = (*self.slots[slot][:2], tokens)

    @rule()
    def mark(self) -> None:
        self.marks.append((self.row.mark(), list(self.slots)))

    @precondition(lambda self: self.marks)
    @rule()
    def rollback(self) -> None:
        mark, slots = self.marks.pop()
        self.row.rollback(mark)
        later = [(item, kind, 0) for item, kind, _ in self.slots[len(slots) :]]
        self.slots = slots + later

    @rule(data=st.data(), is_priced=st.booleans())
    def bill(self, data: st.DataObject, is_priced: bool) -> None:
        tokens = self._row()
        cuts = sorted(data.draw(st.lists(st.integers(0, len(tokens)), min_size=2, max_size=3)))
        edges = [0, *cuts, len(tokens)]
        rates = data.draw(st.lists(st.integers(0, 100), min_size=4, max_size=4))
        ranges = [
            Range(end - start, rate)
            for start, end, rate in zip(edges, edges[1:], rates, strict=False)
        ]
        self.row.bill(tuple(ranges) if is_priced else None)
        for item in set(tokens):
            self.sums[item][0] += 1
            self.sums[item][1] += is_priced
        paid = [each.rate for each in ranges for _ in range(each.tokens)]
        for item, rate in zip(tokens, paid, strict=True):
            self.sums[item][2] += 1
            self.sums[item][3] += rate * is_priced

    @invariant()
    def total(self) -> None:
        assert self.row.total == len(self._row())

    @precondition(lambda self: self.slots)
    @rule(data=st.data(), kind=st.sampled_from([RESULT, THINKING, OTHER]))
    def first_from(self, data: st.DataObject, kind: int) -> None:
        position = data.draw(st.integers(0, self.row.total))
        ends = [sum(slot[2] for slot in self.slots[: end + 1]) for end in range(len(self.slots))]
        behind = [
            slot
            for slot, end in enumerate(ends)
            if end > position and self.slots[slot][2] and kind in {OTHER, self.slots[slot][1]}
        ]
        assert self.row.first_from(position, kind) == (behind[0] if behind else None)

    def teardown(self) -> None:
        self.row.clear()
        found = [[each.requests, each.paid, each.tokens, each.cost] for each in self.row.items]
        assert found == [self.sums[item] for item in range(len(found))]
        super().teardown()


TestPositions = PositionsMachine.TestCase


@given(st.lists(st.integers(0, 5)), st.lists(st.tuples(st.integers(0, 30), st.integers(0, 5))))
def test_a_tree_of_sums_gives_the_sums_of_a_list(
    numbers: list[int], changes: list[tuple[int, int]]
) -> None:
    tree = Fenwick()
    for number in numbers:
        tree.append(number)
    for index, more in changes:
        if index < len(numbers):
            numbers[index] += more
            tree.add(index, more)
    assert len(tree) == len(numbers)
    assert [tree.sum(count) for count in range(len(numbers) + 1)] == [
        sum(numbers[:count]) for count in range(len(numbers) + 1)
    ]
    owners = [index for index, number in enumerate(numbers) for _ in range(number)]
    for position, index in enumerate(owners):
        assert tree.find(position) == (index, position - sum(numbers[:index]))
    assert tree.find(len(owners))[0] == len(numbers)


@given(st.lists(st.tuples(st.integers(0, 1100), st.integers(-5, 5))))
def test_steps_give_what_was_added_to_each_number(changes: list[tuple[int, int]]) -> None:
    steps = Steps()
    numbers: list[int] = []
    for index, change in changes:
        while len(numbers) <= index % 1030:
            steps.append()
            numbers.append(numbers[-1] if numbers else 0)
        steps.add_from(index, change)
        numbers[index:] = [number + change for number in numbers[index:]]
    assert list(steps.all()) == numbers
    assert [steps.at(index) for index in range(len(numbers))] == numbers
    assert steps.last == (numbers[-1] if numbers else 0)
