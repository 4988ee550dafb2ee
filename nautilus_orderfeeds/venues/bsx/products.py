"""The listing, ``GET /products`` (protocol, 4.2)."""

import logging
from decimal import Decimal
from typing import Any, Final

import msgspec
from msgspec import Raw, Struct, structs

from nautilus_orderfeeds.feed.errors import FrameError
from nautilus_orderfeeds.orders.decimals import sane
from nautilus_orderfeeds.venues.bsx import wire
from nautilus_orderfeeds.venues.bsx.words import SETTLEMENT, VENUE
from nautilus_orderfeeds.venues.instruments import InstrumentKind, InstrumentSpec

_log = logging.getLogger(__name__)

#: Key of `InstrumentSpec.info` that holds the number by which orders name and sign the product.
PRODUCT_INDEX: Final = "product_index"

#: Key of `InstrumentSpec.info`: the market takes post-only orders only.
POST_ONLY: Final = "post_only"

#: Where a market order's bound is taken from, best first.
_PRICES: Final = ("mark_price", "index_price", "last_price")

_PERPETUAL_SUFFIX: Final = "-PERP"


class _Listing(Struct):
    products: list[Raw]


class _Prices(Struct):
    mark_price: Decimal | None = None
    index_price: Decimal | None = None
    last_price: Decimal | None = None


class _Product(Struct):
    index: int
    product_id: str
    base_increment: Decimal
    quote_increment: Decimal
    min_order_size: Decimal | None = None
    base_asset_symbol: str | None = ""
    quote_asset_symbol: str | None = ""
    is_active: bool | None = True
    enabled: bool | None = True
    post_only: bool | None = False
    perpetual_product_config: dict[str, Any] | None = None


_listing = wire.decoder(_Listing)
_product = wire.decoder(_Product)
_prices = wire.decoder(_Prices)


def decode_products(body: bytes) -> list[InstrumentSpec]:
    """Read the answer to ``GET /products``.

    Returns
    -------
    list[InstrumentSpec]
        The active perpetuals. A product that cannot be read is logged and left out: it must not keep the others
        from being traded.

    Raises
    ------
    FrameError
        If it is no listing at all.
    """
    # Some gateways leave the wrapping out.
    body = b'{"products":%b}' % body if body.lstrip().startswith(b"[") else body
    listing = wire.decode(_listing, body, "a list of products (protocol 4.2)")
    specs = []
    for raw in listing.products:
        try:
            spec = _spec(bytes(raw))
        except (*wire.DECODE_ERRORS, ValueError) as exc:
            _log.warning("%s", FrameError(VENUE, bytes(raw), f"a product (protocol 4.2; {exc})"))
            continue
        if spec is not None:
            specs.append(spec)
    return specs


def product_index(spec: InstrumentSpec) -> int | None:
    """Return the number by which orders name the product; None if `spec` (from a file) lacks it."""
    index = spec.info.get(PRODUCT_INDEX)
    return index if isinstance(index, int) and not isinstance(index, bool) and 0 < index < 256 else None


def mark_price(spec: InstrumentSpec) -> Decimal | None:
    """Return the mark price the listing gave, else its index or last price; None if it gave none."""
    for key in _PRICES:
        text = spec.info.get(key)
        if not isinstance(text, str):
            continue
        try:
            price = sane(Decimal(text))
        except (ArithmeticError, ValueError):
            continue
        if price > 0:
            return price
    return None


def with_index(spec: InstrumentSpec, listed: InstrumentSpec | None) -> InstrumentSpec:
    """Return `spec` with the number orders need, where it comes from a file that lacks it.

    Parameters
    ----------
    spec : InstrumentSpec
        To trade.
    listed : InstrumentSpec, optional
        The venue's own definition of it, if it gave one.
    """
    if product_index(spec) is not None:
        return spec
    if listed is not None:
        return structs.replace(spec, info={**listed.info, **spec.info, PRODUCT_INDEX: product_index(listed)})
    return spec  # nothing numbers it: its orders are denied, because a wrong number would trade another product


def _spec(raw: bytes) -> InstrumentSpec | None:
    product = _product.decode(raw)
    product_id = wire.check_id("product_id", product.product_id)
    if product.is_active is False or product.enabled is False:
        return None
    if product.perpetual_product_config is None and not product_id.upper().endswith(_PERPETUAL_SUFFIX):
        return None  # spot: another way of trading, not documented
    wire.check_numbers(product.base_increment, product.quote_increment, product.min_order_size)
    if product.base_increment <= 0 or product.quote_increment <= 0:
        raise ValueError("base_increment and quote_increment must be positive")
    if not 0 < product.index < 256:
        raise ValueError(f"index {product.index} cannot be signed: expected 1 to 255")
    return InstrumentSpec(
        symbol=product_id.upper(),
        raw_symbol=product_id,
        kind=InstrumentKind.CRYPTO_PERPETUAL,
        base=product.base_asset_symbol or product_id.split("-", 1)[0],
        quote=product.quote_asset_symbol or SETTLEMENT,
        settlement=SETTLEMENT,
        price_increment=product.quote_increment,
        size_increment=product.base_increment,
        min_quantity=product.min_order_size or None,
        # Margin ratios and fees: their units are not known (protocol, 11 row 16), so they are left out.
        info={
            **msgspec.json.decode(raw),
            **_told_prices(raw),
            PRODUCT_INDEX: product.index,
            POST_ONLY: product.post_only is True,
        },
    )


def _told_prices(raw: bytes) -> dict[str, str]:
    """Return the prices as text: read from the wire's, also where they are written as numbers."""
    try:
        told = structs.asdict(_prices.decode(raw))
    except wire.DECODE_ERRORS:
        return {}
    return {key: str(value) for key, value in told.items() if value is not None}
