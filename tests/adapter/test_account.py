"""The balances are read again when they may have changed, and not more often."""

import asyncio
from types import SimpleNamespace
from typing import Any

from nautilus_orderfeeds.adapter.account import AccountKeeper
from nautilus_orderfeeds.feed.errors import TransientFeedError
from nautilus_orderfeeds.orders.updates import AccountUpdate


class Reader:
    """A keeper of an account that is read by the clock only if it has to be, and how often it was read."""

    def __init__(self) -> None:
        self.fills_told = 7  # of an earlier run: none of them is news
        self.readings = 0
        self.failures = 0
        self.warnings: list[str] = []
        self.may_end = asyncio.Event()
        self.may_end.set()
        client: Any = SimpleNamespace(_log=SimpleNamespace(warning=self.warnings.append))
        self.keeper = AccountKeeper(client, self._read, None, 0.0, lambda: self.fills_told)

    async def _read(self) -> AccountUpdate | None:
        self.readings += 1
        await self.may_end.wait()
        if self.failures:
            self.failures -= 1
            raise TransientFeedError("not now")
        return None

    async def tick(self) -> int:
        """Let the clock tick, and what it began come to an end; return how often was read by now."""
        self.keeper.tick(0.0)
        for _ in range(5):
            await asyncio.sleep(0)
        return self.readings


async def test_nothing_is_read_as_long_as_nothing_changes() -> None:
    reader = Reader()
    assert [await reader.tick() for _ in range(3)] == [0, 0, 0]


async def test_fills_have_it_read_once_however_many() -> None:
    reader = Reader()
    reader.fills_told += 3
    assert [await reader.tick() for _ in range(3)] == [1, 1, 1]
    reader.fills_told += 1
    assert [await reader.tick() for _ in range(3)] == [2, 2, 2]


async def test_a_wish_has_it_read_once() -> None:
    reader = Reader()
    reader.keeper.wanted = True
    assert [await reader.tick() for _ in range(2)] == [1, 1]


async def test_a_fill_during_a_reading_has_it_read_again() -> None:
    reader = Reader()
    reader.may_end.clear()
    reader.fills_told += 1
    assert await reader.tick() == 1
    reader.fills_told += 1
    assert await reader.tick() == 1, "one reading at a time"
    reader.may_end.set()
    await reader.tick()
    assert [await reader.tick() for _ in range(2)] == [2, 2]


async def test_a_reading_that_failed_is_made_again() -> None:
    reader = Reader()
    reader.failures = 2
    reader.fills_told += 1
    assert [await reader.tick() for _ in range(5)] == [1, 2, 3, 3, 3]
    assert len(reader.warnings) == 2
