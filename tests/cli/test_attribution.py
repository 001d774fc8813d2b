"""`token-tracking session ID --json`: items whose sums are exact."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.transcripts import SESSION, answer, asked, tool_result, tool_use, usage, write
from token_tracking_server.cli import main


def session(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    assert main(["session", SESSION, "--json"]) == 0
    return json.loads(capsys.readouterr().out, parse_float=Decimal)


@pytest.fixture(autouse=True)
def tree(claude: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """One session with a tool call."""
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(claude))
    monkeypatch.setenv("TOKEN_TRACKING_DB", str(tmp_path / "l.db"))
    first = usage(10, cache_creation_input_tokens=99_999)
    second = usage(20, cache_read_input_tokens=99_999, cache_creation_input_tokens=111)
    call = [tool_use("toolu_1", "Read", file_path="/a.py")]
    write(
        claude,
        [
            asked(),
            answer("msg_1", uuid="1", parent="u-u", second=2, billed=first, content=call),
            asked([tool_result("toolu_1", "x" * 300)], uuid="r", parent="1", second=3),
            answer("msg_2", uuid="2", parent="r", second=4, billed=second),
        ],
    )
    return claude


def test_the_items_add_up_to_the_last_digit(capsys: pytest.CaptureFixture[str]) -> None:
    found = session(capsys)
    items = found["items"]
    assert sum(item["prompt_tokens"] for item in items) == found["prompt_tokens"] == 200_119
    # 10 * 5 + 99,999 * 0.5 + 100,110 * 6.25, in millionths of a dollar.
    assert found["prompt_cost_usd"] == Decimal("0.675737")
    assert sum(item["prompt_cost_usd"] for item in items) == found["prompt_cost_usd"]
    assert next(item for item in items if item["id"] == "toolu_1") == {
        "id": "toolu_1",
        "kind": "tool",
        "name": "Read",
        "server": None,
        "uri": "/a.py",
        "agent": None,
        "tokens": 101,
        "requests": 1,
        "prompt_tokens": 101,
        "prompt_cost_usd": Decimal("0.000625"),
        "first_cost_usd": Decimal("0.000625"),
        "no_cache_cost_usd": Decimal("0.000505"),
        "basis": "measured",
    }
    assert found["attribution"]["requests"] == 2


def test_a_model_without_a_price_has_no_cost(
    claude: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = answer("msg_1", uuid="1", billed=usage(10, cache_creation_input_tokens=100))
    line["message"]["model"] = "nobody-knows"
    write(claude, [line])
    found = session(capsys)
    assert (found["prompt_tokens"], found["prompt_cost_usd"]) == (105, None)
    assert [item["prompt_cost_usd"] for item in found["items"]] == [None]
    assert found["attribution"]["unpriced"] == 1
