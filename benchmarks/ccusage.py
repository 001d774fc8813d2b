"""ccusage, the program that the benchmarks compare with."""

import json
import subprocess
from pathlib import Path

VERSION = "20.0.24"


def native_binary(cache: Path) -> Path:
    """ccusage's own binary, without the Node launcher; installs it into `cache` where it is absent.

    Raises FileNotFoundError if npm is missing or has no binary for this machine.
    """
    folder = cache / f"ccusage-{VERSION}"
    found = _find(folder)
    if found is None:
        folder.mkdir(parents=True, exist_ok=True)
        install = ["npm", "install", "--no-audit", "--no-fund", "--prefix", str(folder)]
        subprocess.run([*install, f"ccusage@{VERSION}"], check=True, capture_output=True)
        found = _find(folder)
    if found is None:
        raise FileNotFoundError(f"npm installed no binary of ccusage for this machine in {folder}")
    found.chmod(
        0o755
    )  # npm leaves it without the right; the Node launcher grants it at its first run
    return found


def _find(folder: Path) -> Path | None:
    return next(folder.glob("node_modules/@ccusage/ccusage-*/bin/ccusage*"), None)


def totals(daily: bytes) -> dict[str, int]:
    """The token totals of `ccusage daily --json`, under this project's names."""
    found = json.loads(daily)["totals"]
    return {
        "input_tokens": found["inputTokens"],
        "output_tokens": found["outputTokens"],
        "cache_read_tokens": found["cacheReadTokens"],
        "cache_write_tokens": found["cacheCreationTokens"],
    }
