"""Between the framework's words and ours: enums by name, numbers by decimal text, never through a float."""

from collections.abc import Callable
from decimal import (
    ROUND_HALF_EVEN,
    Context,
    Decimal,
    DecimalException,
    Inexact,
    InvalidOperation,
    Overflow,
    localcontext,
)
from functools import cache, lru_cache
from typing import Any

from nautilus_trader.execution.messages import SubmitOrder
from nautilus_trader.model.enums import (
    CurrencyType,
    contingency_type_to_str,
    order_side_to_str,
    order_type_to_str,
    time_in_force_to_str,
    trigger_type_to_str,
)
from nautilus_trader.model.enums import LiquiditySide as NtLiquiditySide
from nautilus_trader.model.enums import OrderSide as NtOrderSide
from nautilus_trader.model.enums import OrderStatus as NtOrderStatus
from nautilus_trader.model.enums import OrderType as NtOrderType
from nautilus_trader.model.enums import TimeInForce as NtTimeInForce
from nautilus_trader.model.enums import TriggerType as NtTriggerType
from nautilus_trader.model.objects import FIXED_PRECISION, Currency, Money, Price, Quantity

from nautilus_orderfeeds.orders.decimals import EXACT, ZERO
from nautilus_orderfeeds.orders.requests import NewOrder
from nautilus_orderfeeds.orders.words import (
    ContingencyType,
    LiquiditySide,
    OrderSide,
    OrderStatus,
    OrderType,
    TimeInForce,
    TriggerType,
)

NT_SIDE = {side: NtOrderSide[side.name] for side in OrderSide}
OUR_SIDE = {nt: ours for ours, nt in NT_SIDE.items()}
NT_TYPE = {kind: NtOrderType[kind.name] for kind in OrderType}
NT_TIME_IN_FORCE = {tif: NtTimeInForce[tif.name] for tif in TimeInForce}
NT_LIQUIDITY = {side: NtLiquiditySide[side.name] for side in LiquiditySide}
NT_TRIGGER = {trigger: NtTriggerType[trigger.name] for trigger in TriggerType}
NT_STATUS = {status: NtOrderStatus[status.name] for status in OrderStatus}
OUR_STATUS = {nt: ours for ours, nt in NT_STATUS.items()}

#: The framework's widest decimal: a finer number cannot be told to it.
_MAX_PLACES = FIXED_PRECISION

_UNITS = tuple(Decimal(1).scaleb(-places) for places in range(FIXED_PRECISION + 1))

# The framework keeps a number as the integer count of 10**-FIXED_PRECISION in it. Its own `from_decimal` finds that
# integer in many steps, `raw_of` in two. These refuse to lose a digit, and numbers near what the framework can hold
# (`from_raw` does not check that); what they refuse takes the long way.
_exact = Context(prec=60, Emax=FIXED_PRECISION + 11, traps=[Inexact, Overflow, InvalidOperation])
_fit = _exact.quantize
_wide = Context(prec=60, rounding=ROUND_HALF_EVEN)
_round = _wide.quantize
_scale = _exact.multiply
_RAW_PER_ONE = Decimal(f"1E{FIXED_PRECISION}")


@lru_cache(maxsize=256)
def currency(code: str) -> Currency:
    """Return the framework's currency, registered as a crypto currency of 8 places if it does not know it."""
    known = Currency.from_internal_map(code)
    if known is not None:
        return known
    made = Currency(code=code, precision=8, iso4217=0, name=code, currency_type=CurrencyType.CRYPTO)
    Currency.register(made, overwrite=False)
    return made


def _at_least(value: Decimal, places: int) -> Decimal:
    exponent = value.as_tuple().exponent
    has = -exponent if isinstance(exponent, int) else 0
    if has < places:
        return _round(value, _UNITS[places])
    if has > places:  # trailing zeros say nothing; digits beyond the instrument's precision do
        short = _round(value, _UNITS[places])
        if short == value:
            return short
    return value if has <= _MAX_PLACES else _round(value, _UNITS[_MAX_PLACES])


def raw_of(value: Decimal, places: int) -> int | None:
    """Return the framework's integer for `value` (see `from_raw`); None if it has more than `places`, or is huge."""
    try:
        return int(_scale(_fit(value, _UNITS[places]), _RAW_PER_ONE))
    except DecimalException:
        return None


def _long_way[T: (Price, Quantity)](kind: type[T], value: Decimal) -> T:
    """Make a number as the framework does; it counts in the caller's decimal context, which may be too narrow."""
    with localcontext(_wide):
        made: T = kind.from_decimal(value)
    return made


def price(value: Decimal, places: int) -> Price:
    """Return a framework price of at least `places` decimals; finer digits of `value` are kept."""
    raw = raw_of(value, places)
    return _long_way(Price, _at_least(value, places)) if raw is None else Price.from_raw(raw, places)


def quantity(value: Decimal, places: int) -> Quantity:
    """Return a framework quantity of at least `places` decimals; finer digits of `value` are kept."""
    raw = raw_of(value, places)
    if raw is None or raw < 0:
        return _long_way(Quantity, _at_least(value, places))
    return Quantity.from_raw(raw, places)


#: Numbers kept of each kind and precision; beyond, all are forgotten: a strategy's next prices are near its last ones.
_KEPT = 4_096


class Made[T: (Price, Quantity)](dict[Decimal, T]):
    """What was made of a number for a fill, by the number: most orders are of a few sizes, at prices near each other.

    Parameters
    ----------
    make : Callable[[Decimal, int], Price or Quantity]
        `price` or `quantity`.
    places : int
        The instrument's decimals.
    """

    def __init__(self, make: Callable[[Decimal, int], T], places: int) -> None:
        super().__init__()
        self._make = make
        self._places = places

    def __missing__(self, value: Decimal) -> T:
        """Make it for the first time. One of finer digits is not kept: it shows how it was written."""
        made = self._make(value, self._places)
        if made.precision == self._places:
            if len(self) >= _KEPT:
                self.clear()
            self[value] = made
        return made


@cache
def prices_of(places: int) -> Made[Price]:
    """Return the framework's prices of at least `places` decimals (see `price`), by their decimals."""
    return Made(price, places)


@cache
def quantities_of(places: int) -> Made[Quantity]:
    """Return the framework's quantities of at least `places` decimals (see `quantity`), by their decimals."""
    return Made(quantity, places)


def money(value: Decimal, code: str) -> Money:
    """Return money, rounded half-even to the currency's own precision."""
    return money_and_rest(value, code)[0]


class _Currencies(dict[str, tuple[Currency, Decimal]]):
    """The framework's currency of a code, and the least amount of it."""

    def __missing__(self, code: str) -> tuple[Currency, Decimal]:
        found = currency(code)
        self[code] = found, _UNITS[found.precision]
        return self[code]


_currencies = _Currencies()


def money_and_rest(value: Decimal, code: str) -> tuple[Money, Decimal]:
    """Return money, rounded half-even to the currency's own precision, and what of `value` it leaves over."""
    unit, least = _currencies[code]
    rounded = _round(value, least)
    try:
        made = Money.from_raw(int(_scale(rounded, _RAW_PER_ONE)), unit)
    except DecimalException:  # huge
        with localcontext(_wide):
            made = Money.from_decimal(rounded, unit)
    return made, ZERO if rounded == value else EXACT.subtract(value, rounded)


def decimal_of(value: Price | Quantity | Money | None) -> Decimal | None:
    """Return the exact decimal of a framework number."""
    return None if value is None else value.as_decimal()


def new_order(command: SubmitOrder, order: Any, reference_price: Decimal | None) -> NewOrder:
    """Return our request for a framework order.

    Parameters
    ----------
    command : SubmitOrder
        The command (or one with the same `params`).
    order : nautilus_trader.model.orders.Order
        The order.
    reference_price : Decimal, optional
        Best opposite price known to the cache, quote per base.
    """
    kind = OrderType[order_type_to_str(order.order_type)]
    trigger_type = getattr(order, "trigger_type", None)
    return NewOrder(
        client_order_id=order.client_order_id.value,
        symbol=order.instrument_id.symbol.value,
        side=OrderSide[order_side_to_str(order.side)],
        type=kind,
        time_in_force=TimeInForce[time_in_force_to_str(order.time_in_force)],
        quantity=order.quantity.as_decimal(),
        price=decimal_of(getattr(order, "price", None)),
        trigger_price=decimal_of(getattr(order, "trigger_price", None)),
        trigger_type=TriggerType[trigger_type_to_str(trigger_type)] if trigger_type else TriggerType.NO_TRIGGER,
        expire_time_ns=getattr(order, "expire_time_ns", 0),
        post_only=bool(getattr(order, "is_post_only", False)),
        reduce_only=bool(order.is_reduce_only),
        quote_quantity=bool(order.is_quote_quantity),
        display_qty=decimal_of(getattr(order, "display_qty", None)),
        contingency_type=ContingencyType[contingency_type_to_str(order.contingency_type)],
        order_list_id=order.order_list_id.value if order.order_list_id else None,
        parent_order_id=order.parent_order_id.value if order.parent_order_id else None,
        linked_order_ids=tuple(linked.value for linked in order.linked_order_ids or ()),
        strategy_id=order.strategy_id.value,
        params=dict(command.params or {}),
        reference_price=reference_price,
    )
