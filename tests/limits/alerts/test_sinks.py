"""Webhooks and commands: what they get, and what happens when they fail or hang."""

import json
import os
import select
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from tests.limits.alerts.receiving import received
from tests.limits.quotas.clocks import ms
from token_tracking.limits import Alert, CommandSink, WebhookSink
from token_tracking.limits.alerts import AlertError
from token_tracking.limits.alerts.values import amount

ALERT = Alert(
    id=1,
    kind="share",
    subject="user",
    name="anna",
    period="day",
    measure="usd",
    share=0.8,
    used=Decimal("4.25"),
    limit=Decimal(5),
    is_hard=True,
    starts_at=ms("2026-07-15T00:00:00"),
    resets_at=ms("2026-07-16T00:00:00"),
    raised_at=ms("2026-07-15T12:00:00"),
)
BODY = {
    "text": "user anna: 80% of the quota of $5.00 per day passed; $4.25 used, resets at 2026-07-16"
    " 00:00 UTC",
    "id": 1,
    "kind": "share",
    "subject": "user",
    "name": "anna",
    "period": "day",
    "measure": "usd",
    "share": 0.8,
    "used": 4.25,
    "limit": 5,
    "is_hard": True,
    "starts_at": "2026-07-15T00:00:00+00:00",
    "resets_at": "2026-07-16T00:00:00+00:00",
    "raised_at": "2026-07-15T12:00:00+00:00",
}
NO_PAUSES = (0.0, 0.0)


async def test_a_webhook_gets_the_alert_as_json():
    with received() as receiver:
        await WebhookSink(receiver.address, headers={"authorization": "x"}).tell(ALERT)
    assert receiver.bodies == [BODY]
    assert receiver.headers[0]["content-type"] == "application/json"
    assert receiver.headers[0]["authorization"] == "x"


@pytest.mark.parametrize("statuses", [(500, 503), (429,), (408, 425)])
async def test_a_webhook_that_fails_for_now_is_tried_three_times(statuses: tuple[int, ...]):
    with received(*statuses) as receiver:
        await WebhookSink(receiver.address, pauses=NO_PAUSES).tell(ALERT)
    assert len(receiver.bodies) == len(statuses) + 1


@pytest.mark.parametrize(
    ("statuses", "tries", "problem"),
    [
        ((500, 500, 500), 3, "status 500"),
        ((403,), 1, "status 403"),
        ((302,), 1, "status 302"),
    ],
)
async def test_a_webhook_that_does_not_take_it_is_an_error_without_its_secrets(
    statuses: tuple[int, ...], tries: int, problem: str
):
    with received(*statuses) as receiver:
        sink = WebhookSink(receiver.address, pauses=NO_PAUSES)
        with pytest.raises(AlertError, match=problem) as caught:
            await sink.tell(ALERT)
    assert len(receiver.bodies) == tries
    assert "s3cret" not in f"{caught.value} {sink!r}"


async def test_a_webhook_that_does_not_answer_is_an_error_without_its_secrets():
    with received(0) as receiver:
        sink = WebhookSink(receiver.address, pauses=(), timeout=0.5)
        with pytest.raises(AlertError, match=r"no answer within 0\.5 seconds") as caught:
            await sink.tell(ALERT)
    assert "s3cret" not in f"{caught.value} {sink!r}"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Decimal("0.000001"), "$0.000001"),
        (Decimal("0.0123456"), "$0.012"),
        (Decimal("1E-7"), "$0.0000001"),
        (Decimal(0), "$0.00"),
        (Decimal("0.1"), "$0.10"),
        (Decimal("1234.567"), "$1,234.57"),
        (12_000, "12,000 tokens"),
    ],
)
def test_an_amount_is_never_written_as_nothing(value: int | Decimal, text: str):
    assert amount(value) == text


async def test_a_webhook_that_is_not_there_is_an_error_without_its_secrets():
    with received() as receiver:
        address = receiver.address
    sink = WebhookSink(address, pauses=NO_PAUSES)
    with pytest.raises(AlertError, match="did not take an alert: ClientConnectorError") as caught:
        await sink.tell(ALERT)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["file:///etc/s3cret", "ftp://h/s3cret", "//h/s3cret", "https://", "http://[s3cret"]
)
def test_an_address_of_another_kind_is_refused(url: str):
    with pytest.raises(AlertError, match="http:// or https://") as caught:
        WebhookSink(url)
    assert "s3cret" not in str(caught.value)


async def test_a_command_gets_the_alert_as_a_line_of_json(tmp_path: Path):
    code = "import sys; open(sys.argv[1], 'w').write(sys.stdin.read())"
    await CommandSink([sys.executable, "-c", code, str(tmp_path / "told")]).tell(ALERT)
    text = (tmp_path / "told").read_text()
    assert text.endswith("}\n")
    assert json.loads(text) == BODY


async def test_a_command_is_not_read_by_a_shell(tmp_path: Path):
    code = "import sys; open(sys.argv[1], 'w').write(sys.argv[2])"
    await CommandSink([sys.executable, "-c", code, str(tmp_path / "told"), "$(id); x > y"]).tell(
        ALERT
    )
    assert (tmp_path / "told").read_text() == "$(id); x > y"


@pytest.mark.parametrize(
    ("command", "problem"),
    [
        ([sys.executable, "-c", "raise SystemExit(3)"], "status 3"),
        (["/no/such/program"], "cannot be started: No such file"),
    ],
)
async def test_a_command_that_fails_is_an_error(command: list[str], problem: str):
    with pytest.raises(AlertError, match=problem):
        await CommandSink(command).tell(ALERT)


@pytest.mark.skipif(sys.platform == "win32", reason="process groups are POSIX")
async def test_a_command_that_hangs_is_killed_with_what_it_started(tmp_path: Path):
    fifo = tmp_path / "alive"
    os.mkfifo(fifo)
    reading = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    # What the command starts holds the pipe open: its end is seen when that is gone.
    script = f"sh -c 'echo started; exec sleep 60' > {fifo} & wait"
    try:
        with pytest.raises(AlertError, match="took more than 1 seconds"):
            await CommandSink(["sh", "-c", script], timeout=1).tell(ALERT)
        assert os.read(reading, 100) == b"started\n"
        assert select.select([reading], [], [], 10)[0]
        assert os.read(reading, 100) == b""
    finally:
        os.close(reading)


@pytest.mark.parametrize("command", [[], [""], "notify-send hello"])
def test_a_command_that_is_no_list_is_refused(command: list[str]):
    with pytest.raises(AlertError, match="is a list"):
        CommandSink(command)
