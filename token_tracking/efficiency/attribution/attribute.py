"""Attribution: a session's prompt tokens and their cost, item by item."""

from collections.abc import Iterator

from token_tracking.efficiency.attribution.arrivals import Arrivals, Node
from token_tracking.efficiency.attribution.branches import Branches
from token_tracking.efficiency.attribution.changes import Change, change
from token_tracking.efficiency.attribution.positions import Range
from token_tracking.efficiency.attribution.prompt import TOOL, Prompt
from token_tracking.efficiency.attribution.sizes import Sizes
from token_tracking.efficiency.attribution.values import (
    Attribution,
    Conversation,
    Entry,
    Findings,
    ItemShare,
    Message,
)
from token_tracking.efficiency.scale import ScaleOf, scales
from token_tracking.pricing import Rates
from token_tracking.usage import Usage


def attribute(conversation: Conversation, scale_of: ScaleOf | None = None) -> Attribution:
    """Who paid for the prompts of a session's own requests.

    For each request, the items that it carried have exactly its prompt tokens, and exactly its
    prompt cost: each item pays for where it stands in what was read from the cache, written to it
    (for one hour before five minutes) and neither. `scale_of` says how a model's tokens relate to
    bytes: by default what is known of its family. The time it takes grows as n log n.
    """
    branches = Branches(conversation.messages)
    arrivals = Arrivals(conversation)
    prompt = Prompt(Sizes(scale_of or scales()))
    sums = _Sums()
    for node in _in_order(branches, prompt):
        if not node.is_request:
            continue
        message = node.message
        changed = change(prompt, message, arrivals.before(node))
        if prompt.positions.total != message.usage.prompt_tokens:
            raise AssertionError(f"{message.key}: its items do not fill its prompt")
        if message.is_own:
            prompt.positions.bill(None if message.rates is None else ranges(message))
            sums.add(node, changed)
    return _result(conversation, prompt, sums, len(branches.cycles))


def ranges(message: Message) -> tuple[Range, ...]:
    """What a request bills, in the order of its prompt, at its rates.

    Anthropic's order of cache lifetimes: an entry of one hour stands before one of five minutes.
    """
    usage, rates = message.usage, message.rates
    assert rates is not None
    return (
        Range(usage.cache_read_tokens, rates.cache_read),
        Range(usage.cache_write_1h_tokens, rates.cache_write_1h),
        Range(usage.cache_write_5m_tokens, rates.cache_write_5m),
        Range(usage.input_tokens, rates.input),
    )


def prompt_pico(usage: Usage, rates: Rates) -> int:
    """The prompt's part of a message's cost, in pico-USD."""
    return (
        usage.cache_read_tokens * rates.cache_read
        + usage.cache_write_1h_tokens * rates.cache_write_1h
        + usage.cache_write_5m_tokens * rates.cache_write_5m
        + usage.input_tokens * rates.input
    )


class _Sums:
    """Of the own requests: what the items must add up to, and what was odd."""

    def __init__(self) -> None:
        self.tokens = self.pico = self.requests = self.unpriced = 0
        self.unseen: list[int] = []
        self.unlisted: list[int] = []
        self.shrunk = self.unsaid = 0

    def add(self, node: Node, changed: Change) -> None:
        """One request."""
        message = node.message
        self.requests += 1
        self.tokens += message.usage.prompt_tokens
        if message.rates is None:
            self.unpriced += 1
        else:
            self.pico += prompt_pico(message.usage, message.rates)
        if changed.unlisted:
            self.unlisted.append(changed.unlisted)
        if not changed.before:
            return
        if message.usage.prompt_tokens < changed.before:
            self.shrunk += 1
            self.unsaid += not changed.is_said
        read = message.usage.cache_read_tokens
        if read > changed.before:
            known = max([changed.before, *(each.usage.prompt_tokens for each in node.earlier())])
            if read > known:
                self.unseen.append(read - known)


def _in_order(branches: Branches, prompt: Prompt) -> Iterator[Node]:
    """Each message after the one it hangs on, with the prompt as that one left it."""
    positions = prompt.positions
    for roots in branches.roots.values():
        for branch, root in enumerate(roots):
            stack = [(Node(root, None, roots, branch), 0)]
            while stack:
                node, mark = stack.pop()
                positions.rollback(mark)
                yield node
                children = branches.after(node.message.key)
                mark = positions.mark()
                stack += [
                    (Node(child, node, children, index), mark)
                    for index, child in enumerate(children)
                ][::-1]
            prompt.clear()


def _result(conversation: Conversation, prompt: Prompt, sums: _Sums, cycles: int) -> Attribution:
    items = [*_carried(prompt), *_never_carried(conversation, prompt)]
    items.sort(key=lambda item: (-(item.cost_pico or 0), -item.prompt_tokens, item.id))
    tokens = sum(item.prompt_tokens for item in items)
    pico = sum(item.cost_pico or 0 for item in items)
    if (tokens, pico) != (sums.tokens, sums.pico):
        raise AssertionError(
            f"items have {tokens} tokens and {pico} pico-USD, requests {sums.tokens} and"
            f" {sums.pico}"
        )
    return Attribution(
        prompt_tokens=tokens,
        prompt_pico=None if sums.requests and sums.unpriced == sums.requests else pico,
        items=items,
        findings=Findings(
            requests=sums.requests,
            unpriced=sums.unpriced,
            unseen_writes=len(sums.unseen),
            unseen_write_tokens=sum(sums.unseen),
            shrunk=sums.shrunk,
            shrunk_unsaid=sums.unsaid,
            unlisted=len(sums.unlisted),
            unlisted_tokens=sum(sums.unlisted),
            cycles=cycles,
        ),
    )


def _carried(prompt: Prompt) -> Iterator[ItemShare]:
    for label, item in zip(prompt.labels, prompt.positions.items, strict=True):
        if item.requests:
            yield ItemShare(
                **label._asdict(),
                tokens=item.largest,
                requests=item.requests,
                prompt_tokens=item.tokens,
                cost_pico=item.cost if item.paid else None,
                basis="estimated" if item.is_estimated else "measured",
            )


def _never_carried(conversation: Conversation, prompt: Prompt) -> Iterator[ItemShare]:
    """The session's own calls that no own request carried the result of: the last ones, those
    that never got one, and those that a compaction removed at once."""
    carried = {
        label.id
        for label, item in zip(prompt.labels, prompt.positions.items, strict=True)
        if item.requests
    }
    own = {message.key for message in conversation.messages if message.is_own}
    for entry in conversation.entries:
        if entry.kind == TOOL and entry.call in own and entry.key not in carried:
            yield _idle(entry)


def _idle(entry: Entry) -> ItemShare:
    return ItemShare(
        id=entry.key,
        kind=entry.kind,
        name=entry.name,
        server=entry.server,
        uri=entry.uri,
        tokens=None,
        requests=0,
        prompt_tokens=0,
        cost_pico=0,
        basis="unknown",
    )
