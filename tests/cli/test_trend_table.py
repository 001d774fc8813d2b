"""A period step by step."""

from decimal import Decimal

import pytest

from tests.cli.values import change, point, trend
from token_tracking_server.cli.trend_table import print_trend


def shown(capsys: pytest.CaptureFixture[str]) -> list[str]:
    text = capsys.readouterr().out
    assert "\x1b" not in text
    return [line.rstrip() for line in text.splitlines()]


def test_each_step_has_a_bar_of_its_cost(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    print_trend(trend(point("2026-04-01", "1.00"), point("2026-04-02", "4.00")))
    assert shown(capsys) == [
        "Day         Messages  Prompt  Output   Hits   Cost",
        "2026-04-01        10    1.0M   5,000  95.0%  $1.00  ██████",
        "2026-04-02        10    1.0M   5,000  95.0%  $4.00  ████████████████████████",
        "",
        "There is no period before this one to compare with.",
    ]


def test_a_step_without_messages_has_no_rate_and_one_without_a_price_no_bar(
    capsys: pytest.CaptureFixture[str],
) -> None:
    print_trend(
        trend(point("2026-04-01", "0", messages=0, hit_rate=None), point("2026-04-02", None))
    )
    lines = shown(capsys)
    assert lines[1].split() == ["2026-04-01", "0", "1.0M", "5,000", "-", "$0.00"]
    assert lines[2].split() == ["2026-04-02", "10", "1.0M", "5,000", "95.0%", "unknown"]


def test_a_long_run_of_empty_steps_is_one_row(capsys: pytest.CaptureFixture[str]) -> None:
    nothing = [point(f"2026-04-0{day}", "0", messages=0, hit_rate=None) for day in range(2, 6)]
    print_trend(trend(point("2026-04-01"), *nothing, point("2026-04-06")))
    lines = shown(capsys)
    assert [line.split("  ")[0] for line in lines[1:4]] == ["2026-04-01", "(4 empty)", "2026-04-06"]


def test_changes_have_a_direction_or_say_that_too_little_tells(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    reason = "12 messages are too few to tell."
    rate = change(
        "hit_rate", now=0.9, before=0.95, change=-0.05, direction="stable", can_tell=False,
        reason=reason,
    )  # fmt: skip
    new = change("efficiency", before=None, change=None, direction="stable", now=-3.0)
    print_trend(trend(point("2026-04-01"), changes=[change(), rate, new]))
    assert shown(capsys)[3:] == [
        "Against the period before   Before    Now  Change  Direction",
        "Cost of a message            $0.10  $0.08  -20.0%  improving",
        "Read from the cache          95.0%  90.0%   -5.0%  cannot tell",
        "Saved by caching           unknown  -3.0%       -  stable",
        reason,
    ]


@pytest.mark.parametrize("columns", ["60", "80", "120"])
def test_every_table_fits(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, columns: str
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    large = Decimal("123456.78")
    print_trend(
        trend(
            point("2026-04-01 12:00", str(large), messages=1_234_567, prompt_tokens=10**12),
            changes=[change(reason="x " * 60, can_tell=False)],
        )
    )
    assert max(map(len, shown(capsys))) <= int(columns)
