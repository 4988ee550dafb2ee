"""What the public streams of the simulated Outpoll tell: best prices, chances and trades (protocol 6.4-6.6)."""

from __future__ import annotations

from decimal import Decimal

from nautilus_orderfeeds.sim.clock import SimClock
from nautilus_orderfeeds.sim.connection import Connection
from nautilus_orderfeeds.sim.later import Later
from nautilus_orderfeeds.sim.market import Market
from nautilus_orderfeeds.sim.model import ZERO, Batch, TradePrinted
from nautilus_orderfeeds.venues.outpoll.twin_assumed import ACTIVITY_TYPE, LAST_TRADE_TYPE, shaped
from nautilus_orderfeeds.venues.outpoll.twin_options import OutpollTwinOptions
from nautilus_orderfeeds.venues.outpoll.twin_prices import current
from nautilus_orderfeeds.venues.outpoll.twin_products import ASSETS, OUTCOMES, EventOutcome, primary_of
from nautilus_orderfeeds.venues.outpoll.twin_sender import Sender
from nautilus_orderfeeds.venues.outpoll.twin_wire import Wire, milliseconds
from nautilus_orderfeeds.venues.outpoll.twin_words import EmptySide, PublicStream

_Prices = tuple[Decimal, Decimal | None, Decimal | None]
_NS = 1_000_000_000


class Quotes:
    """
    Publishes the market.

    Parameters
    ----------
    market : Market
    clock : SimClock
    wire : Wire
    sender : Sender
    options : OutpollTwinOptions
    later : Later
    """

    def __init__(
        self,
        market: Market,
        clock: SimClock,
        wire: Wire,
        sender: Sender,
        options: OutpollTwinOptions,
        later: Later,
    ) -> None:
        self._market = market
        self._clock = clock
        self._wire = wire
        self._sender = sender
        self._options = options
        self._later = later
        self._told: dict[str, _Prices] = {}

    def start(self) -> None:
        """Begin to publish changes."""
        self._told = {outcome.outcome_id: self._prices(outcome) for outcome in OUTCOMES.values()}
        self._later.every(lambda: self._options.book_interval_secs, self.publish)

    @property
    def follows_subscribed(self) -> bool:
        """Whether a snapshot comes unasked."""
        return self._options.book_snapshot_unasked

    def publish(self) -> None:
        """Tell the prices that changed since the last time."""
        changed: dict[str, list[EventOutcome]] = {}
        for outcome in OUTCOMES.values():
            prices = self._prices(outcome)
            told, self._told[outcome.outcome_id] = self._told.get(outcome.outcome_id), prices
            if prices == told:
                continue
            changed.setdefault(outcome.event.event_id, []).append(outcome)
            if told is None or prices[0] != told[0]:
                self._tell_chance(outcome)
        for event, outcomes in changed.items():
            for connection in self._sender.public(PublicStream.BOOK):
                if (event,) in connection.subscriptions:
                    self._send_book(connection, "PRICES_DATA_DELTA", event, outcomes)

    def send_snapshot(self, connection: Connection, event: str) -> None:
        """Every outcome of an event (`PRICES_DATA`)."""
        outcomes = [outcome for outcome in OUTCOMES.values() if outcome.event.event_id == event]
        self._send_book(connection, "PRICES_DATA", event, outcomes)

    def send_probability(self, connection: Connection, outcome_id: str) -> None:
        """The latest chance of an outcome."""
        connection.send_json(self._chance(OUTCOMES[outcome_id], "probability"), "chance", "chance/probability")

    def on_batch(self, batch: Batch) -> None:
        """Listener of the market: trades, whose shapes are assumed (6.6)."""
        for event in batch.events:
            if isinstance(event, TradePrinted):
                self._tell_trade(event)

    # -- inside ---------------------------------------------------------------------------------------------

    def _prices(self, outcome: EventOutcome) -> _Prices:
        asset = primary_of(outcome)
        return (current(self._market, asset), *self._market.best(asset.asset_id))

    def _send_book(self, connection: Connection, kind: str, event: str, outcomes: list[EventOutcome]) -> None:
        rows = [self._row(outcome) for outcome in outcomes]
        connection.send_json({"t": kind, "e": event, "d": rows}, "book", f"book/{kind}")

    def _row(self, outcome: EventOutcome) -> dict[str, object]:
        chance, bid, ask = self._prices(outcome)
        row: dict[str, object] = {"o": outcome.outcome_id, "c": self._wire.stream(chance)}
        for key, price in (("b", bid), ("a", ask)):
            if price is not None:
                row[key] = self._wire.stream(price)
            elif self._options.empty_side is EmptySide.NULL:
                row[key] = None
            elif self._options.empty_side is EmptySide.ZERO:
                row[key] = self._wire.stream(ZERO)
        return row

    def _chance(self, outcome: EventOutcome, kind: str) -> dict[str, object]:
        data = {
            "t": self._clock.now_ns() // _NS,
            "p": self._wire.stream(current(self._market, primary_of(outcome))),
        }
        return {"t": kind, "e": outcome.event.event_id, "o": [outcome.outcome_id], "d": data}

    def _tell_chance(self, outcome: EventOutcome) -> None:
        for connection in self._sender.public(PublicStream.CHANCE):
            if (outcome.outcome_id,) in connection.subscriptions:
                for kind in ("probability", "UPDATE_HISTORY"):
                    connection.send_json(self._chance(outcome, kind), "chance", f"chance/{kind}")

    def _tell_trade(self, trade: TradePrinted) -> None:
        outcome = ASSETS[trade.product].outcome
        listeners = [
            *((c, ACTIVITY_TYPE) for c in self._sender.public(PublicStream.ACTIVITY)),
            *((c, LAST_TRADE_TYPE) for c in self._sender.public(PublicStream.LAST_TRADES)),
        ]
        for connection, kind in listeners:
            is_activity = kind == ACTIVITY_TYPE
            if is_activity and (outcome.outcome_id,) not in connection.subscriptions:
                continue
            frame = {
                "t": kind,
                "e": outcome.event.event_id,
                "o": outcome.outcome_id,
                "d": self._trade(trade),
                "r": None,
            }
            connection.send_json(frame, "activity" if is_activity else "last-trades")

    def _trade(self, trade: TradePrinted) -> dict[str, object]:
        values = {
            "trade_id": trade.trade_id[:32],
            "asset_id": trade.product,
            "side": trade.maker_side.opposite.value,
            "price": self._wire.stream(trade.price),
            "quantity": self._wire.stream(trade.size),
            "time_ms": milliseconds(trade.time_ns),
        }
        return shaped(values, self._options.fields.public_trade)
