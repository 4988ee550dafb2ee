"""Single fills found again in the sequence of told balances: exact or not at all, whatever is lost on the way."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nautilus_orderfeeds.venues.outpoll.moves import Move, Moves
from nautilus_orderfeeds.venues.outpoll.wallet import Wallet
from tests.support.outpoll_rows import ASSET, OTHER, USDC, balance, delta

QUOTE = {USDC}


def D(text: Any) -> Decimal:
    return Decimal(str(text))


def moves(*changes: tuple[str, str], shares: str = "0", money: str = "0") -> Moves:
    """Changes one by one, and what a snapshot then leaves unexplained."""
    made = Moves()
    for asset, change in changes:
        made.note({asset: D(change)}, QUOTE, 1.0)
    made.close({ASSET: D(shares)}, D(money))
    return made


@pytest.mark.parametrize(
    "changes",
    [
        [(ASSET, "5"), (USDC, "-2"), (ASSET, "3"), (USDC, "-1.5")],
        [(USDC, "-2"), (ASSET, "5"), (USDC, "-1.5"), (ASSET, "3")],
    ],
    ids=["shares first", "money first"],
)
def test_each_two_changes_are_a_move(changes: Any) -> None:
    found = moves(*changes, shares="8", money="-3.5")
    assert found.find(ASSET, D(5), None) == (Move(ASSET, D(5), D(-2)),)
    assert found.find(ASSET, D(3), None) == (Move(ASSET, D(3), D("-1.5")),)
    assert len(found.find(ASSET, D(8), None)) == 2
    assert found.find(ASSET, D(4), None) == ()
    assert found.find(ASSET, D(-5), None) == ()
    assert found.find(OTHER, D(5), None) == ()


def test_an_order_takes_what_it_can_have_filled_at() -> None:
    halves = (ASSET, "5"), (USDC, "-2.5"), (ASSET, "5"), (USDC, "-2"), (ASSET, "5"), (USDC, "-2.2")
    found = moves(*halves, shares="15", money="-6.7")
    assert found.find(ASSET, D(5), D("0.43")) == (Move(ASSET, D(5), D(-2)),)
    assert found.find(ASSET, D(5), D("0.44")) == (Move(ASSET, D(5), D("-2.2")),), "at its very limit"
    assert found.find(ASSET, D(5), D("0.60")) == (Move(ASSET, D(5), D("-2.5")),), "the oldest that fits"
    assert found.find(ASSET, D(5), D("0.39")) == ()


def test_what_was_taken_back_has_not_happened() -> None:
    """A snapshot that was older than it should be."""
    found = moves((USDC, "-10"), (USDC, "10"), (ASSET, "5"), (USDC, "-2"), shares="5", money="-2")
    assert found.find(ASSET, D(5), None) == (Move(ASSET, D(5), D(-2)),)


def test_a_snapshot_older_than_the_latest_changes_only_takes_them_back() -> None:
    """It was asked for over another connection; that the changes are told again makes no second fill, and no sale."""
    found = moves((ASSET, "5"), (USDC, "-2"), shares="5", money="-2")
    found.note({ASSET: D(-5), USDC: D(2)}, QUOTE)
    found.close({ASSET: D(0)}, D(0))
    assert found.find(ASSET, D(-5), None) == found.find(ASSET, D(5), None) == ()
    found.note({ASSET: D(5), USDC: D(-2)}, QUOTE)
    found.close({ASSET: D(5)}, D(-2))
    assert found.find(ASSET, D(5), None) == (), "of a snapshot: it may be the sum of several"
    assert found.find(ASSET, D(5), None, is_alone=True) == (Move(ASSET, D(5), D(-2), is_told=False),)
    assert found.find(ASSET, D(-5), None, is_alone=True) == ()


@pytest.mark.parametrize(
    ("changes", "shares", "money"),
    [
        ([(ASSET, "5"), (ASSET, "3"), (USDC, "-3.5")], "8", "-3.5"),
        ([(ASSET, "5"), (USDC, "-2"), (USDC, "-1.5")], "5", "-3.5"),
        ([(ASSET, "5"), (USDC, "-2")], "8", "-3.5"),
        ([(ASSET, "5"), (USDC, "-2")], "5", "-2.5"),
        ([(ASSET, "5"), (USDC, "2")], "5", "2"),
        ([(ASSET, "5"), (USDC, "-6")], "5", "-6"),
    ],
    ids=["money lost", "shares lost", "a fill lost", "a fee", "both ways", "too dear"],
)
def test_what_is_not_whole_says_nothing(changes: Any, shares: str, money: str) -> None:
    assert moves(*changes, shares=shares, money=money).find(ASSET, D(5), None) == ()


def test_halves_that_do_not_come_together_are_of_two_fills() -> None:
    found = Moves()
    for asset, change, now in ((ASSET, "5", 1.0), (USDC, "-2", 1.01), (ASSET, "3", 2.0), (USDC, "-1.5", 3.0)):
        found.note({asset: D(change)}, QUOTE, now)
    found.close({ASSET: D(8)}, D("-3.5"))
    assert found.find(ASSET, D(5), None) == ()


def test_a_half_that_a_snapshot_does_not_complete_has_lost_its_other_one() -> None:
    found = moves((ASSET, "5"), shares="5", money="-2")
    found.note({USDC: D(-2)}, QUOTE, 1.0)
    found.close({ASSET: D(5)}, D(-2))
    assert found.find(ASSET, D(5), None) == ()


def test_what_came_after_the_snapshot_is_not_confirmed() -> None:
    found = moves((ASSET, "5"), (USDC, "-2"), shares="5", money="-2")
    found.note({ASSET: D(3)}, QUOTE, 1.0)
    found.note({USDC: D("-1.5")}, QUOTE, 1.0)
    assert found.find(ASSET, D(3), None) == ()
    found.take(found.find(ASSET, D(5), None))
    found.close({ASSET: D(3)}, D("-1.5"))
    assert found.find(ASSET, D(3), None) == (Move(ASSET, D(3), D("-1.5")),)


def test_after_a_loss_it_begins_anew_once_all_is_explained() -> None:
    found = moves((ASSET, "5"), (ASSET, "3"), shares="8", money="-3.5")
    found.settle()
    found.note({ASSET: D(4)}, QUOTE, 1.0)
    found.note({USDC: D(-1)}, QUOTE, 1.0)
    found.close({ASSET: D(4)}, D(-1))
    assert found.find(ASSET, D(4), None) == (Move(ASSET, D(4), D(-1)),)


def test_what_came_since_is_not_mixed_with_what_was_lost_before() -> None:
    found = moves((ASSET, "5"), shares="5", money="-2")  # the money of it is on its way
    found.note({USDC: D(-2)}, QUOTE, 1.0)
    found.settle()
    found.note({ASSET: D(4)}, QUOTE, 1.0)
    found.note({USDC: D(-1)}, QUOTE, 1.0)
    found.close({ASSET: D(4)}, D(-1))
    assert found.find(ASSET, D(4), None) == ()


FILLS = st.lists(st.tuples(st.integers(-9, 9).filter(bool), st.integers(2, 98)), min_size=1, max_size=8)


@given(
    fills=FILLS,
    money_first=st.booleans(),
    doubled=st.sets(st.integers(0, 15)),
    lost=st.sets(st.integers(0, 15)),
    snapshots=st.sets(st.integers(0, 15)),
)
def test_confirmed_moves_are_fills_or_neighbouring_fills_in_one(
    fills: list[tuple[int, int]], money_first: bool, doubled: set[int], lost: set[int], snapshots: set[int]
) -> None:
    """Whatever is doubled or lost, and whenever snapshots come: no confirmed move mixes moneys.

    The two changes of a fill come together; between fills there is time.
    """
    wallet = Wallet()
    wallet.quote_ids = QUOTE
    held = {ASSET: D(1000), USDC: D(1000)}

    def read() -> None:
        wallet.take_snapshot([balance(asset, str(total)) for asset, total in held.items()], 0.0)

    read()
    sums = [(D(0), D(0))]
    for n, (shares, cents) in enumerate(fills):
        money = -D(shares) * cents / 100
        held[ASSET] += shares
        held[USDC] += money
        sums.append((sums[-1][0] + shares, sums[-1][1] + money))
        for half, asset in enumerate((USDC, ASSET) if money_first else (ASSET, USDC)):
            frame = 2 * n + half
            if frame not in lost:
                for _ in range(1 + (frame in doubled)):
                    wallet.take_delta(delta(asset, str(held[asset])), float(n))
            if frame in snapshots:
                read()
    read()
    told = [(move.shares, move.money) for move in wallet._moves._moves]
    neighbouring = {
        (after[0] - before[0], after[1] - before[1]) for n, before in enumerate(sums) for after in sums[n + 1 :]
    }
    if wallet._moves._is_confirmed:
        assert set(told) <= neighbouring
    if not any(frame < 2 * len(fills) for frame in lost):
        assert told == [(D(shares), -D(shares) * cents / 100) for shares, cents in fills]
        assert wallet._moves._is_confirmed
