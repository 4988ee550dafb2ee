"""The comparison agrees with a true ledger and notices every lie; the demonstration's exit code follows from it."""

import dataclasses
from collections.abc import Callable, Iterator
from decimal import Decimal

import pytest

from nautilus_orderfeeds.cli.compare import Comparison, compare
from nautilus_orderfeeds.cli.demo_run import exit_code
from nautilus_orderfeeds.sim import OrderState, Side
from nautilus_orderfeeds.sim.ledger import Ledger, LedgerError
from nautilus_orderfeeds.sim.model import SimOrder
from tests.support.cli_runs import ACCOUNT_ID, PRODUCT, ShortRun, run_short


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> ShortRun:
    return run_short(tmp_path_factory.mktemp("compare") / "journal.sqlite")


def compared(run: ShortRun) -> Comparison:
    return compare(run.sim, run.cache, "BSX", ACCOUNT_ID)


def the_bid(ledger: Ledger) -> SimOrder:
    return ledger.orders()[0]


@pytest.fixture
def altered(run: ShortRun, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ledger]:
    """The ledger, to be altered; it is as before afterwards. Its own check is off: it would notice first."""
    ledger = run.sim.ledger
    account = ledger.accounts[ledger.main_account]
    orders, fills, cash = dict(account.orders), list(account.fills), dict(account.cash)
    fields = {order: {f.name: getattr(order, f.name) for f in dataclasses.fields(order)} for order in orders.values()}
    net = account.positions[PRODUCT].net
    monkeypatch.setattr(ledger, "check", lambda: None)
    yield ledger
    for order, values in fields.items():
        for name, value in values.items():
            setattr(order, name, value)
    account.orders, account.fills[:] = orders, fills
    account.cash.clear()
    account.cash.update(cash)
    account.positions[PRODUCT].net = net


def test_true_ledger_agrees(run: ShortRun) -> None:
    found = compared(run)
    assert found.differences == []
    assert (found.orders, found.fills) == (2, 3)
    assert set(found.client_order_ids.values()) == {run.part_filled, run.at_market}
    assert {row.aspect for row in found.rows} == {"status", "filled", "notional", "fees", "fills", "net", "total"}
    assert exit_code([found], []) == 0


def fill_size(ledger: Ledger) -> None:
    fills = ledger.accounts[ledger.main_account].fills
    fills[0] = dataclasses.replace(fills[0], size=fills[0].size + Decimal("0.001"))


def fill_fee(ledger: Ledger) -> None:
    fills = ledger.accounts[ledger.main_account].fills
    fills[0] = dataclasses.replace(fills[0], trading_fee=fills[0].trading_fee + Decimal("0.01"))


def doubled_fill(ledger: Ledger) -> None:
    fills = ledger.accounts[ledger.main_account].fills
    fills.append(dataclasses.replace(fills[0], trade_id="another"))


def filled(ledger: Ledger) -> None:
    the_bid(ledger).filled += Decimal("0.001")


def notional(ledger: Ledger) -> None:
    the_bid(ledger).notional += Decimal("0.1")


def status(ledger: Ledger) -> None:
    the_bid(ledger).state = OrderState.FILLED


def still_open(ledger: Ledger) -> None:
    the_bid(ledger).state = OrderState.WORKING


def forgotten_order(ledger: Ledger) -> None:
    del ledger.accounts[ledger.main_account].orders[the_bid(ledger).venue_order_id]


def unheard_order(ledger: Ledger) -> None:
    order = SimOrder("unheard", ledger.main_account, PRODUCT, Side.BUY, Decimal(1), state=OrderState.WORKING)
    ledger.accounts[ledger.main_account].orders["unheard"] = order


def position(ledger: Ledger) -> None:
    ledger.accounts[ledger.main_account].positions[PRODUCT].net += Decimal("0.001")


def balance(ledger: Ledger) -> None:
    ledger.accounts[ledger.main_account].cash["USDC"] += Decimal("0.0001")


@pytest.mark.parametrize(
    ("alter", "aspects"),
    [
        (fill_size, {"fills"}),
        (fill_fee, {"fees"}),
        (doubled_fill, {"fills", "fees"}),
        (filled, {"filled"}),
        (notional, {"notional"}),
        (status, {"status"}),
        (still_open, {"status"}),
        (forgotten_order, {"at the venue"}),
        (unheard_order, {"at the venue"}),
        (position, {"net"}),
        (balance, {"total"}),
    ],
)
def test_every_altered_ledger_is_noticed(
    run: ShortRun, altered: Ledger, alter: Callable[[Ledger], None], aspects: set[str]
) -> None:
    alter(altered)
    found = compared(run)
    assert {row.aspect for row in found.differences} == aspects
    assert exit_code([found], []) == 1


def test_ledger_that_does_not_add_up_is_the_simulations_own_bug(run: ShortRun, monkeypatch: pytest.MonkeyPatch) -> None:
    order = the_bid(run.sim.ledger)
    monkeypatch.setattr(order, "filled", order.filled + 1)
    with pytest.raises(LedgerError):
        compared(run)


def test_tolerance_is_for_the_notional_only(run: ShortRun, altered: Ledger) -> None:
    the_bid(altered).notional += Decimal("0.0003")  # 0.03 filled: 0.01 a unit
    assert compare(run.sim, run.cache, "BSX", ACCOUNT_ID, price_tolerance=Decimal("0.01")).differences == []
    assert compare(run.sim, run.cache, "BSX", ACCOUNT_ID, price_tolerance=Decimal("0.009")).differences


def test_exit_code_is_zero_only_if_everything_agrees(run: ShortRun, altered: Ledger) -> None:
    true = compared(run)
    balance(altered)
    wrong = compared(run)
    assert exit_code([true, true], []) == 0
    assert exit_code([true, wrong], []) == 1
    assert exit_code([true], ["BSX: the story is not over"]) == 1
    assert exit_code([], []) == 1
    assert exit_code([Comparison("BSX")], []) == 1  # nothing was compared
