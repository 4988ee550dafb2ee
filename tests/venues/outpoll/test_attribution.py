"""Whose fill a change of shares is: solved where it can be, and never guessed."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nautilus_orderfeeds.orders.updates import VenueStatus
from nautilus_orderfeeds.orders.words import OrderSide
from nautilus_orderfeeds.venues.outpoll.attribution import Attribution
from nautilus_orderfeeds.venues.outpoll.memory import OrderMemory
from nautilus_orderfeeds.venues.outpoll.settings import OutpollSettings
from nautilus_orderfeeds.venues.outpoll.wallet import Wallet
from nautilus_orderfeeds.venues.outpoll.words import STATUSES
from tests.support.outpoll_rows import (
    ASSET,
    NOW,
    OTHER,
    USDC,
    active,
    balance,
    delta,
    market,
    memory,
    new_order,
    reading,
    row,
)

SETTINGS = OutpollSettings(read_settle_secs=3.0)


def status_of(found: Any) -> VenueStatus | None:
    return None if found is None else STATUSES.get(found.st)


class Desk:
    """An account with 1000 USDC and 100 shares, all of it explained."""

    def __init__(self, settings: OutpollSettings = SETTINGS) -> None:
        self.wallet = Wallet()
        self.wallet.quote_ids = {USDC}
        self.wallet.take_snapshot([balance(USDC, "1000"), balance(ASSET, "100")], 0.0)
        self.attribution = Attribution(settings, self.wallet)

    def change(self, shares: str, money: str, asset: str = ASSET, at: float = 0.0) -> None:
        """Let the totals change, told in a new snapshot just before now."""
        held = {each: self.wallet._totals.get(each, Decimal(0)) for each in (USDC, ASSET, OTHER)}
        held[asset] += Decimal(shares)
        held[USDC] += Decimal(money)
        self.wallet.take_snapshot([balance(each, str(total)) for each, total in held.items()], at)

    def read(self, memories: list[OrderMemory], *rows: Any, calm: bool = True, unnamed: Any = ()) -> None:
        self.wallet.take_snapshot([balance(each, str(total)) for each, total in self.wallet._totals.items()], NOW)
        settled = dict.fromkeys((each.venue_order_id for each in memories), calm)
        self.attribution.attribute(memories, reading(*rows), settled, status_of, NOW, set(unnamed))

    def certain(self, known: OrderMemory) -> bool:
        return self.attribution.is_certain(known)


def test_a_filled_row_says_so_itself_and_the_wallet_its_price() -> None:
    desk, order = Desk(), memory()
    desk.change("10", "-3.95")
    desk.read([order], row(), calm=False)

    assert desk.certain(order)
    assert (order.filled, order.notional) == (Decimal(10), Decimal("3.95"))
    assert desk.wallet.is_calm


def test_a_filled_row_waits_for_the_wallet_until_it_is_settled() -> None:
    desk, order = Desk(), memory()
    desk.read([order], row(), calm=False)
    assert not desk.certain(order)

    desk.read([order], row(), calm=True)
    assert desk.certain(order)
    assert (order.filled, order.notional) == (Decimal(10), Decimal("4.00")), "at its limit, as nobody knows better"


def test_one_order_is_solved_for_when_all_is_quiet() -> None:
    desk, order = Desk(), memory()
    desk.change("4", "-1.60")
    desk.read([order], active(), calm=False)
    assert not desk.certain(order)

    desk.read([order], active())
    assert desk.certain(order)
    assert (order.filled, order.notional) == (Decimal(4), Decimal("1.60"))


def test_a_change_that_came_just_now_is_not_explained_yet() -> None:
    desk, order = Desk(), memory()
    desk.change("4", "-1.60", at=NOW - 1)
    desk.read([order], active())
    assert not desk.certain(order)
    assert order.filled == 0


@pytest.mark.parametrize("shares", ["11", "-1"])
def test_a_change_that_one_order_cannot_have_made_is_nobodys(shares: str) -> None:
    desk, order = Desk(), memory()
    desk.change(shares, "0")
    desk.read([order], active())
    assert not desk.certain(order)
    assert order.filled == 0


def test_two_orders_are_not_told_apart_by_a_sum() -> None:
    desk, first, second = Desk(), memory("v-1"), memory("v-2", new_order("O-2"))
    desk.change("4", "-1.60")
    desk.read([first, second], active("v-1"), active("v-2"))
    assert not desk.certain(first)
    assert not desk.certain(second)
    assert (first.filled, second.filled) == (0, 0)


def test_two_orders_are_told_apart_by_rows_that_add_up() -> None:
    desk, first, second = Desk(), memory("v-1"), memory("v-2", new_order("O-2"))
    desk.change("7", "-2.80")
    desk.read([first, second], active("v-1", filled="3"), active("v-2", filled="4"))
    assert (first.filled, second.filled) == (Decimal(3), Decimal(4))


def test_rows_that_do_not_add_up_count_for_nothing() -> None:
    desk, first, second = Desk(), memory("v-1"), memory("v-2", new_order("O-2"))
    desk.change("7", "-2.80")
    desk.read([first, second], active("v-1", filled="3"), active("v-2", filled="3"))
    assert (first.filled, second.filled) == (0, 0)


@pytest.mark.parametrize(("trusted", "filled"), [(False, (0, 0)), (True, (4, 6))])
def test_rows_that_add_up_whatever_q_means_count_only_if_it_is_known(trusted: bool, filled: tuple[int, int]) -> None:
    """4 and 6 were filled, or 6 and 4: with `q` filled or left, both make 10."""
    desk = Desk(OutpollSettings(read_settle_secs=3.0, trust_closed_quantity=trusted))
    first, second = memory("v-1"), memory("v-2", new_order("O-2"))
    desk.change("10", "-4.00")
    desk.read([first, second], row("v-1", st="CANCELED", q=Decimal(4)), row("v-2", st="CANCELED", q=Decimal(6)))
    assert (first.filled, second.filled) == filled
    assert desk.certain(first) is desk.certain(second) is trusted


def test_rows_that_add_up_in_one_meaning_only_count() -> None:
    desk, first, second = Desk(), memory("v-1"), memory("v-2", new_order("O-2"))
    desk.change("7", "-2.80")
    desk.read([first, second], row("v-1", st="CANCELED", q=Decimal(4)), row("v-2", st="CANCELED", q=Decimal(3)))
    assert (first.filled, second.filled) == (4, 3)


def test_two_of_one_side_and_no_change_have_filled_nothing() -> None:
    desk, first, second = Desk(), memory("v-1"), memory("v-2", new_order("O-2"))
    desk.read([first, second])
    assert desk.certain(first)
    assert desk.certain(second)


def test_a_buy_and_a_sell_may_cancel_out_so_no_change_proves_nothing() -> None:
    desk, buy = Desk(), memory("v-1")
    sell = memory("v-2", new_order("O-2", side=OrderSide.SELL))
    desk.read([buy, sell])
    assert not desk.certain(buy)
    assert not desk.certain(sell)


def test_nothing_is_solved_while_an_order_of_the_asset_has_no_name() -> None:
    desk, order = Desk(), memory()
    desk.change("4", "-1.60")
    desk.read([order], active(), unnamed={ASSET})
    assert not desk.certain(order)
    assert order.filled == 0
    desk.read([order], active(), unnamed={OTHER})
    assert order.filled == 4


def test_money_that_another_asset_may_have_moved_makes_no_price() -> None:
    desk, order = Desk(), memory()
    desk.wallet.take_snapshot([balance(USDC, "995.05"), balance(ASSET, "110"), balance(OTHER, "5")], 0.0)
    desk.read([order], row())
    assert (order.filled, order.notional) == (Decimal(10), Decimal("4.00"))


@pytest.mark.parametrize("calm", [False, True])
def test_money_told_change_by_change_does(calm: bool) -> None:
    desk, order = Desk(), memory()
    for asset, total in ((ASSET, "110"), (USDC, "996.05"), (OTHER, "5"), (USDC, "995.05")):
        desk.wallet.take_delta(delta(asset, total), 0.0)
    desk.read([order], row(), calm=calm)
    assert (order.filled, order.notional) == (Decimal(10), Decimal("3.95"))


def test_two_orders_filled_at_once_have_each_its_own_price() -> None:
    """The same asset, and the second one better than its limit."""
    desk, first, second = Desk(), memory("v-1"), memory("v-2", new_order("O-2", price=Decimal("0.50")))
    for asset, total in ((ASSET, "110"), (USDC, "996.05"), (ASSET, "120"), (USDC, "991.45")):
        desk.wallet.take_delta(delta(asset, total), 0.0)
    desk.read([first, second], row("v-1"), row("v-2", p=Decimal("0.50")), calm=False)
    assert (first.filled, first.notional) == (Decimal(10), Decimal("3.95"))
    assert (second.filled, second.notional) == (Decimal(10), Decimal("4.60"))
    assert desk.wallet.is_calm


def test_a_purchase_and_a_sale_may_hide_in_the_money_of_a_third_order() -> None:
    """15 were bought and sold again meanwhile, for a loss: that is no part of what the 10 have cost."""
    desk, order, buy = Desk(), memory("v-1"), memory("v-2", new_order("O-2", quantity=Decimal(15)))
    sale = memory("v-3", new_order("O-3", quantity=Decimal(15), side=OrderSide.SELL))
    desk.change("10", "-3.95")
    desk.read([order, buy], row("v-1"), active("v-2"), calm=False)
    assert order.notional == Decimal("3.95"), "a purchase alone cannot hide"

    desk, order = Desk(), memory("v-1")
    desk.change("10", "-4.00")
    desk.read([order, buy, sale], row("v-1"), active("v-2"), active("v-3", side="SELL"), calm=False)
    assert not desk.certain(order)
    desk.read([order, buy, sale], row("v-1", p=Decimal("0.41")), active("v-2"), active("v-3", side="SELL"))
    assert order.notional == Decimal("4.00"), "its limit, as nobody knows better"


def test_what_was_paid_is_waited_for_a_little_and_then_the_limit_is_told() -> None:
    """Two at once, and the changes were lost: another reading may show more, but not for ever."""
    desk, first, second = Desk(), memory("v-1"), memory("v-2", new_order("O-2", price=Decimal("0.50")))
    desk.wallet.take_snapshot([balance(USDC, "991.45"), balance(ASSET, "120")], 0.0)
    rows = (row("v-1"), row("v-2", p=Decimal("0.50")))
    for began, told in ((NOW, None), (NOW + 1.5, None), (NOW + 2.0, Decimal("4.00"))):
        desk.wallet.take_snapshot([balance(USDC, "991.45"), balance(ASSET, "120")], began)
        settled = {"v-1": False, "v-2": False}
        desk.attribution.attribute([first, second], reading(*rows, at=began), settled, status_of, began, set())
        assert (first.notional or None) == told
    assert second.notional == Decimal("5.00")


def test_a_market_buy_has_the_shares_that_came() -> None:
    desk, order = Desk(), memory(terms=market(quantity="10"))
    desk.change("25", "-10")
    desk.read([order], row(t="MARKET", oq=Decimal(10), q=Decimal(10)))
    assert (order.filled, order.notional) == (Decimal(25), Decimal(10)), "whatever unit the row has"


@pytest.mark.parametrize("status", ["CANCELED", "EXPIRED", "REJECTED"])
@pytest.mark.parametrize("terms", [new_order(), market()], ids=["limit", "market-buy"])
def test_nothing_filled_is_nothing_filled_whatever_the_field_means(status: str, terms: Any) -> None:
    desk, order = Desk(), memory(terms=terms)
    desk.read([order], row(st=status, q=Decimal(0)), calm=False)
    assert desk.certain(order)
    assert order.filled == 0


def test_unless_the_wallet_says_that_there_was_something() -> None:
    desk, order = Desk(), memory()
    desk.change("4", "-1.60")
    desk.read([order], row(st="CANCELED", q=Decimal(0)), calm=False)
    assert not desk.certain(order)
    desk.read([order], row(st="CANCELED", q=Decimal(0)))
    assert (desk.certain(order), order.filled) == (True, Decimal(4))


def test_the_quantity_of_an_ended_order_is_believed_only_if_that_is_configured() -> None:
    ended = row(st="CANCELED", q=Decimal(4))
    order, desk = memory(), Desk()
    desk.attribution.attribute([order], reading(ended), {"v-1": False}, status_of, NOW, set())
    assert not desk.certain(order)

    trusting = Desk(OutpollSettings(read_settle_secs=3.0, trust_closed_quantity=True))
    trusting.change("4", "-1.60")
    trusting.read([order], ended, calm=False)
    assert (trusting.certain(order), order.filled) == (True, Decimal(4))


def test_a_total_that_falls_is_an_error_and_changes_nothing(caplog: pytest.LogCaptureFixture) -> None:
    desk, order = Desk(), memory(filled=Decimal(8), notional=Decimal("3.2"))
    desk.read([order], row(q=Decimal(5)))
    assert order.filled == 8
    assert "were seen before" in caplog.text


def test_shares_without_an_order_are_forgiven_once_they_are_settled(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    desk = Desk()
    desk.change("50", "0")
    desk.read([])
    assert desk.wallet.is_calm
    assert "without an own order" in caplog.text


@given(
    parts=st.lists(st.integers(0, 10), min_size=1, max_size=4),
    told=st.lists(st.integers(0, 12), min_size=4, max_size=4),
    extra=st.sampled_from([0, 0, 0, 1]),
)
def test_what_is_attributed_always_adds_up_to_what_came(parts: list[int], told: list[int], extra: int) -> None:
    """True fills, and hints of the rows that may be right or wrong: nothing is attributed but the whole sum."""
    desk = Desk()
    orders = [memory(f"v-{n}", new_order(f"O-{n}")) for n in range(len(parts))]
    change = sum(parts) + extra
    desk.change(str(change), str(-change * Decimal("0.4")))
    rows = [active(f"v-{n}", filled=str(told[n])) for n in range(len(parts))]
    desk.read(orders, *rows)
    solved = sum((order.filled or Decimal(0) for order in orders), Decimal(0))
    assert solved in (0, change)
    if solved:
        assert all(desk.certain(order) for order in orders)
        assert desk.wallet.residual(ASSET) == 0


def test_money_told_in_part_makes_no_price() -> None:
    """Two fills, and of the second only the shares were told when the history said FILLED: no price of the first's."""
    desk, order = Desk(), memory()
    for asset, total in ((ASSET, "104"), (USDC, "998.40"), (ASSET, "110")):
        desk.wallet.take_delta(delta(asset, total), NOW)
    settled = {order.venue_order_id: False}
    desk.attribution.attribute([order], reading(row()), settled, status_of, NOW, set())
    assert not desk.certain(order)
    assert order.filled == 0

    desk.wallet.take_snapshot([balance(USDC, "996.05"), balance(ASSET, "110")], NOW)
    desk.attribution.attribute([order], reading(row()), settled, status_of, NOW, set())
    assert desk.certain(order)
    assert (order.filled, order.notional) == (Decimal(10), Decimal("3.95"))


def test_balances_count_as_read_however_long_the_lists_took_after_them() -> None:
    desk, order = Desk(), memory()
    desk.change("4", "-1.60")
    desk.attribution.attribute([order], reading(active()), {order.venue_order_id: True}, status_of, NOW + 60, set())
    assert not desk.certain(order), "the balances are of long before the reading"

    desk.wallet.take_snapshot([balance(USDC, "998.40"), balance(ASSET, "104")], NOW)
    desk.attribution.attribute([order], reading(active()), {order.venue_order_id: True}, status_of, NOW + 60, set())
    assert desk.certain(order)
    assert (order.filled, order.notional) == (Decimal(4), Decimal("1.60"))
