"""
The account books of the simulated Roxom: the transaction log's rows and the positions with their ids (4.6, 4.8).

The shared ledger has the truth; what is kept here besides is what the wire tells of the way there: balance and
position before and after each row, and which position an order opened or closed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import Enum, unique

from nautilus_orderfeeds.sim.ids import Uuids
from nautilus_orderfeeds.sim.ledger import Position
from nautilus_orderfeeds.sim.model import ZERO, Fill, Liquidity, Side, SimOrder
from nautilus_orderfeeds.venues.roxom.twin_words import POSITION_IDS


@unique
class RowKind(Enum):
    """`transactionType` as G2 spells it; only the first is documented. CORRECTION takes a fill back."""

    ORDER_FILL = "OrderFill"
    DEPOSIT = "Deposit"
    WITHDRAWAL = "Withdrawal"
    FUNDING_FEE = "FundingFee"
    CORRECTION = "Correction"


@dataclass(frozen=True, slots=True)
class Row:
    """
    One row of the transaction log; money in BTC, amounts of fills in base units.

    `number` grows by one with each row of the account. `amount` of what is no fill is the money that moved.
    """

    number: int
    tx_id: str
    kind: RowKind
    time_ns: int
    amount: Decimal
    fee: Decimal
    pnl: Decimal
    balance_before: Decimal
    balance_after: Decimal
    fill: Fill | None = None
    position_before: Decimal | None = None
    position_after: Decimal | None = None
    symbol: str | None = None
    funding_rate: Decimal | None = None


@dataclass(slots=True)
class Episode:
    """A position from its opening to its end; amounts in base units, values and fees in BTC."""

    id: str
    account: str
    product: str
    side: Side
    opened_ns: int
    updated_ns: int
    entry_amount: Decimal = ZERO
    exit_amount: Decimal = ZERO
    entry_value: Decimal = ZERO
    exit_value: Decimal = ZERO
    entry_fees: Decimal = ZERO
    exit_fees: Decimal = ZERO
    realized: Decimal = ZERO
    open_price: Decimal = ZERO
    closed_ns: int | None = None

    @property
    def size(self) -> Decimal:
        """What is open, unsigned."""
        return self.entry_amount - self.exit_amount

    @property
    def average_entry(self) -> Decimal:
        """The average price of what is open; once closed, of everything that was."""
        return self.open_price if self.closed_ns is None else self.entry_value / self.entry_amount

    @property
    def average_exit(self) -> Decimal | None:
        """The average price of what was closed; `None` before."""
        return self.exit_value / self.exit_amount if self.exit_amount else None


class Books:
    """
    Keeps rows and positions of every user account.

    Parameters
    ----------
    ids : Uuids
        Of rows and positions.
    """

    def __init__(self, ids: Uuids) -> None:
        self._ids = ids
        self._rows: dict[str, list[Row]] = {}
        self._balances: dict[str, Decimal] = {}
        self._positions: dict[tuple[str, str], Position] = {}
        self._episodes: dict[tuple[str, str], list[Episode]] = {}

    # -- reading --------------------------------------------------------------------------------------------

    def rows(self, account: str) -> list[Row]:
        """All rows of an account, oldest first."""
        return list(self._rows.get(account, ()))

    def position(self, account: str, product: str) -> Episode | None:
        """The open position, or the latest one that was closed; `None` if there never was any."""
        episodes = self._episodes.get((account, product))
        return episodes[-1] if episodes else None

    def positions(self, account: str, product: str) -> Iterator[Episode]:
        """Every position there was, oldest first."""
        yield from self._episodes.get((account, product), ())

    # -- writing --------------------------------------------------------------------------------------------

    def move_money(
        self,
        account: str,
        kind: RowKind,
        amount: Decimal,
        now_ns: int,
        *,
        symbol: str | None = None,
        funding_rate: Decimal | None = None,
    ) -> Row:
        """Note money that came (or went, negative) otherwise than by a trade."""
        return self._append(
            account, kind, now_ns, amount, fee=ZERO, pnl=amount, symbol=symbol, funding_rate=funding_rate
        )

    def book_fill(self, order: SimOrder, fill: Fill) -> Row:
        """Note one fill; the order remembers which positions it opened and closed."""
        before, after, pnl, ids = self._trade(fill)
        order.info[POSITION_IDS] = ids
        return self._append(
            fill.account,
            RowKind.ORDER_FILL,
            fill.time_ns,
            fill.size,
            fee=fill.fee,
            pnl=pnl,
            symbol=fill.product,
            fill=fill,
            position_before=before,
            position_after=after,
        )

    def take_back(self, fill: Fill, now_ns: int) -> Row:
        """Note that a fill never was: the position moves back, and its fee is returned."""
        back = replace(
            fill, side=fill.side.opposite, trading_fee=-fill.trading_fee, extra_fee=-fill.extra_fee, time_ns=now_ns
        )
        before, after, pnl, _ = self._trade(back)
        return self._append(
            fill.account,
            RowKind.CORRECTION,
            now_ns,
            pnl - back.fee,
            fee=back.fee,
            pnl=pnl,
            symbol=fill.product,
            position_before=before,
            position_after=after,
        )

    # -- inside ---------------------------------------------------------------------------------------------

    def _trade(self, fill: Fill) -> tuple[Decimal, Decimal, Decimal, tuple[str | None, str | None]]:
        """Move the position; return it before and after, what that realized, and the ids it opened and closed."""
        key = (fill.account, fill.product)
        position = self._positions.setdefault(key, Position())
        before, realized = position.net, position.realized
        position.trade(fill.side, fill.price, fill.size)
        pnl = position.realized - realized
        is_closing = before != 0 and (before > 0) != (fill.side is Side.BUY)
        closing = min(abs(before), fill.size) if is_closing else ZERO
        exit_id = self._close(key, fill, closing, pnl) if closing else None
        entry_id = self._open(key, fill, fill.size - closing) if fill.size > closing else None
        self._episodes[key][-1].open_price = position.average_price
        return before, position.net, pnl, (entry_id, exit_id)

    def _append(
        self,
        account: str,
        kind: RowKind,
        time_ns: int,
        amount: Decimal,
        *,
        fee: Decimal,
        pnl: Decimal,
        symbol: str | None = None,
        fill: Fill | None = None,
        position_before: Decimal | None = None,
        position_after: Decimal | None = None,
        funding_rate: Decimal | None = None,
    ) -> Row:
        rows = self._rows.setdefault(account, [])
        before = self._balances.get(account, ZERO)
        after = self._balances[account] = before + pnl - fee
        row = Row(
            number=len(rows),
            tx_id=self._ids.version4(),
            kind=kind,
            time_ns=time_ns,
            amount=amount,
            fee=fee,
            pnl=pnl,
            balance_before=before,
            balance_after=after,
            fill=fill,
            position_before=position_before,
            position_after=position_after,
            symbol=symbol,
            funding_rate=funding_rate,
        )
        rows.append(row)
        return row

    def _open(self, key: tuple[str, str], fill: Fill, size: Decimal) -> str:
        episodes = self._episodes.setdefault(key, [])
        if not episodes or episodes[-1].closed_ns is not None:
            episodes.append(Episode(self._ids.version4(), *key, fill.side, fill.time_ns, fill.time_ns))
        episode = episodes[-1]
        episode.entry_amount += size
        episode.entry_value += size * fill.price
        episode.entry_fees += fill.fee * size / fill.size
        episode.updated_ns = fill.time_ns
        return episode.id

    def _close(self, key: tuple[str, str], fill: Fill, size: Decimal, pnl: Decimal) -> str:
        episode = self._episodes[key][-1]
        episode.exit_amount += size
        episode.exit_value += size * fill.price
        episode.exit_fees += fill.fee * size / fill.size
        episode.realized += pnl
        episode.updated_ns = fill.time_ns
        if episode.size == 0:
            episode.closed_ns = fill.time_ns
        return episode.id


def is_taker(row: Row) -> bool | None:
    """Whether the fill of a row took; `None` for what is no fill."""
    return None if row.fill is None else row.fill.liquidity is Liquidity.TAKER
