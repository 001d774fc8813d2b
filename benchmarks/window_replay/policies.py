"""The policies that are replayed, by name."""

from collections.abc import Sequence
from functools import partial

from benchmarks.window_replay.rules import clear_every_request, sliding_window
from benchmarks.window_replay.subjects import Rule, Setting, Start, Subject, Windowed
from token_tracking.window.policies.cap import CapToolResults
from token_tracking.window.policies.clear import ClearToolResults
from token_tracking.window.policies.policy import Policy

NONE = "none"
DEFAULT = "default"


def ours() -> dict[str, Start]:
    """Nothing, the default, and policies of ours alone and together."""
    return {
        NONE: _windowed(()),
        DEFAULT: _windowed(None),
        "clear_results": _windowed((ClearToolResults(inputs=False),)),
        "clear_ungated": _windowed((ClearToolResults(is_gated=False),)),
        "cap_8000": _windowed((CapToolResults(),)),
        "cap_and_clear": _windowed((CapToolResults(), ClearToolResults())),
    }


def usual() -> dict[str, Start]:
    """Rules that are widely used."""
    return {
        "sliding_window": _sliding,
        "clear_every_request": lambda setting: Rule(clear_every_request),
    }


def _sliding(setting: Setting) -> Subject:
    return Rule(sliding_window(setting.base_tokens))


def _windowed(policy: Sequence[Policy] | None) -> Start:
    return partial(_start, policy)


def _start(policy: Sequence[Policy] | None, setting: Setting) -> Subject:
    return Windowed(setting, policy)
