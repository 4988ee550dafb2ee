"""Balances and positions from ``GET /portfolio/detail`` (protocol, 4.9 and 12.5)."""

from decimal import Decimal
from typing import assert_never

from nautilus_orderfeeds.orders.decimals import ZERO
from nautilus_orderfeeds.orders.updates import AccountUpdate, Balance, Margin, Position
from nautilus_orderfeeds.venues.bsx import wire
from nautilus_orderfeeds.venues.bsx.settings import BalanceSource
from nautilus_orderfeeds.venues.bsx.words import SETTLEMENT, VENUE


def decode_portfolio(body: bytes) -> wire.Portfolio:
    """Read the answer; raises `FrameError`."""
    return wire.decode(wire.PORTFOLIO, body, "the account's portfolio (protocol 4.9)")


def account_update(portfolio: wire.Portfolio, source: BalanceSource) -> AccountUpdate:
    """Return the account's one balance, in USDC.

    Parameters
    ----------
    portfolio : Portfolio
        As decoded.
    source : BalanceSource
        Which number is the total.

    Raises
    ------
    ValueError
        If a number that is needed is missing or none.
    """
    summary = portfolio.summary
    total = _total(summary, source)
    free = max(min(_number("free_collateral", summary.free_collateral), total), ZERO)
    initial = _number("total_initial_margin", summary.total_initial_margin, ZERO)
    maintenance = _number("total_maintenance_margin", summary.total_maintenance_margin, ZERO)
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
        if not position.net_size:
            continue
        product_id = position.product_id or symbols.get(position.product_index, "")
        symbol = wire.check_id("product_id of a position", product_id).upper()
        px = position.avg_entry_price or None
        found.append(Position(symbol=symbol, signed_qty=position.net_size, avg_px_open=px))
    return found


def _total(summary: wire.Summary, source: BalanceSource) -> Decimal:
    match source:
        case BalanceSource.ACCOUNT_VALUE:
            return _number("total_account_value", summary.total_account_value)
        case BalanceSource.USDC:
            unsettled = _number("unsettled_usdc", summary.unsettled_usdc, ZERO)
            return _number("usdc_balance", summary.usdc_balance) + unsettled
        case _ as never:
            assert_never(never)


def _number(name: str, value: Decimal | None, missing: Decimal | None = None) -> Decimal:
    wire.check_numbers(value)
    if value is not None:
        return value
    if missing is not None:
        return missing
    raise ValueError(f"{VENUE}: the portfolio's summary lacks {name}")
