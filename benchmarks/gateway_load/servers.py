"""The processes that are measured: a provider, our gateway, LiteLLM's proxy."""

import contextlib
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from benchmarks.gateway_load.caller import Target
from benchmarks.peer_environment import PeerEnvironment

START_SECONDS = 90.0
STOP_SECONDS = 30.0
REQUIREMENTS = Path(__file__).parents[1] / "gateway_peers" / "requirements.txt"
PATHS = {"openai": "/v1/chat/completions", "anthropic": "/v1/messages"}


class ServerFailedError(RuntimeError):
    """A server did not start; the text ends with what it printed."""


@dataclass(frozen=True)
class Served:
    """A server that answers."""

    name: str
    port: int
    key: str
    process: "subprocess.Popen[bytes]"

    def target(self, form: str) -> Target:
        """Its chat route of a form."""
        return Target(self.name, "127.0.0.1", self.port, PATHS[form], self.key)

    def resident_bytes(self) -> int | None:
        """Memory of its processes, where the system tells (Linux)."""
        if not Path("/proc/self/smaps_rollup").exists():
            return None
        return sum(_resident(each) for each in _with_children(self.process.pid))


@contextlib.contextmanager
def provider() -> Generator[Served]:
    """The provider that all stand before."""
    command = [sys.executable, "-m", "benchmarks.gateway_load.provider"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            port = int(process.stdout.readline().decode().rpartition(":")[2])
            yield Served("direct", port, "key", process)
        finally:
            process.kill()


@contextlib.contextmanager
def ours(upstream: Served, folder: Path) -> Generator[Served]:
    """Our gateway, with its ledger at `folder/ledger.db`."""
    port = free_port()
    config = folder / "gateway.toml"
    config.write_text(
        f'[upstreams.openai]\nform = "openai"\nbase_url = "http://127.0.0.1:{upstream.port}/v1"\n'
        f'[upstreams.anthropic]\nform = "anthropic"\nbase_url = "http://127.0.0.1:{upstream.port}"\n'
    )
    command = [sys.executable, "-m", "token_tracking_server.cli", "gateway"]
    command += ["--port", str(port), "--config", str(config), "--db", str(folder / "ledger.db")]
    with _serving("token-tracking", command, port, "/health", folder, os.environ) as process:
        yield Served("token-tracking", port, "key", process)


@contextlib.contextmanager
def litellm(upstream: Served, folder: Path, cache: Path) -> Generator[Served]:
    """LiteLLM's proxy with one worker and its defaults, in an environment of its own.

    Takes a minute and 750 MB of disk the first time.
    """
    environment = PeerEnvironment(cache, "gateway-peers", REQUIREMENTS)
    environment.install()
    port, key = free_port(), f"sk-{secrets.token_hex(16)}"
    config = folder / "litellm.yaml"
    config.write_text(
        "model_list:\n"
        "  - model_name: gpt-5\n    litellm_params: {model: openai/gpt-5, api_key: key,"
        f' api_base: "http://127.0.0.1:{upstream.port}/v1"}}\n'
        "  - model_name: claude-opus-4-8\n    litellm_params: {model: anthropic/claude-opus-4-8,"
        f' api_key: key, api_base: "http://127.0.0.1:{upstream.port}"}}\n'
        "litellm_settings: {telemetry: false}\n"
    )
    command = [str(environment.command("litellm")), "--config", str(config)]
    command += ["--port", str(port), "--host", "127.0.0.1", "--num_workers", "1"]
    variables = {
        **os.environ,
        "LITELLM_MASTER_KEY": key,
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",  # or it asks the network for prices
        "LITELLM_LOG": "ERROR",
    }
    with _serving("litellm", command, port, "/health/liveliness", folder, variables) as process:
        yield Served("litellm", port, key, process)


def free_port() -> int:
    """A port that is free just now."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return listening.getsockname()[1]


@contextlib.contextmanager
def _serving(
    name: str,
    command: Sequence[str],
    port: int,
    path: str,
    folder: Path,
    variables: Mapping[str, str],
) -> "Generator[subprocess.Popen[bytes]]":
    log = folder / f"{name}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, env=variables)
    try:
        _wait(name, process, f"http://127.0.0.1:{port}{path}", log)
        yield process
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(name: str, process: "subprocess.Popen[bytes]", address: str, log: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        with contextlib.suppress(URLError, OSError), urlopen(address, timeout=1) as answer:
            if answer.status == 200:
                return
        time.sleep(0.05)
    said = log.read_bytes()[-1_000:].decode(errors="replace")
    raise ServerFailedError(f"{name} does not answer at {address}: {said}")


def _with_children(pid: int) -> list[int]:
    found = [pid]
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in children.read_text().split():
            found += _with_children(int(child))
    return found


def _resident(pid: int) -> int:
    """Proportional set size: what processes share counts once."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0
