"""What a report of a period imports: people wait for it."""

import subprocess
import sys

_HEAVY = {
    "concurrent.futures.thread",
    "token_tracking.attributing",
    "token_tracking.calibration",
    "token_tracking.counting",
    "token_tracking.efficiency.baselines",
    "token_tracking.efficiency.context",
    "token_tracking.efficiency.engine",
    "token_tracking.efficiency.no_jit",
    "token_tracking.efficiency.session",
    "token_tracking.efficiency.snapshot",
    "token_tracking.loads",
    "token_tracking.metrics.period_figures",
    "token_tracking.metrics.session",
    "token_tracking.metrics.timeline",
    "token_tracking.store.load_calls",
    "token_tracking.store.save_loads",
    "token_tracking.store.session_loads",
    "token_tracking.tracker",
}
"""What is needed by sessions, by attribution, by counts of tokens, or by who tracks."""

_REPORT = """
import asyncio, sys
from token_tracking.efficiency import cache_figures
from token_tracking.ingest import ingest_claude_code
from token_tracking.metrics import TokenMetrics
from token_tracking.store import TokenStore

async def report():
    async with TokenStore.opened(sys.argv[1]) as store:
        await ingest_claude_code(store, [])
        for by in ("day", "session", "block"):
            await TokenMetrics(store).get_report(by)
        await TokenMetrics(store).get_summary()

asyncio.run(report())
print(*sys.modules)
"""


def test_a_report_imports_nothing_that_only_loads_and_counts_need(tmp_path: object) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _REPORT, f"{tmp_path}/l.db"],
        capture_output=True,
        text=True,
        check=True,
        env={"HOME": f"{tmp_path}", "PATH": ""},
    )
    assert _HEAVY & set(done.stdout.split()) == set()


def test_every_name_of_a_package_that_imports_late_is_there() -> None:
    from token_tracking import counting, efficiency, metrics, store

    for package in (counting, efficiency, metrics, store):
        assert [name for name in package.__all__ if not hasattr(package, name)] == []
        assert not hasattr(package, "nothing_of_this_name")
