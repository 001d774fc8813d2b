"""Before there is any session."""

import pytest
from mcp import Client

from tests.server.asking import refused


@pytest.mark.parametrize("wanted", ["latest", "current", "abc"])
async def test_no_session_can_be_meant(client: Client, wanted: str) -> None:
    text = await refused(client, "session_report", session_id=wanted)
    assert text.endswith("The ledger holds no session yet.")
