"""What attribution found, and that it adds up."""

from collections.abc import Iterable, Iterator, Mapping

from token_tracking.efficiency.attribution.accounts import Group, Item
from token_tracking.efficiency.attribution.arrivals import Node
from token_tracking.efficiency.attribution.caching import Caching
from token_tracking.efficiency.attribution.changes import Change
from token_tracking.efficiency.attribution.prompt import TOOL, Prompt
from token_tracking.efficiency.attribution.values import (
    Attribution,
    Conversation,
    Entry,
    Findings,
    ItemShare,
    NotAttributableError,
)
from token_tracking.pricing import Rates
from token_tracking.shares import QUARTER_MS, ShareLabel, ShareSums
from token_tracking.usage import Usage


def prompt_pico(usage: Usage, rates: Rates) -> int:
    """The prompt's part of a message's cost, in pico-USD."""
    return (
        usage.cache_read_tokens * rates.cache_read
        + usage.cache_write_1h_tokens * rates.cache_write_1h
        + usage.cache_write_5m_tokens * rates.cache_write_5m
        + usage.input_tokens * rates.input
    )


class Totals:
    """Of the own requests: what the items must add up to, and what was odd."""

    def __init__(self, cycles: int) -> None:
        self.tokens = self.pico = self.requests = self.unpriced = 0
        self._cycles = cycles
        self._unseen = self._unseen_tokens = 0
        self._unlisted = self._unlisted_tokens = 0
        self._shrunk = self._unsaid = 0

    @property
    def prompt_pico(self) -> int | None:
        """Of the requests that have a price; `None` where there are requests and none has."""
        return None if self.requests and self.unpriced == self.requests else self.pico

    def add(self, node: Node, changed: Change) -> int:
        """One request; how many tokens it read that no known request wrote."""
        message = node.message
        self.requests += 1
        self.tokens += node.size
        if message.rates is None:
            self.unpriced += 1
        else:
            self.pico += prompt_pico(message.usage, message.rates)
        if changed.unlisted:
            self._unlisted += 1
            self._unlisted_tokens += changed.unlisted
        if not changed.before:
            return 0
        if node.size < changed.before:
            self._shrunk += 1
            self._unsaid += not changed.is_said
        return self._unseen_by(node, changed.before)

    def findings(self) -> Findings:
        """What was odd."""
        return Findings(
            requests=self.requests,
            unpriced=self.unpriced,
            unseen_writes=self._unseen,
            unseen_write_tokens=self._unseen_tokens,
            shrunk=self._shrunk,
            shrunk_unsaid=self._unsaid,
            unlisted=self._unlisted,
            unlisted_tokens=self._unlisted_tokens,
            cycles=self._cycles,
        )

    def _unseen_by(self, node: Node, before: int) -> int:
        read = node.message.usage.cache_read_tokens
        if read <= before:
            return 0
        known = max([before, *(each.usage.prompt_tokens for each in node.earlier())])
        if read <= known:
            return 0
        self._unseen += 1
        self._unseen_tokens += read - known
        return read - known


def result(
    conversation: Conversation, prompt: Prompt, totals: Totals, caching: Caching
) -> Attribution:
    """The items by their cost, the dearest first, and their sums.

    Raises:
        NotAttributableError: they do not add up to the prompts.
    """
    carried = [item for item in prompt.items.values() if item.requests]
    _disown(conversation, prompt.items)
    items = [*map(_share, carried), *_never_carried(conversation, prompt.items)]
    items.sort(key=lambda item: (-(item.cost_pico or 0), -item.prompt_tokens, item.id))
    sums = _sums(prompt.positions.groups.values(), carried)
    _check("items", totals, ((item.tokens, item.cost) for item in carried))
    _check("labels", totals, ((each.prompt_tokens, each.cost_pico) for each in sums.values()))
    return Attribution(
        prompt_tokens=totals.tokens,
        prompt_pico=totals.prompt_pico,
        items=items,
        findings=totals.findings(),
        sums=sums,
        facts=caching.facts(),
        implied_outputs=prompt.implied,
    )


def _disown(conversation: Conversation, items: Mapping[str, Item]) -> None:
    """What another session loaded was carried from the first own request on: its answers, the
    results of its calls, and all that stood in its prompts."""
    others = {message.key for message in conversation.messages if not message.is_own}
    if not others:
        return
    results = (entry.key for entry in conversation.entries if entry.call in others)
    for key in (*others, *results):
        if key in items:
            items[key].is_inherited = True
    for item in items.values():
        if item.is_inherited:
            item.first = 0


def _check(name: str, totals: Totals, found: Iterable[tuple[int, int]]) -> None:
    tokens = pico = 0
    for more_tokens, more_pico in found:
        tokens += more_tokens
        pico += more_pico
    if (tokens, pico) != (totals.tokens, totals.pico):
        raise NotAttributableError(
            f"Its {name} have {tokens} tokens and {pico} pico-USD, and its requests"
            f" {totals.tokens} and {totals.pico}."
        )


def _sums(
    groups: Iterable[Group], carried: Iterable[Item]
) -> dict[tuple[int, ShareLabel], ShareSums]:
    """An item enters in the quarter of its first request, with all the tokens it ever had; what
    another session loaded does not."""
    for item in carried:
        if item.entered_at is not None and not item.is_inherited:
            sums = item.group.quarters[item.entered_at // QUARTER_MS]
            sums[0] += 1
            sums[1] += item.largest
            sums[6] += item.first
    return {
        (quarter, group.label): ShareSums(*sums)
        for group in groups
        for quarter, sums in group.quarters.items()
    }


def _share(item: Item) -> ItemShare:
    label, is_priced = item.group.label, item.paid > 0
    return ItemShare(
        id=item.id,
        kind=label.kind,
        name=label.name,
        server=label.server,
        uri=label.uri,
        agent=label.agent,
        tokens=item.largest,
        requests=item.requests,
        prompt_tokens=item.tokens,
        cost_pico=item.cost if is_priced else None,
        basis="estimated" if item.is_estimated else "measured",
        entered_at=item.entered_at,
        entered_with=item.entered_with,
        no_cache_pico=item.no_cache if is_priced else None,
        first_pico=item.first if is_priced else None,
        is_inherited=item.is_inherited,
    )


def _never_carried(conversation: Conversation, items: Mapping[str, Item]) -> Iterator[ItemShare]:
    """The session's own calls that no own request carried the result of: the last ones, those
    that never got one, and those that a compaction removed at once."""
    idle = [
        entry
        for entry in conversation.entries
        if entry.kind == TOOL
        and entry.call is not None
        and ((item := items.get(entry.key)) is None or not item.requests)
    ]
    if idle:
        own = {message.key: message.chain for message in conversation.messages if message.is_own}
        for entry in idle:
            if entry.call in own:
                yield _idle(entry, conversation.agent_of(own[entry.call]))


def _idle(entry: Entry, agent: str) -> ItemShare:
    return ItemShare(
        id=entry.key,
        kind=entry.kind,
        name=entry.name,
        server=entry.server,
        uri=entry.uri,
        agent=agent,
        tokens=None,
        requests=0,
        prompt_tokens=0,
        cost_pico=0,
        basis="unknown",
        no_cache_pico=0,
        first_pico=0,
    )
