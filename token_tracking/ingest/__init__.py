"""From transcripts to the ledger: finds what changed, reads it, saves it."""

from token_tracking.ingest.ingest import Ingested, Progress, ingest_claude_code

__all__ = ["Ingested", "Progress", "ingest_claude_code"]
