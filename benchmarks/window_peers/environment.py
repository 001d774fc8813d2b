"""The peers' own environment: LangChain and LiteLLM, pinned, apart from what the project needs."""

from pathlib import Path

from benchmarks.peer_environment import PeerEnvironment, PeersMissingError

__all__ = ["PeersMissingError", "environment", "installed"]

REQUIREMENTS = Path(__file__).with_name("requirements.txt")


def installed(cache: Path) -> Path | None:
    """The Python of the environment in `cache`, or None where it is not as required now."""
    peers = _peers(cache)
    return peers.python if peers.is_installed() else None


def environment(cache: Path) -> Path:
    """The Python of the environment in `cache`, which is built where it is not as required now.

    Takes a minute and 450 MB of disk the first time. Raises PeersMissingError if that fails.
    """
    peers = _peers(cache)
    peers.install()
    return peers.python


def _peers(cache: Path) -> PeerEnvironment:
    return PeerEnvironment(cache, "window-peers", REQUIREMENTS)
