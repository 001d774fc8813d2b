"""The row of slots gives what adding up every slot of every request would."""

from collections import Counter
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from token_tracking.efficiency.attribution.accounts import Item
from token_tracking.efficiency.attribution.fenwick import Fenwick
from token_tracking.efficiency.attribution.positions import Positions
from token_tracking.efficiency.attribution.slots import OTHER, RESULT, THINKING, Slot
from token_tracking.efficiency.attribution.steps import Steps
from token_tracking.pricing import Rates
from token_tracking.shares import QUARTER_MS, ShareLabel
from token_tracking.usage import Usage

_SIZES = st.integers(1, 9)
_LABELS = st.sampled_from([ShareLabel("tool"), ShareLabel("tool", "Read"), ShareLabel("base")])


class PositionsMachine(RuleBasedStateMachine):
    """The row beside a plain one, which adds up token by token."""

    def __init__(self) -> None:
        super().__init__()
        self.row = Positions()
        self.items: list[Item] = []
        self.slots: list[tuple[Slot, int]] = []
        self.marks: list[tuple[int, list[tuple[Slot, int]]]] = []
        self.sums: list[Counter[str]] = []
        self.groups: Counter[tuple[ShareLabel, int, str]] = Counter()

    def _tokens(self) -> list[int]:
        """The item of each token of the prompt."""
        return [self.items.index(slot.item) for slot, size in self.slots for _ in range(size)]

    @rule(tokens=_SIZES, label=_LABELS, is_new=st.booleans(), kind=st.sampled_from([0, 1, 2]))
    def append(self, tokens: int, label: ShareLabel, is_new: bool, kind: int) -> None:
        if is_new or not self.items:
            self.items.append(self.row.enter(str(len(self.items)), label, tokens, kind))
            self.sums.append(Counter())
        else:
            self.row.append(self.items[-1], tokens, kind)
        self.slots.append((self.row.slots()[-1], tokens))

    @rule(count=st.integers(1, 200), tokens=_SIZES)
    def append_many(self, count: int, tokens: int) -> None:
        for _ in range(count if len(self.slots) < 300 else 0):
            self.append(tokens, ShareLabel("tool"), is_new=False, kind=OTHER)

    @precondition(lambda self: self.slots)
    @rule(data=st.data(), tokens=st.integers(0, 9))
    def resize(self, data: st.DataObject, tokens: int) -> None:
        index = data.draw(st.integers(0, len(self.slots) - 1))
        slot, _ = self.slots[index]
        self.row.resize(slot, tokens)
        self.slots[index] = (slot, tokens)

    @rule()
    def mark(self) -> None:
        self.marks.append((self.row.mark(), list(self.slots)))

    @precondition(lambda self: self.marks)
    @rule()
    def rollback(self) -> None:
        mark, slots = self.marks.pop()
        self.row.rollback(mark)
        later = [(slot, 0) for slot, _ in self.slots[len(slots) :]]
        self.slots = slots + later

    @precondition(lambda self: any(size for _, size in self.slots))
    @rule(data=st.data(), is_priced=st.booleans(), quarter=st.integers(0, 2))
    def bill(self, data: st.DataObject, is_priced: bool, quarter: int) -> None:
        tokens = self._tokens()
        cuts = sorted(data.draw(st.lists(st.integers(0, len(tokens)), min_size=3, max_size=3)))
        edges = [0, *cuts, len(tokens)]
        read, hour, five, plain = (b - a for a, b in pairwise(edges))
        usage = Usage(
            cache_read_tokens=read, cache_write_1h_tokens=hour, cache_write_5m_tokens=five,
            input_tokens=plain,
        )  # fmt: skip
        a, b, c, d = data.draw(st.lists(st.integers(0, 100), min_size=4, max_size=4))
        rates = Rates(d, 0, a, c, b, None, "a list")
        self.row.bill(usage, rates if is_priced else None, quarter * QUARTER_MS, "key")
        paid = [a] * read + [b] * hour + [c] * five + [d] * plain
        for index, rate in zip(tokens, paid, strict=True):
            cost, no_cache = rate * is_priced, d * is_priced
            self._add(index, quarter, tokens=1, cost=cost, no_cache=no_cache)
        for index in set(tokens):
            is_first = not self.sums[index]["requests"]
            cost = sum(rate for each, rate in zip(tokens, paid, strict=True) if each == index)
            first = cost * is_priced * is_first
            self._add(index, quarter, requests=1, paid=is_priced, first=first)

    def _add(self, index: int, quarter: int, **figures: int) -> None:
        self.sums[index].update(figures)
        label = self.items[index].group.label
        self.groups.update({(label, quarter, name): each for name, each in figures.items()})

    @invariant()
    def total(self) -> None:
        assert self.row.total == sum(size for _, size in self.slots)

    @precondition(lambda self: self.slots)
    @rule(data=st.data(), kind=st.sampled_from([RESULT, THINKING, OTHER]))
    def first_from(self, data: st.DataObject, kind: int) -> None:
        position = data.draw(st.integers(0, self.row.total))
        end = 0
        behind: list[Slot] = []
        for slot, size in self.slots:
            end += size
            if end > position and size and kind in {OTHER, slot.kind}:
                behind.append(slot)
        assert self.row.first_from(position, kind) is (behind[0] if behind else None)
        if behind:
            before = self.slots[: behind[0].index]
            assert self.row.start(behind[0]) == sum(size for _, size in before)

    def teardown(self) -> None:
        self.row.clear()
        self.row.end_quarter()
        names = ("requests", "paid", "tokens", "cost", "no_cache", "first")
        for item, sums in zip(self.items, self.sums, strict=True):
            assert {name: getattr(item, name) for name in names} == {n: sums[n] for n in names}
        found = {
            (label, quarter): sums
            for label, group in self.row.groups.items()
            for quarter, sums in group.quarters.items()
        }
        billed = {(label, quarter) for label, quarter, _ in self.groups}
        names = ("loads", "size", "requests", "tokens", "cost", "no_cache", "none")
        assert found == {key: [self.groups[*key, name] for name in names] for key in billed}
        super().teardown()


TestPositions = PositionsMachine.TestCase


@given(st.lists(st.integers(0, 5)), st.lists(st.tuples(st.integers(0, 30), st.integers(0, 5))))
def test_a_tree_of_sums_gives_the_sums_of_a_list(
    numbers: list[int], changes: list[tuple[int, int]]
) -> None:
    first = len(numbers) // 2
    tree = Fenwick(numbers[:first])
    for number in numbers[first:]:
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


@given(
    st.lists(st.tuples(st.integers(0, 1100), st.integers(-5, 5))),
    st.sampled_from([0, 1, 511, 512, 513]),
)
def test_steps_give_what_was_added_to_each_number(
    changes: list[tuple[int, int]], count: int
) -> None:
    steps = Steps(count)
    numbers = [0] * count
    for index, change in changes:
        while len(numbers) <= index % 1030:
            steps.append()
            numbers.append(numbers[-1] if numbers else 0)
        steps.add_from(index, change)
        numbers[index:] = [number + change for number in numbers[index:]]
    assert list(steps.all()) == numbers
    assert [steps.at(index) for index in range(len(numbers))] == numbers
    assert steps.last == (numbers[-1] if numbers else 0)
