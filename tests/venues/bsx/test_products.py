"""The listing, the portfolio, and prices of market orders."""

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nautilus_orderfeeds.feed.errors import FrameError
from nautilus_orderfeeds.orders.decimals import is_multiple
from nautilus_orderfeeds.orders.updates import Balance, Margin
from nautilus_orderfeeds.orders.words import OrderSide
from nautilus_orderfeeds.venues.bsx.account import account_update, decode_portfolio, positions
from nautilus_orderfeeds.venues.bsx.pricing import worst_price
from nautilus_orderfeeds.venues.bsx.products import decode_products, mark_price, product_index
from nautilus_orderfeeds.venues.bsx.settings import BalanceSource
from nautilus_orderfeeds.venues.instruments import InstrumentKind
from tests.support.bsx_client import product, spec


def listing(*products):
    return decode_products(json.dumps({"products": products}).encode())


def test_a_product():
    found = spec()
    assert (found.symbol, found.raw_symbol, found.kind) == ("BTC-PERP", "BTC-PERP", InstrumentKind.CRYPTO_PERPETUAL)
    assert (found.base, found.quote, found.settlement) == ("BTC", "USDC", "USDC")
    assert (str(found.price_increment), str(found.size_increment), str(found.min_quantity)) == ("0.1", "0.001", "0.002")
    assert (found.maker_fee, found.taker_fee, found.multiplier) == (None, None, 1)
    assert product_index(found) == 1
    assert found.info["mark_price"] == "64678.26"
    assert mark_price(found) == Decimal("64678.26")


@pytest.mark.parametrize(
    ("changed", "active"),
    [
        ({}, True),
        ({"is_active": False}, False),
        ({"enabled": False}, False),
        ({"enabled": True}, True),
        ({"is_active": False, "enabled": True}, False),
    ],
)
def test_only_active_products(changed, active):
    assert bool(listing(product(**changed))) is active


def test_a_product_without_either_flag_is_active():
    shown = product()
    del shown["is_active"]
    assert listing(shown)


def test_an_unreadable_product_does_not_hide_the_others(caplog):
    found = listing(product(product_id="BAD-PERP", base_increment="none"), product(base_increment="0"), product())
    assert [each.symbol for each in found] == ["BTC-PERP"]
    assert "BAD-PERP" in caplog.text


def test_spot_is_left_out():
    assert listing(product(product_id="ETH-USDC", perpetual_product_config=None)) == []
    assert listing(product(perpetual_product_config=None))


@pytest.mark.parametrize("body", [b"{}", b"nonsense", b'{"products":{}}'])
def test_no_listing(body):
    with pytest.raises(FrameError, match="expected a list of products"):
        decode_products(body)


@pytest.mark.parametrize("index", [0, 256, -1])
def test_an_index_that_cannot_be_signed(index):
    assert listing(product(index=index)) == []


@pytest.mark.parametrize("shown", ["0", "-1", "NaN", "text", "1e400", None])
def test_no_mark_price(shown):
    assert mark_price(spec(mark_price=shown)) is None


def portfolio(positions=(), **summary):
    numbers = {
        "total_account_value": "1000",
        "free_collateral": "900",
        "usdc_balance": "950",
        "unsettled_usdc": "-20",
        "total_initial_margin": "100",
        "total_maintenance_margin": "50",
        **summary,
    }
    return decode_portfolio(json.dumps({"summary": numbers, "positions": positions}).encode())


def test_balances():
    update = account_update(portfolio(), BalanceSource.ACCOUNT_VALUE)
    assert update.balances == (Balance(currency="USDC", total=Decimal(1000), free=Decimal(900)),)
    assert update.margins == (Margin(currency="USDC", initial=Decimal(100), maintenance=Decimal(50)),)
    assert account_update(portfolio(), BalanceSource.USDC).balances[0].total == Decimal(930)


@given(st.decimals(-(10**9), 10**9, places=4), st.decimals(-(10**9), 10**9, places=4))
def test_free_is_never_more_than_the_total_nor_negative(total, free):
    shown = portfolio(total_account_value=str(total), free_collateral=str(free))
    (balance,) = account_update(shown, BalanceSource.ACCOUNT_VALUE).balances
    assert balance.total == total
    assert 0 <= balance.free <= max(total, 0)


def test_a_missing_number_is_not_zero():
    without_free = account_update(portfolio(free_collateral=None), BalanceSource.ACCOUNT_VALUE)
    assert without_free.balances[0].free == 900
    assert account_update(portfolio(total_account_value=None), BalanceSource.ACCOUNT_VALUE).balances[0].total == 930
    assert account_update(portfolio(usdc_balance=None), BalanceSource.USDC).balances[0].total == 1000
    assert account_update(portfolio(total_account_value=None, usdc_balance=None), BalanceSource.USDC) is None
    assert account_update(decode_portfolio(b"{}"), BalanceSource.USDC) is None


def test_positions():
    shown = portfolio(
        [
            {"product_id": "BTC-PERP", "net_size": "-1.5", "avg_entry_price": "64000"},
            {"product_id": "ETH-PERP", "net_size": "0", "avg_entry_price": "0"},
            {"product_index": 3, "net_size": "2"},
        ]
    )
    short, by_index = positions(shown, {3: "SOL-PERP"})
    assert (short.symbol, short.signed_qty, short.avg_px_open) == ("BTC-PERP", Decimal("-1.5"), Decimal(64000))
    assert (by_index.symbol, by_index.avg_px_open) == ("SOL-PERP", None)
    with pytest.raises(ValueError, match="product_id of a position"):
        positions(shown, {})


@given(
    reference=st.decimals("0.01", 10**6, places=2),
    slippage=st.decimals(0, "0.99", places=4),
    tick=st.sampled_from([Decimal("0.01"), Decimal("0.1"), Decimal("0.5"), Decimal(1)]),
)
def test_worst_prices_lie_outwards_on_the_tick(reference, slippage, tick):
    buy = worst_price(reference, OrderSide.BUY, slippage, tick)
    sell = worst_price(reference, OrderSide.SELL, slippage, tick)
    assert is_multiple(buy, tick)
    assert is_multiple(sell, tick)
    assert 0 <= buy - reference * (1 + slippage) < tick
    assert sell == tick or 0 <= reference * (1 - slippage) - sell < tick
    assert sell > 0
