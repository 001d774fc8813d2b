"""Advice as a terminal shows it."""

from decimal import Decimal

from tests.cli.values import LONG, advice
from token_tracking_server.cli.advice_text import NOTHING, advice_lines


def test_money_comes_first_and_then_what_to_do() -> None:
    switch = advice(
        title="A model was changed in mid-session.",
        at_stake_usd=Decimal("0.004"),
        basis="measured",
        session_id="11111111",
    )
    assert list(advice_lines([advice(), switch]))[:10] == [
        " 1. $12.34 (est.)  The MCP server github was never called.",
        "    Its list of tools stood in the prompts of 12 sessions, 1,234 times.",
        "    Do: Remove it where you do not need it: claude mcp remove github",
        "",
        " 2. $0.0040  A model was changed in mid-session.",
        "    Its list of tools stood in the prompts of 12 sessions, 1,234 times.",
        "    Do: Remove it where you do not need it: claude mcp remove github",
        "    See: token-tracking session 11111111",
        "",
        "Money at stake is what it cost beyond what it need have, at API prices. Findings",
    ]


def test_lines_are_no_longer_than_the_terminal_nor_than_eighty() -> None:
    found = [advice(title=f"{LONG} was read again. " * 3, evidence=f"Read {LONG} again. " * 4)]
    for width, most in ((60, 60), (80, 80), (200, 80)):
        assert max(map(len, advice_lines(found, width))) <= most


def test_without_a_finding_it_says_so() -> None:
    assert list(advice_lines([])) == [NOTHING]


def test_words_from_files_cannot_steer_the_terminal() -> None:
    assert "\x1b" not in "".join(advice_lines([advice(title="a\x1b[2J")]))
