"""The durable record of one account: one SQLite file (WAL).

Order of writing: an order's identity is committed *before* it is sent; events and raw frames are buffered and
committed together at the end of the event-loop turn that produced them, before the framework gets to hear of
them. So the loop is never blocked for longer than one commit of at most `_BATCH` rows, and a killed process has
told nothing it has not written.

`synchronous=NORMAL` survives the death of the process, not of the machine: after a power cut the last commits
may be missing, and the resynchronisation with the venue finds what they held.
"""

import contextlib
import logging
import sqlite3
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import filelock
import msgspec
from msgspec import Struct

from nautilus_orderfeeds.orders import journal_schema
from nautilus_orderfeeds.orders.events import AnyOrderEvent, OrderEvent, OrderFilled
from nautilus_orderfeeds.orders.requests import NewOrder

_log = logging.getLogger(__name__)

#: Rows written in one commit; the rest waits for the next turn of the loop.
_BATCH: Final = 2_000
_NS_PER_DAY: Final = 86_400_000_000_000

_INSERT_EVENT: Final = "INSERT INTO events (client_order_id, recorded_ns, kind, body) VALUES (?,?,?,?)"
_BIND: Final = "UPDATE orders SET venue_order_id = ? WHERE client_order_id = ?"
_CLOSE: Final = "UPDATE orders SET closed_ns = ? WHERE client_order_id = ?"
_MARK: Final = "INSERT OR REPLACE INTO marks VALUES (?, ?)"
_INSERT_ORDER: Final = (
    "INSERT INTO orders (client_order_id, venue_order_id, symbol, strategy_id, external, refs, terms, wire, init, "
    "created_ns) VALUES (?,?,?,?,?,?,?,?,?,?)"
)
_INSERT_FRAME: Final = "INSERT INTO frames (recorded_ns, stream, fault, raw) VALUES (?,?,?,?)"

#: What is wrong with a row and not with the file: a second order of one id, text or a number that is none to SQLite.
_ROW_FAULTS: Final = (sqlite3.IntegrityError, sqlite3.DataError, ValueError, OverflowError)

#: Rows that wait for a disk which cannot be written; beyond, frames are dropped: they would eat the memory too.
_MAX_WAITING: Final = 100_000

#: What waits to be written: the statement, then its values. One tuple and not two, for the path of every frame.
Row = tuple[Any, ...]

_encode = msgspec.json.Encoder().encode
_decode_event = msgspec.json.Decoder(AnyOrderEvent).decode
_decode_fill = msgspec.json.Decoder(OrderFilled).decode
_decode_terms = msgspec.json.Decoder(NewOrder).decode
_decode_refs = msgspec.json.Decoder(tuple[str, ...]).decode


class JournalError(Exception):
    """The journal cannot be used. The message says why and what to do; nothing was sent that was not recorded."""


class JournalLocked(JournalError):
    """Another process has it open."""


class JournalCorrupt(JournalError):
    """It is not, or no longer, a readable journal."""


class Retention(Struct, frozen=True, kw_only=True):
    """How much is kept. Open orders and their events are always kept.

    Parameters
    ----------
    frame_days : float
        Raw frames.
    order_days : float
        Closed orders and their events. Must outlast the venue's own history, which is where duplicates come from.
    max_frames : int
        Upper bound on raw frames whatever their age.
    """

    frame_days: float = 7.0
    order_days: float = 90.0
    max_frames: int = 1_000_000


class OrderRecord(Struct, frozen=True, kw_only=True):
    """One order as the journal has it; `events` in the order they were told, recorded at `events_ns` (UNIX ns)."""

    client_order_id: str
    venue_order_id: str | None
    strategy_id: str
    external: bool
    refs: tuple[str, ...]
    terms: NewOrder
    wire: Any
    init: bytes | None
    created_ns: int
    closed_ns: int | None
    events: list[OrderEvent]
    events_ns: list[int]


class Journal:
    """Durable record of one account.

    Parameters
    ----------
    path : str
        File, or ``":memory:"`` for none on disk.
    account : str
        Account id (``"BSX-001"``); a file belongs to one account.
    retention : Retention
        Bounds of growth.
    schedule : Callable, optional
        How to run a function at the end of the present turn (``loop.call_soon``); None: write at once.

    Raises
    ------
    JournalLocked
        If another process has the file open.
    JournalCorrupt
        If the file cannot be read.
    JournalError
        If it cannot be created, is for another account, or is from a newer version.
    """

    def __init__(
        self,
        path: str,
        account: str,
        retention: Retention | None = None,
        schedule: Callable[[Callable[[], None]], object] | None = None,
    ) -> None:
        self.path = path
        self.account = account
        self.failure: str | None = None
        #: The failure that was logged: one that lasts is logged once.
        self._said = ""
        self._retention = retention or Retention()
        self._schedule = schedule
        self._pending: deque[Row] = deque()
        self._flush_due = False
        self._refused: tuple[Row, str] = ((), "")
        self._marks: dict[str, int] = {}
        self._lock: filelock.BaseFileLock | None = None
        if path != ":memory:":
            self._lock = _locked(path)
        try:
            self._db = self._open()
        except BaseException:
            self._unlock()
            raise

    def _open(self) -> sqlite3.Connection:
        try:
            db = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = NORMAL")
            verdict = db.execute("PRAGMA quick_check(1)").fetchone()[0]
            if verdict != "ok":
                raise sqlite3.DatabaseError(verdict)
            journal_schema.prepare(db, self.account)
        except ValueError as e:
            raise JournalError(f"journal {self.path} cannot be used: {e}") from e
        except sqlite3.OperationalError as e:
            raise JournalError(
                f"journal {self.path} cannot be opened ({e}): check that the folder exists, is writable and has space",
            ) from e
        except sqlite3.DatabaseError as e:
            raise JournalCorrupt(
                f"journal {self.path} is not a readable journal ({e}): move the file away (keep it for inspection) and "
                "start again; open orders and fills are then read back from the venue, and orders of earlier runs "
                "come back as external",
            ) from e
        return db

    # -- writing ---------------------------------------------------------------------------------------------------

    def record_intent(
        self,
        order: NewOrder,
        refs: tuple[str, ...],
        now_ns: int,
        *,
        wire: Any = None,
        init: bytes | None = None,
        external: bool = False,
        venue_order_id: str | None = None,
    ) -> None:
        """Commit an order's identity, before it is sent.

        Raises
        ------
        JournalError
            If it could not be committed: then the order must not be sent.
        """
        row: Row = (
            _INSERT_ORDER,
            order.client_order_id,
            venue_order_id,
            order.symbol,
            order.strategy_id,
            int(external),
            _encode(refs).decode(),
            _encode(order).decode(),
            None if wire is None else _encode(wire).decode(),
            None if init is None else init.decode(),
            now_ns,
        )
        self._pending.append(row)
        self.flush()
        if self.failure is not None:
            self._pending.remove(row)  # it is not sent, so it must not be recorded later, either
            raise JournalError(self.failure)
        refused, why = self._refused
        if refused is row:
            raise JournalError(
                f"journal {self.path} cannot take order {order.client_order_id!r} ({why}): its id was used before on "
                "this account, or it holds text that is none; nothing is wrong with the disk"
            )

    def append_event(self, client_order_id: str, event: OrderEvent, now_ns: int) -> None:
        """Record an event (committed at the end of this turn of the loop)."""
        # It cannot change, so its text is made no sooner than at the commit.
        self._pending.append((_INSERT_EVENT, client_order_id, now_ns, event))
        if not self._flush_due:
            self._arrange_flush()

    def append_frame(self, stream: str, raw: bytes, now_ns: int, fault: str | None = None) -> None:
        """Record a raw frame as it came; `fault` says why it could not be read."""
        self._pending.append((_INSERT_FRAME, now_ns, stream, fault, raw))
        if not self._flush_due:
            self._arrange_flush()

    def bind(self, client_order_id: str, venue_order_id: str) -> None:
        """Record the venue's id of an order."""
        self._pending.append((_BIND, venue_order_id, client_order_id))
        if not self._flush_due:
            self._arrange_flush()

    def close_order(self, client_order_id: str, now_ns: int | None) -> None:
        """Record that an order has ended, or (None) that it is open again."""
        self._pending.append((_CLOSE, now_ns, client_order_id))
        if not self._flush_due:
            self._arrange_flush()

    def set_mark(self, key: str, value: int) -> None:
        """Record a high-water mark (a nonce, a watermark in ns) at once."""
        self._marks[key] = value
        self._pending.append((_MARK, key, value))
        self.flush()

    def _arrange_flush(self) -> None:
        if self._schedule is None:
            self.flush()
        else:
            self._flush_due = True
            self._schedule(self._flush_turn)

    def _flush_turn(self) -> None:
        self._flush_due = False
        self._write(_BATCH)
        if self.failure is not None and len(self._pending) > _MAX_WAITING:
            self._pending = deque(waiting for waiting in self._pending if waiting[0] is not _INSERT_FRAME)
        if self._pending and self._schedule is not None and self.failure is None:
            self._flush_due = True
            self._schedule(self._flush_turn)

    def flush(self) -> None:
        """Commit everything pending now."""
        while self._pending and self.failure is None:
            self._write(_BATCH)

    def _write(self, limit: int) -> None:
        pending = self._pending
        if not pending or self.failure is not None:
            return
        batch = [pending.popleft() for _ in range(min(limit, len(pending)))]
        try:
            self._commit(batch)
        except _ROW_FAULTS:
            self._write_singly(batch)
        except sqlite3.Error as e:
            self._fail(batch, e)

    def _commit(self, batch: list[Row]) -> None:
        # The tables do not refer to each other: events and frames, most of all rows, are written table by table.
        events, frames = [], []
        try:
            self._db.execute("BEGIN")
            for row in batch:
                sql = row[0]
                if sql is _INSERT_EVENT:
                    events.append(_event_row(*row))
                elif sql is _INSERT_FRAME:
                    frames.append(row[1:])
                else:
                    self._db.execute(sql, row[1:])
            self._db.executemany(_INSERT_EVENT, events)
            self._db.executemany(_INSERT_FRAME, frames)
            self._db.execute("COMMIT")
        except BaseException:
            with contextlib.suppress(sqlite3.Error):  # the connection itself may be gone
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
            raise

    def _write_singly(self, batch: list[Row]) -> None:
        """Write all rows but those that no disk would take: kept, one of them would keep every other from it."""
        for n, row in enumerate(batch):
            try:
                self._commit([row])
            except _ROW_FAULTS as e:
                self._refused = row, str(e)
                _log.error("journal %s: a row is left out (%s): %.300r", self.path, e, row[1:])
            except sqlite3.Error as e:
                self._fail(batch[n:], e)
                return

    def _fail(self, batch: list[Row], error: sqlite3.Error) -> None:
        self._pending.extendleft(reversed(batch))
        self.failure = f"journal {self.path} cannot be written ({error}): free space or repair the disk"
        if self.failure != self._said:
            self._said = self.failure
            _log.error("%s; until then no new order is sent", self.failure)

    def retry(self) -> bool:
        """Try again after a failed write; return whether the journal works now (what waits follows batch by batch)."""
        self.failure = None
        self._write(_BATCH)
        if self.failure is not None:
            return False
        self._said = ""
        if self._pending and not self._flush_due:
            self._arrange_flush()
        return True

    # -- reading ---------------------------------------------------------------------------------------------------

    def mark(self, key: str) -> int:
        """Return a high-water mark, 0 if there is none; a file that is lost meanwhile does not matter to it."""
        if key not in self._marks:
            row = self._db.execute("SELECT value FROM marks WHERE key = ?", (key,)).fetchone()
            self._marks[key] = 0 if row is None else int(row[0])
        return self._marks[key]

    def load(self) -> list[OrderRecord]:
        """Return every order kept, oldest first, with its events.

        Raises
        ------
        JournalCorrupt
            If a row cannot be read.
        """
        try:
            events: dict[str, list[OrderEvent]] = {}
            events_ns: dict[str, list[int]] = {}
            told = self._db.execute("SELECT client_order_id, recorded_ns, body FROM events ORDER BY seq")
            for client_order_id, recorded_ns, body in told:
                events.setdefault(client_order_id, []).append(_decode_event(body))
                events_ns.setdefault(client_order_id, []).append(recorded_ns)
            columns = (
                "client_order_id, venue_order_id, strategy_id, external, refs, terms, wire, init, created_ns, closed_ns"
            )
            rows = self._db.execute(f"SELECT {columns} FROM orders ORDER BY created_ns, rowid")
            return [
                OrderRecord(
                    client_order_id=row[0],
                    venue_order_id=row[1],
                    strategy_id=row[2],
                    external=bool(row[3]),
                    refs=_decode_refs(row[4]),
                    terms=_decode_terms(row[5]),
                    wire=None if row[6] is None else msgspec.json.decode(row[6]),
                    init=None if row[7] is None else row[7].encode(),
                    created_ns=row[8],
                    closed_ns=row[9],
                    events=events.get(row[0], []),
                    events_ns=events_ns.get(row[0], []),
                )
                for row in rows
            ]
        except (sqlite3.DatabaseError, msgspec.DecodeError) as e:
            raise JournalCorrupt(
                f"journal {self.path} has an unreadable row ({e}): move the file away and restart"
            ) from e

    def fills(self, since_ns: int = 0) -> list[tuple[str, OrderFilled]]:
        """Return (client order id, fill) of every fill told since then (venue time, UNIX ns), oldest first."""
        self.flush()
        rows = self._db.execute("SELECT client_order_id, body FROM events WHERE kind = 'OrderFilled' ORDER BY seq")
        found = [(client_order_id, _decode_fill(body)) for client_order_id, body in rows]
        return [(client_order_id, fill) for client_order_id, fill in found if fill.ts_event >= since_ns]

    # -- life ------------------------------------------------------------------------------------------------------

    def prune(self, now_ns: int) -> int:
        """Delete what the retention no longer keeps; return the number of rows deleted. Run it at start and daily."""
        keep = self._retention
        self.flush()
        frames_before = now_ns - int(keep.frame_days * _NS_PER_DAY)
        orders_before = now_ns - int(keep.order_days * _NS_PER_DAY)
        before = self._db.total_changes
        self._db.execute("BEGIN")
        self._db.execute("DELETE FROM frames WHERE recorded_ns < ?", (frames_before,))
        self._db.execute(
            "DELETE FROM frames WHERE seq <= (SELECT seq FROM frames ORDER BY seq DESC LIMIT 1 OFFSET ?)",
            (keep.max_frames,),
        )
        self._db.execute(
            "DELETE FROM events WHERE client_order_id IN (SELECT client_order_id FROM orders WHERE closed_ns < ?)",
            (orders_before,),
        )
        self._db.execute("DELETE FROM orders WHERE closed_ns < ?", (orders_before,))
        self._db.execute("COMMIT")
        return self._db.total_changes - before

    def close(self) -> None:
        """Commit what is pending and release the file; idempotent."""
        self.flush()
        self._db.close()
        self._unlock()

    def _unlock(self) -> None:
        if self._lock is not None:
            self._lock.release()
            self._lock = None


def _event_row(_sql: str, client_order_id: str, now_ns: int, event: OrderEvent) -> tuple[str, int, str, str]:
    return client_order_id, now_ns, type(event).__name__, _encode(event).decode()


def _locked(path: str) -> filelock.BaseFileLock:
    """Take the lock beside the file: SQLite's own locks would let two writers in by turns."""
    target = Path(path)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(f"{path}.lock", timeout=0)
        lock.acquire()
    except filelock.Timeout:
        raise JournalLocked(
            f"journal {path} is in use by another process: stop that one, or give this client a journal of its own "
            "(config field `journal`)",
        ) from None
    except OSError as e:
        raise JournalError(
            f"journal {path} cannot be created ({e.strerror}): choose a writable path (`journal`)"
        ) from e
    return lock
