"""The snapshot is what the installed genai-prices says."""

import json
import os
import subprocess
import sys
from datetime import time
from decimal import Decimal
from pathlib import Path

import pytest
from genai_prices.types import (
    ClauseAnd,
    ClauseEquals,
    ConditionalPrice,
    ModelInfo,
    ModelPrice,
    PriceVariant,
    Tier,
    TieredPrices,
    TimeOfDateConstraint,
)

from token_tracking.pricing import snapshot
from token_tracking.pricing.cards import Band, Card
from token_tracking.pricing.genai import card_of, installed_version
from token_tracking.pricing.published import SNAPSHOT_FILE

REGENERATE = "python -m token_tracking.pricing.snapshot"
ROOT = Path(__file__).parents[2]


def test_the_snapshot_is_of_the_installed_version() -> None:
    written = json.loads(SNAPSHOT_FILE.read_bytes())["genai_prices"]
    assert written == installed_version(), f"genai-prices has changed: run {REGENERATE}"


def test_the_snapshot_equals_a_new_one() -> None:
    made = snapshot.encoded(snapshot.make_snapshot())
    assert SNAPSHOT_FILE.read_bytes() == made, f"run {REGENERATE}"


def test_the_command_writes_the_file_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "snapshot.json"
    monkeypatch.setattr(snapshot, "SNAPSHOT_FILE", target)
    snapshot.main()
    assert target.read_bytes() == SNAPSHOT_FILE.read_bytes()
    assert "27 models of genai-prices 0.2.3" in capsys.readouterr().out


def test_a_model_described_in_a_new_way_is_refused() -> None:
    match = ClauseEquals("x")
    price = ModelPrice(input_mtok=Decimal(1), output_mtok=Decimal(1))
    morning = TimeOfDateConstraint(start_time=time(1), end_time=time(12))
    odd = [
        ModelInfo("x", match, prices=price, price_variants=[PriceVariant({"moon": "full"}, price)]),
        ModelInfo("x", match, prices=[ConditionalPrice(morning, prices=price)]),
        ModelInfo("x", ClauseAnd([match]), prices=price),
    ]
    for model in odd:
        with pytest.raises(NotImplementedError):
            snapshot.model_of(model)


def test_a_card_has_a_band_for_every_boundary_of_any_rate() -> None:
    price = ModelPrice(
        input_mtok=TieredPrices(Decimal(1), [Tier(100, Decimal(2)), Tier(300, Decimal(3))]),
        output_mtok=TieredPrices(Decimal(5), [Tier(200, Decimal(6))]),
        cache_write_mtok=Decimal(4),
    )
    million = 10**6
    assert card_of(price) == Card(
        tuple(
            Band(over, i * million, o * million, i * million, 4 * million, 4 * million)
            for over, i, o in [(0, 1, 5), (100, 2, 5), (200, 2, 6), (300, 3, 6)]
        ),
        None,
    )


@pytest.mark.parametrize(
    ("odd", "reason"),
    [
        ({"requests_kcount": Decimal(5)}, "each request"),
        ({"output_reasoning_mtok": Decimal(9)}, "reasoning"),
        ({"output_mtok": None}, "no output_mtok"),
        ({"input_mtok": Decimal("0.0000001")}, "too many decimals"),
    ],
)
def test_a_price_that_a_usage_cannot_be_priced_with_is_refused(
    odd: dict[str, Decimal | None], reason: str
) -> None:
    price = ModelPrice(**{"input_mtok": Decimal(1), "output_mtok": Decimal(2)} | odd)
    with pytest.raises(ValueError, match=reason):
        card_of(price)


def _python(code: str) -> str:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout


def test_importing_reads_no_price_list_and_no_heavy_package() -> None:
    out = _python(
        "import sys; import token_tracking.pricing as p;"
        "from token_tracking.pricing.published import published;"
        "heavy = {'genai_prices', 'pydantic', 'httpx', 'asyncio', 'importlib.metadata'};"
        "print(published.cache_info().currsize, sorted(heavy & set(sys.modules)))"
    )
    assert out.strip() == "0 []"


def test_pricing_claude_messages_never_imports_genai_prices() -> None:
    out = _python(
        "import sys; from token_tracking.pricing import PriceBook;"
        "from token_tracking.errors import UnknownModelError;"
        "book = PriceBook(); book.rates('claude-opus-5-5', 1795219200000, service_tier='batch')\n"
        "for name in ('claude-unheard-of', 'claude-opus-4-10'):\n"
        "  try: book.rates(name, 0)\n"
        "  except UnknownModelError: print('unknown')\n"
        "print('genai_prices' in sys.modules); book.rates('gpt-5', 1795219200000);"
        "print('genai_prices' in sys.modules)"
    )
    assert out.split() == ["unknown", "unknown", "False", "True"]
