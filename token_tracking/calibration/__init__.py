"""Learns from billed transcripts how many of a model's tokens a token of o200k_base stands for."""

from token_tracking.calibration.calibrate import Calibration, calibrate, read_samples
from token_tracking.calibration.learning import Errors, Learned, Reason, errors_of, learn, split
from token_tracking.calibration.samples import Kind, Sample

__all__ = [
    "Calibration",
    "Errors",
    "Kind",
    "Learned",
    "Reason",
    "Sample",
    "calibrate",
    "errors_of",
    "learn",
    "read_samples",
    "split",
]
