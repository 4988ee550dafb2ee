"""The reader sees what the writer has committed, disturbs nothing, and finds the frames that name an order."""

import sqlite3
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nautilus_orderfeeds.orders import events as ev
from nautilus_orderfeeds.orders.journal import Journal, JournalCorrupt, JournalError
from nautilus_orderfeeds.orders.journal_reader import JournalOrder, JournalReader
from nautilus_orderfeeds.orders.requests import NewOrder
from nautilus_orderfeeds.orders.words import OrderSide, OrderStatus, OrderType, TimeInForce

MS = 1_000_000
BEGUN = 1_700_000_000_000 * MS


def new_order(client_order_id: str, quantity: str = "3") -> NewOrder:
    return NewOrder(
        client_order_id=client_order_id,
        symbol="BTC-PERP",
        side=OrderSide.BUY,
        type=OrderType.LIMIT,
        time_in_force=TimeInForce.GTC,
        quantity=Decimal(quantity),
        price=Decimal("100.5"),
        strategy_id="S-001",
    )


def filled(qty: str, cum: str, venue_order_id: str = "V-12345678") -> ev.OrderFilled:
    return ev.OrderFilled(
        trade_id=f"T{cum}",
        venue_order_id=venue_order_id,
        last_qty=Decimal(qty),
        last_px=Decimal("100.5"),
        commission=Decimal("0.01"),
        cum_qty=Decimal(cum),
    )


class Written:
    """A journal being written, with a clock of its own."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.journal = Journal(str(path), "BSX-001")

    def begin(self, client_order_id: str, at_ms: int = 0, *, refs: tuple[str, ...] = (), quantity: str = "3") -> None:
        self.journal.record_intent(new_order(client_order_id, quantity), refs, BEGUN + at_ms * MS)
        self.tell(client_order_id, ev.OrderSubmitted(), at_ms)

    def tell(self, client_order_id: str, event: ev.OrderEvent, at_ms: int) -> None:
        self.journal.append_event(client_order_id, event, BEGUN + at_ms * MS)

    def frame(self, raw: bytes, at_ms: int, fault: str | None = None) -> None:
        self.journal.append_frame("BSX", raw, BEGUN + at_ms * MS, fault)

    def end(self, client_order_id: str, at_ms: int) -> None:
        self.journal.close_order(client_order_id, BEGUN + at_ms * MS)


@pytest.fixture
def written(tmp_path: Path) -> Written:
    return Written(tmp_path / "a b#1.sqlite")


def only(path: Path) -> JournalOrder:
    with JournalReader(path) as reader:
        (order,) = reader.orders()
    return order


def test_reads_while_the_writer_writes(written: Written) -> None:
    with JournalReader(written.path) as reader:
        assert (reader.account, reader.count(), reader.orders()) == ("BSX-001", 0, [])
        written.begin("O-1")
        assert reader.orders()[0].state.status is OrderStatus.SUBMITTED
        written.tell("O-1", ev.OrderAccepted(venue_order_id="V-12345678"), 5)
        written.journal.bind("O-1", "V-12345678")
        written.tell("O-1", filled("1", "1"), 20)
        order = reader.order("O-1")
        assert order is not None
        assert order.state.status is OrderStatus.PARTIALLY_FILLED
        assert reader.order("V-12345678") == order
        written.journal.set_mark("nonce", 7)  # the writer is not held up
        assert written.journal.failure is None


def test_measures(written: Written) -> None:
    written.begin("O-1", 10)
    written.tell("O-1", ev.OrderAccepted(venue_order_id="V-12345678"), 15)
    written.tell("O-1", filled("1", "1"), 40)
    written.tell("O-1", filled("1", "2"), 50)
    assert only(written.path).duration_ns is None
    written.tell("O-1", ev.OrderCanceled(), 60)
    written.end("O-1", 60)
    order = only(written.path)
    assert order.state.status is OrderStatus.CANCELED
    assert order.time_to_accept_ns == 5 * MS
    assert order.time_to_first_fill_ns == 30 * MS
    assert order.duration_ns == 50 * MS
    assert order.fill_ratio == Decimal(2) / 3
    assert order.state.avg_px == Decimal("100.5")


def test_fill_is_proof_of_life_where_no_acceptance_was_told(written: Written) -> None:
    written.begin("O-1")
    written.tell("O-1", filled("3", "3"), 9)
    order = only(written.path)
    assert order.time_to_accept_ns == order.time_to_first_fill_ns == 9 * MS


def test_refused_order_has_no_times(written: Written) -> None:
    written.begin("O-1")
    written.tell("O-1", ev.OrderRejected(reason="no"), 4)
    order = only(written.path)
    assert (order.time_to_accept_ns, order.time_to_first_fill_ns, order.fill_ratio) == (None, None, 0)


def test_limit_keeps_the_newest_in_order(written: Written) -> None:
    for n in range(5):
        written.begin(f"O-{n}", n)
    with JournalReader(written.path) as reader:
        assert [order.client_order_id for order in reader.orders(2)] == ["O-3", "O-4"]
        assert reader.count() == 5
        assert reader.order("O-9") is None


def test_frames_by_venue_id_client_id_and_echoed_key(written: Written) -> None:
    written.begin("O-20260101-1", refs=("cid:5220aa11bb22", "nonce:1719319688307036691"))
    written.tell("O-20260101-1", ev.OrderAccepted(venue_order_id="V-12345678"), 5)
    frames = [
        b'{"id":"V-12345678","status":"OPEN"}',
        b'{"nonce":1719319688307036691}',
        b'{"client_order_id":"5220aa11bb22"}',
        b'{"text":"O-20260101-1"}',
    ]
    others = [
        b'{"id":"V-123456789"}',
        b'{"id":"XV-12345678"}',
        b'{"nonce":17193196883070366915}',
        b'{"client_order_id":"O-20260101-12"}',
        b'{"px":"0.V-12345678"}',
    ]
    for n, raw in enumerate([*frames, *others]):
        written.frame(raw, 10 + n)
    with JournalReader(written.path) as reader:
        (order,) = reader.orders()
        assert [frame.raw for frame in reader.frames(order)] == frames


def test_id_that_was_replaced_still_counts(written: Written) -> None:
    written.begin("O-1-long-enough")
    written.tell("O-1-long-enough", ev.OrderAccepted(venue_order_id="V-first-id"), 5)
    updated = ev.OrderUpdated(venue_order_id="V-second-id", quantity=Decimal(3), replaced=True)
    written.tell("O-1-long-enough", updated, 6)
    written.journal.bind("O-1-long-enough", "V-second-id")
    written.frame(b'{"id":"V-first-id"}', 5)
    written.frame(b'{"id":"V-second-id"}', 6)
    with JournalReader(written.path) as reader:
        (order,) = reader.orders()
        assert len(reader.frames(order)) == 2


def test_short_number_counts_only_as_an_id(written: Written) -> None:
    written.begin("O-1-long-enough")
    written.tell("O-1-long-enough", ev.OrderAccepted(venue_order_id="1000"), 5)
    named = [b'{"orderId":1000,"qty":5}', b'{"payload":{"orderID" : "1000"}}']
    for raw in (*named, b'{"orderId":7,"qty":1000}', b'{"orderId":10001}', b'{"paid":5,"px":1000.5}'):
        written.frame(raw, 6)
    with JournalReader(written.path) as reader:
        (order,) = reader.orders()
        assert [frame.raw for frame in reader.frames(order)] == named


def test_frames_long_before_and_after_are_another_orders(written: Written) -> None:
    written.begin("O-1", 10_000)
    written.tell("O-1", ev.OrderAccepted(venue_order_id="V-12345678"), 10_001)
    written.tell("O-1", ev.OrderCanceled(), 10_002)
    for at_ms in (0, 9_500, 10_002, 60_000, 100_000):
        written.frame(b'{"id":"V-12345678"}', at_ms)
    with JournalReader(written.path) as reader:
        (order,) = reader.orders()
        assert len(reader.frames(order)) == 4  # still open: everything from just before it on
        written.end("O-1", 10_002)
        (order,) = reader.orders()
        assert [frame.recorded_ns - BEGUN for frame in reader.frames(order)] == [9_500 * MS, 10_002 * MS, 60_000 * MS]


def test_unreadable_frame_keeps_its_fault(written: Written) -> None:
    written.begin("O-1")
    written.tell("O-1", ev.OrderAccepted(venue_order_id="V-12345678"), 1)
    written.frame(b'\xff{"id":"V-12345678"', 2, "cut short")
    with JournalReader(written.path) as reader:
        (frame,) = reader.frames(reader.orders()[0])
    assert (frame.raw, frame.fault, frame.stream) == (b'\xff{"id":"V-12345678"', "cut short", "BSX")


@given(st.text(st.characters(codec="ascii", categories=["L", "N", "P", "S"]), min_size=8, max_size=40))
def test_any_venue_id_is_found_in_its_frame(tmp_path_factory: pytest.TempPathFactory, venue_order_id: str) -> None:
    written = Written(tmp_path_factory.mktemp("ids") / "j.sqlite")
    written.begin("O-1-long-enough")
    written.tell("O-1-long-enough", ev.OrderAccepted(venue_order_id=venue_order_id), 1)
    raw = f'["{venue_order_id}"]'.encode()
    written.frame(raw, 2)
    with JournalReader(written.path) as reader:
        (order,) = reader.orders()
        assert [frame.raw for frame in reader.frames(order)] == [raw]
    written.journal.close()


def test_events_that_do_not_fold_are_shown_with_the_reason(written: Written) -> None:
    written.begin("O-1")
    written.tell("O-1", ev.OrderRejected(reason="no"), 1)
    written.tell("O-1", filled("1", "1"), 2)
    order = only(written.path)
    assert order.state.status is OrderStatus.REJECTED
    assert "OrderFilled may not follow REJECTED" in order.fault
    assert len(order.events) == 3


def test_leaves_nothing_behind_when_nobody_writes(written: Written) -> None:
    written.begin("O-1")
    written.journal.close()
    before = sorted(path.name for path in written.path.parent.iterdir())
    with JournalReader(written.path) as reader:
        assert reader.count() == 1
        assert sorted(path.name for path in written.path.parent.iterdir()) == before
    assert sorted(path.name for path in written.path.parent.iterdir()) == before


def test_cannot_write(written: Written) -> None:
    for _ in range(2):  # while the writer has it open, and after
        with JournalReader(written.path) as reader, pytest.raises(sqlite3.OperationalError):
            reader._db.execute("DELETE FROM meta")
        written.journal.close()


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match=r"there is no journal .*nowhere\.sqlite"):
        JournalReader(tmp_path / "nowhere.sqlite")
    assert list(tmp_path.iterdir()) == []


def test_other_files_are_refused(tmp_path: Path) -> None:
    text = tmp_path / "text.sqlite"
    text.write_text("not a database, but long enough to look at" * 20)
    with pytest.raises(JournalCorrupt, match="not a readable journal"):
        JournalReader(text)
    other = tmp_path / "other.sqlite"
    with sqlite3.connect(other) as db:
        db.execute("CREATE TABLE t (x)")
    db.close()
    with pytest.raises(JournalError, match="no journal of this package"):
        JournalReader(other)


def test_newer_journal_is_refused(written: Written) -> None:
    written.journal.close()
    with sqlite3.connect(written.path) as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(JournalError, match="schema version 99"):
        JournalReader(written.path)


def test_unreadable_row_is_told(written: Written) -> None:
    written.begin("O-1")
    written.journal.close()
    with sqlite3.connect(written.path) as db:
        db.execute("UPDATE events SET body = '{\"event\":'")
    db.close()
    with JournalReader(written.path) as reader, pytest.raises(JournalCorrupt, match="not a readable journal"):
        reader.orders()
