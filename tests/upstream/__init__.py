"""A local server that speaks a provider's API: what tests and examples call instead of it.

It counts, caches and edits by rules of its own (`counting`, `caching`, `editing`), written from the
public documentation and from nothing of the library's, so that predictions can be held against it.
"""
