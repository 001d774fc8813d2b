"""The statuses that are passed on: all that HTTP has room for, named or not."""

from typing import Final

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

STATUSES: Final = range(200, 1000)
"""Of whole responses. Clients read those from 600 on as errors of the server (RFC 9110, 15)."""

# Uvicorn has lines for those to 599, and would fail with any other.
for _status in STATUSES:
    STATUS_LINE.setdefault(_status, b"HTTP/1.1 %d \r\n" % _status)
