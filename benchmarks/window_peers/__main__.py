"""The process that runs the peers: requests on standard input, answers on standard output."""

import ipaddress
import json
import os
import sys
from importlib import import_module, metadata
from typing import Any, TextIO, cast

from . import PEERS
from .history import Peer


class NetworkError(RuntimeError):
    """A peer wanted to reach the network, which it must not."""


def main() -> None:
    """Answer until standard input ends."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what the libraries print is no answer
    sys.addaudithook(stay_offline)
    serve(sys.stdin, answers)


def serve(requests: TextIO, answers: TextIO) -> None:
    """Answer each line of `requests` with one line."""
    peer: Peer | None = None
    for line in requests:
        request = json.loads(line)
        try:
            if request["op"] == "open":
                peer, answer = _opened(request)
            else:
                answer = _prepared(peer, request)
        except Exception as error:  # noqa: BLE001  (a library's failure is a result)
            answer = {"messages": None, "error": f"{type(error).__name__}: {error}"}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def _opened(request: dict[str, Any]) -> tuple[Peer, dict[str, Any]]:
    module = import_module(f".{PEERS[request['peer']]}", __package__)
    peer: Peer = module.opened(request["peer"], request["model"], request["system_tokens"])
    versions = {package: metadata.version(package) for package in module.PACKAGES}
    return peer, {"settings": peer.settings, "versions": versions, "error": None}


def _prepared(peer: Peer | None, request: dict[str, Any]) -> dict[str, Any]:
    if peer is None:
        raise LookupError("no peer is open")
    edited = peer.prepare(request["keep"], request["add"], request.get("usage"))
    return {
        "messages": edited.messages,
        "ms": edited.milliseconds,
        "extra": edited.extra,
        "note": edited.note,
        "error": None,
    }


def stay_offline(event: str, arguments: tuple[Any, ...]) -> None:
    """An audit hook: raises NetworkError at a connection or a look-up beyond this machine."""
    if event not in {"socket.connect", "socket.getaddrinfo"}:
        return
    address = arguments[1] if event == "socket.connect" else arguments
    host = str(cast("tuple[Any, ...]", address)[0]) if isinstance(address, tuple) else None
    if host is not None and not _is_own(host):  # a Unix socket has no host
        raise NetworkError(f"{event} {host}")


def _is_own(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


if __name__ == "__main__":
    main()
