"""Random lives of orders of which only cumulative quantity and average price are told, some of it lost on the way."""

from decimal import Decimal
from random import Random
from typing import Any
from uuid import UUID

from nautilus_orderfeeds.orders import events as ev
from nautilus_orderfeeds.orders.inference import Rules
from nautilus_orderfeeds.orders.reducer import reduce
from nautilus_orderfeeds.orders.state import OrderState
from nautilus_orderfeeds.orders.updates import OrderUpdate
from nautilus_orderfeeds.orders.words import OrderStatus
from nautilus_orderfeeds.venues.roxom.codec import inferred_trade_id
from nautilus_orderfeeds.venues.roxom.identity import Terms
from tests.support.roxom_client import codec, decoder, event, terms

LIVES = 10_000
PLACES = 8
ULP = Decimal(1).scaleb(-PLACES)
RULES = Rules(inferred_trade_id=inferred_trade_id, price_precision=PLACES, infer_at_once=True)
LOT = Decimal("0.01")


class Life:
    """One order, from the venue's true fills to the events told; what is told of it goes through the wire's bytes."""

    def __init__(self, number: int, quantity: Decimal) -> None:
        self.order_id = str(UUID(int=(number << 80) | 0x7000_8000_0000_0000_0000))
        self.terms: Terms = terms(client_order_id=f"O-{number}", quantity=quantity)
        self.filled = Decimal(0)
        self.notional = Decimal(0)
        self.state = OrderState(
            client_order_id=self.terms.client_order_id,
            symbol=self.terms.symbol,
            side=self.terms.side,
            type=self.terms.type,
            quantity=quantity,
            price=self.terms.price,
            status=OrderStatus.SUBMITTED,
            venue_order_id=self.order_id,
        )
        self.codec = codec()
        self.codec.memories.bind(self.order_id, self.terms)
        self.decoder = decoder(self.codec)
        self.told: list[ev.OrderEvent] = []

    def fill(self, qty: Decimal, px: Decimal) -> None:
        self.filled += qty
        self.notional += qty * px

    def frame(self, status: str) -> bytes:
        average = self.notional / self.filled if self.filled else Decimal(0)
        return event(
            status,
            f"{self.filled:.2f}",
            f"{self.terms.quantity - self.filled:.2f}",
            orderId=self.order_id,
            avgPx=f"{average:.{PLACES}f}",
        )

    def hear(self, raw: bytes) -> None:
        for message in self.decoder.decode(raw):
            if isinstance(message, OrderUpdate):
                self.told += reduce(self.state, message, RULES)

    @property
    def fills(self) -> list[ev.OrderFilled]:
        return [told for told in self.told if isinstance(told, ev.OrderFilled)]

    def check(self, status: OrderStatus) -> None:
        """Quantity is exact; notional is within half a place of the average, and of the last price."""
        assert self.state.status is status
        assert self.state.filled_qty == self.filled == sum((fill.last_qty for fill in self.fills), Decimal(0))
        told = sum((fill.last_qty * fill.last_px for fill in self.fills), Decimal(0))
        last_qty = self.fills[-1].last_qty if self.fills else Decimal(0)
        assert abs(told - self.notional) <= (self.filled + last_qty) * ULP / 2
        ids = [fill.trade_id for fill in self.fills]
        assert len(set(ids)) == len(ids)
        assert all(len(trade_id) == 36 for trade_id in ids)
        assert len([told for told in self.told if isinstance(told, ev.OrderCanceled)]) <= 1


def live(rng: Random, number: int) -> tuple[Life, OrderStatus]:
    """Let one order live and tell of it badly: lost, doubled and shuffled, but for its end."""
    lots = rng.randint(1, 400)
    life = Life(number, LOT * lots)
    frames = [life.frame("pendingsubmit"), life.frame("submitted")]
    left = lots if rng.random() < 0.6 else rng.randint(0, lots - 1)
    ends_filled = left == lots
    while left:
        taken = rng.randint(1, left)
        left -= taken
        life.fill(LOT * taken, Decimal(rng.randint(4_000, 5_500)).scaleb(-5) + Decimal(rng.randint(0, 99)).scaleb(-6))
        frames.append(life.frame("partiallyfilled"))
    if ends_filled:
        end = life.frame("filled")
    else:
        end = life.frame(rng.choice(("cancelled", "partiallyfilledcancelled")) if life.filled else "cancelled")
    loss = rng.choice((0.0, 0.2, 0.6))
    kept = [raw for raw in frames if rng.random() >= loss]
    kept += rng.choices(kept, k=rng.randint(0, 2)) if kept else []
    if rng.random() < 0.3:
        rng.shuffle(kept)
    kept.insert(rng.randint(0, len(kept)) if rng.random() < 0.2 else len(kept), end)
    for raw in kept:
        life.hear(raw)
    return life, OrderStatus.FILLED if ends_filled else OrderStatus.CANCELED


def test_ten_thousand_lives_told_by_quantity_and_average() -> None:
    rng = Random(20250716)
    filled, lost = 0, 0
    for number in range(LIVES):
        life, status = live(rng, number)
        life.check(status)
        filled += len(life.fills)
        lost += life.filled > 0 and len(life.fills) < 2
    assert filled > LIVES, "hardly anything was filled: the test tests nothing"
    assert lost > LIVES / 10, "hardly anything was lost: the test tests nothing"


def test_a_thousand_partial_fills_of_one_order_do_not_drift() -> None:
    rng = Random(7)
    life = Life(1, LOT * 1_000_000)
    errors: list[Decimal] = []
    for _ in range(1_000):
        life.fill(LOT * rng.randint(1, 900), Decimal(rng.randint(4_000_000, 5_500_000)).scaleb(-8))
        life.hear(life.frame("partiallyfilled"))
        life.check(OrderStatus.PARTIALLY_FILLED)
        told = sum((fill.last_qty * fill.last_px for fill in life.fills[-1:]), Decimal(0))
        assert told > 0
        errors.append(abs(life.state.notional - life.notional))
    assert len(life.fills) == 1_000
    # An error that accumulated would grow with the number of fills; this one is bounded by the average's rounding.
    assert max(errors) <= (life.filled + 9) * ULP / 2


def test_the_price_of_the_latest_fill_is_taken_where_it_agrees_with_the_average() -> None:
    life = Life(2, Decimal("1.00"))
    life.hear(_told(life, "0.40", "0.04800000", "0.04800000"))
    life.hear(_told(life, "0.70", "0.04800429", "0.04801000"))  # 0.30 at 0.04801, the average rounded
    life.hear(_told(life, "0.90", "0.04802000", "0.04700000"))  # one event for several fills: the average counts
    assert [str(fill.last_px) for fill in life.fills[:2]] == ["0.04800000", "0.04801000"]
    assert abs(life.state.notional - Decimal("0.90") * Decimal("0.04802")) <= Decimal("0.2") * ULP / 2


def _told(life: Life, executed: str, average: str, latest: str, **changed: Any) -> bytes:
    remaining = str(life.terms.quantity - Decimal(executed))
    return event("partiallyfilled", executed, remaining, orderId=life.order_id, avgPx=average, fillPx=latest, **changed)
