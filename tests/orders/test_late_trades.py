"""Trades that come late, early, twice or in another order than the statements that count them."""

from decimal import Decimal
from itertools import permutations

import pytest

from nautilus_orderfeeds.orders import events as ev
from nautilus_orderfeeds.orders.decimals import plain
from nautilus_orderfeeds.orders.inference import Rules
from nautilus_orderfeeds.orders.words import OrderStatus
from tests.support.one_order import OneOrder, V, bare, said, trade

D = Decimal
NEWER, OLDER = 20, 5


def _sum(order: OneOrder) -> Decimal:
    return sum((fill.last_qty for fill in order.fills), D(0))


@pytest.mark.parametrize("placed", [True, False], ids=["placed", "unplaced"])
@pytest.mark.parametrize("arrival", list(permutations(range(3))), ids=str)
def test_late_trades_after_an_inference_are_not_counted_twice(arrival: tuple[int, ...], placed: bool) -> None:
    ends = ("2", "5", "10") if placed else (None, None, None)
    trades = [trade(f"t{i}", qty, ends_at=end) for i, (qty, end) in enumerate(zip(("2", "3", "5"), ends, strict=True))]
    order = OneOrder()
    order.hear(said(filled_qty="5", avg_px="100", ts_event=10))
    assert order.settle() == ["inferred 5 @ 100"]
    for i in arrival:
        order.hear(bare(trades[i]), bare(trades[i]))
    order.hear(said(V.FILLED, filled_qty="10", avg_px="100", ts_event=NEWER))
    order.settle()
    assert _sum(order) == 10
    assert order.state.status is OrderStatus.FILLED
    assert not order.events(ev.FillOrphaned)


def test_placed_trades_are_matched_exactly() -> None:
    order = OneOrder()
    order.hear(said(filled_qty="5", avg_px="100"))
    order.settle()
    assert order.hear(bare(trade("t3", "4", "103", ends_at="9"))) == ["filled 4 @ 103"]
    assert order.hear(bare(trade("t1", "2", ends_at="2"))) == ["absorbed 2"]
    assert order.hear(bare(trade("t2", "3", "101", ends_at="5"))) == ["absorbed 3"]
    assert order.hear(bare(trade("t4", "1", "104", ends_at="10"))) == ["filled 1 @ 104"]
    assert order.state.status is OrderStatus.FILLED
    assert order.state.coverage.credit == 0


def test_a_trade_that_straddles_what_was_inferred_tells_only_the_rest() -> None:
    order = OneOrder()
    order.hear(said(filled_qty="5", avg_px="100"))
    order.settle()
    assert order.hear(bare(trade("t1", "6", "101", ends_at="8", fee="0.6"))) == ["absorbed 3", "filled 3 @ 101"]
    told = order.fills[-1]
    assert told.commission == D("0.3")
    assert told.gaps == ((D(5), D(8)),)
    assert order.state.coverage.placed
    assert order.hear(bare(trade("t0", "2", ends_at="2"))) == ["absorbed 2"]
    assert order.state.coverage.credit == 0


def test_a_lower_statement_that_comes_late_still_brings_its_trades() -> None:
    order = OneOrder()
    order.hear(said(filled_qty="5", avg_px="100.4", fills=(trade("t2", "3", "100", ends_at="5"),)))
    assert order.hear(said(filled_qty="2", avg_px="101", fills=(trade("t1", "2", "101", ends_at="2"),))) == [
        "filled 2 @ 101"
    ]
    assert not order.state.is_unsettled


def test_the_trade_feed_may_be_ahead_of_the_orders_feed() -> None:
    order = OneOrder()
    assert order.hear(bare(trade("t1", "3")), bare(trade("t2", "4"))) == [
        "accepted",
        "filled 3 @ 100",
        "filled 4 @ 100",
    ]
    assert order.hear(said(filled_qty="3"), said(filled_qty="7", avg_px="100")) == []
    assert order.hear(bare(trade("t3", "3")), said(V.FILLED, filled_qty="10")) == ["filled 3 @ 100"]
    assert order.state.status is OrderStatus.FILLED


def test_a_new_trade_after_an_inference_waits_for_the_statement_that_counts_it() -> None:
    order = OneOrder()
    order.hear(said(filled_qty="5", avg_px="100", ts_event=10))
    order.settle()
    assert order.hear(bare(trade("t3", "4", "103", ts=NEWER))) == []
    assert order.state.is_unsettled
    assert order.hear(said(filled_qty="9", avg_px="101.333", ts_event=NEWER)) == ["filled 4 @ 103"]
    assert order.hear(bare(trade("t1", "2", ts=OLDER)), bare(trade("t2", "3", ts=OLDER))) == [
        "absorbed 2",
        "absorbed 3",
    ]
    assert not order.state.is_unsettled


def test_an_undecided_trade_is_decided_by_the_next_one() -> None:
    order = OneOrder()
    order.hear(said(filled_qty="5", avg_px="100", ts_event=10))
    order.settle()
    assert order.hear(bare(trade("t2", "4", ts=NEWER))) == []
    assert order.hear(bare(trade("t1", "5", ts=OLDER))) == ["absorbed 5", "filled 4 @ 100"]


def test_an_end_waits_for_undecided_trades() -> None:
    order = OneOrder()
    order.hear(said(filled_qty="5", avg_px="100", ts_event=10))
    order.settle()
    order.hear(bare(trade("t3", "4", "103", ts=NEWER)))
    assert order.hear(said(V.EXPIRED, filled_qty="5", avg_px="100", ts_event=NEWER)) == []
    assert order.hear(said(V.EXPIRED, filled_qty="9", avg_px="101.333333", ts_event=NEWER)) == [
        "filled 4 @ 103",
        "expired",
    ]


def test_an_undecided_trade_counts_as_told_when_waiting_ends() -> None:
    order = OneOrder()
    order.hear(said(filled_qty="5", avg_px="100", ts_event=10))
    order.settle()
    order.hear(bare(trade("t3", "4", "103", ts=NEWER)))
    assert order.settle() == ["absorbed 4"]
    assert order.hear(said(filled_qty="9", avg_px="101.333333", ts_event=NEWER)) == []
    assert order.settle() == ["inferred 4 @ 103"]
    assert order.hear(bare(trade("t1", "2", ts=OLDER)), bare(trade("t2", "3", ts=OLDER))) == [
        "absorbed 2",
        "absorbed 3",
    ]


def test_mistaken_trades_leave_no_wrong_average() -> None:
    """Law 2: the fill that completes the total makes the money agree, though single trades were mistaken."""
    order = OneOrder()
    order.hear(said(filled_qty="5", avg_px="100"))
    order.settle()
    order.hear(bare(trade("t3", "5", "200")))  # as large as what was inferred, no time: taken for it
    order.hear(said(filled_qty="10", filled_notional="1500"))
    assert order.hear(bare(trade("t1", "5", "100"))) == ["filled 5 @ 200"]
    assert order.fills[-1].venue_px == 100
    assert order.native.order.avg_px == pytest.approx(150)


def test_trades_that_explain_everything_make_up_for_a_wrongly_priced_inference() -> None:
    order = OneOrder(quantity="20")
    order.hear(bare(trade("t2", "2", "110", ts=3)))  # ahead of ...
    order.hear(said(filled_qty="4", filled_notional="400", ts_event=2))  # ... the statement about t1 alone
    assert order.settle() == ["inferred 2 @ 90"]
    order.hear(said(filled_qty="6", filled_notional="620", ts_event=3))
    # Of t1 two were inferred, at 90 instead of 100: the other two make up for it.
    assert order.hear(bare(trade("t1", "4", "100", fee="0.4", ts=1))) == ["absorbed 2", "filled 2 @ 110"]
    assert order.native.order.avg_px == pytest.approx(620 / 6)


def test_where_the_venue_tells_no_average_a_trade_keeps_its_price() -> None:
    order = OneOrder()
    order.hear(said(filled_qty="5"))
    assert order.settle() == ["inferred 5 @ 100"]  # the order's own price, for want of a better one
    order.hear(bare(trade("t1", "5", "90")))
    order.hear(said(filled_qty="6"))
    assert order.hear(bare(trade("t2", "1", "90"))) == ["filled 1 @ 90"]


def test_fees_of_mistaken_trades_add_up_too() -> None:
    order = OneOrder()
    order.hear(said(filled_qty="5", avg_px="100", fees="0.5"))
    order.settle()
    order.hear(bare(trade("t3", "5", "100", fee="-0.1")))
    order.hear(said(V.FILLED, filled_qty="10", avg_px="100", fees="0.4"))
    order.hear(bare(trade("t1", "5", "100", fee="0.5")))
    assert order.native.commission == D("0.4")


def test_a_trade_of_another_id_in_a_told_place_is_not_told_again() -> None:
    """A listing may cut the same fills in other pieces than the stream did."""
    order = OneOrder()
    order.hear(said(filled_qty="5", fills=(trade("a", "5", ends_at="5"),)))
    assert order.hear(bare(trade("b", "2", ends_at="2"), trade("c", "3", ends_at="5"))) == ["absorbed 2", "absorbed 3"]
    assert order.hear(said(V.FILLED, filled_qty="10", fills=(trade("d", "7", ends_at="10"),))) == [
        "absorbed 2",
        "filled 5 @ 100",
    ]


def test_inferred_and_real_trades_may_be_named_by_the_same_rule() -> None:
    """By where they end, so that the inferred fill has the name of a trade that it stands for, and of no other."""
    rules = Rules(
        inferred_trade_id=lambda order_id, cumulative: f"{order_id}-{plain(cumulative)}",
        price_precision=2,
    )
    order = OneOrder(rules=rules)
    order.hear(said(filled_qty="10", avg_px="100", fills=(trade("V1-10", "2", ends_at="10"),)))
    assert order.settle() == ["inferred 8 @ 100"]
    assert [fill.trade_id for fill in order.fills] == ["V1-10", "V1-8"]
    assert order.hear(bare(trade("V1-8", "5", ends_at="8")), bare(trade("V1-3", "3", ends_at="3"))) == ["absorbed 3"]


def test_an_old_trade_that_is_more_than_what_was_inferred_waits_for_the_rest_to_be_stated() -> None:
    order = OneOrder()
    order.hear(bare(trade("t2", "2", ts=3)), said(filled_qty="4", avg_px="100", ts_event=4))
    order.settle()
    assert order.hear(bare(trade("t1", "4", ts=1))) == []  # two were inferred: the other two are not in the total yet
    assert order.hear(said(filled_qty="6", avg_px="100", ts_event=5)) == ["absorbed 2", "filled 2 @ 100"]


def test_a_trade_before_the_venue_order_id_waits_for_it() -> None:
    order = OneOrder()
    assert order.hear(bare(trade("t1", "4"), venue_order_id=None)) == []
    assert order.state.is_unsettled
    assert order.settle() == []
    assert order.hear(said(filled_qty="4")) == ["accepted", "filled 4 @ 100"]


def test_a_place_that_cannot_be_is_no_place() -> None:
    order = OneOrder()
    assert order.hear(bare(trade("t1", "4", ends_at="3"))) == ["accepted", "filled 4 @ 100"]
    assert not order.state.coverage.placed


def test_fills_after_a_cancel_count_and_the_cancel_is_told_again() -> None:
    order = OneOrder()
    order.hear(said(filled_qty="2", fills=(trade("t1", "2"),)), said(V.CANCELED, filled_qty="2"))
    assert order.hear(bare(trade("t2", "3"))) == ["filled 3 @ 100", "canceled"]
    assert order.hear(said(V.CANCELED, filled_qty="6", avg_px="100")) == []
    assert order.settle() == ["inferred 1 @ 100", "canceled"]
    assert order.hear(bare(trade("t4", "4"))) == []  # no room for all of it: one may be what was inferred
    assert order.hear(said(V.FILLED, filled_qty="10")) == ["filled 4 @ 100"]
    assert order.state.status is OrderStatus.FILLED
