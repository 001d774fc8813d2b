"""What was added up of each item, and of all items of one label by quarter of an hour.

Most of a prompt pays one rate in a request: that of what was read from the cache. So what all
tokens pay alike is a number that grows, and an account is only looked at when its size changes or
a quarter ends; what some tokens pay more or less is added to their accounts at once.
"""

from msgspec import Struct

from token_tracking.shares import ShareLabel


class Meter:
    """What every token of a prompt was charged so far: by how many requests, by how many with a
    price, and pico-USD at the common rate of each and at its input rate."""

    __slots__ = ("plain", "priced", "rate", "requests")

    def __init__(self) -> None:
        self.requests = self.priced = 0
        self.rate = self.plain = 0


class Group:
    """The items of one label: how many stand in the prompt of now, with how many tokens, and what
    they were charged in the quarter of now (`carried` to `no_cache`) and in those before.

    A quarter has the figures of `shares.ShareSums`, in their order; what entered, and the cost of
    first requests, are 0 until the end.
    """

    __slots__ = (
        "carried", "cost", "is_open", "items", "label", "no_cache", "prompt_tokens", "quarters",
        "since", "since_plain", "since_rate", "tokens",
    )  # fmt: skip

    def __init__(self, label: ShareLabel) -> None:
        self.label = label
        self.items = self.tokens = 0
        self.since = self.since_rate = self.since_plain = 0
        self.carried = self.prompt_tokens = self.cost = self.no_cache = 0
        self.is_open = False
        self.quarters: dict[int, list[int]] = {}

    def settle(self, meter: Meter) -> None:
        """Charge what was not yet."""
        requests = meter.requests - self.since
        if requests:
            if self.tokens:
                self.carried += self.items * requests
                self.prompt_tokens += self.tokens * requests
                self.cost += self.tokens * (meter.rate - self.since_rate)
                self.no_cache += self.tokens * (meter.plain - self.since_plain)
            self.since = meter.requests
            self.since_rate = meter.rate
            self.since_plain = meter.plain

    def leave(self, meter: Meter) -> None:
        """Have all of its items leave the prompt, charged for what they had until now."""
        self.settle(meter)
        self.items = self.tokens = 0

    def end(self, quarter: int, meter: Meter) -> None:
        """Note what was charged in a quarter, and begin another."""
        if self.since != meter.requests:
            self.settle(meter)
        if not self.carried:
            return
        now = [0, 0, self.carried, self.prompt_tokens, self.cost, self.no_cache, 0]
        before = self.quarters.get(quarter)
        if before is not None:
            # A branch of a conversation goes back in time.
            now = [a + b for a, b in zip(before, now, strict=True)]
        self.quarters[quarter] = now
        self.carried = self.prompt_tokens = self.cost = self.no_cache = 0


class Item(Struct, gc=False):
    """One item: its size in the prompt of now and at its largest, and what it was charged.

    `paid` is how many requests with a price carried it. `entered` is the number of the first own
    request that carried it, from 1; 0 before there is one. One that is inherited was loaded by
    another session.
    """

    id: str
    group: Group
    size: int = 0
    largest: int = 0
    since: int = 0
    since_priced: int = 0
    since_rate: int = 0
    since_plain: int = 0
    requests: int = 0
    paid: int = 0
    tokens: int = 0
    cost: int = 0
    no_cache: int = 0
    first: int = 0
    entered: int = 0
    entered_at: int | None = None
    entered_with: str | None = None
    is_estimated: bool = False
    is_inherited: bool = False

    def settle(self, meter: Meter) -> None:
        """Charge what was not yet; once for each size."""
        size, requests = self.size, meter.requests - self.since
        self.requests += requests
        self.paid += meter.priced - self.since_priced
        self.tokens += size * requests
        self.cost += size * (meter.rate - self.since_rate)
        self.no_cache += size * (meter.plain - self.since_plain)

    def leave(self, meter: Meter) -> None:
        """Have it leave the prompt, charged for what it had until now."""
        if self.size:
            self.settle(meter)
            self.size = 0

    def resize(self, change: int, meter: Meter) -> None:
        """Make it larger or smaller by `change` tokens, charged for what it had until now."""
        group, size, now = self.group, self.size, meter.requests
        if group.since != now:
            group.settle(meter)
        if self.since != now:
            if size:
                self.settle(meter)
            self.since = now
            self.since_priced = meter.priced
            self.since_rate = meter.rate
            self.since_plain = meter.plain
        if not size:
            group.items += 1
        group.tokens += change
        self.size = size = size + change
        if size > self.largest:
            self.largest = size
        elif not size:
            group.items -= 1
