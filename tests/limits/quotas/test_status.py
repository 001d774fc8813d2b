"""What other processes see of quotas, while they are used."""

import threading
from pathlib import Path

from token_tracking.limits import Quota, Quotas, Spender, read_status


async def test_what_is_seen_is_of_one_moment(tmp_path: Path) -> None:
    path = tmp_path / "limits.db"
    quotas = await Quotas.open(path, [Quota(subject="user", period="day", tokens=10**9)])
    sums: list[int] = []
    is_over = threading.Event()

    def look() -> None:
        while not is_over.is_set():
            sums.extend(int(each.used + each.reserved) for each in read_status(path))

    looking = threading.Thread(target=look)
    looking.start()
    for _ in range(300):
        await (await quotas.reserve(Spender(user="anna"), tokens=10, usd=None)).settle(10, None)
    is_over.set()
    looking.join()
    await quotas.aclose()
    assert sums == sorted(sums)
