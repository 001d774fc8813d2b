"""The gateway as the program that people start."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Self

_PREFIX = "Gateway: "
_TIMEOUT_SECONDS = 30

Command = tuple[str, ...]
PROGRAM: Command = (sys.executable, "-m", "token_tracking_server.cli")


class GatewayProcess:
    """`token-tracking gateway` on a free port, in a process group of its own."""

    def __init__(self, database: Path, config: Path, environment: Mapping[str, str]) -> None:
        command = [*PROGRAM, "gateway", "--port", "0", "--config", str(config)]
        self._errors: IO[bytes] = (database.parent / "gateway.err").open("ab")
        self._process = subprocess.Popen(
            [*command, "--db", str(database)],
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env=dict(environment),
            start_new_session=True,
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline().decode()
        assert line.startswith(_PREFIX), Path(self._errors.name).read_text()
        self.url = line.removeprefix(_PREFIX).split()[0]

    def kill(self) -> None:
        """End it, and all that it started, without a word."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._wait()

    def end(self) -> int:
        """Ask it to end: its status."""
        self._process.terminate()
        return self._wait()

    def _wait(self) -> int:
        status = self._process.wait(_TIMEOUT_SECONDS)
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._errors.close()
        return status

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        if self._process.poll() is None:
            self.kill()


def config_file(folder: Path, upstream_url: str) -> Path:
    """A configuration whose providers are the local upstream."""
    path = folder / "gateway.toml"
    path.write_text(
        f'[upstreams.anthropic]\nbase_url = "{upstream_url}"\n'
        f'[upstreams.openai]\nbase_url = "{upstream_url}/v1"\n'
    )
    return path


def ingest(database: Path, folder: Path, environment: Mapping[str, str]) -> str:
    """`token-tracking ingest` of a folder of transcripts: what it says."""
    command = [*PROGRAM, "ingest", "--db", str(database), "--claude-dir", str(folder)]
    done = subprocess.run(
        command, env=dict(environment), capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def quiet_environment(home: Path) -> dict[str, str]:
    """Nothing of this machine's settings."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
    return kept | {"HOME": str(home)}
