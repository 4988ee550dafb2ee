"""Balances and positions from ``GET /portfolio/detail`` (protocol, 4.9 and 12.5)."""

from decimal import Decimal
from typing import Any, Final, assert_never

import msgspec

from nautilus_orderfeeds.feed.errors import FrameError
from nautilus_orderfeeds.orders.decimals import ZERO
from nautilus_orderfeeds.orders.updates import AccountUpdate, Balance, Margin, Position
from nautilus_orderfeeds.venues.bsx import wire
from nautilus_orderfeeds.venues.bsx.settings import BalanceSource
from nautilus_orderfeeds.venues.bsx.words import SETTLEMENT, VENUE

#: Decimals come from the text, also where they are written as numbers.
_object: Final = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal)


def decode_portfolio(body: bytes) -> wire.Portfolio:
    """Read the answer, keys that are null or empty text taken for absent; raises `FrameError`."""
    try:
        return wire.PORTFOLIO.decode(body)
    except wire.DECODE_ERRORS:
        pass
    try:
        return msgspec.convert(_filled_in(_object.decode(body)), wire.Portfolio, strict=False)
    except wire.DECODE_ERRORS as exc:
        raise FrameError(VENUE, body, f"the account's portfolio (protocol 4.9; {exc})") from None


def account_update(portfolio: wire.Portfolio, source: BalanceSource) -> AccountUpdate | None:
    """Return the account's one balance, in USDC; None if no number tells it.

    Parameters
    ----------
    portfolio : Portfolio
        As decoded.
    source : BalanceSource
        Which number is the total.

    Raises
    ------
    ValueError
        If a number is none.
    """
    summary = portfolio.summary
    total = None if summary is None else _total(summary, source)
    if summary is None or total is None:
        return None
    initial = _number(summary.total_initial_margin) or ZERO
    maintenance = _number(summary.total_maintenance_margin) or ZERO
    told_free = _number(summary.free_collateral)
    free = max(min(total - initial if told_free is None else told_free, total), ZERO)
    return AccountUpdate(
        balances=(Balance(currency=SETTLEMENT, total=total, free=free),),
        margins=(Margin(currency=SETTLEMENT, initial=initial, maintenance=maintenance),),
    )


def positions(portfolio: wire.Portfolio, symbols: dict[int, str]) -> list[Position]:
    """Return the positions that are not flat.

    Parameters
    ----------
    portfolio : Portfolio
        As decoded.
    symbols : dict[int, str]
        Product index -> symbol, for a position that names its product by index only.

    Raises
    ------
    ValueError
        If a position's product or size cannot be told: to leave it out would call it flat.
    """
    found = []
    for position in portfolio.positions or ():
        wire.check_numbers(position.net_size, position.avg_entry_price)
        if position.net_size is None:
            raise ValueError("a position without net_size")
        if not position.net_size:
            continue
        product_id = position.product_id or symbols.get(position.product_index, "")
        symbol = wire.check_id("product_id of a position", product_id).upper()
        px = position.avg_entry_price or None
        found.append(Position(symbol=symbol, signed_qty=position.net_size, avg_px_open=px))
    return found


def _filled_in(told: Any) -> Any:
    """Return what is told without the keys that tell nothing."""
    if isinstance(told, dict):
        return {key: _filled_in(value) for key, value in told.items() if value is not None and value != ""}
    return [_filled_in(row) for row in told] if isinstance(told, list) else told


def _total(summary: wire.Summary, source: BalanceSource) -> Decimal | None:
    """Return the number asked for; where an installation does not tell it, the other one."""
    value = _number(summary.total_account_value)
    usdc, unsettled = _number(summary.usdc_balance), _number(summary.unsettled_usdc)
    settled = None if usdc is None else usdc + (unsettled or ZERO)
    match source:
        case BalanceSource.ACCOUNT_VALUE:
            return settled if value is None else value
        case BalanceSource.USDC:
            return value if settled is None else settled
        case _ as never:
            assert_never(never)


def _number(value: Decimal | None) -> Decimal | None:
    wire.check_numbers(value)
    return value
