"""The libraries' own environment, pinned, apart from what the project needs."""

from pathlib import Path

from benchmarks.peer_environment import PeerEnvironment, PeersMissingError

__all__ = ["PeersMissingError", "environment"]

REQUIREMENTS = Path(__file__).with_name("requirements.txt")


def environment(cache: Path) -> Path:
    """The Python of the environment in `cache`, which is built where it is not as required now.

    Raises PeersMissingError if that fails.
    """
    peers = PeerEnvironment(cache, "limiter-peers", REQUIREMENTS)
    peers.install()
    return peers.python
