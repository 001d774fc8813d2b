"""The conformance suite of MCP, run against our server. `python -m tests.conformance.run`"""
