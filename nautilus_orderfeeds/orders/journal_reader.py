"""Reading a journal while a node may be writing it: nothing is written, locked or created.

For people and notebooks: what happened to an order, when the venue said so, and when the framework was told. All times
of a journal are the client's own clock, so frames and events lie on one axis.
"""

import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, Self

import msgspec
from msgspec import Struct

from nautilus_orderfeeds.orders.events import AnyOrderEvent, OrderEvent
from nautilus_orderfeeds.orders.inference import Rules
from nautilus_orderfeeds.orders.journal import JournalCorrupt, JournalError
from nautilus_orderfeeds.orders.journal_schema import SCHEMA_VERSION
from nautilus_orderfeeds.orders.lifecycle import OrderLifecycle
from nautilus_orderfeeds.orders.lifecycle_tracker import LifecycleTracker
from nautilus_orderfeeds.orders.requests import NewOrder
from nautilus_orderfeeds.orders.state import IllegalTransition, OrderState
from nautilus_orderfeeds.orders.tracker import OrderTracker

_NS_PER_SEC: Final = 1_000_000_000
#: Frames are looked for this long before an order was recorded (one entered elsewhere comes with a frame) and after
#: its end (doubled and late ones).
_BEFORE_NS: Final = _NS_PER_SEC
_AFTER_NS: Final = 60 * _NS_PER_SEC
#: A shorter id is a common number too, so it counts only where it stands under a key that ends in "id".
_TELLING_LENGTH: Final = 8

#: Streams are judged by so many frames: all would take too long to count.
_LATEST_FRAMES: Final = 1_000

_decode_event = msgspec.json.Decoder(AnyOrderEvent).decode
_decode_terms = msgspec.json.Decoder(NewOrder).decode
_decode_refs = msgspec.json.Decoder(tuple[str, ...]).decode

#: Folding events needs no rules; they matter only for new updates, and a reader takes none in.
_NO_RULES: Final = Rules(inferred_trade_id=lambda _order, _cum: "", price_precision=0)

_NEWEST: Final = "SELECT rowid FROM orders ORDER BY created_ns DESC, rowid DESC LIMIT ?"
_ORDER_COLUMNS: Final = (
    "client_order_id, venue_order_id, symbol, strategy_id, external, refs, terms, created_ns, closed_ns"
)


class JournalEvent(Struct, frozen=True):
    """One event, and when it was recorded (UNIX ns), right before the framework was told."""

    recorded_ns: int
    event: OrderEvent


class JournalFrame(Struct, frozen=True):
    """One raw frame, and when it came in (UNIX ns); `fault` says why it could not be read, if it could not."""

    recorded_ns: int
    stream: str
    raw: bytes
    fault: str | None = None


class JournalStream(Struct, frozen=True):
    """One stream among the last frames: how many, how many of them unreadable, when the last came (UNIX ns)."""

    name: str
    frames: int
    faults: int
    last_frame_ns: int


class JournalOrder(Struct, frozen=True, kw_only=True):
    """One order and what was told of it.

    Parameters
    ----------
    client_order_id, symbol, strategy_id : str
        Identity.
    venue_order_id : str, optional
        The venue's (last) id.
    external : bool
        Not entered through the client that wrote the journal.
    refs : tuple[str, ...]
        Keys chosen before sending that the venue echoes.
    terms : NewOrder
        As submitted.
    created_ns, closed_ns : int
        UNIX ns; `closed_ns` None while it is open.
    events : tuple[JournalEvent, ...]
        In the order told.
    state : OrderState
        All events folded, as after a restart.
    fault : str
        Why folding stopped early; empty if it did not.
    """

    client_order_id: str
    venue_order_id: str | None
    symbol: str
    strategy_id: str
    external: bool
    refs: tuple[str, ...]
    terms: NewOrder
    created_ns: int
    closed_ns: int | None
    events: tuple[JournalEvent, ...]
    state: OrderState
    fault: str = ""

    @property
    def ids(self) -> tuple[str, ...]:
        """Every text by which a frame may name the order, the venue's ids first."""
        venue_ids = [self.venue_order_id or ""]
        venue_ids += [getattr(entry.event, "venue_order_id", "") for entry in self.events]
        echoed = [ref.partition(":")[2] or ref for ref in self.refs]
        return tuple(dict.fromkeys(text for text in (*venue_ids, *echoed, self.client_order_id) if text))

    @property
    def duration_ns(self) -> int | None:
        """From the first record to the end, ns; None while it is open."""
        return None if self.closed_ns is None else self.closed_ns - self.created_ns

    @property
    def time_to_accept_ns(self) -> int | None:
        """From submitting to the first proof that it lives at the venue, ns; None if that did not come."""
        return self.lifecycle().time_to_accept_ns

    @property
    def time_to_first_fill_ns(self) -> int | None:
        """From submitting to the first fill told, ns; None if there is none."""
        return self.lifecycle().time_to_first_fill_ns

    @property
    def fill_ratio(self) -> Decimal:
        """Filled part of the order's quantity, 0 to 1."""
        return self.state.filled_qty / self.state.quantity if self.state.quantity else Decimal(0)

    def lifecycle(self, venue: str = "") -> OrderLifecycle:
        """Return the order's life in numbers; `venue` is the framework's, which a row of the journal does not tell."""
        life = OrderLifecycle.of(
            self.terms, self.created_ns, venue=venue, external=self.external, venue_order_id=self.venue_order_id
        )
        for entry in self.events:
            life.note(entry.event, entry.recorded_ns)
        return life


class JournalReader:
    """Reads one journal file; use it with ``with``.

    Parameters
    ----------
    path : str or Path
        The SQLite file.

    Raises
    ------
    JournalError
        If there is no such file, it is no journal, or it is from a newer version of this package.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        if not self.path.is_file():
            raise JournalError(f"there is no journal {path}: give the path of the SQLite file (config field `journal`)")
        # With nobody writing there is no WAL file, and a reader would leave one behind, owned by the wrong user.
        wal = self.path.with_name(f"{self.path.name}-wal")
        mode = "mode=ro" if wal.exists() else "mode=ro&immutable=1"
        try:
            self._db = sqlite3.connect(f"{self.path.resolve().as_uri()}?{mode}", uri=True, isolation_level=None)
        except sqlite3.Error as e:
            raise JournalError(f"journal {path} cannot be opened ({e}): check its permissions") from e
        try:
            #: Account the journal belongs to.
            self.account = self._check()
        except BaseException:
            self._db.close()
            raise

    def _check(self) -> str:
        with self._reading():
            version = int(self._db.execute("PRAGMA user_version").fetchone()[0])
            tables = {row[0] for row in self._db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            if version < 1 or not {"meta", "orders", "events", "frames"} <= tables:
                raise JournalError(f"{self.path} is a SQLite file, but no journal of this package")
            if version > SCHEMA_VERSION:
                raise JournalError(
                    f"journal {self.path} has schema version {version}, this package knows up to {SCHEMA_VERSION}: "
                    "upgrade orderfeeds-nt-community"
                )
            owner = self._db.execute("SELECT value FROM meta WHERE key = 'account'").fetchone()
        return "" if owner is None else str(owner[0])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Release the file; idempotent."""
        self._db.close()

    # -- reading ---------------------------------------------------------------------------------------------------

    def count(self) -> int:
        """Return the number of orders kept."""
        with self._reading():
            return int(self._db.execute("SELECT count(*) FROM orders").fetchone()[0])

    def orders(self, limit: int | None = None) -> list[JournalOrder]:
        """Return the orders, oldest first; of more than `limit` the newest.

        Raises
        ------
        JournalCorrupt
            If a row cannot be read.
        """
        return self._orders(f"rowid IN ({_NEWEST})", (-1 if limit is None else limit,))

    def order(self, order_id: str) -> JournalOrder | None:
        """Return one order by its client order id or else its venue order id, None if there is none.

        Raises
        ------
        JournalCorrupt
            If a row cannot be read.
        """
        for column in ("client_order_id", "venue_order_id"):
            found = self._orders(f"{column} = ?", (order_id,))
            if found:
                return found[-1]
        return None

    @property
    def venue(self) -> str:
        """The framework's venue: what the account id begins with."""
        return self.account.partition("-")[0]

    def lifecycles(self, limit: int | None = None) -> LifecycleTracker:
        """Return the lives of the orders; of more than `limit` the newest.

        Raises
        ------
        JournalCorrupt
            If a row cannot be read.
        """
        tracker = LifecycleTracker()
        # Without folding the whole state of each order, which takes most of the time that `orders` takes.
        with self._reading():
            rows, events = self._rows(f"rowid IN ({_NEWEST})", (-1 if limit is None else limit,))
            for client_order_id, venue_order_id, _, _, external, _, terms, created_ns, _ in rows:
                life = OrderLifecycle.of(
                    _decode_terms(terms),
                    created_ns,
                    venue=self.venue,
                    external=bool(external),
                    venue_order_id=venue_order_id,
                )
                for entry in events[client_order_id]:
                    life.note(entry.event, entry.recorded_ns)
                tracker.put(life)
        return tracker

    def streams(self) -> list[JournalStream]:
        """Return how the streams did lately, by the last frames kept."""
        latest = f"SELECT stream, fault, recorded_ns FROM frames ORDER BY seq DESC LIMIT {_LATEST_FRAMES}"
        with self._reading():
            rows = self._db.execute(
                "SELECT stream, count(*), sum(fault IS NOT NULL), max(recorded_ns) "
                f"FROM ({latest}) GROUP BY stream ORDER BY stream"
            ).fetchall()
        return [JournalStream(*row) for row in rows]

    def frames(self, order: JournalOrder) -> list[JournalFrame]:
        """Return the frames that name an order by any of its ids, in the order they came.

        Frames are kept for a shorter time than orders (`Retention`), so an old order may have none.
        """
        ids = order.ids
        last_ns = max([order.created_ns, order.closed_ns or 0, *(e.recorded_ns for e in order.events)])
        until_ns = 2**63 - 1 if order.closed_ns is None else last_ns + _AFTER_NS
        contains = " OR ".join(["instr(raw, ?)"] * len(ids))
        sql = (
            "SELECT recorded_ns, stream, raw, fault FROM frames "
            f"WHERE recorded_ns BETWEEN ? AND ? AND ({contains}) ORDER BY seq"
        )
        with self._reading():
            rows = self._db.execute(
                sql, (order.created_ns - _BEFORE_NS, until_ns, *(text.encode() for text in ids))
            ).fetchall()
        pattern = _naming(ids)
        return [JournalFrame(row[0], row[1], bytes(row[2]), row[3]) for row in rows if pattern.search(bytes(row[2]))]

    def all_frames(self) -> Iterator[JournalFrame]:
        """Yield every frame kept, in the order they came."""
        with self._reading():
            for recorded_ns, stream, raw, fault in self._db.execute(
                "SELECT recorded_ns, stream, raw, fault FROM frames ORDER BY seq"
            ):
                yield JournalFrame(recorded_ns, stream, bytes(raw), fault)

    # -- inside ----------------------------------------------------------------------------------------------------

    def _orders(self, where: str, values: Sequence[object]) -> list[JournalOrder]:
        with self._reading():
            rows, events = self._rows(where, values)
            return [_made(row, events[row[0]]) for row in rows]

    def _rows(self, where: str, values: Sequence[object]) -> tuple[list[Any], dict[str, list[JournalEvent]]]:
        """Return rows of orders, and their events by client order id."""
        rows = self._db.execute(
            f"SELECT {_ORDER_COLUMNS} FROM orders WHERE {where} ORDER BY created_ns, rowid", values
        ).fetchall()
        events: dict[str, list[JournalEvent]] = {row[0]: [] for row in rows}
        chosen = f"SELECT client_order_id FROM orders WHERE {where}"
        told = self._db.execute(
            f"SELECT client_order_id, recorded_ns, body FROM events WHERE client_order_id IN ({chosen}) ORDER BY seq",
            values,
        )
        for client_order_id, recorded_ns, body in told:
            events[client_order_id].append(JournalEvent(recorded_ns, _decode_event(body)))
        return rows, events

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """One consistent view of the file, and its errors in our words."""
        try:
            self._db.execute("BEGIN")
            yield
        except (sqlite3.DatabaseError, msgspec.MsgspecError) as e:
            raise JournalCorrupt(f"journal {self.path} is not a readable journal ({e})") from e
        finally:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")


def _made(row: Sequence[Any], events: Sequence[JournalEvent]) -> JournalOrder:
    client_order_id, venue_order_id, symbol, strategy_id, external, refs, terms, created_ns, closed_ns = row
    decoded_refs, decoded_terms = _decode_refs(refs), _decode_terms(terms)
    fault = ""
    kept = len(events)
    while True:
        try:
            # The same fold as after a restart.
            tracked = OrderTracker().restore(
                decoded_terms,
                _NO_RULES,
                decoded_refs,
                created_ns,
                [entry.event for entry in events[:kept]],
                external=bool(external),
                venue_order_id=venue_order_id,
            )
            break
        except IllegalTransition as e:
            kept, fault = kept - 1, str(e)
    return JournalOrder(
        client_order_id=client_order_id,
        venue_order_id=venue_order_id,
        symbol=symbol,
        strategy_id=strategy_id,
        external=bool(external),
        refs=decoded_refs,
        terms=decoded_terms,
        created_ns=created_ns,
        closed_ns=closed_ns,
        events=tuple(events),
        state=tracked.state,
        fault=fault,
    )


def _naming(ids: Sequence[str]) -> re.Pattern[bytes]:
    """Return a pattern for frames that name one of `ids`, whole, and not merely contain its digits."""
    ways: list[bytes] = []
    for text in ids:
        exact = re.escape(text.encode())
        if len(text) < _TELLING_LENGTH:
            exact = rb'[iI][dD]"\s*:\s*"?' + exact
        ways.append(rb"(?<![0-9A-Za-z.])" + exact if len(text) >= _TELLING_LENGTH else exact)
    return re.compile(rb"(?:" + rb"|".join(ways) + rb")(?![0-9A-Za-z])")
