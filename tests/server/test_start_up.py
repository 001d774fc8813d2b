"""What a client waits for before the server answers: mostly imports."""

import json
import subprocess
import sys

import pytest

LATER = {
    "tiktoken",
    "token_tracking.counting",
    "token_tracking_server.content.catalog",
    "yaml",
    "aiosql",
    "aiosqlite",
    "anthropic",
    "genai_prices",
    "rich",
    "sqlite3",
    "token_tracking.metrics",
    "token_tracking.pricing",
    "token_tracking.store",
    "yoyo",
}


def imported(code: str) -> set[str]:
    """The modules that a program has imported at its end."""
    program = f"{code}\nimport json, sys; print(json.dumps(list(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    return set(json.loads(run.stdout))


@pytest.mark.slow
def test_the_server_imports_nothing_that_only_a_question_needs() -> None:
    modules = imported(
        "from token_tracking_server.app import create_server\n"
        "from token_tracking_server.settings import Settings\n"
        "create_server(Settings())"
    )
    assert "mcp" in modules
    assert not LATER & modules


def test_only_serving_imports_mcp() -> None:
    modules = imported(
        "import token_tracking_server.serving, token_tracking_server.questions\n"
        "import token_tracking_server.answers, token_tracking_server.settings"
    )
    assert not {"mcp", "pydantic", "anthropic", "genai_prices"} & modules
