"""Statements that contradict each other and everything before: the reducer must survive them."""

from decimal import Decimal
from random import Random

from nautilus_orderfeeds.orders.updates import Fill, OrderUpdate, Source, VenueStatus
from tests.support.histories import Mark, Step

_SOURCES, _STATUSES, _MARKS = tuple(Source), tuple(VenueStatus), tuple(Mark)


def nonsense(rng: Random) -> Step:
    """Return any statement, or a mark. Only a trade id means one trade, whoever names it."""
    if rng.random() < 0.25:
        return rng.choice(_MARKS)

    def maybe(low: int, high: int, places: int, likely: float = 0.5) -> Decimal | None:
        return Decimal(rng.randint(low, high)).scaleb(-places) if rng.random() < likely else None

    return OrderUpdate(
        source=rng.choice(_SOURCES),
        venue_order_id="V1" if rng.random() < 0.9 else None,
        status=rng.choice(_STATUSES) if rng.random() < 0.8 else None,
        quantity=maybe(1, 50, 1),
        price=maybe(99, 101, 0),
        filled_qty=maybe(0, 40, 1),
        avg_px=maybe(0, 11_000, 2),
        filled_notional=maybe(0, 100_000, 2, 0.1),
        last_px=maybe(0, 11_000, 2, 0.2),
        fees=maybe(-10, 50, 2),
        fills=tuple(_trade(rng) for _ in range(rng.choice((0, 0, 0, 1, 1, 2, 3)))),
        rejects_live=rng.random() < 0.3,
        cancel_reject_reason=rng.choice(("", "", "no")),
        cancel_reject_key=rng.choice(("", "a", "b")),
        version=rng.choice((0, 0, 1, 2, 3)),
        ts_event=rng.choice((0, 1, 2, 3)),
    )


def _trade(rng: Random) -> Fill:
    number = rng.randint(1, 6)
    return Fill(
        trade_id=f"V1-{number}" if rng.random() < 0.2 else f"t{number}",
        last_qty=Decimal(number).scaleb(-1) * 3,
        last_px=Decimal(rng.randint(9_000, 11_000)).scaleb(-2),
        commission=Decimal(rng.randint(-5, 9)).scaleb(-2) if rng.random() < 0.5 else None,
        ts_event=rng.choice((0, 1, 2, 3)),
        ends_at=Decimal(rng.randint(0, 40)).scaleb(-1) if rng.random() < 0.4 else None,
    )
