"""From a strategy's order to the request for it, all checks included (protocol, 7.1, 7.2 and 12.1)."""

import math
import re
from decimal import Decimal
from typing import Any, Final

from nautilus_orderfeeds.orders.decimals import plain
from nautilus_orderfeeds.orders.requests import Denied, NewOrder
from nautilus_orderfeeds.orders.words import OrderSide, OrderType, TimeInForce
from nautilus_orderfeeds.venues.instruments import InstrumentSpec, places
from nautilus_orderfeeds.venues.sfox import wire
from nautilus_orderfeeds.venues.sfox.capabilities import (
    ALGORITHM_ID,
    CAPABILITIES,
    CONTINUOUS,
    INTERVAL,
    MAX_SLIPPAGE,
    POST_ONLY,
    ROUTING_OPTION,
    ROUTING_TYPE,
    TOTAL_TIME,
)
from nautilus_orderfeeds.venues.sfox.codec import Terms
from nautilus_orderfeeds.venues.sfox.products import PLACES
from nautilus_orderfeeds.venues.sfox.settings import SfoxSettings
from nautilus_orderfeeds.venues.sfox.words import (
    ALGORITHMS_OF_FORCE,
    VENUE,
    Algorithm,
    RoutingType,
    wire_side,
    wire_time_in_force,
)

_CLIENT_ORDER_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,36}", re.ASCII)

_NS_PER_MS: Final = 1_000_000

#: An older page of the venue allows these algorithms with raw prices only (protocol, 7.2).
_RAW_ONLY: Final = frozenset({Algorithm.GORILLA, Algorithm.TORTOISE, Algorithm.HARE})

_TWAP_PARAMS: Final = (TOTAL_TIME, INTERVAL, CONTINUOUS, POST_ONLY)
_TWAP_LEAST_SECS: Final = 900


def create_request(order: NewOrder, spec: InstrumentSpec, settings: SfoxSettings, now_ns: int) -> wire.Create:
    """Check an order and write its request.

    Parameters
    ----------
    order : NewOrder
        What the strategy wants.
    spec : InstrumentSpec
        Its instrument.
    settings : SfoxSettings
        Default routing.
    now_ns : int
        UNIX ns.

    Raises
    ------
    Denied
        With the reason.
    """
    CAPABILITIES.check(order, spec, now_ns)
    if _CLIENT_ORDER_ID.fullmatch(order.client_order_id) is None:
        raise Denied(
            f"{VENUE} takes client order ids of at most 36 letters, digits, hyphens and underscores, not "
            f"{order.client_order_id[:60]!r}"
        )
    match order.type:
        case OrderType.MARKET:
            request = _market(order, spec)
        case _:
            request = _limit(order, spec)
    algorithm = Algorithm(request.algorithm_id)
    _check_force(order.time_in_force, algorithm)
    if order.time_in_force is TimeInForce.GTD:
        request.expires = order.expire_time_ns // _NS_PER_MS
    request.routing_type = _routing(order.params, algorithm, settings)
    request.routing_option = order.params.get(ROUTING_OPTION)
    return wire.Create(side=wire_side(order.side), order=request)


def terms_of(order: NewOrder, request: wire.CreateOrder) -> Terms:
    """Return what is to be remembered of an order about to be sent."""
    return Terms(
        side=order.side,
        price=order.price,
        quantity=None if order.quote_quantity else order.quantity,
        expire_ns=0 if request.expires is None else request.expires * _NS_PER_MS,
        by_amount=order.quote_quantity,
        own=True,
        algorithm_id=request.algorithm_id,
    )


def _market(order: NewOrder, spec: InstrumentSpec) -> wire.CreateOrder:
    for name in (ALGORITHM_ID, *_TWAP_PARAMS):
        if name in order.params:
            raise Denied(f"param {name!r} goes with LIMIT orders only at {VENUE}")
    request = wire.CreateOrder(
        currency_pair=spec.raw_symbol, algorithm_id=Algorithm.MARKET, client_order_id=order.client_order_id
    )
    if MAX_SLIPPAGE in order.params:
        request.max_slippage = _slippage(order.params[MAX_SLIPPAGE])
    # GTC is the venue's default and means nothing here: a market order never rests.
    if order.time_in_force is TimeInForce.FOK:
        request.time_in_force = wire_time_in_force(order.time_in_force)
    match order.side:
        case OrderSide.BUY:
            if not order.quote_quantity:
                raise Denied(
                    f"a market buy at {VENUE} spends an amount of {spec.quote}: submit it with quote_quantity=True, or "
                    "use a LIMIT order"
                )
            if places(order.quantity) > PLACES:
                raise Denied(f"amount {plain(order.quantity)} has more than {PLACES} decimals")
            _check_notional(order.quantity, spec)
            request.amount = plain(order.quantity)
        case OrderSide.SELL:
            if order.quote_quantity:
                raise Denied(f"a market sell at {VENUE} takes a quantity of {spec.base}, no quote quantity")
            request.quantity = plain(order.quantity)
    return request


def _limit(order: NewOrder, spec: InstrumentSpec) -> wire.CreateOrder:
    if order.quote_quantity:
        raise Denied(f"{VENUE} takes a quote quantity with market buys only")
    if MAX_SLIPPAGE in order.params:
        raise Denied(f"param {MAX_SLIPPAGE!r} goes with MARKET orders only at {VENUE}")
    if order.price is None or order.price <= 0:
        raise Denied("a LIMIT order needs a positive price")
    _check_notional(order.price * order.quantity, spec)
    algorithm = Algorithm(order.params.get(ALGORITHM_ID, Algorithm.LIMIT))
    request = wire.CreateOrder(
        currency_pair=spec.raw_symbol,
        algorithm_id=algorithm,
        client_order_id=order.client_order_id,
        price=plain(order.price),
        quantity=plain(order.quantity),
        time_in_force=wire_time_in_force(order.time_in_force),
    )
    if algorithm is Algorithm.TWAP:
        _set_twap(request, order.params)
    else:
        for name in _TWAP_PARAMS:
            if name in order.params:
                raise Denied(f"param {name!r} goes with algorithm {int(Algorithm.TWAP)} (TWAP) only")
    return request


def _set_twap(request: wire.CreateOrder, params: dict[str, Any]) -> None:
    total_secs, interval_secs = params.get(TOTAL_TIME), params.get(INTERVAL, _TWAP_LEAST_SECS)
    if total_secs is None:
        raise Denied(f"algorithm {int(Algorithm.TWAP)} (TWAP) needs the param {TOTAL_TIME!r} (seconds)")
    if total_secs < _TWAP_LEAST_SECS or interval_secs <= 0 or total_secs < interval_secs:
        raise Denied(f"{TOTAL_TIME} must be at least {_TWAP_LEAST_SECS} s and the {INTERVAL}, which must be positive")
    request.total_time, request.interval = total_secs, params.get(INTERVAL)
    request.continuous, request.post_only = params.get(CONTINUOUS), params.get(POST_ONLY)


def _slippage(value: float) -> float:
    if not math.isfinite(value) or value < 0:
        raise Denied(f"param {MAX_SLIPPAGE!r} must be a number of basis points, was {value}")
    return float(value)


def _routing(params: dict[str, Any], algorithm: Algorithm, settings: SfoxSettings) -> str | None:
    asked = params.get(ROUTING_TYPE)
    if algorithm in _RAW_ONLY:
        if asked not in (None, RoutingType.SMART.value):
            raise Denied(f"algorithm {int(algorithm)} goes with routing_type {RoutingType.SMART.value} only")
        return RoutingType.SMART.value
    if asked is not None:
        return str(asked)
    return None if settings.routing_type is None else settings.routing_type.value


def _check_force(force: TimeInForce, algorithm: Algorithm) -> None:
    allowed = ALGORITHMS_OF_FORCE.get(force)
    if allowed is not None and algorithm not in allowed:
        names = ", ".join(str(int(each)) for each in allowed)
        raise Denied(f"{VENUE} takes {force.name} with the algorithms {names} only, not with {int(algorithm)}")


def _check_notional(notional: Decimal, spec: InstrumentSpec) -> None:
    if spec.min_notional is not None and notional < spec.min_notional:
        least = f"{plain(spec.min_notional)} {spec.quote}"
        raise Denied(f"an order of {plain(notional)} {spec.quote} is below the minimum of {least}")
