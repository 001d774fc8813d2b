"""From a tree of transcripts to its conversations, one session in memory at a time."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

from benchmarks.window_sessions.ledger import Ledger, read_ledger
from benchmarks.window_sessions.lines import PROGRESS, Lines
from benchmarks.window_sessions.sizes import Scales, Sizes
from benchmarks.window_sessions.steps import Step, Tree
from benchmarks.window_sessions.values import Conversation, PlainMessage, ReplaySession, Request


def read_sessions(claude_dir: Path) -> Iterator[ReplaySession]:
    """The sessions of a Claude Code folder, or of its `projects`, by their ids.

    Every billed message is a request once in the whole tree, in the session that owns it. A session
    without a request of its own is left out.
    """
    ledger = read_ledger(claude_dir)
    for session_id in sorted(ledger.units):
        session = _session(session_id, ledger)
        if session.conversations:
            yield session


def _session(session_id: str, ledger: Ledger) -> ReplaySession:
    lines = Lines()
    for path in sorted(ledger.units[session_id], key=lambda path: ("/subagents/" in path, path)):
        lines.read(path)
    skipped = Counter(ledger.skipped[session_id])
    skipped["microcompactions, not replayed"] = lines.microcompactions
    tree = Tree(lines.entries, ledger.billed, skipped)
    steps = tree.steps()
    sizes = Sizes(Scales(steps))
    for step in steps:
        if _is_cut(step, sizes):
            skipped["prompts that fell by half, begun anew"] += 1
            tree.hang(step, None)
        elif step.parent is not None:
            step.depth = step.parent.depth + 1
        sizes.give(step)
    conversations = _conversations(session_id, steps, sizes)
    return ReplaySession(session_id, conversations, {name: n for name, n in skipped.items() if n})


def _is_cut(step: Step, sizes: Sizes) -> bool:
    """Whether a prompt holds far less than what stands before it: it was compacted unseen."""
    if step.billed is None or step.parent is None:
        return False
    prompt = step.billed.usage.prompt_tokens
    return 2 * prompt < min(sizes.billed_before(step), sizes.by_characters(step))


def _conversations(session_id: str, steps: list[Step], sizes: Sizes) -> list[Conversation]:
    """The requests that the session owns, by the first step of their conversations."""
    found: defaultdict[Step, list[Step]] = defaultdict(list)
    claimed: set[str] = set()
    for step in sorted(steps, key=lambda step: step.chain.startswith(PROGRESS)):
        billed = step.billed
        if billed is not None and billed.owner == session_id and step.key not in claimed:
            claimed.add(step.key)
            found[sizes.root(step)].append(step)
    names: Counter[str] = Counter()
    conversations: list[Conversation] = []
    for root, own in found.items():
        chain = root.chain.removeprefix(PROGRESS)
        names[chain] += 1
        name = chain if names[chain] == 1 else f"{chain}/{names[chain]}"
        requests = list(_requests(own))
        conversations.append(Conversation(session_id, name, sizes.base[root], requests))
    return conversations


def _requests(steps: list[Step]) -> Iterator[Request]:
    before: Step | None = None
    for step in sorted(steps, key=lambda step: (step.billed.at if step.billed else 0, step.order)):
        billed = step.billed
        assert billed is not None
        keep, added = _difference(before, step)
        yield Request(
            at_ms=billed.at,
            model=billed.model,
            message_id=step.key,
            keep=keep,
            add=[message for message, _ in added],
            add_tokens=[tokens for _, tokens in added],
            answer=_message("assistant", step.answer),
            prompt_tokens=billed.usage.prompt_tokens,
            output_tokens=billed.usage.output_tokens,
            is_final=billed.is_final,
            usage=billed.usage,
        )
        before = step


_Sized = tuple[PlainMessage, list[int]]


def _difference(before: Step | None, step: Step) -> tuple[int, list[_Sized]]:
    """How many messages two requests have in common, and those that the later one has beside."""
    common = _common(before, step)
    kept_answer = common is not None and common is not before and common is not step
    added: list[_Sized] = []
    new = step
    while new is not common:
        added.append((_message("user", new.user), new.user_tokens))
        above = new.parent
        if above is None:
            break
        if above is not common or not kept_answer:
            added.append((_message("assistant", above.answer), above.answer_tokens))
        new = above
    keep = 0 if common is None else 2 * common.depth + 1 + kept_answer
    return keep, added[::-1]


def _common(a: Step | None, b: Step | None) -> Step | None:
    """The last step that two have on their ways."""
    while a is not b:
        if a is None or b is None:
            return None
        depths = (a.depth, b.depth)
        a = a.parent if depths[0] >= depths[1] else a
        b = b.parent if depths[1] >= depths[0] else b
    return a


def _message(role: str, blocks: Iterable[dict[str, object]]) -> PlainMessage:
    return {"role": role, "content": list(blocks)}
