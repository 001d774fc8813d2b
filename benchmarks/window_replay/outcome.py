"""What came of one policy."""

from dataclasses import dataclass, field

from benchmarks.window_replay.billing import LIFETIMES, Bill


@dataclass
class Outcome:
    """What came of one policy on some conversations, with one lifetime.

    `cleared` counts blocks that were taken out, `used_again` those of them that were missed.
    `laws` counts requests by the law that they break; `errors` requests at which it raised.
    `gave_up` counts conversations that it did not finish; `notes` says what it did beside its task.
    """

    bill: Bill = field(default_factory=Bill)
    refused: int = 0
    laws: dict[str, int] = field(default_factory=dict[str, int])
    seconds: list[float] = field(default_factory=list[float])
    cleared: int = 0
    used_again: int = 0
    gave_up: int = 0
    errors: int = 0
    notes: dict[str, int] = field(default_factory=dict[str, int])

    @property
    def laws_broken(self) -> int:
        """Requests in which a law was broken."""
        return sum(self.laws.values())

    def add(self, other: "Outcome") -> None:
        """Add those of others."""
        self.bill.add(other.bill)
        self.refused += other.refused
        self.seconds += other.seconds
        self.cleared += other.cleared
        self.used_again += other.used_again
        self.gave_up += other.gave_up
        self.errors += other.errors
        for mine, others in ((self.laws, other.laws), (self.notes, other.notes)):
            for name, count in others.items():
                mine[name] = mine.get(name, 0) + count


@dataclass(frozen=True, slots=True)
class Reached:
    """What a conversation had cost when a request of it was answered: pico-USD by lifetime, those
    of the answers, and prompt tokens."""

    pico: dict[str, int]
    answers_pico: int
    tokens: int

    @classmethod
    def of(cls, bill: Bill) -> "Reached":
        """The sums of a bill as they are now."""
        return cls(dict(bill.pico), bill.answers_pico, bill.tokens)

    def __add__(self, other: "Reached") -> "Reached":
        pico = {ttl: self.pico[ttl] + other.pico[ttl] for ttl in LIFETIMES}
        return Reached(pico, self.answers_pico + other.answers_pico, self.tokens + other.tokens)


NOTHING = Reached(dict.fromkeys(LIFETIMES, 0), 0, 0)
