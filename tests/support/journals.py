"""Journals with many short order lives, written by the journal itself: for the analysis."""

import random
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

from nautilus_orderfeeds.orders import events as ev
from nautilus_orderfeeds.orders.journal import Journal
from nautilus_orderfeeds.orders.requests import NewOrder
from nautilus_orderfeeds.orders.words import LiquiditySide, OrderSide, OrderType, TimeInForce

_BEGUN_NS = 1_795_000_000_000_000_000


class JournalWriter:
    """Writes one account's journal, order by order, at times of its own."""

    def __init__(self, path: Path, account: str, seed: int) -> None:
        self.path = path
        self._journal = Journal(str(path), account)
        self._random = random.Random(seed)
        self._now_ns = _BEGUN_NS
        self._orders = 0

    def _later(self, up_to_ns: int = 40_000_000) -> int:
        self._now_ns += self._random.randint(1_000, up_to_ns)
        return self._now_ns

    def order(
        self,
        events: Sequence[ev.OrderEvent],
        *,
        kind: OrderType = OrderType.LIMIT,
        quantity: Decimal = Decimal("10"),
        external: bool = False,
    ) -> str:
        """Record an order and its events, each some time after the one before; return its client order id."""
        self._orders += 1
        client_order_id = f"{self.path.stem}-{self._orders}"
        terms = NewOrder(
            client_order_id=client_order_id,
            symbol="BTC-PERP",
            side=self._random.choice((OrderSide.BUY, OrderSide.SELL)),
            type=kind,
            time_in_force=TimeInForce.GTC,
            quantity=quantity,
            price=Decimal("55000.5") if kind is OrderType.LIMIT else None,
        )
        self._journal.record_intent(terms, (), self._later(), external=external)
        for event in events:
            self._journal.append_event(client_order_id, event, self._later())
            frame = f'{{"id":"V-{client_order_id}","event":"{type(event).__name__}"}}'
            self._journal.append_frame("orders", frame.encode(), self._now_ns)
        if isinstance(events[-1], ev.OrderCanceled | ev.OrderFilled | ev.OrderRejected):
            self._journal.close_order(client_order_id, self._now_ns)
        return client_order_id

    def close(self) -> None:
        self._journal.close()


def fill(qty: str, cum: str, *, px: str = "55000.5", fee: str = "0.055", n: int = 0, **more: object) -> ev.OrderFilled:
    return ev.OrderFilled(
        trade_id=f"T{n}-{cum}",
        venue_order_id="V",
        last_qty=Decimal(qty),
        last_px=Decimal(px),
        commission=Decimal(fee),
        cum_qty=Decimal(cum),
        liquidity_side=LiquiditySide.MAKER if n % 2 else LiquiditySide.TAKER,
        **more,  # type: ignore[arg-type]
    )


def write_lives(path: Path, account: str, seed: int, orders: int = 40) -> Path:
    """Write a journal of `orders` orders of every kind of life, mixed by the seed."""
    writer, rng = JournalWriter(path, account, seed), random.Random(seed)
    accepted = ev.OrderAccepted(venue_order_id="V")
    for n in range(orders):
        fee = str(Decimal(rng.randint(-10_000, 10_000)).scaleb(-18) + Decimal("0.01"))
        qty = Decimal(rng.randint(2, 9))
        kind = rng.choice((OrderType.LIMIT, OrderType.MARKET))
        part = fill("1", "1", fee=fee, n=n, inferred=n % 5 == 0, fee_estimated=n % 7 == 0)
        rest = fill(str(qty - 1), str(qty), fee=fee, px="0.000000000000000001", n=n + 1)
        submitted, asked = ev.OrderSubmitted(), ev.OrderPendingCancel()
        lives: tuple[Sequence[ev.OrderEvent], ...] = (
            (submitted, accepted, part, rest),
            (submitted, part, rest),
            (submitted, accepted, part, asked, ev.OrderCanceled()),
            (submitted, accepted, asked, ev.OrderCancelRejected(reason="too late"), asked, ev.OrderCanceled()),
            (submitted, accepted, ev.OrderCanceled(reason="by the venue")),
            (submitted, accepted, asked, ev.OrderCanceled(), part, asked, ev.OrderCanceled()),
            (submitted, ev.OrderRejected(reason="no margin")),
            (submitted, accepted, asked, part, rest),
            (submitted, accepted),
        )
        writer.order(lives[n % len(lives)], kind=kind, quantity=qty, external=n % 11 == 0)
    writer.close()
    return path
