"""What Outpoll can do, with the evidence for each entry (protocol, 5, 6 and 13.2)."""

from typing import Final

from msgspec import structs

from nautilus_orderfeeds.feed.market import Channel
from nautilus_orderfeeds.orders.words import OrderType, TimeInForce
from nautilus_orderfeeds.venues.capabilities import Capabilities, Evidence, Feature, no, yes
from nautilus_orderfeeds.venues.outpoll.words import VENUE

_DOCS: Final = Evidence.DOCUMENTATION
_PAGE: Final = Evidence.VENUE_PAGE
_INFERRED: Final = Evidence.INFERRED

_TPSL_NOTE: Final = "take-profit and stop-loss only as a pair of closing SELLs, switched on with `tpsl=True`"

CAPABILITIES: Final = Capabilities(
    venue=VENUE,
    order_types={
        OrderType.LIMIT: yes(_DOCS),
        OrderType.MARKET: yes(_DOCS, "BUY by the USDC amount (`quote_quantity=True`), SELL by shares"),
        OrderType.STOP_MARKET: no(_INFERRED, _TPSL_NOTE),
        OrderType.STOP_LIMIT: no(_DOCS),
        OrderType.MARKET_IF_TOUCHED: no(_DOCS),
        OrderType.LIMIT_IF_TOUCHED: no(_DOCS),
        OrderType.TRAILING_STOP_MARKET: no(_DOCS),
        OrderType.TRAILING_STOP_LIMIT: no(_DOCS),
        OrderType.MARKET_TO_LIMIT: no(_DOCS),
    },
    time_in_force={
        OrderType.LIMIT: {TimeInForce.GTC: yes(_DOCS)},
        OrderType.MARKET: {
            TimeInForce.IOC: yes(_INFERRED, "executes at once, a remainder is taken as cancelled"),
            TimeInForce.GTC: yes(_INFERRED, "sent as IOC: a market order never rests"),
        },
        OrderType.STOP_MARKET: {TimeInForce.GTC: yes(_INFERRED, _TPSL_NOTE)},
    },
    features={
        Feature.POST_ONLY: no(_DOCS),
        Feature.REDUCE_ONLY: no(_DOCS),
        Feature.QUOTE_QUANTITY: yes(_DOCS, "required for a market BUY, refused for everything else"),
        Feature.DISPLAY_QTY: no(_DOCS),
        Feature.MODIFY: no(_DOCS, "MODIFY_NOT_SUPPORTED; cancel and submit anew"),
        Feature.BATCH_SUBMIT: no(_DOCS, "lists go out one by one"),
        Feature.BATCH_CANCEL: no(_DOCS, "one by one"),
        Feature.CANCEL_ALL: no(_DOCS, "one by one, the strategy's own"),
        Feature.OCO: no(_DOCS, _TPSL_NOTE),
        Feature.OTO: no(_DOCS, "no contingent orders"),
        Feature.QUERY_ORDER: no(_DOCS, "found in the lists of active orders and of the history"),
        Feature.QUERY_OPEN: yes(_DOCS, "the rows lack asset, time and filled quantity"),
        Feature.QUERY_HISTORY: yes(_DOCS, "only the status FILLED is documented"),
        Feature.QUERY_FILLS: no(_INFERRED, "the shape of the trades is not documented; readable with `trades_fields`"),
        Feature.QUERY_POSITIONS: yes(_DOCS),
        Feature.QUERY_ACCOUNT: yes(_DOCS, "by the AUTH reply of the balance stream"),
        Feature.CLIENT_ORDER_ID: no(_DOCS, "orders are bound by the answer, or by a unique match of their terms"),
        Feature.TRADE_IDS: no(_PAGE),
    },
    data={
        Channel.QUOTES: yes(_DOCS, "top of book, without sizes"),
        Channel.TRADES: no(_DOCS, "the payload is not documented"),
        Channel.BOOK: no(_DOCS, "top of book only"),
        Channel.MARK_PRICES: no(_DOCS),
        Channel.INDEX_PRICES: no(_DOCS),
        Channel.FUNDING_RATES: no(_DOCS),
        Channel.BARS: no(_DOCS),
        Channel.INSTRUMENT_STATUS: no(_DOCS),
    },
    reads_back=True,
)

#: With `tpsl=True`.
TPSL_CAPABILITIES: Final = structs.replace(
    CAPABILITIES,
    order_types={**CAPABILITIES.order_types, OrderType.STOP_MARKET: yes(_INFERRED, _TPSL_NOTE)},
    features={**CAPABILITIES.features, Feature.OCO: yes(_INFERRED, _TPSL_NOTE)},
)
