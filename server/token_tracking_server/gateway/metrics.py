"""What the gateway tells Prometheus: counts and times, no text, no keys, and few labels."""

from collections.abc import Callable
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from token_tracking_server.gateway.errors import (
    GatewayError,
    UpstreamBrokeError,
    UpstreamTimeoutError,
    UpstreamUnreachableError,
)

MOST_MODELS: Final = 100
"""Names of models that become labels; each further one is counted as `other`."""

_COUNTED: Final = (UpstreamTimeoutError, UpstreamUnreachableError)
"""`Exchanges` counts them, whoever asked."""

_LONGEST_MODEL: Final = 100
_OTHER: Final = "other"
_SECONDS: Final = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600)
_WAITED: Final = (0.01, 0.1, 0.5, 1, 5, 10, 30, 60, 120, 300)


class Gauges:
    """The counters and gauges of one gateway. Every method is quick and never raises."""

    def __init__(self, *, most_models: int = MOST_MODELS) -> None:
        self._registry = CollectorRegistry()
        self._models = _Names(most_models)
        self._make_calls()
        self._make_windows()
        self._make_states()

    def _make_calls(self) -> None:
        registry = self._registry
        where = ("upstream", "model")
        self._calls = Counter(
            "token_tracking_upstream_calls",
            "Requests that were sent upstream, by the status of their response (none: it broke).",
            (*where, "status"),
            registry=registry,
        )
        self._seconds = Histogram(
            "token_tracking_upstream_seconds",
            "From the request to the last byte of its response.",
            where,
            buckets=_SECONDS,
            registry=registry,
        )
        self._first_byte = Histogram(
            "token_tracking_first_byte_seconds",
            "From the request to the first byte of its response's body.",
            where,
            buckets=_SECONDS,
            registry=registry,
        )
        self._errors = Counter(
            "token_tracking_errors",
            "Errors that the gateway answered itself, and responses that broke, by kind.",
            ("kind",),
            registry=registry,
        )

    def _make_windows(self) -> None:
        registry = self._registry
        self._compactions = Counter(
            "token_tracking_compactions",
            "Requests from which the window manager took something out.",
            registry=registry,
        )
        self._saved = Counter(
            "token_tracking_tokens_saved",
            "Prompt tokens that the window manager took out: estimated, not billed; counted once,"
            " when they leave a conversation, though later requests do not carry them either.",
            registry=registry,
        )
        self._overflows = Counter(
            "token_tracking_overflows_avoided",
            "Requests that would have been over their budget as the caller sent them (estimated).",
            registry=registry,
        )
        self._unfit = Counter(
            "token_tracking_window_refusals",
            "Requests that the window manager left as they were, by reason.",
            ("reason",),
            registry=registry,
        )
        self._waits = Histogram(
            "token_tracking_limiter_wait_seconds",
            "How long requests waited for a rate limit.",
            buckets=_WAITED,
            registry=registry,
        )

    def _make_states(self) -> None:
        registry = self._registry
        self._in_flight = Gauge(
            "token_tracking_in_flight", "Requests that are under way.", registry=registry
        )
        self._sessions = Gauge(
            "token_tracking_active_sessions", "Sessions that have not expired.", registry=registry
        )
        self._waiting = Gauge(
            "token_tracking_recorder_waiting",
            "Messages that are on disk and not yet in the ledger.",
            registry=registry,
        )
        self._lost = Gauge(
            "token_tracking_recorder_lost",
            "Messages that could be written nowhere, since this process started.",
            registry=registry,
        )

    def upstream_call(
        self,
        upstream: str,
        model: str | None,
        status: int | None,
        seconds: float,
        first_byte_seconds: float | None = None,
    ) -> None:
        """A call ended. `status` is `None` where no response came, `first_byte_seconds` where no
        byte of a body did; both times are from the request on."""
        is_answered = status is not None and status < 400
        name = self._models.label(model, may_add=is_answered)
        self._calls.labels(upstream, name, "none" if status is None else str(status)).inc()
        self._seconds.labels(upstream, name).observe(seconds)
        if first_byte_seconds is not None:
            self._first_byte.labels(upstream, name).observe(first_byte_seconds)

    def error(self, kind: str) -> None:
        """An error of the gateway's own, or a response that broke; `kind` is one of a few words."""
        self._errors.labels(kind).inc()

    def own_error(self, error: GatewayError) -> None:
        """An error that the gateway answers itself, unless it was counted where it arose."""
        is_counted = isinstance(error, _COUNTED) or isinstance(error.__cause__, UpstreamBrokeError)
        if not is_counted:
            self.error(type(error).__name__)

    def began(self) -> None:
        """A request came in."""
        self._in_flight.inc()

    def ended(self) -> None:
        """A request that `began` ended, however it did."""
        self._in_flight.dec()

    def limiter_wait(self, seconds: float) -> None:
        """A request waited so long for a rate limit."""
        self._waits.observe(seconds)

    def compacted(self, tokens_saved: int) -> None:
        """A request was made smaller by so many prompt tokens (estimated)."""
        self._compactions.inc()
        self._saved.inc(max(0, tokens_saved))

    def would_have_overflowed(self) -> None:
        """A request was over its budget as the caller sent it, and within it when it left."""
        self._overflows.inc()

    def left_alone(self, reason: str) -> None:
        """The window manager left a request as it was: `invalid`, `does_not_fit`, `unreadable`."""
        self._unfit.labels(reason).inc()

    def sessions(self, count: int) -> None:
        """How many sessions have not expired."""
        self._sessions.set(count)

    def follow_recorder(self, waiting: Callable[[], int], lost: Callable[[], int]) -> None:
        """Where the recorder's figures are read from, whenever Prometheus asks."""
        self._waiting.set_function(waiting)
        self._lost.set_function(lost)

    def exposition(self) -> tuple[bytes, str]:
        """The text that Prometheus reads, and its content type."""
        return generate_latest(self._registry), CONTENT_TYPE_PLAIN_0_0_4

    def asked_for(self) -> tuple[bytes, str]:
        """The same, for a request that `began` and does not count itself."""
        self.ended()
        try:
            return self.exposition()
        finally:
            self.began()


class _Names:
    """Names that may become labels: the first of them that were answered, and no more, so that
    whoever makes names up cannot fill the memory."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._known: set[str] = set()

    def label(self, name: str | None, *, may_add: bool) -> str:
        if name is None:
            return "none"
        if name in self._known:
            return name
        if not may_add or len(self._known) >= self._most or len(name) > _LONGEST_MODEL:
            return _OTHER
        self._known.add(name)
        return name
