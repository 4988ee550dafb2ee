"""The durable record: identity before sending, everything after; locked, corrupt, full, old: each says what to do."""

import sqlite3
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nautilus_orderfeeds.orders import events as ev
from nautilus_orderfeeds.orders import journal_schema
from nautilus_orderfeeds.orders.journal import Journal, JournalCorrupt, JournalError, JournalLocked, Retention
from nautilus_orderfeeds.orders.requests import NewOrder
from nautilus_orderfeeds.orders.words import LiquiditySide, OrderSide, OrderType, TimeInForce

DAY = 86_400_000_000_000


def terms(client_order_id: str = "O-1") -> NewOrder:
    return NewOrder(
        client_order_id=client_order_id,
        symbol="BTC-PERP",
        side=OrderSide.BUY,
        type=OrderType.LIMIT,
        time_in_force=TimeInForce.GTC,
        quantity=Decimal("0.018"),
        price=Decimal("55000.0"),
        strategy_id="S-001",
        params={"stp": "CANCEL_MAKER"},
    )


def fill(n: int = 1) -> ev.OrderFilled:
    return ev.OrderFilled(
        ts_event=n,
        trade_id=f"T{n}",
        venue_order_id="V1",
        last_qty=Decimal("0.001"),
        last_px=Decimal("55000.5"),
        commission=Decimal("-0.0385"),
        liquidity_side=LiquiditySide.MAKER,
        cum_qty=Decimal("0.001") * n,
        gaps=((Decimal(0), Decimal("0.001")),),
    )


def path_of(tmp_path: Path) -> str:
    return str(tmp_path / "journal.sqlite")


def test_intent_is_on_disk_before_record_intent_returns(tmp_path: Path) -> None:
    journal = Journal(path_of(tmp_path), "BSX-001", schedule=lambda call: None)  # nothing scheduled ever runs
    journal.record_intent(terms(), ("cid:aa", "nonce:1"), 5, wire={"nonce": "1"}, init=b'{"a":1}')

    other = sqlite3.connect(path_of(tmp_path))
    assert other.execute("SELECT client_order_id, refs FROM orders").fetchall() == [("O-1", '["cid:aa","nonce:1"]')]
    journal.close()


def test_events_are_committed_together_at_the_end_of_the_turn(tmp_path: Path) -> None:
    turn: list[Callable[[], None]] = []
    journal = Journal(path_of(tmp_path), "BSX-001", schedule=turn.append)
    journal.record_intent(terms(), (), 1)
    for n in range(1, 4):
        journal.append_event("O-1", fill(n), n)
        journal.append_frame("BSX", b"frame", n)
    other = sqlite3.connect(path_of(tmp_path))
    assert other.execute("SELECT count(*) FROM events").fetchone() == (0,)
    assert len(turn) == 1, "one flush for the whole turn"

    turn.pop()()

    assert other.execute("SELECT count(*) FROM events").fetchone() == (3,)
    assert other.execute("SELECT count(*) FROM frames").fetchone() == (3,)
    journal.close()


def test_everything_comes_back(tmp_path: Path) -> None:
    journal = Journal(path_of(tmp_path), "BSX-001")
    journal.record_intent(terms(), ("cid:aa",), 5, wire={"size": "0.018"}, init=b'{"a":1}')
    told: list[ev.OrderEvent] = [
        ev.OrderSubmitted(ts_event=6),
        ev.OrderAccepted(ts_event=7, venue_order_id="V1"),
        fill(1),
        ev.OrderUpdated(ts_event=8, venue_order_id="V1", quantity=Decimal("0.02"), price=Decimal("1E+2")),
        ev.FillAbsorbed(
            ts_event=9, trade_id="T9", qty=Decimal("0.1"), last_px=Decimal("1.5"), stretch=(Decimal(0), Decimal("0.1"))
        ),
        ev.OrderCanceled(ts_event=10, reason="user"),
    ]
    for event in told:
        journal.append_event("O-1", event, 11)
    journal.bind("O-1", "V1")
    journal.set_mark("nonce", 2**62)
    journal.close()

    again = Journal(path_of(tmp_path), "BSX-001")
    (record,) = again.load()
    assert record.terms == terms()
    assert record.events == told
    assert (record.venue_order_id, record.refs, record.init, record.wire) == (
        "V1",
        ("cid:aa",),
        b'{"a":1}',
        {"size": "0.018"},
    )
    assert again.mark("nonce") == 2**62
    assert again.mark("never set") == 0
    assert again.fills() == [("O-1", fill(1))]
    again.close()


@settings(max_examples=50)
@given(raw=st.binary(max_size=200), text=st.text(max_size=50))
def test_any_frame_is_kept_byte_for_byte(raw: bytes, text: str) -> None:
    journal = Journal(":memory:", "BSX-001")
    journal.append_frame("BSX", raw, 1, fault=text)
    journal.flush()
    assert journal._db.execute("SELECT raw, fault FROM frames").fetchall() == [(raw, text)]
    journal.close()


def test_second_process_is_told_who_holds_it(tmp_path: Path) -> None:
    journal = Journal(path_of(tmp_path), "BSX-001")
    code = f"from nautilus_orderfeeds.orders.journal import Journal; Journal({path_of(tmp_path)!r}, 'BSX-001')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "JournalLocked" in done.stderr
    assert "in use by another process" in done.stderr
    assert "config field `journal`" in done.stderr
    journal.close()

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, "after close it is free again"


def test_second_client_in_this_process_is_refused_too(tmp_path: Path) -> None:
    journal = Journal(path_of(tmp_path), "BSX-001")
    with pytest.raises(JournalLocked, match="in use"):
        Journal(path_of(tmp_path), "BSX-001")
    journal.close()


@pytest.mark.parametrize("content", [b"not a database at all " * 100, b"SQLite format 3\x00" + b"\xff" * 4000])
def test_corrupt_file_says_what_to_do(tmp_path: Path, content: bytes) -> None:
    Path(path_of(tmp_path)).write_bytes(content)
    with pytest.raises(JournalCorrupt, match="move the file away"):
        Journal(path_of(tmp_path), "BSX-001")
    assert Path(path_of(tmp_path)).read_bytes() == content, "the evidence is left as it was"


def test_corrupt_row_says_what_to_do(tmp_path: Path) -> None:
    journal = Journal(path_of(tmp_path), "BSX-001")
    journal.record_intent(terms(), (), 1)
    journal.append_event("O-1", fill(), 1)
    journal._db.execute("UPDATE events SET body = '{'")
    with pytest.raises(JournalCorrupt, match="unreadable row"):
        journal.load()
    journal.close()


def test_other_account_and_newer_version_are_refused(tmp_path: Path) -> None:
    Journal(path_of(tmp_path), "BSX-001").close()
    with pytest.raises(JournalError, match="belongs to account BSX-001"):
        Journal(path_of(tmp_path), "BSX-002")

    db = sqlite3.connect(path_of(tmp_path))
    db.execute(f"PRAGMA user_version = {journal_schema.SCHEMA_VERSION + 1}")
    db.close()
    with pytest.raises(JournalError, match="upgrade"):
        Journal(path_of(tmp_path), "BSX-001")


def test_older_version_is_migrated_step_by_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Journal(path_of(tmp_path), "BSX-001").close()
    now = journal_schema.SCHEMA_VERSION
    monkeypatch.setattr(journal_schema, "SCHEMA_VERSION", now + 2)
    steps = {
        now: "ALTER TABLE orders ADD COLUMN first TEXT",
        now + 1: "ALTER TABLE orders ADD COLUMN second TEXT",
    }
    monkeypatch.setattr(journal_schema, "_MIGRATIONS", steps)

    Journal(path_of(tmp_path), "BSX-001").close()

    db = sqlite3.connect(path_of(tmp_path))
    assert db.execute("PRAGMA user_version").fetchone() == (now + 2,)
    columns = {row[1] for row in db.execute("PRAGMA table_info(orders)")}
    assert {"first", "second"} <= columns


def test_unwritable_place_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(JournalError, match="cannot be created"):
        Journal(str(tmp_path / "file" / "journal.sqlite"), "BSX-001")


def test_failed_write_refuses_the_order_and_loses_nothing(tmp_path: Path) -> None:
    journal = Journal(path_of(tmp_path), "BSX-001")
    journal._db.execute("PRAGMA query_only = ON")  # as a full or read-only disk would
    journal.append_event("O-0", fill(), 1)
    with pytest.raises(JournalError, match="cannot be written"):
        journal.record_intent(terms(), (), 1)
    assert journal.failure is not None

    journal._db.execute("PRAGMA query_only = OFF")
    assert journal.retry()
    assert journal.fills() == [("O-0", fill())], "what was pending is written once it can be"
    assert journal.load() == [], "the order was refused, and so is not sent: nobody may look for it"
    journal.close()


def test_a_second_order_of_one_id_is_no_failure_of_the_disk(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It alone is refused: nobody is told to free space, and every other row is written, before it and after it."""
    turns: list[Callable[[], None]] = []
    journal = Journal(path_of(tmp_path), "BSX-001", schedule=turns.append)
    journal.record_intent(terms("O-1"), (), 1)
    journal.append_event("O-1", fill(1), 1)
    journal.append_frame("BSX", b"before", 1)
    with pytest.raises(JournalError, match=r"'O-1'.*UNIQUE.*nothing is wrong with the disk"):
        journal.record_intent(terms("O-1"), ("other",), 2)
    assert journal.failure is None
    assert "left out" in caplog.text
    journal.append_event("O-1", fill(2), 3)
    journal.record_intent(terms("O-2"), (), 4)
    journal.close()

    again = Journal(path_of(tmp_path), "BSX-001")
    assert [record.client_order_id for record in again.load()] == ["O-1", "O-2"]
    assert [record.refs for record in again.load()] == [(), ()]
    assert again.fills() == [("O-1", fill(1)), ("O-1", fill(2))]
    assert again._db.execute("SELECT raw FROM frames").fetchall() == [(b"before",)]
    again.close()


def test_what_sqlite_cannot_take_keeps_nothing_else_from_it(tmp_path: Path) -> None:
    journal = Journal(path_of(tmp_path), "BSX-001")
    with pytest.raises(JournalError, match="cannot take order"):
        journal.record_intent(terms("O-2"), (), 2**70)
    journal.append_event("O-2", fill(1), 2**70)
    journal.record_intent(terms("O-3"), (), 3)
    assert [record.client_order_id for record in journal.load()] == ["O-3"]
    journal.close()


def test_a_disk_that_stays_full_does_not_fill_the_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nautilus_orderfeeds.orders.journal._MAX_WAITING", 50)
    journal = Journal(path_of(tmp_path), "BSX-001", schedule=lambda turn: turn())
    journal._db.execute("PRAGMA query_only = ON")
    for n in range(200):
        journal.append_frame("BSX", b"x", n)
    journal.append_event("O-1", fill(), 1)
    assert len(journal._pending) <= 52
    journal._db.execute("PRAGMA query_only = OFF")
    assert journal.retry()
    assert journal.fills() == [("O-1", fill())], "frames may go, events may not"
    journal.close()


FULL = """
import resource, signal, sys
from nautilus_orderfeeds.orders.journal import Journal, JournalError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
journal = Journal(sys.argv[1], "BSX-001")
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
n = 0
try:
    while n < 10_000:
        journal.set_mark(f"{n}" + "x" * 500, n)
        if journal.failure is not None:
            raise JournalError(journal.failure)
        n += 1
except JournalError as e:
    print(n, e)
"""


def test_a_file_that_cannot_grow_says_so_and_keeps_all_that_was_taken(tmp_path: Path) -> None:
    """A limit on the file's size stands for the disk."""
    said = subprocess.run(
        [sys.executable, "-c", FULL, path_of(tmp_path)], capture_output=True, text=True, timeout=60, check=True
    )
    taken, message = said.stdout.split(" ", 1)
    assert 0 < int(taken) < 10_000
    assert "cannot be written" in message
    assert "free space" in message
    journal = Journal(path_of(tmp_path), "BSX-001")
    assert journal._db.execute("SELECT count(*) FROM marks").fetchone() == (int(taken),)
    journal.record_intent(terms(), (), 1)
    journal.close()


def test_marks_are_told_although_the_file_is_lost(tmp_path: Path) -> None:
    """The account is read by its watermark: a lost journal must not keep anybody from knowing what became of orders."""
    journal = Journal(str(tmp_path / "journal.db"), "TEST-001")
    journal.set_mark("synced_ns", 5)
    assert journal.mark("never set") == 0
    journal._db.close()

    journal.set_mark("synced_ns", 7)
    assert journal.mark("synced_ns") == 7
    assert journal.mark("never set") == 0


def test_growth_is_bounded_but_open_orders_stay(tmp_path: Path) -> None:
    journal = Journal(path_of(tmp_path), "BSX-001", Retention(frame_days=1, order_days=2, max_frames=10))
    for name, closed in (("old", 1 * DAY), ("young", 9 * DAY), ("open", None)):
        journal.record_intent(terms(name), (), 1)
        journal.append_event(name, fill(), 1)
        journal.close_order(name, closed)
    for n in range(40):
        journal.append_frame("BSX", b"x", 1 * DAY if n < 15 else 10 * DAY)

    journal.prune(10 * DAY)

    assert {record.client_order_id for record in journal.load()} == {"young", "open"}
    assert len(journal.fills()) == 2
    assert journal._db.execute("SELECT count(*) FROM frames").fetchone() == (10,)
    journal.close()


def test_a_flood_is_written_in_bounded_commits(tmp_path: Path) -> None:
    """The loop gets its turn between commits however much is pending."""
    turns: list[Callable[[], None]] = []
    journal = Journal(path_of(tmp_path), "BSX-001", schedule=turns.append)
    for n in range(5_000):
        journal.append_frame("BSX", b"x", n)
    commits = 0
    while turns:
        turns.pop()()
        commits += 1
    assert commits == 3
    assert journal._db.execute("SELECT count(*) FROM frames").fetchone() == (5_000,)
    journal.close()
