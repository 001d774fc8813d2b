"""`track`: a client's usage in the ledger, also where the ledger cannot be written at first."""

import re
from pathlib import Path
from typing import Any

import pytest
from anthropic import Anthropic

from tests.upstream.app import Upstream
from tests.upstream.serve import upstream
from token_tracking import Recorder, TokenStore, track
from token_tracking.recording import default_recorder, drain_spool

__all__ = ["upstream"]

ASKED: dict[str, Any] = {
    "model": "claude-opus-4-8",
    "max_tokens": 100,
    "messages": [{"role": "user", "content": "What is a token?"}],
}


async def test_a_tracked_client_is_the_same_and_its_messages_are_in_the_ledger(
    upstream: Upstream, tmp_path: Path
) -> None:
    client: Any = Anthropic(api_key="test", base_url=upstream.base_url)
    with client, Recorder.open(tmp_path / "ledger.db") as recorder:
        assert track(client, recorder=recorder, session_id="s1", project="essays") is client
        message = client.messages.create(**ASKED)
        assert recorder.flush()
    async with TokenStore.opened(tmp_path / "ledger.db") as store:
        row = await store.get_message(message.id)
        assert row is not None
        assert row.usage.output_tokens == message.usage.output_tokens
        assert row.cost_usd is not None


async def test_what_a_ledger_does_not_take_waits_on_disk_and_fails_no_call(
    upstream: Upstream, tmp_path: Path
) -> None:
    ledger = tmp_path / "ledger.db"
    ledger.write_bytes(b"this is no database" * 100)
    client: Any = Anthropic(api_key="test", base_url=upstream.base_url)
    recorder = Recorder.open(ledger)
    with client:
        message = track(client, recorder=recorder).messages.create(**ASKED)
    assert not recorder.close(timeout=1)
    assert recorder.stats.waiting == 1
    ledger.unlink()
    async with TokenStore.opened(ledger) as store:
        assert (await drain_spool(store)).events == 1
        assert await store.get_message(message.id) is not None


async def test_the_examples_of_the_documentation_run(
    upstream: Upstream, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_BASE_URL", upstream.base_url)
    monkeypatch.setenv("ANTHROPIC_API_KEY", "none")
    monkeypatch.setenv("TOKEN_TRACKING_DB", str(tmp_path / "ledger.db"))
    monkeypatch.setattr("token_tracking.recording.default._opened", [])
    monkeypatch.chdir(tmp_path)
    text = (Path(__file__).parents[1] / "docs" / "sdk.md").read_text("utf-8")
    reader: dict[str, Any] = {}
    for example in re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        exec(example, reader)
    assert default_recorder().close()
    async with TokenStore.opened() as store:
        row = await store.get_message(reader["message"].id)
        assert row is not None
        assert row.session_id == "essay-8"
    reader["client"].close()
