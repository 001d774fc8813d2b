"""docs/limits.md: its examples run, and its configuration is one."""

import ast
import os
import re
import tomllib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from anthropic import AsyncAnthropic

from tests.upstream.app import Upstream
from tests.upstream.serve import upstream
from token_tracking_server.gateway.config import read_config

__all__ = ["upstream"]

DOC = (Path(__file__).parents[2] / "docs" / "limits.md").read_text("utf-8")


def blocks(language: str) -> list[str]:
    """The examples in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", DOC, re.MULTILINE | re.DOTALL)


@pytest.fixture
async def reader(upstream: Upstream) -> AsyncIterator[dict[str, Any]]:
    """What the document says is the reader's."""
    async with AsyncExitStack() as stack:
        client = AsyncAnthropic(api_key="none", base_url=upstream.base_url)
        names: dict[str, Any] = {
            "client": await stack.enter_async_context(client),
            "messages": [{"role": "user", "content": "What is a token?"}],
        }
        yield names
        for name in ("limiter", "quotas"):
            if name in names:
                await names[name].aclose()


async def test_the_examples_run(
    reader: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    for example in blocks("python"):
        code = compile(example, "docs/limits.md", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        result: Any = eval(code, reader)
        if result is not None:
            await result
    assert "user ada tokens 2220 2000000" in capsys.readouterr().out


def test_the_configuration_is_one(tmp_path: Path) -> None:
    (text,) = blocks("toml")
    file = tmp_path / "gateway.toml"
    file.write_text(text)
    given = {**os.environ, "REDIS_URL": "redis://127.0.0.1", "ALERT_WEBHOOK": "http://127.0.0.1"}
    config = read_config(file, environment=given)
    assert len(config.rate_limits) == len(tomllib.loads(text)["rate_limits"]) == 1
    assert config.quotas[0].hard
