"""Market messages as framework data: what the framework's constructors demand beyond the values."""

from decimal import Decimal

import pytest
from nautilus_trader.test_kit.providers import TestInstrumentProvider

from nautilus_orderfeeds.adapter.ticks import TickMaker
from nautilus_orderfeeds.feed.market import Quote


@pytest.mark.parametrize(
    ("bid", "ask", "bid_size", "ask_size"),
    [
        ("1.000005", "1.00001", "1", "2"),
        ("1.00001", "1.0000151", "1", "2.25"),
        ("1.00001", "1.00002", "0.5", None),
    ],
)
def test_a_quote_with_one_finer_side_is_told(bid: str, ask: str, bid_size: str, ask_size: str | None) -> None:
    ticks = TickMaker(TestInstrumentProvider.default_fx_ccy("AUD/USD"))
    sizes = [None if size is None else Decimal(size) for size in (bid_size, ask_size)]
    message = Quote(symbol="X", bid=Decimal(bid), ask=Decimal(ask), bid_size=sizes[0], ask_size=sizes[1])
    (quote,) = ticks.make(message, 1)
    assert (quote.bid_price.as_decimal(), quote.ask_price.as_decimal()) == (Decimal(bid), Decimal(ask))
    assert quote.bid_size.as_decimal() == sizes[0]
    assert quote.ask_size.as_decimal() == (sizes[1] or 1)
