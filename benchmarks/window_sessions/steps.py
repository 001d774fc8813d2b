"""The tree of a session: each answer hangs on the one before it, by the parents of its lines."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from benchmarks.window_sessions.blocks import Calls, Fields, answer_blocks, user_blocks
from benchmarks.window_sessions.ledger import Billed
from benchmarks.window_sessions.lines import Entry
from token_tracking.usage import SYNTHETIC_MODEL

_Name = tuple[str, str]
"""Of a step: its chain and the key of its message."""


@dataclass(slots=True, eq=False)
class Step:
    """One answer, and the user message before it; the conversation of its request ends there.

    `calls` maps the ids of the answer's calls as they stood to those that they have now. `depth`
    counts the answers before it. The tokens are one estimate for each block.
    """

    key: str
    chain: str
    order: int
    model: str
    billed: Billed | None
    answer: list[Fields]
    calls: dict[str, str]
    entered: list[Fields]
    parent: "Step | None" = None
    depth: int = 0
    user: list[Fields] = field(default_factory=list[Fields])
    user_tokens: list[int] = field(default_factory=list[int])
    answer_tokens: list[int] = field(default_factory=list[int])

    def ancestors(self) -> "Iterator[Step]":
        """The steps before it, the nearest first."""
        step = self.parent
        while step is not None:
            yield step
            step = step.parent


class Tree:
    """The steps of one session."""

    def __init__(
        self, entries: dict[str, Entry], billed: dict[str, Billed], skipped: Counter[str]
    ) -> None:
        self._entries = entries
        self._billed = billed
        self._skipped = skipped
        self._results = _results(entries.values())
        self._calls: defaultdict[str, Calls] = defaultdict(Calls)

    def steps(self) -> list[Step]:
        """Every answer, once in each chain, parents before children."""
        steps: dict[_Name, Step] = {}
        parents: dict[_Name, _Name | None] = {}
        answers = _answers(self._entries.values())
        for name, lines in answers.items():
            entered, parent = self._before(name, lines[0])
            parents[name] = parent
            steps[name] = self._step(name, lines, entered)
        hung: dict[_Name, Step] = {}
        for name in _parents_first(parents):
            parent = parents[name]
            hung[name] = steps[name]
            self.hang(steps[name], None if parent is None else hung.get(parent))
        return list(hung.values())

    def _step(self, name: _Name, lines: list[Entry], entered: list[Entry]) -> Step:
        chain, key = name
        found = (block for line in lines for block in line.blocks)
        answer, calls = answer_blocks(found, self._calls[chain], self._skipped)
        return Step(
            key=key,
            chain=chain,
            order=lines[0].order,
            model=lines[0].model,
            billed=self._billed.get(key),
            answer=answer,
            calls=calls,
            entered=[block for line in entered for block in line.blocks],
        )

    def hang(self, step: Step, parent: Step | None) -> None:
        """Let a step follow another, or none: then it opens a conversation."""
        step.parent = parent
        step.depth = 0 if parent is None else parent.depth + 1
        calls = {} if parent is None else parent.calls
        results = {call: self._result(call, step, parent) for call in calls}
        entered = [block for block in step.entered if not _stands_elsewhere(block, step)]
        step.user = user_blocks(calls, results, entered, self._skipped)

    def _result(self, call: str, step: Step, parent: Step | None) -> Fields | None:
        """The result on the way, else the first one after the call: parallel calls branch off."""
        found = self._results.get((step.chain, call), ())
        own = {id(block) for block in step.entered}
        after = -1 if parent is None else parent.order
        return min(
            found,
            key=lambda each: (id(each[1]) not in own, each[0] < after, each[0]),
            default=(0, None),
        )[1]

    def _before(self, name: _Name, line: Entry) -> tuple[list[Entry], _Name | None]:
        """The user's lines before an answer, and the answer that they follow."""
        entered: list[Entry] = []
        between: list[Entry] = []
        parent: _Name | None = None
        for entry in self._upwards(line):
            if entry.role == "user":
                between.append(entry)
            elif entry.role == "assistant" and _is_answer(entry):
                above = (line.chain, entry.key)
                if parent is None:
                    parent = None if above == name else above
                elif above != parent:
                    break
                entered += between
                between = []
        if parent is None:
            entered += between
        return entered[::-1], parent

    def _upwards(self, line: Entry) -> Iterator[Entry]:
        """The lines before a line; where its parent is missing, the one that was read before."""
        seen = {line.uuid}
        entry = self._above(line)
        while entry is not None and entry.uuid not in seen and entry.chain == line.chain:
            seen.add(entry.uuid)
            yield entry
            entry = self._above(entry)

    def _above(self, entry: Entry) -> Entry | None:
        if entry.parent is None:
            return None
        return self._entries.get(entry.parent) or self._entries.get(entry.before or "")


def _is_answer(entry: Entry) -> bool:
    return entry.model != SYNTHETIC_MODEL


def _answers(entries: Iterable[Entry]) -> dict[_Name, list[Entry]]:
    """The lines of each answer, as they were written."""
    answers: defaultdict[_Name, list[Entry]] = defaultdict(list)
    for entry in entries:
        if entry.role == "assistant" and _is_answer(entry):
            answers[entry.chain, entry.key].append(entry)
    for lines in answers.values():
        lines.sort(key=lambda entry: (entry.at, entry.order))
    return answers


def _results(entries: Iterable[Entry]) -> dict[_Name, list[tuple[int, Fields]]]:
    """The results in each chain, by the id of their call, with the order of their lines."""
    found: defaultdict[_Name, list[tuple[int, Fields]]] = defaultdict(list)
    for entry in entries:
        for block in entry.blocks if entry.role == "user" else ():
            if block.get("type") == "tool_result" and isinstance(block.get("tool_use_id"), str):
                found[entry.chain, block["tool_use_id"]].append((entry.order, block))
    return found


def _stands_elsewhere(block: Fields, step: Step) -> bool:
    """Whether it is the result of a call that has its result further up, or comes after."""
    if block.get("type") != "tool_result":
        return False
    call = block.get("tool_use_id")
    if step.parent is not None and call in step.parent.calls:
        return False
    return call in step.calls or any(call in each.calls for each in step.ancestors())


def _parents_first(parents: Mapping[_Name, _Name | None]) -> Iterator[_Name]:
    """The names in an order in which each follows its parent; a circle is cut where it is met."""
    done: set[_Name] = set()
    for first in parents:
        path: dict[_Name, None] = {}
        name: _Name | None = first
        while name is not None and name not in done and name not in path:
            path[name] = None
            name = parents.get(name)
        done.update(path)
        yield from reversed(path)
