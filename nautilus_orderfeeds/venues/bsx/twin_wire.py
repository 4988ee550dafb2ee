"""What orders, trades and products of the simulated BSX look like on the wire (protocol 4.2, 6, 7)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Context, Decimal

from nautilus_orderfeeds.sim.model import (
    ZERO,
    EndReason,
    Fill,
    Liquidity,
    OrderState,
    Product,
    SelfTrade,
    SimOrder,
    TimeInForce,
)
from nautilus_orderfeeds.venues.bsx.twin_options import BsxTwinOptions, LiquidityWords, TradesShown

_DIGITS = Context(prec=18)

BTC = Product("BTC-PERP", "BTC", "USDC", Decimal("0.1"), Decimal("0.001"), Decimal("0.001"), Decimal("64650"))
ETH = Product("ETH-PERP", "ETH", "USDC", Decimal("0.01"), Decimal("0.01"), Decimal("0.01"), Decimal("3050"))
SOL = Product("SOL-PERP", "SOL", "USDC", Decimal("0.01"), Decimal("0.1"), Decimal("0.1"), Decimal("150"))

PRODUCT_INDEXES: dict[int, Product] = {1: BTC, 2: ETH, 3: SOL}
INDEX_OF = {product.symbol: index for index, product in PRODUCT_INDEXES.items()}


def plain(number: Decimal) -> str:
    """A decimal string of at most 18 digits, without exponent and without trailing zeros (section 2)."""
    text = f"{_DIGITS.plus(number):f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("", "-0") else text


@dataclass(frozen=True, slots=True)
class OrderView:
    """
    An order at one moment; `trades` are those of the latest event only.

    `fees` counts the sequencer fee or not, as the options say.
    """

    order: SimOrder
    status: str
    filled: Decimal
    notional: Decimal
    fees: Decimal
    updated_ns: int
    cancel_requested_ns: int
    cancel_reason: str
    reject_reason: str
    cancel_reject_reason: str
    initial_margin: Decimal
    trades: tuple[Fill, ...] = ()


def status_of(order: SimOrder) -> str:
    """The wire status (8)."""
    match order.state:
        case OrderState.PENDING:
            return "PENDING"
        case OrderState.WAITING:
            return "STOP_ACCEPTED"
        case OrderState.WORKING:
            return "OPEN"
        case OrderState.FILLED | OrderState.CANCELED | OrderState.EXPIRED | OrderState.REJECTED:
            return "DONE"


def cancel_reason(order: SimOrder) -> str:
    """The documented `cancel_reason` text (6)."""
    match order.end_reason:
        case EndReason.NONE | EndReason.FILLED | EndReason.REFUSED:
            return ""
        case EndReason.USER | EndReason.LINKED_ORDER:
            return "user"
        case EndReason.ADMIN:
            return "admin"
        case EndReason.IOC:
            return "time in force IOC"
        case EndReason.FOK:
            return "time in force FOK"
        case EndReason.EXPIRED:
            return "time in force GTT"
        case EndReason.POST_ONLY:
            return "post only"
        case EndReason.SELF_TRADE:
            return "stp"
        case EndReason.NO_LIQUIDITY:
            return "insufficient liquidity"
        case EndReason.REDUCE_ONLY:
            return f"reduce only: {order.end_detail}"
        case EndReason.MARGIN:
            return "insufficient margin"
        case EndReason.LIQUIDATION:
            return "liquidation"
        case EndReason.POSITION_CLOSED:
            return order.end_detail or "TPSL order canceled due to position closed"


def time_in_force_word(time_in_force: TimeInForce) -> str:
    """`GTD` is `GTT` here."""
    return "GTT" if time_in_force is TimeInForce.GTD else time_in_force.value


def _average(view: OrderView) -> Decimal:
    if view.filled == 0:
        return ZERO
    return _DIGITS.divide(view.notional, view.filled)


class Wire:
    """Writes orders and trades in the shape that the options ask for."""

    def __init__(self, options: BsxTwinOptions) -> None:
        self._options = options

    def time(self, value: int) -> str | int:
        """A time or nonce, as a string or a number."""
        return value if self._options.numeric_times else str(value)

    def order(self, view: OrderView, *, in_snapshot: bool = False) -> dict[str, object]:
        """An Order object (6); of a snapshot, `updated_at` may be `"0"` and there are no trades."""
        order = view.order
        is_stop = "order_stop_type" in order.info
        kind = "STOP" if is_stop else order.kind.value
        hides_update = in_snapshot and (view.status == "STOP_ACCEPTED" or self._options.zero_updated_at)
        wire: dict[str, object] = {
            "avg_price": plain(_average(view)),
            "cancel_reason": view.cancel_reason,
            "cancel_reject_reason": view.cancel_reject_reason,
            "cancel_requested": view.cancel_requested_ns > 0,
            "cancel_requested_at": self.time(view.cancel_requested_ns),
            "client_order_id": order.client_order_id,
            "created_at_ts": self.time(order.created_ns),
            "filled_fees": plain(view.fees),
            "filled_size": plain(view.filled),
            "id": order.venue_order_id,
            "initial_margin": plain(view.initial_margin),
            "is_liquidation": order.is_liquidation,
            "nonce": self.time(int(str(order.info["nonce"]))),
            "order_stop_type": order.info.get("order_stop_type", "STOP_NONE"),
            "post_only": order.post_only,
            "price": plain(order.price if order.price is not None else ZERO),
            "product_id": order.product,
            "reduce_only": order.reduce_only,
            "reject_reason": view.reject_reason,
            "sender": order.account,
            "side": order.side.value,
            "size": plain(order.quantity),
            "status": view.status,
            "stop_price": plain(order.trigger.price) if order.trigger is not None else "0",
            "stp": "CANCEL_MAKER" if order.self_trade is SelfTrade.CANCEL_MAKER else "CANCEL_TAKER",
            "time_in_force": time_in_force_word(order.time_in_force),
            "type": kind,
            "updated_at": self.time(0 if hides_update else view.updated_ns),
        }
        if self._options.optional_fields:
            wire["stop_price_option"] = order.info.get("stop_price_option", "NONE")
            wire["expired_at"] = self.time(order.expire_ns or 0)
            wire["maker_fee_rate"] = plain(self._options.maker_fee_rate)
            wire["taker_fee_rate"] = plain(self._options.taker_fee_rate)
            wire["liquidation_fee_rate"] = "0.01"
        shown = () if in_snapshot or self._options.trades_shown is TradesShown.NEVER else view.trades
        if shown or self._options.empty_last_trades:
            wire["last_trades"] = [self.trade(fill) for fill in shown]
        return wire

    def trade(self, fill: Fill) -> dict[str, object]:
        """A Trade object (7)."""
        wire: dict[str, object] = {
            "id": self.trade_id(fill),
            "price": plain(fill.price),
            "size": plain(fill.size),
            "time": self.time(fill.time_ns),
            "funding_payment": "0",
            "trading_fee": plain(fill.trading_fee),
            "sequencer_fee": plain(fill.extra_fee),
        }
        maker = fill.liquidity is Liquidity.MAKER
        match self._options.liquidity_words:
            case LiquidityWords.WORDS:
                wire["liquidity_indicator"] = "MAKER" if maker else "TAKER"
            case LiquidityWords.LETTERS:
                wire["liquidity_indicator"] = "M" if maker else "T"
            case LiquidityWords.LOWER_CASE:
                wire["liquidity_indicator"] = "maker" if maker else "taker"
            case LiquidityWords.ABSENT:
                pass
        return wire

    def trade_id(self, fill: Fill) -> str:
        """`0x` and 64 hex digits; if sides do not share it, the maker's differs from the public one."""
        if not self._options.trade_id_shared and fill.liquidity is Liquidity.MAKER:
            return "0x" + fill.trade_id[::-1]
        return "0x" + fill.trade_id
