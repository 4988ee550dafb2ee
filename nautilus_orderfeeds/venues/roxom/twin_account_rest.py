"""Balance, positions, transaction log, leverage and caps of the simulated Roxom (protocol 4.6-4.9)."""

from __future__ import annotations

import base64
import binascii
from decimal import Decimal, InvalidOperation

from nautilus_orderfeeds.sim.clock import SimClock
from nautilus_orderfeeds.sim.server import Answer, Call
from nautilus_orderfeeds.venues.roxom.twin_books import Books, Row
from nautilus_orderfeeds.venues.roxom.twin_errors import Refused
from nautilus_orderfeeds.venues.roxom.twin_gate import Gate
from nautilus_orderfeeds.venues.roxom.twin_keys import RoxomAccount, read_object
from nautilus_orderfeeds.venues.roxom.twin_margin import Margin
from nautilus_orderfeeds.venues.roxom.twin_options import ErrorShape, RoxomTwinOptions
from nautilus_orderfeeds.venues.roxom.twin_products import Unit
from nautilus_orderfeeds.venues.roxom.twin_request import (
    check_inst_type,
    check_query,
    invalid,
    query_integer,
    read_symbol,
    read_unit,
)
from nautilus_orderfeeds.venues.roxom.twin_statements import Statements
from nautilus_orderfeeds.venues.roxom.twin_wire import Wire

_NS_PER_MS = 1_000_000
_YEAR_MS = 365 * 86_400_000
_MAX_LIMIT = 1000
_LOG = "/accounts/transaction-log"
_POSITIONS = "/positions"


class AccountRoutes:
    """Adds the account endpoints to a server."""

    def __init__(
        self,
        gate: Gate,
        books: Books,
        statements: Statements,
        margin: Margin,
        clock: SimClock,
        wire: Wire,
        options: RoxomTwinOptions,
    ) -> None:
        self._gate = gate
        self._books = books
        self._statements = statements
        self._margin = margin
        self._clock = clock
        self._wire = wire
        self._options = options
        gate.private("GET", _LOG, self._log)
        gate.private("GET", "/accounts/balance", self._balance)
        gate.private("GET", _POSITIONS, self._positions)
        gate.private("GET", "/accounts/leverage/{symbol}", self._leverage)
        gate.private("POST", "/accounts/leverage/{symbol}", self._set_leverage)
        gate.private("GET", "/accounts/cap", self._cap)

    # -- money ----------------------------------------------------------------------------------------------

    def _balance(self, call: Call, account: RoxomAccount) -> Answer:
        check_query(call, ("unit",))
        unit = read_unit(call.one("unit"), Unit.SATS, self._options)
        return Answer(200, self._wire.success(self._statements.balance(account.account_id, unit)))

    def _positions(self, call: Call, account: RoxomAccount) -> Answer:
        check_query(call, ("instType", "symbol", "unit"))
        check_inst_type(call.one("instType"))
        product = read_symbol(call.one("symbol")).symbol
        unit = read_unit(call.one("unit"), Unit.SATS, self._options)
        return Answer(200, self._wire.success(self._statements.positions(account.account_id, product, unit)))

    # -- transaction log ------------------------------------------------------------------------------------

    def _log(self, call: Call, account: RoxomAccount) -> Answer:
        check_query(call, ("from", "to", "limit", "cursor", "unit"))
        unit = read_unit(call.one("unit"), Unit.SATS, self._options)
        now_ms = self._clock.now_ns() // _NS_PER_MS
        start = query_integer(call, "from", now_ms - _YEAR_MS)
        # Without an end everything belongs to it, also what happened this very millisecond.
        end = query_integer(call, "to", 2**63)
        limit = query_integer(call, "limit", 100, low=1, high=_MAX_LIMIT)
        rows = self._books.rows(account.account_id)
        lag = self._gate.lag(call, _LOG)
        rows = [row for row in rows[: len(rows) - lag] if start <= row.time_ns // _NS_PER_MS <= end]
        if self._options.log_newest_first:
            rows.reverse()
        rows = self._after(rows, call.one("cursor"))
        page = rows[:limit]
        has_more = len(rows) > limit or (len(page) == limit and self._options.cursor_after_last)
        data = {
            "logs": [self._statements.row(row, unit) for row in page],
            "cursor": _cursor(page[-1]) if has_more else None,
        }
        return Answer(200, self._wire.success(data))

    def _after(self, rows: list[Row], cursor: str | None) -> list[Row]:
        """The rows behind the one that the cursor names."""
        if cursor is None:
            return rows
        number = _number(cursor)
        is_down = self._options.log_newest_first
        return [row for row in rows if (row.number < number if is_down else row.number > number)]

    # -- leverage and caps ----------------------------------------------------------------------------------

    def _leverage(self, call: Call, account: RoxomAccount) -> Answer:
        check_query(call, ())
        leverage = self._margin.leverage(account.account_id, read_symbol(call.params["symbol"]).symbol)
        return Answer(200, self._wire.success({"leverage": f"{leverage:.1f}"}, has_flag=False))

    def _set_leverage(self, call: Call, account: RoxomAccount) -> Answer:
        check_query(call, ())
        product = read_symbol(call.params["symbol"]).symbol
        body = read_object(call.body)
        most = self._options.leverage
        try:
            leverage = Decimal(body["leverage"]) if set(body) == {"leverage"} else Decimal(0)
        except (InvalidOperation, TypeError):
            leverage = Decimal(0)
        if not 1 <= leverage <= most:
            raise Refused(
                "Invalid leverage value",
                f"Leverage must be between 1 and {most:f} for this symbol",
                shape=ErrorShape.CODED,
            )
        self._margin.leverages[(account.account_id, product)] = leverage
        shown = int(leverage) if leverage == int(leverage) else float(leverage)
        data = {"success": True, "leverage": shown, "symbol": product}
        return Answer(200, self._wire.success(data, has_flag=False))

    def _cap(self, call: Call, account: RoxomAccount) -> Answer:
        check_query(call, ("symbol", "capType"))
        read_symbol(call.one("symbol"))
        match call.one("capType"):
            case "leverage":
                value = self._options.leverage
            case "positionValue":
                value = self._options.max_position
            case "orderValue":
                value = self._options.max_limit_notional
            case other:
                raise invalid(f"capType must be leverage, positionValue or orderValue, got {other!r}")
        return Answer(200, self._wire.success({"value": f"{value:.4f}"}))


def _cursor(row: Row) -> str:
    return base64.urlsafe_b64encode(f"row:{row.number}".encode()).decode().rstrip("=")


def _number(cursor: str) -> int:
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
        if text.startswith("row:"):
            return int(text.removeprefix("row:"))
    except (binascii.Error, ValueError):
        pass
    raise invalid(f"unknown cursor {cursor!r}")
