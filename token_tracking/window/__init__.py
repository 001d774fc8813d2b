"""Long conversations that stay inside their budget, valid, and cheaper."""
