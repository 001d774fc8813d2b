"""`token-tracking limits`, as people and scripts see it."""

import json
import re
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from token_tracking.limits import Quota, Quotas, Spender
from token_tracking_server.cli import main
from token_tracking_server.limits import limits_file
from token_tracking_server.settings import Settings

QUOTAS = [
    Quota(subject="user", period="day", tokens=100_000, alert_at=(0.5,)),
    Quota(subject="key", period="month", usd=Decimal(5), is_hard=False, allows_unpriced=True),
]


@pytest.fixture
async def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The ledger beside which quotas are used."""
    monkeypatch.setenv("COLUMNS", "80")
    path = tmp_path / "ledger.db"
    where = limits_file(Settings(database=str(path)))
    async with await Quotas.open(where, QUOTAS, timezone=ZoneInfo("UTC")) as quotas:
        anna = Spender(user="anna", key="3fb29c01d2aa")
        first = await quotas.reserve(anna, tokens=1, usd=Decimal("1.25"))
        await first.settle(62_000, Decimal("1.25"))
        second = await quotas.reserve(anna, tokens=1, usd=None)
        await second.settle(1, None)
        await quotas.reserve(anna, tokens=8_000, usd=Decimal("0.2"))
    return path


def test_quotas_are_a_table_of_eighty_columns(
    ledger: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["limits", "--db", str(ledger), "--timezone", "UTC"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0].split() == ["Quota", "Used", "Held", "Limit", "Share", "Resets", "Full"]
    text = "\n".join(lines)
    shown = re.sub(" {2,}", "  ", text)
    assert "62.0k  8,000  100.0k" in shown
    assert "$1.25  $0.20  $5.00 *  25%" in shown
    assert "without 1 requests of unknown price" in text
    assert "user anna: 50% of the quota of 100,000 tokens per day passed" in " ".join(text.split())


def test_as_json_they_have_every_figure(ledger: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["limits", "--db", str(ledger), "--timezone", "UTC", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    day, month = found["quotas"]
    assert (day["used"], day["reserved"], day["limit"], day["measure"]) == (
        62_001,
        8_000,
        100_000,
        "tokens",
    )
    assert (month["used"], month["unpriced"], month["is_hard"]) == (1.25, 1, False)
    assert day["resets_at"].endswith("T00:00:00+00:00")
    assert (day["forecast_at"], day["forecast_basis"]) == (None, "unknown")
    assert [each["share"] for each in found["alerts"]] == [0.5]


def test_without_quotas_it_says_where_they_are_set(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["limits", "--db", str(tmp_path / "ledger.db")]) == 0
    assert "No quotas are set" in capsys.readouterr().out
    assert list(tmp_path.glob("limits*")) == []
