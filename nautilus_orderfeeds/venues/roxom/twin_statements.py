"""What money and positions of the simulated Roxom look like: REST replies and events (protocol 4.6-4.8, 5.4)."""

from __future__ import annotations

from decimal import ROUND_FLOOR, Decimal

from nautilus_orderfeeds.sim.clock import SimClock
from nautilus_orderfeeds.sim.market import Market
from nautilus_orderfeeds.sim.model import ZERO, Liquidity, Side
from nautilus_orderfeeds.venues.roxom.twin_books import Books, Episode, Row, RowKind, is_taker
from nautilus_orderfeeds.venues.roxom.twin_margin import Margin
from nautilus_orderfeeds.venues.roxom.twin_options import RestForm, RoxomTwinOptions
from nautilus_orderfeeds.venues.roxom.twin_products import (
    BTC,
    SYMBOLS,
    Unit,
    instrument_id,
    quantity_text,
    trade_uuid,
)
from nautilus_orderfeeds.venues.roxom.twin_wire import Wire
from nautilus_orderfeeds.venues.roxom.twin_words import side_word

_NS_PER_MS = 1_000_000
_SATS = Decimal(100_000_000)
_HALF = Decimal("0.5")


class Statements:
    """Writes rows, balances and positions in the shape that the options ask for."""

    def __init__(
        self, market: Market, clock: SimClock, books: Books, margin: Margin, wire: Wire, options: RoxomTwinOptions
    ) -> None:
        self._market = market
        self._clock = clock
        self._books = books
        self._margin = margin
        self._wire = wire
        self._options = options

    # -- transaction log ------------------------------------------------------------------------------------

    def row(self, row: Row, unit: Unit) -> dict[str, object]:
        """A row of the transaction log (4.6)."""
        fill = row.fill
        is_old = self._options.rest_form is RestForm.G1
        kind = row.kind.value
        price = None if fill is None else unit.price(fill.price)
        wire: dict[str, object] = {
            "txId": row.tx_id,
            "time": self._wire.rest_time(row.time_ns),
            "transactionType": kind if is_old else kind[0].lower() + kind[1:],
            "symbol": row.symbol or BTC,
            "side": "" if fill is None else side_word(fill.side),
            "amount": unit.price(row.amount) if fill is None else quantity_text(row.amount),
            "totalValue": unit.price(abs(row.amount) if fill is None else fill.size * fill.price),
            "fillPrice": price,
            "fee": unit.price(row.fee),
            "pnl": unit.price(row.pnl if fill is not None else ZERO),
            "orderId": None if fill is None else fill.venue_order_id,
            "tradeId": None if fill is None else trade_uuid(fill.trade_id),
            "transactionTrigger": None if is_old else self._trigger(row, unit),
            "createdAt": self._wire.rest_time(row.time_ns),
            "isTaker": is_taker(row),
            "positionBefore": _quantity(row.position_before),
            "positionAfter": _quantity(row.position_after),
            "balanceBefore": unit.price(row.balance_before),
            "balanceAfter": unit.price(row.balance_after),
            "price": price,
            "fundingRate": None if row.funding_rate is None else f"{row.funding_rate:f}",
        }
        return wire if is_old else {key: value for key, value in wire.items() if value is not None}

    def _trigger(self, row: Row, unit: Unit) -> dict[str, object] | None:
        fill = row.fill
        if fill is None or row.kind is not RowKind.ORDER_FILL:
            return None
        rate = self._options.maker_fee_rate if fill.liquidity is Liquidity.MAKER else self._options.taker_fee_rate
        fee = unit.price(row.fee)
        body: dict[str, object] = {
            "baseAmount": quantity_text(fill.size),
            "quoteAmount": unit.price(fill.size * fill.price),
            "fee": f"{rate:f}" if self._options.trigger_fee_is_rate else fee,
            "feeAmount": fee,
            "id": row.tx_id,
            "instrumentId": instrument_id(fill.product),
            "isTaker": fill.liquidity is Liquidity.TAKER,
            "orderId": fill.venue_order_id,
            "side": side_word(fill.side),
            "tradeId": trade_uuid(fill.trade_id),
            "createdAt": self._wire.rest_time(row.time_ns),
        }
        return {"OrderFill": body}

    # -- balance --------------------------------------------------------------------------------------------

    def balance(self, account: str, unit: Unit) -> dict[str, object]:
        """The data of a balance reply (4.7)."""
        funds = self._margin.funds(account)
        if self._options.rest_form is RestForm.G1:
            return {
                "available": unit.price(funds.available),
                "balance": unit.price(funds.current),
                "currency": BTC,
            }
        return {
            "balances": [
                {
                    "asset": BTC,
                    "assetClass": "crypto",
                    "available": unit.price(funds.available),
                    "current": unit.price(funds.current),
                    "lockedInOrders": unit.price(funds.in_orders),
                }
            ],
            "lastUpdated": self._wire.rest_time(self._clock.now_ns()),
        }

    def balance_event(self, account: str, row: Row, update_type: str) -> dict[str, object]:
        """A ledger change of the stream (5.4)."""
        return {
            "type": "balance",
            "data": {
                "accountId": account,
                "balanceBefore": Unit.BTC.price(row.balance_before),
                "balanceAfter": Unit.BTC.price(row.balance_after),
                "amount": Unit.BTC.price(row.balance_after - row.balance_before),
                "unit": Unit.BTC.value,
                "updateType": update_type,
                "timestamp": row.time_ns,
            },
        }

    def account_event(self, account: str) -> dict[str, object]:
        """An event of the channel `account`, whose payload no page describes."""
        return {"type": "account", "data": {"accountId": account, "timestamp": self._clock.now_ns()}}

    # -- positions ------------------------------------------------------------------------------------------

    def positions(self, account: str, product: str, unit: Unit) -> object:
        """The data of a positions reply (4.8)."""
        episodes = [
            episode
            for episode in self._books.positions(account, product)
            if episode.closed_ns is None or self._options.closed_positions_shown
        ]
        if self._options.rest_form is RestForm.G1:
            return [self._old_position(episode) for episode in episodes]
        rows: list[dict[str, object]] = []
        for episode in episodes:
            parts = _halves(episode.size) if self._options.split_positions else [episode.size]
            rows += [self._position(episode, size, unit) for size in parts]
        return {"positions": rows}

    def position_event(self, episode: Episode) -> dict[str, object]:
        """A position of the stream; its `data` is an array (5.4)."""
        money = Unit.BTC.price
        mark = self._market.mark(episode.product)
        is_closed = episode.closed_ns is not None
        exits = episode.average_exit
        data = {
            "id": episode.id,
            "symbol": episode.product,
            "accountId": episode.account,
            "side": _side(episode),
            "entryAmount": quantity_text(episode.entry_amount),
            "exitAmount": quantity_text(episode.exit_amount),
            "size": quantity_text(episode.size),
            "tradeMode": "isolated",
            "openDate": episode.opened_ns // _NS_PER_MS,
            "closeDate": None if episode.closed_ns is None else episode.closed_ns // _NS_PER_MS,
            "avgEntry": money(episode.average_entry),
            "avgExit": None if exits is None else money(exits),
            "entryFees": money(episode.entry_fees),
            "exitFees": None if exits is None else money(episode.exit_fees),
            "positionBalance": money(self._bound(episode)),
            "initialMargin": money(self._bound(episode)),
            "maintenanceMargin": money(self._bound(episode) * _HALF),
            "liquidationPrice": money(ZERO if is_closed else self._liquidation_price(episode)),
            "leverage": f"{self._margin.leverage(episode.account, episode.product):.1f}",
            "unrealizedPnl": money(self._unrealized(episode)),
            "realizedPnl": money(episode.realized),
            "markPrice": money(mark),
            "status": "normal",
            "updatedAt": episode.updated_ns,
            "createdAt": episode.opened_ns,
        }
        return {"type": "position", "data": [data]}

    def _position(self, episode: Episode, size: Decimal, unit: Unit) -> dict[str, object]:
        time = self._wire.rest_time
        exits = episode.average_exit
        share = size / episode.size if episode.size else ZERO
        row: dict[str, object] = {
            "id": episode.id,
            "accountId": episode.account,
            "instrumentId": instrument_id(episode.product),
            "side": _side(episode),
            "size": quantity_text(size),
            "avgEntry": unit.price(episode.average_entry),
            "entryAmount": quantity_text(size + episode.exit_amount * share if share else episode.entry_amount),
            "exitAmount": quantity_text(episode.exit_amount * share if share else episode.exit_amount),
            "entryFees": unit.price(episode.entry_fees),
            "leverage": f"{self._margin.leverage(episode.account, episode.product):.1f}",
            "liquidationPrice": unit.price(self._liquidation_price(episode)),
            "initialMargin": unit.price(self._bound(episode) * share),
            "margin": unit.price(self._bound(episode) * share),
            "maintenanceMarginRatio": "0.05",
            "adlRank": 1,
            "status": "normal",
            "unit": unit.value,
            "openDate": time(episode.opened_ns),
            "createdAt": time(episode.opened_ns),
            "updatedAt": time(episode.updated_ns),
        }
        if exits is not None:
            row |= {"avgExit": unit.price(exits), "exitFees": unit.price(episode.exit_fees)}
        if episode.closed_ns is not None:
            row["closeDate"] = time(episode.closed_ns)
        return row

    def _old_position(self, episode: Episode) -> dict[str, object]:
        """The array item of G1 and G2: integers, whose scale no page states (here: sats, and lots of 0.01)."""
        lot = SYMBOLS[episode.product].lot
        exits = episode.average_exit
        return {
            "positionId": episode.id,
            "instrument": instrument_id(episode.product),
            "symbol": episode.product,
            "isBuy": episode.side is Side.BUY,
            "entryAmount": int(episode.entry_amount / lot),
            "exitAmount": int(episode.exit_amount / lot),
            "size": int(episode.size / lot),
            "avgEntry": int(episode.average_entry * _SATS),
            "avgExit": None if exits is None else int(exits * _SATS),
            "openDate": episode.opened_ns // _NS_PER_MS,
            "closeDate": None if episode.closed_ns is None else episode.closed_ns // _NS_PER_MS,
            "unrealizedPnl": int(self._unrealized(episode) * _SATS),
            "markPrice": int(self._market.mark(episode.product) * _SATS),
            "liquidationPrice": int(self._liquidation_price(episode) * _SATS),
            "createdAt": self._wire.rest_time(episode.opened_ns),
            "updatedAt": self._wire.rest_time(episode.updated_ns),
        }

    def _bound(self, episode: Episode) -> Decimal:
        return ZERO if episode.closed_ns is not None else self._margin.of_position(episode.account, episode.product)

    def _liquidation_price(self, episode: Episode) -> Decimal:
        return self._margin.liquidation_price(episode.account, episode.product)

    def _unrealized(self, episode: Episode) -> Decimal:
        gain = self._market.mark(episode.product) - episode.average_entry
        return episode.size * gain * episode.side.sign


def _side(episode: Episode) -> str:
    return "long" if episode.side is Side.BUY else "short"


def _quantity(value: Decimal | None) -> str | None:
    return None if value is None else quantity_text(value)


def _halves(size: Decimal) -> list[Decimal]:
    """A size as two sizes of whole hundredths, or as one that cannot be halved."""
    first = (size * 50).to_integral_value(rounding=ROUND_FLOOR) / 100
    return [part for part in (first, size - first) if part] or [size]
