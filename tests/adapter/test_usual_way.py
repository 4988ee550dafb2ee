"""The short way of the usual news through the intake tells, journals and notes what the long way does, and is taken."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any
from unittest import mock

import pytest

from benchmarks import bsx
from benchmarks.framework import Framework
from nautilus_orderfeeds.adapter.intake import Intake
from nautilus_orderfeeds.orders import events as ev
from nautilus_orderfeeds.orders.tracker import OrderTracker

ORDERS = 12

#: What differs from run to run whatever is told.
_OF_THE_RUN = ("client_order_id", "event_id", "ts_init")


def changed(raw: bytes, **fields: Any) -> bytes:
    """The frame with other values in its order."""
    told = json.loads(raw)
    told["data"][0] |= fields
    return json.dumps(told).encode()


def frames(rng: Random, lives: list[dict[str, bytes]]) -> list[bytes]:
    """What a venue with few faults says of the orders, woven into each other: each order's news mostly in order."""
    queues: list[list[bytes]] = []
    for life in lives:
        accept, partial, fill = life["accept"], life["partial fill"], life["fill"]
        news = [accept, partial, fill]
        match rng.randrange(6):
            case 0:
                news[2] = changed(partial, status="DONE", cancel_reason="User canceled", last_trades=[])
            case 1:
                news = [accept, changed(accept, status="DONE", cancel_reason="User canceled"), partial, fill]
            case 2:
                news.insert(rng.randrange(4), rng.choice(news))
            case 3:
                n = rng.randrange(2)
                news[n], news[n + 1] = news[n + 1], news[n]
            case _:
                pass
        queues.append(news)
    woven = []
    while any(queues):
        woven.append(rng.choice([queue for queue in queues if queue]).pop(0))
    return woven


async def told_of(path: Path, seed: int, meanwhile: Callable[[Any], None] = lambda _client: None) -> dict[str, Any]:
    """Run the frames through a client; return everything it told, wrote and keeps."""
    framework = Framework()
    client, lives = bsx.build(framework, ORDERS, str(path))
    framework.events.clear()  # of the orders being sent
    intake = client._intake
    for tracked in client._tracker:
        intake.journal.record_intent(tracked.terms, tracked.refs, 0)
    seen: list[tuple[int, list[str]]] = []
    numbers = {tracked.client_order_id: n for n, tracked in enumerate(client._tracker)}
    intake.on_told = lambda tracked, events: seen.append((numbers[tracked.client_order_id], list(map(repr, events))))
    meanwhile(client)
    wanted = []
    for raw in frames(Random(seed), lives):
        client._account.wanted = False
        client.handle_frame(raw)
        wanted.append(client._account.wanted)
    assert client.malformed_frames == 0
    intake.journal.flush()
    rows = {
        table: intake.journal._db.execute(f"SELECT {columns} FROM {table} ORDER BY rowid").fetchall()
        for table, columns in (
            ("events", "client_order_id, kind, body"),
            ("frames", "stream, fault, raw"),
            ("orders", "client_order_id, venue_order_id, closed_ns IS NULL"),
        )
    }
    rows["events"] = [(numbers[row[0]], *row[1:]) for row in rows["events"]]
    rows["orders"] = [(numbers[row[0]], *row[1:]) for row in rows["orders"]]
    noted = [(numbers[tracked.client_order_id], list(events)) for tracked, events, _ in intake.lifecycles._noted]
    intake.journal.close()
    told = []
    for event in framework.events:
        fields = type(event).to_dict(event)
        number = numbers[fields["client_order_id"]]
        told.append((number, {key: value for key, value in fields.items() if key not in _OF_THE_RUN}))
    books = [(t.is_open, t.in_flight, t.unsettled_since_ns > 0, t.ts_accepted, t.state.money) for t in client._tracker]
    closed = [numbers[client_order_id] for client_order_id in intake._closed]
    counts = (intake.fills_told, intake.orphaned_fills, intake.foreign_updates)
    return (
        {"told": told, "seen": seen, "noted": noted, "books": books, "closed": closed, "counts": counts}
        | rows
        | {"wanted": wanted}
    )


def _nothing(*_args: object) -> None:
    return None


@pytest.mark.parametrize("seed", range(25))
def test_both_ways_tell_journal_and_note_the_same(tmp_path: Path, seed: int) -> None:
    short = asyncio.run(told_of(tmp_path / "short.sqlite", seed))
    with mock.patch.object(OrderTracker, "take_usual", _nothing):
        long = asyncio.run(told_of(tmp_path / "long.sqlite", seed))
    for what, of_it in short.items():
        assert of_it == long[what], what
    assert short["told"]
    assert all(venue_order_id for _, venue_order_id, _ in short["orders"])
    assert 0 < sum(is_open for *_, is_open in short["orders"]) + len(short["closed"]) == ORDERS


def test_the_usual_life_goes_the_short_way(tmp_path: Path) -> None:
    async def run() -> None:
        framework = Framework()
        client, lives = bsx.build(framework, 3, str(tmp_path / "j.sqlite"))
        framework.events.clear()  # of the orders being sent
        with mock.patch.object(Intake, "_tell", side_effect=AssertionError("the long way")):
            for life in lives:
                for raw in life.values():
                    client.handle_frame(raw)
        assert (client.malformed_frames, client._intake.fills_told, len(framework.events)) == (0, 6, 9)
        client._intake.journal.close()

    asyncio.run(run())


def test_a_subscriber_of_updates_hears_of_the_usual_ones(tmp_path: Path) -> None:
    heard: list[Any] = []

    def listen(client: Any) -> None:
        client._msgbus.subscribe(topic=client._intake._update_topic, handler=heard.append)
        client._intake.refresh_subscribers()

    outcome = asyncio.run(told_of(tmp_path / "j.sqlite", 4, listen))
    names = [name for update in heard for name in getattr(update, "data", update).events.split(",")]
    assert names.count(ev.OrderFilled.__name__) == outcome["counts"][0] > 0
