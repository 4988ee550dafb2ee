"""Fills of the transaction log are put on an order's cumulative quantity in the sequence in which they happened."""

from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest
from msgspec import Raw, json

from nautilus_orderfeeds.venues.roxom.fills import LogFill, by_order, read_rows
from tests.support.roxom_client import CREATED_NS, ORDER_ID

MS = CREATED_NS // 10**6


def row(number: int, ms: int = 0, **changed: Any) -> dict[str, Any]:
    return {
        "transactionType": "orderFill",
        "symbol": "GOLD-BTC",
        "amount": f"0.0{number}",
        "fillPrice": f"0.0485{number}",
        "orderId": ORDER_ID,
        "tradeId": f"t-{(number * 7) % 10}",  # trade ids say nothing of the sequence
        "time": MS + ms,
        **changed,
    }


def chained(number: int, of: str = "position", ms: int = 0) -> dict[str, Any]:
    """A row that begins where the one before it ended."""
    return row(number, ms, **{f"{of}Before": f"-0.{number - 1}0", f"{of}After": f"-0.{number}0"})


def sequence(rows: list[dict[str, Any]]) -> list[Decimal]:
    fills = read_rows([Raw(json.encode(one)) for one in rows])
    return [fill.qty for fill in by_order(fills).get(ORDER_ID, [])]


EXPECTED = [Decimal("0.01"), Decimal("0.02"), Decimal("0.03")]


@pytest.mark.parametrize("of", ["position", "balance"])
@pytest.mark.parametrize("listed", list(permutations((1, 2, 3))), ids=str)
def test_fills_of_one_instant_follow_each_other_by_position_or_balance(listed, of):
    assert sequence([chained(number, of) for number in listed]) == EXPECTED


@pytest.mark.parametrize("listed", list(permutations((1, 2, 3))), ids=str)
def test_fills_of_different_times_by_time(listed):
    assert sequence([row(number, number) for number in listed]) == EXPECTED


def test_without_either_they_stay_as_listed():
    assert sequence([row(1), row(2), row(3)]) == EXPECTED


def test_without_either_they_are_turned_round_if_the_newest_come_first():
    assert sequence([row(3, 1), row(2), row(1)]) == EXPECTED


def test_a_chain_with_a_gap_is_none():
    """Somebody else's fill lies between: then the listing is all there is."""
    assert sequence([chained(1), chained(3)]) == [Decimal("0.01"), Decimal("0.03")]


@pytest.mark.parametrize("told", ["NaN", "sNaN", "Infinity", "1e400"])
def test_a_position_that_is_no_number_is_refused(told):
    with pytest.raises(ValueError, match="number"):
        sequence([row(1, positionBefore=told)])


def test_each_order_has_its_own():
    fills = [
        LogFill(order_id=order_id, symbol="GOLD-BTC", trade_id=order_id, qty=Decimal(1), px=Decimal(1))
        for order_id in ("a", "b", "a")
    ]
    assert {order_id: len(told) for order_id, told in by_order(fills).items()} == {"a": 1, "b": 1}
