"""The dashboard: a page over the ledger, alone in a browser, in a chat, or as one file.

The page has one source (`static/`). `serving` serves it beside a read-only API on this machine;
`app_view` makes it one page for hosts of MCP Apps; `export` one file that holds one session.
"""
