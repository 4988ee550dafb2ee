"""Whatever a venue sends: the feed lives, the frame is counted and kept, the log says what came and what was due."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from benchmarks import bsx
from benchmarks.framework import Framework

GOOD = bsx.frames(1, 1719319688044650012)


def order_row(**changes: Any) -> bytes:
    frame = msgspec.json.decode(GOOD["accept"])
    frame["data"][0].update(changes)
    return msgspec.json.encode(frame)


def without(field: str) -> bytes:
    frame = msgspec.json.decode(GOOD["accept"])
    del frame["data"][0][field]
    return msgspec.json.encode(frame)


def renamed(**changes: Any) -> bytes:
    return msgspec.json.encode(msgspec.json.decode(GOOD["accept"]) | changes)


BAD = {
    "malformed JSON": b'{"channel":"orders","type":"update","data":[',
    "empty": b"",
    "not JSON": b"heartbeat",
    "a comment in it": b'{"channel":"orders", // comment\n"type":"update","data":[]}',
    "not UTF-8": b'{"channel":"orders","type":"update","data":"\xff\xfe"}',
    "an array": b"[1,2,3]",
    "deep nesting": b"[" * 100_000,
    "unknown status": order_row(status="HIBERNATING"),
    "unknown side": order_row(side="SIDEWAYS"),
    "missing id": without("id"),
    "missing status": without("status"),
    "missing size": without("size"),
    "wrong type of size": order_row(size={"value": 1}),
    "wrong type of data": renamed(data="nothing"),
    "number beyond sense": order_row(filled_size="1e400", avg_price="55000"),
    "number below sense": order_row(filled_size="1e-400"),
    "not a number": order_row(filled_size="NaN"),
    "infinite": order_row(size="Infinity"),
    "text for a number": order_row(price="fifty"),
    "non-ASCII id": order_row(id="заказ-1"),
    "control characters in the id": order_row(id="a\x00b"),
    "huge": b'{"channel":"orders","type":"update","data":"' + b"x" * 10_000_000 + b'"}',
}


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Any]:
    """A client with one submitted order, fed by hand."""

    async def make() -> tuple[Any, Framework]:
        framework = Framework()
        client, _ = bsx.build(framework, 1, str(tmp_path / "journal.sqlite"))
        return client, framework

    loop = asyncio.new_event_loop()
    client, framework = loop.run_until_complete(make())
    client.framework = framework
    yield client
    client._intake.journal.close()
    loop.close()


@pytest.mark.parametrize("what", BAD)
def test_feed_lives_and_frame_is_kept(client: Any, what: str, capfd: pytest.CaptureFixture[str]) -> None:
    raw = BAD[what]

    client.handle_frame(raw)

    assert client.malformed_frames == 1
    journal = client._intake.journal
    journal.flush()
    kept = journal._db.execute("SELECT raw, fault FROM frames WHERE fault IS NOT NULL").fetchall()
    assert [row[0] for row in kept] == [raw]
    assert "BSX" in kept[0][1]
    assert "expected" in kept[0][1]
    for step in ("accept", "partial fill", "fill"):  # the feed goes on
        client.handle_frame(GOOD[step])
    names = [type(event).__name__ for event in client.framework.events]
    assert names == ["OrderSubmitted", "OrderAccepted", "OrderFilled", "OrderFilled"]


@pytest.mark.parametrize("what", ["unknown channel", "unknown type", "extra keys"])
def test_unknown_but_harmless_frames_are_ignored(client: Any, what: str) -> None:
    """The venue's page: ignore unknown types and keys."""
    frame = {
        "unknown channel": renamed(channel="weather", data=[]),
        "unknown type": renamed(type="rumour", data=[]),
        "extra keys": order_row(mood="good"),
    }[what]

    client.handle_frame(frame)

    for step in ("accept", "partial fill", "fill"):
        client.handle_frame(GOOD[step])
    names = [type(event).__name__ for event in client.framework.events]
    assert names == ["OrderSubmitted", "OrderAccepted", "OrderFilled", "OrderFilled"]
