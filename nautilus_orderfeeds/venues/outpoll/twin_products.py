"""
What the simulated Outpoll trades: outcomes of an event, each with a YES and a NO asset quoted in USDC (protocol 2).

Every asset has a book of its own (`twin_mirror` for what binds the two of an outcome).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from nautilus_orderfeeds.sim.model import Product, ProductKind

QUOTE = "USDC"
"""The ledger's name of the quote currency."""

QUOTE_ASSET = "078dcd98-928d-479f-8110-ff6d27e44de2"
"""The wire's name of it (`qa`)."""

TICK = Decimal("0.01")
MIN_PRICE = Decimal("0.01")
MAX_PRICE = Decimal("0.99")

_VENUE = "OUTPOLL"
# The venue tells no closing time; the framework ends an instrument at its expiration, so it is far away.
_EXPIRATION_NS = 2_000_000_000 * 10**9


@dataclass(frozen=True, slots=True)
class Event:
    """One question."""

    event_id: str
    title: str
    slug: str


@dataclass(frozen=True, slots=True)
class EventOutcome:
    """One tradable line of an event."""

    outcome_id: str
    event: Event
    title: str


@dataclass(frozen=True, slots=True)
class Asset:
    """What is bought and held: the primary (YES) or the other (NO) token of an outcome; `mid` is its first price."""

    asset_id: str
    outcome: EventOutcome
    is_primary: bool
    name: str
    token: str
    mid: Decimal


_EVENT = Event("54ccea1a-16fd-469c-8018-84b375243e8a", "Will BTC reach $100k by end of 2026?", "btc-100k-2026")
_FIRST = EventOutcome("b21f6fd8-b9d1-4b9f-bb79-ef141e3dcb76", _EVENT, "$100k")
_SECOND = EventOutcome("97b06d16-aeff-4dd4-b08b-1ba30a2b8895", _EVENT, "$150k")

YES = Asset("3f0c2f52-6d0e-4a43-9c56-0c1f6b0e7a01", _FIRST, True, "Yes", "YES-BTC-100K", Decimal("0.55"))
NO = Asset("8a4e1b7d-52c3-4f0b-8f6e-6a9d7c2b4e02", _FIRST, False, "No", "NO-BTC-100K", Decimal("0.45"))
YES_HIGHER = Asset("c7d15a90-0b4e-4a6f-a1de-35b8f9027c03", _SECOND, True, "Yes", "YES-BTC-150K", Decimal("0.20"))
NO_HIGHER = Asset("e90b6c34-7f18-4d25-b3ca-d4417a58ef04", _SECOND, False, "No", "NO-BTC-150K", Decimal("0.80"))

ASSETS: dict[str, Asset] = {asset.asset_id: asset for asset in (YES, NO, YES_HIGHER, NO_HIGHER)}
"""Every asset by its id, which is also the symbol of its product and its currency in the ledger."""

OUTCOMES: dict[str, EventOutcome] = {asset.outcome.outcome_id: asset.outcome for asset in ASSETS.values()}
EVENTS: dict[str, Event] = {outcome.event.event_id: outcome.event for outcome in OUTCOMES.values()}


def assets_of(outcome: EventOutcome) -> list[Asset]:
    """The assets of an outcome, the primary one first."""
    return [asset for asset in ASSETS.values() if asset.outcome == outcome]


def primary_of(outcome: EventOutcome) -> Asset:
    """The YES asset of an outcome."""
    return assets_of(outcome)[0]


def wire_asset(currency: str) -> str:
    """The asset id of a ledger currency."""
    return QUOTE_ASSET if currency == QUOTE else currency


def make_products(lot: Decimal) -> list[Product]:
    """The products of the market, one for each asset; `lot` in shares."""
    return [
        Product(
            symbol=asset.asset_id,
            base=asset.asset_id,
            quote=QUOTE,
            tick=TICK,
            lot=lot,
            min_size=max(lot, Decimal(1)),
            mid=asset.mid,
            kind=ProductKind.SPOT,
            max_price=MAX_PRICE,
        )
        for asset in ASSETS.values()
    ]


def instrument_dict(asset: Asset, fee_rate: Decimal) -> dict[str, object]:
    """The asset as the framework writes a `BinaryOption` (`BinaryOption.to_dict`), numbers as text (13.1)."""
    return {
        "type": "BinaryOption",
        "id": f"{asset.asset_id}.{_VENUE}",
        "raw_symbol": asset.asset_id,
        "outcome": asset.name,
        "description": asset.outcome.event.title,
        "asset_class": "ALTERNATIVE",
        "currency": QUOTE,
        "price_precision": 2,
        "price_increment": str(TICK),
        "size_precision": 6,
        "size_increment": "0.000001",
        "activation_ns": 0,
        "expiration_ns": _EXPIRATION_NS,
        "max_quantity": None,
        "min_quantity": None,
        "margin_init": "0",
        "margin_maint": "0",
        "maker_fee": f"{fee_rate:f}",
        "taker_fee": f"{fee_rate:f}",
        "ts_event": 0,
        "ts_init": 0,
        "tick_scheme_name": None,
        "info": {
            "event_id": asset.outcome.event.event_id,
            "outcome_id": asset.outcome.outcome_id,
            "base_asset_id": asset.asset_id,
            "quote_asset_id": QUOTE_ASSET,
            "primary": asset.is_primary,
            "name": asset.name,
            "token": asset.token,
        },
    }


def write_instruments(path: Path, assets: Iterable[Asset], fee_rate: Decimal) -> None:
    """Write the file that the client's config field `instruments` names."""
    path.write_text(json.dumps([instrument_dict(asset, fee_rate) for asset in assets], indent=1), encoding="utf-8")
