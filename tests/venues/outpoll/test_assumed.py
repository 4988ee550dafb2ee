"""The shapes that no page documents are read only by field maps, which are checked when they are configured."""

from decimal import Decimal
from typing import Any

import pytest

from nautilus_orderfeeds.feed.errors import FatalFeedError
from nautilus_orderfeeds.orders.words import LiquiditySide
from nautilus_orderfeeds.venues.outpoll import OutpollExecClientConfig, OutpollLiveExecClientFactory, assumed

ROW = {"id": "t-1", "order": {"id": "v-1"}, "px": "0.42", "n": 5, "when": 1_710_000_000_000, "role": "maker", "c": 0.01}
MAP = {"trade_id": "id", "order_id": "order.id", "price": "px", "quantity": "n"}


def test_a_trade_by_its_map_with_a_dot_into_an_object() -> None:
    row = ROW | {"c": Decimal("0.01")}
    trade = assumed.read_trade(row, MAP | {"time_ms": "when", "liquidity": "role", "fee": "c"})

    assert (trade.trade_id, trade.order_id) == ("t-1", "v-1")
    assert (trade.price, trade.quantity, trade.fee) == (Decimal("0.42"), Decimal(5), Decimal("0.01"))
    assert (trade.time_ns, trade.liquidity) == (1_710_000_000_000_000_000, LiquiditySide.MAKER)


def test_what_is_not_mapped_is_not_read() -> None:
    trade = assumed.read_trade(ROW, MAP)
    assert (trade.fee, trade.time_ns, trade.liquidity) == (None, 0, LiquiditySide.NO_LIQUIDITY_SIDE)


@pytest.mark.parametrize(
    "changes",
    [
        {"id": ""},
        {"id": "注文"},
        {"order": None},
        {"order": "v-1"},
        {"px": None},
        {"px": "dear"},
        {"px": True},
        {"px": "1e400"},
        {"n": 0},
        {"n": -1},
        {"n": [5]},
    ],
)
def test_a_row_that_does_not_fit_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"trade|number|id|sense|E"):
        assumed.read_trade(ROW | changes, MAP)


def test_a_tpsl_by_the_names_of_the_stream() -> None:
    row = {"i": "t-1", "a": "asset-1", "q": 100, "tpp": Decimal("0.95"), "slp": None, "s": "active"}
    entry = assumed.read_tpsl(row, assumed.TPSL_FIELDS)
    assert (entry.tpsl_id, entry.asset_id, entry.status) == ("t-1", "asset-1", "ACTIVE")
    assert (entry.quantity, entry.take_profit, entry.stop_loss) == (Decimal(100), Decimal("0.95"), None)


def make(**fields: Any) -> Any:
    config = OutpollExecClientConfig(api_key="k", api_secret="c2VjcmV0", **fields)
    return OutpollLiveExecClientFactory.door.make_venue(config)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"trades_fields": {"trade_id": "i", "order_id": "oi", "price": "p"}}, "trades_fields lacks 'quantity'"),
        ({"active_fields": {"asset": "a"}}, "active_fields has 'asset'"),
        ({"tpsl_fields": {"profit": "x"}}, "tpsl_fields has 'profit'"),
        ({"order_statuses": {"DONE": "FINISHED"}}, "cannot mean 'FINISHED'"),
        ({"requests_per_sec": 0}, "requests_per_sec 0"),
        ({"read_settle_secs": -1.0}, "read_settle_secs -1"),
    ],
)
def test_a_wrong_map_is_named_at_the_start(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(FatalFeedError, match=words):
        make(**fields)


def test_good_maps_are_taken() -> None:
    make(
        trades_fields=MAP,
        active_fields={"asset_id": "a"},
        tpsl_fields={"tpsl_id": "id"},
        order_statuses={"Done": "filled"},
    )
