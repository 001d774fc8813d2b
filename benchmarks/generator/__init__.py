"""Claude Code transcripts with the statistics of real ones and text of their own."""

from benchmarks.generator.sessions import Session, Shape, fork_session, generate_session

__all__ = ["Session", "Shape", "fork_session", "generate_session"]
