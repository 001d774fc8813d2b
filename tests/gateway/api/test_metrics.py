"""Gauges count what they are told, and no name that anyone makes up fills them."""

from token_tracking_server.gateway.conversations.errors import AnswerFailedError
from token_tracking_server.gateway.errors import (
    RefusedError,
    UpstreamBrokeError,
    UpstreamUnreachableError,
)
from token_tracking_server.gateway.metrics import Gauges


def samples(gauges: Gauges) -> dict[str, float]:
    text, _ = gauges.exposition()
    lines = (line.rpartition(" ") for line in text.decode().splitlines() if line[0] != "#")
    return {name: float(value) for name, _, value in lines}


def calls(gauges: Gauges) -> dict[str, float]:
    prefix = "token_tracking_upstream_calls_total"
    found = samples(gauges).items()
    return {name.removeprefix(prefix): value for name, value in found if name.startswith(prefix)}


def test_calls_are_counted_by_upstream_model_and_status() -> None:
    gauges = Gauges()
    gauges.upstream_call("a", "m", 200, 1.5, 0.2)
    gauges.upstream_call("a", "m", 200, 2.5, 0.3)
    gauges.upstream_call("a", "m", 529, 0.1, 0.1)
    gauges.upstream_call("a", None, None, 0.1)
    assert calls(gauges) == {
        '{model="m",status="200",upstream="a"}': 2,
        '{model="m",status="529",upstream="a"}': 1,
        '{model="none",status="none",upstream="a"}': 1,
    }
    found = samples(gauges)
    assert found['token_tracking_upstream_seconds_sum{model="m",upstream="a"}'] == 4.1
    assert found['token_tracking_first_byte_seconds_count{model="m",upstream="a"}'] == 3
    assert 'token_tracking_first_byte_seconds_count{model="none",upstream="a"}' not in found


def test_models_beyond_the_most_are_others() -> None:
    gauges = Gauges(most_models=2)
    for name in ("a", "b", "c", "d", "a"):
        gauges.upstream_call("u", name, 200, 1)
    assert calls(gauges) == {
        '{model="a",status="200",upstream="u"}': 2,
        '{model="b",status="200",upstream="u"}': 1,
        '{model="other",status="200",upstream="u"}': 2,
    }


def test_a_name_that_no_upstream_answered_takes_no_place() -> None:
    gauges = Gauges(most_models=1)
    for number in range(50):
        gauges.upstream_call("u", f"made-up-{number}", 404, 1)
    gauges.upstream_call("u", "x" * 1000, 200, 1)
    gauges.upstream_call("u", "real", 200, 1)
    assert calls(gauges) == {
        '{model="other",status="404",upstream="u"}': 50,
        '{model="other",status="200",upstream="u"}': 1,
        '{model="real",status="200",upstream="u"}': 1,
    }


def test_windows_and_limits_are_counted() -> None:
    gauges = Gauges()
    gauges.compacted(1000)
    gauges.compacted(-5)
    gauges.would_have_overflowed()
    gauges.left_alone("invalid")
    gauges.limiter_wait(2.0)
    gauges.error("UpstreamUnreachableError")
    gauges.sessions(3)
    gauges.began()
    gauges.began()
    gauges.ended()
    found = samples(gauges)
    assert found["token_tracking_compactions_total"] == 2
    assert found["token_tracking_tokens_saved_total"] == 1000
    assert found["token_tracking_overflows_avoided_total"] == 1
    assert found['token_tracking_window_refusals_total{reason="invalid"}'] == 1
    assert found["token_tracking_limiter_wait_seconds_sum"] == 2
    assert found["token_tracking_limiter_wait_seconds_count"] == 1
    assert found['token_tracking_errors_total{kind="UpstreamUnreachableError"}'] == 1
    assert found["token_tracking_active_sessions"] == 3
    assert found["token_tracking_in_flight"] == 1


def test_an_own_error_is_counted_unless_it_was_where_it_arose() -> None:
    gauges = Gauges()
    gauges.own_error(RefusedError("no more"))
    gauges.own_error(UpstreamUnreachableError("gone"))
    broken = AnswerFailedError("broken")
    broken.__cause__ = UpstreamBrokeError("broke")
    gauges.own_error(broken)
    gauges.own_error(AnswerFailedError("refused"))
    prefix = 'token_tracking_errors_total{kind="'
    found = {
        name.removeprefix(prefix): value
        for name, value in samples(gauges).items()
        if name.startswith(prefix)
    }
    assert found == {'RefusedError"}': 1, 'AnswerFailedError"}': 1}


def test_the_recorders_figures_are_read_when_asked_for() -> None:
    gauges, waiting = Gauges(), [0]
    gauges.follow_recorder(lambda: waiting[0], lambda: 7)
    waiting[0] = 5
    found = samples(gauges)
    assert found["token_tracking_recorder_waiting"] == 5
    assert found["token_tracking_recorder_lost"] == 7


def test_what_is_estimated_says_so() -> None:
    text = Gauges().exposition()[0].decode()
    for name in ("tokens_saved_total", "overflows_avoided_total"):
        (line,) = [line for line in text.splitlines() if f"# HELP token_tracking_{name}" in line]
        assert "estimated" in line


def test_two_gateways_in_one_process_count_apart() -> None:
    one, other = Gauges(), Gauges()
    one.would_have_overflowed()
    assert samples(other)["token_tracking_overflows_avoided_total"] == 0
