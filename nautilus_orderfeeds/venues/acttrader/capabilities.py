"""What ActTrader can do, with the evidence for each entry (protocol, sections 4, 5, 10 and 11.1)."""

from typing import Final

from msgspec import structs

from nautilus_orderfeeds.feed.market import Channel
from nautilus_orderfeeds.orders.words import OrderType, TimeInForce
from nautilus_orderfeeds.venues.acttrader.words import VENUE, Dialect
from nautilus_orderfeeds.venues.capabilities import Capabilities, Evidence, Feature, Param, Support, no, yes

#: Keys of a command's `params`.
AON: Final = "aon"
TIME_IN_FORCE: Final = "time_in_force"
NOTE: Final = "note"

_PAGE: Final = Evidence.VENUE_PAGE
_DOCS: Final = Evidence.DOCUMENTATION
_INFERRED: Final = Evidence.INFERRED

_FINAL_ONLY: Final = "final dialect only"
_NOT_IN_DRAFT: Final = frozenset({TimeInForce.IOC, TimeInForce.FOK})

_RESTING: Final = {
    TimeInForce.GTC: yes(_INFERRED, "draft: GTC; final: AON without tillTime, which needs the all-or-none opt-in"),
    TimeInForce.GTD: yes(_PAGE, "draft: GTT; final: AON with tillTime, which needs the all-or-none opt-in"),
    TimeInForce.IOC: yes(_DOCS, _FINAL_ONLY),
    TimeInForce.FOK: yes(_DOCS, _FINAL_ONLY),
}

CAPABILITIES: Final = Capabilities(
    venue=VENUE,
    order_types={
        OrderType.MARKET: yes(_PAGE),
        OrderType.LIMIT: yes(_PAGE),
        OrderType.STOP_MARKET: yes(_PAGE, "STOP on the wire"),
        OrderType.STOP_LIMIT: yes(_PAGE),
        OrderType.MARKET_IF_TOUCHED: no(_DOCS),
        OrderType.LIMIT_IF_TOUCHED: no(_DOCS),
        OrderType.TRAILING_STOP_MARKET: no(_DOCS),
        OrderType.TRAILING_STOP_LIMIT: no(_DOCS),
        OrderType.MARKET_TO_LIMIT: no(_DOCS),
    },
    time_in_force={
        OrderType.MARKET: {
            TimeInForce.GTC: yes(_DOCS, "draft: GTC; final: AON, as in the venue's only sample"),
            TimeInForce.IOC: yes(_DOCS, _FINAL_ONLY),
            TimeInForce.FOK: yes(_DOCS, _FINAL_ONLY),
        },
        OrderType.LIMIT: _RESTING,
        OrderType.STOP_MARKET: _RESTING,
        OrderType.STOP_LIMIT: _RESTING,
    },
    features={
        Feature.POST_ONLY: no(_DOCS),
        Feature.REDUCE_ONLY: no(_DOCS),
        Feature.QUOTE_QUANTITY: no(_DOCS),
        Feature.DISPLAY_QTY: no(_DOCS),
        Feature.MODIFY: yes(_PAGE, "prices and quantity; not the quantity of a partly filled order, no MARKET order"),
        Feature.BATCH_SUBMIT: no(_DOCS, "the orders of a list go out one after the other"),
        Feature.BATCH_CANCEL: no(_DOCS, "one request each"),
        Feature.CANCEL_ALL: no(_DOCS, "one request for each of the strategy's own orders"),
        Feature.OCO: yes(_PAGE, "two orders of one side, quantity and expiry; all-or-none, so it needs the opt-in"),
        Feature.OTO: yes(_INFERRED, "brackets: the children are kept by this client until the entry has filled"),
        Feature.QUERY_ORDER: yes(_PAGE, "by the venue's id; final: also by client order id"),
        Feature.QUERY_OPEN: yes(_PAGE, "conditional orders only"),
        Feature.QUERY_HISTORY: no(_DOCS, "final: ended conditional orders are listed, without an owner"),
        Feature.QUERY_FILLS: yes(_PAGE, "the fills of one order, by orderstatus"),
        Feature.QUERY_POSITIONS: no(_DOCS),
        Feature.QUERY_ACCOUNT: no(_DOCS),
        Feature.CLIENT_ORDER_ID: yes(_PAGE, "sent as it is; the draft may show one and the same on both OCO orders"),
        Feature.TRADE_IDS: no(_DOCS, "made of order id and cumulative quantity"),
    },
    data={
        Channel.QUOTES: yes(Evidence.CLIENT_CODE, "companion price stream, without sizes"),
        Channel.TRADES: no(_DOCS),
        Channel.BOOK: no(_DOCS),
        Channel.MARK_PRICES: no(_DOCS),
        Channel.INDEX_PRICES: no(_DOCS),
        Channel.FUNDING_RATES: no(_DOCS),
        Channel.BARS: no(_DOCS, "aggregate them from quotes"),
        Channel.INSTRUMENT_STATUS: no(_DOCS),
    },
    params={
        AON: Param("all-or-none: asked for (or, with false, forbidden) for this order or list", kind=bool),
        TIME_IN_FORCE: Param("the same in the venue's word", values=("AON",)),
        NOTE: Param("the venue's note on the order, such as tp or sl (final dialect)"),
    },
    snapshot_over_stream=True,
    foreign_updates=True,
    keeps_brackets=True,
)


def _only_resting(forces: dict[TimeInForce, Support]) -> dict[TimeInForce, Support]:
    return {force: support for force, support in forces.items() if force not in _NOT_IN_DRAFT}


def capabilities_of(dialect: Dialect, *, sole_login: bool = False) -> Capabilities:
    """Return what one dialect can do; with `sole_login` everything that is told concerns the one login."""
    found = structs.replace(CAPABILITIES, foreign_updates=not sole_login)
    match dialect:
        case Dialect.FINAL:
            # An order is cancelled by its client order id while its own is not known.
            return structs.replace(found, cancels_by_ref=True)
        case Dialect.DRAFT:
            forces = {type_: _only_resting(dict(forces)) for type_, forces in CAPABILITIES.time_in_force.items()}
            return structs.replace(found, time_in_force=forces)
