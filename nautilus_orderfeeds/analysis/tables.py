"""Journals as four typed tables: orders, order_events, fills, frames.

Times are int64 UNIX ns of the client's own clock (`recorded_ns`) or the venue's (`ts_event`, 0 if unknown). Numbers are
DECIMAL(38, 18), exact: 20 digits before the point and 18 after it. A price or quantity that does not fit is refused by
name, not rounded. Two columns are computed while reading, because engines divide and multiply decimals each in its own
way: `orders.fill_ratio` and `fills.notional`, both rounded half even to 18 places.

Keys: an order is (`account`, `client_order_id`); `seq` counts an order's events, and a journal's frames, from 0.
"""

from collections.abc import Iterator, Mapping, Sequence
from decimal import ROUND_HALF_EVEN, Context, Decimal, Inexact, InvalidOperation
from pathlib import Path
from typing import Any, Final, NamedTuple

import ibis  # type: ignore[import-untyped]
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from nautilus_orderfeeds.orders.events import OrderFilled
from nautilus_orderfeeds.orders.journal_reader import JournalOrder, JournalReader

_PLACES: Final = 18
_UNIT: Final = Decimal(1).scaleb(-_PLACES)
_DECIMAL: Final = pa.decimal128(38, _PLACES)
_ROUNDING: Final = Context(prec=60, rounding=ROUND_HALF_EVEN)
_EXACT: Final = Context(prec=60, traps=[Inexact, InvalidOperation])
_LIMIT: Final = Decimal(10) ** (38 - _PLACES)

SCHEMAS: Final[dict[str, Any]] = {
    "orders": pa.schema(
        [
            ("account", pa.string()),
            ("venue", pa.string()),
            ("client_order_id", pa.string()),
            ("venue_order_id", pa.string()),
            ("symbol", pa.string()),
            ("strategy_id", pa.string()),
            ("external", pa.bool_()),
            ("side", pa.string()),
            ("type", pa.string()),
            ("time_in_force", pa.string()),
            ("quantity", _DECIMAL),
            ("price", _DECIMAL),
            ("status", pa.string()),
            ("filled_qty", _DECIMAL),
            ("fill_ratio", _DECIMAL),
            ("created_ns", pa.int64()),
            ("closed_ns", pa.int64()),
        ]
    ),
    "order_events": pa.schema(
        [
            ("account", pa.string()),
            ("venue", pa.string()),
            ("client_order_id", pa.string()),
            ("seq", pa.int64()),
            ("recorded_ns", pa.int64()),
            ("ts_event", pa.int64()),
            ("event", pa.string()),
            ("reason", pa.string()),
        ]
    ),
    "fills": pa.schema(
        [
            ("account", pa.string()),
            ("venue", pa.string()),
            ("client_order_id", pa.string()),
            ("symbol", pa.string()),
            ("seq", pa.int64()),
            ("recorded_ns", pa.int64()),
            ("ts_event", pa.int64()),
            ("trade_id", pa.string()),
            ("last_qty", _DECIMAL),
            ("last_px", _DECIMAL),
            ("notional", _DECIMAL),
            ("commission", _DECIMAL),
            ("commission_currency", pa.string()),
            ("liquidity_side", pa.string()),
            ("inferred", pa.bool_()),
            ("fee_estimated", pa.bool_()),
        ]
    ),
    "frames": pa.schema(
        [
            ("account", pa.string()),
            ("venue", pa.string()),
            ("seq", pa.int64()),
            ("recorded_ns", pa.int64()),
            ("stream", pa.string()),
            ("fault", pa.string()),
            ("bytes", pa.int64()),
            ("raw", pa.binary()),
        ]
    ),
}


class Tables(NamedTuple):
    """The four tables, as Ibis tables of one engine."""

    orders: Any
    order_events: Any
    fills: Any
    frames: Any


def read_journals(paths: Sequence[str | Path]) -> dict[str, Any]:
    """Read journals into Arrow tables, by name.

    Parameters
    ----------
    paths : Sequence[str or Path]
        SQLite files; nodes may be writing them.

    Returns
    -------
    dict[str, pyarrow.Table]
        ``orders``, ``order_events``, ``fills``, ``frames``.

    Raises
    ------
    JournalError
        If one cannot be read.
    ValueError
        If a number does not fit DECIMAL(38, 18); names it.
    """
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in SCHEMAS}
    for path in paths:
        with JournalReader(path) as reader:
            owner = {"account": reader.account, "venue": reader.venue}
            for order in reader.orders():
                rows["orders"].append(owner | _order_row(order))
                rows["order_events"] += [owner | row for row in _event_rows(order)]
                rows["fills"] += [owner | row for row in _fill_rows(order)]
            rows["frames"] += [
                owner
                | {
                    "seq": seq,
                    "recorded_ns": frame.recorded_ns,
                    "stream": frame.stream,
                    "fault": frame.fault,
                    "bytes": len(frame.raw),
                    "raw": frame.raw,
                }
                for seq, frame in enumerate(reader.all_frames())
            ]
    return {name: pa.Table.from_pylist(found, schema=SCHEMAS[name]) for name, found in rows.items()}


def open_journals(paths: Sequence[str | Path], connection: Any = None) -> Tables:
    """Read journals into tables of an engine.

    Parameters
    ----------
    paths : Sequence[str or Path]
        SQLite files.
    connection : ibis backend, optional
        Where the tables are made, by their names, which must be free; a new DuckDB in memory by default.
    """
    connection = ibis.duckdb.connect() if connection is None else connection
    arrow = read_journals(paths)
    return Tables(**{name: _make_table(connection, name, arrow[name]) for name in SCHEMAS})


def _make_table(connection: Any, name: str, rows: Any) -> Any:
    # Made empty and filled: Ibis 12 cannot make a table of rows in memory with the latest sqlglot.
    table = connection.create_table(name, schema=ibis.Schema.from_pyarrow(rows.schema))
    if rows.num_rows:
        connection.insert(name, rows)
    return table


def write_parquet(tables: Tables | Mapping[str, Any], folder: str | Path) -> list[Path]:
    """Write the tables to Parquet files, one each (``orders.parquet`` and so on); return them."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    named = tables._asdict() if isinstance(tables, Tables) else tables
    written = []
    for name, schema in SCHEMAS.items():
        table = named[name] if isinstance(named[name], pa.Table) else named[name].to_pyarrow()
        path = folder / f"{name}.parquet"
        pq.write_table(table.cast(schema), path)
        written.append(path)
    return written


def open_parquet(folder: str | Path, connection: Any = None) -> Tables:
    """Open the tables that `write_parquet` wrote.

    Parameters
    ----------
    folder : str or Path
        Their folder, as the engine sees it.
    connection : ibis backend, optional
        DuckDB by default; ``ibis.pyspark.connect(session)`` for a cluster.
    """
    connection = ibis.duckdb.connect() if connection is None else connection
    return Tables(
        **{name: connection.read_parquet(str(Path(folder) / f"{name}.parquet"), table_name=name) for name in SCHEMAS}
    )


def open_catalog_table(folder: str | Path, kind: str, connection: Any = None) -> Any:
    """Open one type of data of a `ParquetDataCatalog` as a table.

    Parameters
    ----------
    folder : str or Path
        The catalog.
    kind : str
        Folder of the type below ``data`` (``"custom_order_feed_update"``, ``"custom_feed_health"``). Numbers of this
        package's own types are decimal text. The framework's own types hold prices as raw integers.
    connection : ibis backend, optional
        DuckDB by default.

    Raises
    ------
    FileNotFoundError
        If the catalog has none of it.
    """
    files = sorted(str(path) for path in (Path(folder) / "data" / kind).rglob("*.parquet"))
    if not files:
        raise FileNotFoundError(f"no {kind} in the catalog {folder}")
    connection = ibis.duckdb.connect() if connection is None else connection
    return connection.read_parquet(files, table_name=kind)


# -- rows --------------------------------------------------------------------------------------------------------------


def _order_row(order: JournalOrder) -> dict[str, Any]:
    state, terms = order.state, order.terms
    ratio = _ROUNDING.divide(state.filled_qty, state.quantity) if state.quantity else Decimal(0)
    return {
        "client_order_id": order.client_order_id,
        "venue_order_id": order.venue_order_id,
        "symbol": order.symbol,
        "strategy_id": order.strategy_id,
        "external": order.external,
        "side": terms.side.name,
        "type": terms.type.name,
        "time_in_force": terms.time_in_force.name,
        "quantity": _fitting(state.quantity, "quantity", order),
        "price": None if state.price is None else _fitting(state.price, "price", order),
        "status": state.status.name,
        "filled_qty": _fitting(state.filled_qty, "filled_qty", order),
        "fill_ratio": _rounded(ratio),
        "created_ns": order.created_ns,
        "closed_ns": order.closed_ns,
    }


def _event_rows(order: JournalOrder) -> Iterator[dict[str, Any]]:
    for seq, entry in enumerate(order.events):
        yield {
            "client_order_id": order.client_order_id,
            "seq": seq,
            "recorded_ns": entry.recorded_ns,
            "ts_event": entry.event.ts_event,
            "event": type(entry.event).__name__,
            "reason": getattr(entry.event, "reason", ""),
        }


def _fill_rows(order: JournalOrder) -> Iterator[dict[str, Any]]:
    for seq, entry in enumerate(order.events):
        fill = entry.event
        if isinstance(fill, OrderFilled):
            yield {
                "client_order_id": order.client_order_id,
                "symbol": order.symbol,
                "seq": seq,
                "recorded_ns": entry.recorded_ns,
                "ts_event": fill.ts_event,
                "trade_id": fill.trade_id,
                "last_qty": _fitting(fill.last_qty, "last_qty", order),
                "last_px": _fitting(fill.last_px, "last_px", order),
                "notional": _rounded(_ROUNDING.multiply(fill.last_qty, fill.last_px)),
                "commission": _rounded(fill.commission),
                # None stands for the instrument's own: the journal does not say which that is.
                "commission_currency": fill.commission_currency or "",
                "liquidity_side": fill.liquidity_side.name,
                "inferred": fill.inferred,
                "fee_estimated": fill.fee_estimated,
            }


def _rounded(value: Decimal) -> Decimal:
    return value.quantize(_UNIT, context=_ROUNDING)


def _fitting(value: Decimal, what: str, order: JournalOrder) -> Decimal:
    try:
        exact = value.quantize(_UNIT, context=_EXACT)
    except (Inexact, InvalidOperation):
        exact = None
    if exact is None or abs(exact) >= _LIMIT:
        raise ValueError(
            f"{what} {value} of {order.client_order_id} does not fit DECIMAL(38, {_PLACES}): "
            f"at most {38 - _PLACES} digits before the point and {_PLACES} after it"
        )
    return exact
