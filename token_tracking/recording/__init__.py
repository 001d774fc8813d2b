"""Sightings from a running program into the ledger: through a spool on disk, never in its way."""

from token_tracking.recording.default import default_recorder
from token_tracking.recording.leftovers import drain_spool, waiting_on_disk
from token_tracking.recording.recorder import Recorder
from token_tracking.recording.segments import spool_folder
from token_tracking.recording.values import Drained, RecorderStats, WaitingOnDisk

__all__ = [
    "Drained",
    "Recorder",
    "RecorderStats",
    "WaitingOnDisk",
    "default_recorder",
    "drain_spool",
    "spool_folder",
    "waiting_on_disk",
]
