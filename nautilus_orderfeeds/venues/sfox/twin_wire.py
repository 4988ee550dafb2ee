"""What orders, fills and balances of the simulated sFOX look like on the wire (protocol 4, 5, 7.5, 7.6, 8)."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Context, Decimal

from nautilus_orderfeeds.sim.ledger import Ledger
from nautilus_orderfeeds.sim.model import ZERO, Side
from nautilus_orderfeeds.venues.sfox.twin_accounts import Funds
from nautilus_orderfeeds.venues.sfox.twin_options import SfoxTwinOptions
from nautilus_orderfeeds.venues.sfox.twin_products import ALGORITHMS
from nautilus_orderfeeds.venues.sfox.twin_views import OrderView, TradeView
from nautilus_orderfeeds.venues.sfox.twin_words import ActionCase, FeedShape, Status

_PLACES = Decimal("0.00000001")
_DIGITS = Context(prec=40, rounding=ROUND_HALF_UP)

# The fields of the feed's sample (8.2), and what its field table has besides them (5).
_SAMPLE = (
    *("id", "client_order_id", "date_added", "status", "filled", "filled_amount", "vwap", "price", "quantity"),
    *("pair", "action", "type", "algorithm_id", "fees"),
)
_TABLE = (
    *_SAMPLE,
    *("amount", "net_market_amount", "net_proceeds", "routing_option", "routing_type", "time_in_force"),
    *("expires", "dateupdated", "algorithm_options", "destination"),
)
_ORDERS_2020 = ("id", "quantity", "price", "o_action", "pair", "type", "vwap", "filled", "status")


def rounded(number: Decimal) -> Decimal:
    """To eight decimals, as every number of the venue."""
    return number.quantize(_PLACES, context=_DIGITS)


def plain(number: Decimal) -> str:
    """A decimal string of at most eight decimals, without exponent and without trailing zeros."""
    text = f"{rounded(number):f}".rstrip("0").rstrip(".")
    return "0" if text in ("", "-0") else text


def padded(number: Decimal) -> str:
    """A decimal string with exactly eight decimals."""
    return f"{rounded(number):f}"


def iso(ns: int, unit: str = "milliseconds", *, whole_secs: bool = False) -> str:
    """ISO-8601 in UTC with a `Z`; `whole_secs` for dates of one-second resolution (`...000Z`)."""
    secs, rest = divmod(ns, 1_000_000_000)
    micros = 0 if whole_secs else rest // 1_000
    moment = datetime.fromtimestamp(secs, UTC).replace(microsecond=micros, tzinfo=None)
    return moment.isoformat(timespec=unit) + "Z"


def cursor_text(cursor: int) -> str:
    """A row's cursor: base64 of a decimal number (7.5)."""
    return base64.b64encode(str(cursor).encode()).decode()


class Wire:
    """Writes in the shape that the options ask for."""

    def __init__(self, options: SfoxTwinOptions, ledger: Ledger, funds: Funds) -> None:
        self._options = options
        self._ledger = ledger
        self._funds = funds

    def rest_order(self, view: OrderView, *, is_listed: bool = False) -> dict[str, object]:
        """An order as REST shows it: decimals are numbers; in lists it may have the minimal shape of 2020."""
        fields = self._order(view)
        if is_listed and self._options.orders_2020:
            fields = {name: fields[name] for name in _ORDERS_2020}
        return self._encoded(fields, as_text=self._options.rest_strings)

    def feed_order(self, view: OrderView) -> dict[str, object]:
        """An order as the feeds show it: decimals are strings, and fields are missing."""
        fields = self._order(view)
        match self._options.feed_shape:
            case FeedShape.SAMPLE:
                fields = {name: fields[name] for name in _SAMPLE if name in fields}
            case FeedShape.TABLE:
                fields = {name: fields[name] for name in _TABLE if name in fields}
            case FeedShape.REST:
                pass
        kept = {name: value for name, value in fields.items() if name not in self._options.feed_without}
        return self._encoded(kept, as_text=not self._options.feed_numbers)

    def _order(self, view: OrderView) -> dict[str, object]:
        order, info = view.order, view.order.info
        algorithm = ALGORITHMS[int(str(info["algorithm_id"]))]
        action = self.action(order.side)
        net = view.notional - view.fees
        is_partial = view.status is Status.STARTED and view.filled > 0
        status = Status.FILLED if is_partial and self._options.partial_is_filled else view.status
        fields: dict[str, object] = {
            "id": int(order.venue_order_id),
            "side_id": 500 if order.side is Side.BUY else 600,
            "action": action,
            "algorithm_id": algorithm.number,
            "algorithm": algorithm.text,
            "type": algorithm.text,
            "pair": order.product,
            "quantity": view.quantity,
            "price": view.price,
            "amount": info.get("amount", ZERO),
            "net_market_amount": info.get("net_amount", ZERO),
            "filled": view.filled,
            "vwap": view.notional / view.filled if view.filled else ZERO,
            "filled_amount": view.notional,
            "fees": view.fees,
            # The sign of the fee looks wrong for buys, and is what the samples show (5).
            "net_proceeds": -net if order.side is Side.BUY else net,
            "status": view.text or self._options.spelling.write(status.text),
            "status_code": status.code,
            "routing_option": info["routing_option"],
            "routing_type": info["routing_type"],
            "time_in_force": info["time_in_force"],
            "expires": iso(order.expire_ns, whole_secs=True) if order.expire_ns is not None else None,
            "dateupdated": iso(view.updated_ns, whole_secs=True),
            "date_added": iso(order.created_ns, whole_secs=True),
            "client_order_id": order.client_order_id,
            "user_tx_id": order.client_order_id,
            "o_action": action,
            "algo_id": algorithm.number,
            "algorithm_options": self._options.algorithm_options,
            "destination": info["destination"],
        }
        if not self._options.date_added:
            del fields["date_added"]
        if "quote_id" in info:
            fields["quote_id"] = info["quote_id"]
        return fields

    def rest_trade(self, trade: TradeView) -> dict[str, object]:
        """A row of `GET /v1/account/trades`: strings with eight decimals, and a cursor."""
        return {"cursor": cursor_text(trade.cursor), **self._trade(trade, padded)}

    def feed_trade(self, trade: TradeView) -> dict[str, object]:
        """A fill on the trades feed."""
        return self._trade(trade, self._number if self._options.feed_numbers else self._text)

    def _trade(self, trade: TradeView, write: Callable[[Decimal], object]) -> dict[str, object]:
        fill = trade.fill
        amount = fill.price * fill.size
        return {
            "trade_id": trade.trade_id,
            "order_id": int(fill.venue_order_id),
            "date_updated": iso(fill.time_ns, whole_secs=True),
            "action": self.action(fill.side),
            "currency_pair": fill.product,
            "quantity": write(fill.size),
            "amount": write(amount),
            "price": write(fill.price),
            "fees": write(fill.fee),
            "net_amount": write(amount - fill.fee),  # unsigned for both sides (7.5)
        }

    def rest_balances(self, account: str) -> list[dict[str, object]]:
        """`GET /v1/user/balance`: all currencies, decimals are numbers."""
        rows = self._balances(account, self._funds.currencies())
        return [self._encoded(row, as_text=self._options.rest_strings) for row in rows]

    def feed_balances(self, account: str, currencies: Iterable[str]) -> list[dict[str, object]]:
        """Rows of the balances feed: decimals are strings."""
        rows = self._balances(account, currencies)
        return [self._encoded(row, as_text=not self._options.feed_numbers) for row in rows]

    def _balances(self, account: str, currencies: Iterable[str]) -> list[dict[str, object]]:
        holds = self._funds.held(account)
        rows: list[dict[str, object]] = []
        for currency in currencies:
            total, held = self._ledger.balance(currency, account), holds.get(currency, ZERO)
            row: dict[str, object] = {"currency": currency, "balance": total, "available": total - held}
            if not self._options.balances_2020:
                row["held"] = held if self._options.held_shows_orders else ZERO
                row.update(borrow_wallet=ZERO, collateral_wallet=ZERO, lending_wallet=ZERO, trading_wallet=total)
            rows.append(row)
        return rows

    def action(self, side: Side) -> str:
        """`Buy` or `Sell`, in the case that the options ask for."""
        word = side.value.capitalize()
        match self._options.action_case:
            case ActionCase.TITLE:
                return word
            case ActionCase.LOWER:
                return word.lower()
            case ActionCase.UPPER:
                return word.upper()

    def _encoded(self, fields: dict[str, object], *, as_text: bool) -> dict[str, object]:
        write = self._text if as_text else self._number
        return {name: write(value) if isinstance(value, Decimal) else value for name, value in fields.items()}

    def _number(self, number: Decimal) -> object:
        return Decimal(plain(number))

    def _text(self, number: Decimal) -> object:
        return padded(number) if self._options.padded_decimals else plain(number)
