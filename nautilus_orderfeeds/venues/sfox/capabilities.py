"""What sFOX can do, with the evidence for each entry (protocol, sections 7, 8 and 12)."""

from numbers import Real
from typing import Final

from nautilus_orderfeeds.feed.market import Channel
from nautilus_orderfeeds.orders.words import OrderType, TimeInForce
from nautilus_orderfeeds.venues.capabilities import Capabilities, Evidence, Feature, Param, no, yes
from nautilus_orderfeeds.venues.sfox.words import LIMIT_ALGORITHMS, VENUE, RoutingOption, RoutingType

#: Period of the bars made from the ticker, in the framework's words.
DAY: Final = "1-DAY-LAST"

#: Keys of a command's `params`, named as on the wire.
ALGORITHM_ID: Final = "algorithm_id"
ROUTING_TYPE: Final = "routing_type"
ROUTING_OPTION: Final = "routing_option"
MAX_SLIPPAGE: Final = "max_slippage"
TOTAL_TIME: Final = "total_time"
INTERVAL: Final = "interval"
CONTINUOUS: Final = "continuous"
POST_ONLY: Final = "post_only"

_STOP_NOTE: Final = "the request fields of stop orders are not published"
_LISTS_NOTE: Final = "no contingent orders are documented"

_CLIENT: Final = Evidence.CLIENT_CODE
_DOCS: Final = Evidence.DOCUMENTATION
_PAGE: Final = Evidence.VENUE_PAGE
_INFERRED: Final = Evidence.INFERRED

CAPABILITIES: Final = Capabilities(
    venue=VENUE,
    order_types={
        OrderType.LIMIT: yes(_DOCS, "algorithm 201, or by `params`"),
        OrderType.MARKET: yes(_DOCS, "algorithm 100; a buy by quote quantity, a sell by base quantity"),
        OrderType.STOP_MARKET: no(_DOCS, _STOP_NOTE),
        OrderType.STOP_LIMIT: no(_DOCS, "the venue has none"),
        OrderType.MARKET_IF_TOUCHED: no(_DOCS),
        OrderType.LIMIT_IF_TOUCHED: no(_DOCS),
        OrderType.TRAILING_STOP_MARKET: no(_DOCS, _STOP_NOTE),
        OrderType.TRAILING_STOP_LIMIT: no(_DOCS),
        OrderType.MARKET_TO_LIMIT: no(_DOCS),
    },
    time_in_force={
        OrderType.LIMIT: {
            TimeInForce.GTC: yes(_DOCS),
            TimeInForce.IOC: yes(_DOCS, "algorithms 200 and 201"),
            TimeInForce.FOK: yes(_DOCS, "algorithm 201"),
            TimeInForce.GTD: yes(_DOCS, "to the millisecond"),
        },
        OrderType.MARKET: {
            TimeInForce.GTC: yes(_DOCS, "a market order never rests"),
            TimeInForce.FOK: yes(_DOCS),
        },
    },
    features={
        Feature.POST_ONLY: no(_DOCS, f"of TWAP only, by the param `{POST_ONLY}`"),
        Feature.REDUCE_ONLY: no(_DOCS),
        Feature.QUOTE_QUANTITY: yes(_DOCS, "market buys only, as the venue's `amount`"),
        Feature.DISPLAY_QTY: no(_DOCS),
        Feature.MODIFY: yes(_DOCS, "in place: quantity up, a buy's price up, a sell's price down"),
        Feature.BATCH_SUBMIT: no(_DOCS, "a list goes out one by one"),
        Feature.BATCH_CANCEL: yes(_DOCS, "DELETE /v1/orders with the ids"),
        Feature.CANCEL_ALL: yes(_DOCS, "by the strategy's own ids; DELETE /v1/orders/open would hit others' orders"),
        Feature.OCO: no(_DOCS, _LISTS_NOTE),
        Feature.OTO: no(_DOCS, _LISTS_NOTE),
        Feature.QUERY_ORDER: yes(_DOCS, "by the venue's id or the client order id"),
        Feature.QUERY_OPEN: yes(_DOCS),
        Feature.QUERY_HISTORY: yes(_DOCS, "GET /v1/orders/done; whether cancelled orders are in it is not said"),
        Feature.QUERY_FILLS: yes(_DOCS, "of all orders, by cursor"),
        Feature.QUERY_POSITIONS: no(_DOCS, "spot: positions follow from fills"),
        Feature.QUERY_ACCOUNT: yes(_DOCS),
        Feature.CLIENT_ORDER_ID: yes(_PAGE, "the framework's own, at most 36 letters, digits, hyphens and underscores"),
        Feature.TRADE_IDS: yes(_DOCS, "a feed of its own; with the order id in front"),
    },
    data={
        Channel.QUOTES: yes(_DOCS, "the best levels of the book; the ticker has no bid or ask"),
        Channel.TRADES: yes(_DOCS, "trades of all venues that sFOX routes to"),
        Channel.BOOK: yes(_DOCS, "L2, whole books; levels of all venues summed by price"),
        Channel.MARK_PRICES: no(_DOCS),
        Channel.INDEX_PRICES: no(_DOCS),
        Channel.FUNDING_RATES: no(_DOCS),
        Channel.BARS: yes(_DOCS, "`1-DAY-LAST-EXTERNAL` only, from the ticker: since 00:00 UTC"),
        Channel.INSTRUMENT_STATUS: no(_DOCS),
    },
    bars=frozenset({DAY}),
    params={
        ALGORITHM_ID: Param("how a LIMIT order is worked", int, tuple(int(each) for each in LIMIT_ALGORITHMS)),
        ROUTING_TYPE: Param("which price the router compares", values=tuple(word.value for word in RoutingType)),
        ROUTING_OPTION: Param("special routing", values=tuple(word.value for word in RoutingOption)),
        MAX_SLIPPAGE: Param("of MARKET orders, basis points", Real),
        TOTAL_TIME: Param("of TWAP, seconds, at least 900", int),
        INTERVAL: Param("of TWAP, seconds between its parts", int),
        CONTINUOUS: Param("of TWAP", bool),
        POST_ONLY: Param("of TWAP", bool),
    },
)
