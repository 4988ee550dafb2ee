"""What BSX can do, with the evidence for each entry (protocol, sections 4, 5 and 12)."""

from typing import Final

from nautilus_orderfeeds.feed.market import Channel
from nautilus_orderfeeds.orders.words import OrderType, TimeInForce
from nautilus_orderfeeds.venues.bsx.words import VENUE, SelfTradePrevention
from nautilus_orderfeeds.venues.capabilities import Capabilities, Evidence, Feature, Param, no, yes

_STOP_NOTE: Final = "the request fields of stop orders are not published"
_LISTS_NOTE: Final = "no contingent orders are documented"

#: Key of a command's `params`.
STP: Final = "stp"

_CLIENT: Final = Evidence.CLIENT_CODE
_DOCS: Final = Evidence.DOCUMENTATION
_PAGE: Final = Evidence.VENUE_PAGE
_INFERRED: Final = Evidence.INFERRED

CAPABILITIES: Final = Capabilities(
    venue=VENUE,
    order_types={
        OrderType.LIMIT: yes(_PAGE),
        OrderType.MARKET: yes(_CLIENT, "sent with a worst acceptable price, which needs a known best price"),
        OrderType.STOP_MARKET: no(_INFERRED, _STOP_NOTE),
        OrderType.STOP_LIMIT: no(_INFERRED, _STOP_NOTE),
        OrderType.MARKET_IF_TOUCHED: no(_INFERRED, _STOP_NOTE),
        OrderType.LIMIT_IF_TOUCHED: no(_INFERRED, _STOP_NOTE),
        OrderType.TRAILING_STOP_MARKET: no(_CLIENT),
        OrderType.TRAILING_STOP_LIMIT: no(_CLIENT),
        OrderType.MARKET_TO_LIMIT: no(_CLIENT),
    },
    time_in_force={
        OrderType.LIMIT: {
            TimeInForce.GTC: yes(_PAGE),
            TimeInForce.IOC: yes(_PAGE),
            TimeInForce.FOK: yes(_CLIENT),
            TimeInForce.GTD: yes(_CLIENT, "GTT on the wire"),
        },
        OrderType.MARKET: {
            TimeInForce.GTC: yes(_INFERRED, "sent as IOC: a market order never rests"),
            TimeInForce.IOC: yes(_CLIENT),
            TimeInForce.FOK: yes(_CLIENT),
        },
    },
    features={
        Feature.POST_ONLY: yes(_DOCS),
        Feature.REDUCE_ONLY: yes(_DOCS),
        Feature.QUOTE_QUANTITY: no(_CLIENT),
        Feature.DISPLAY_QTY: no(_CLIENT),
        Feature.MODIFY: no(_CLIENT, "no amend call; cancel and submit anew"),
        Feature.BATCH_SUBMIT: yes(_CLIENT, "POST /orders/batch, at most 10 at once, not known to be atomic"),
        Feature.BATCH_CANCEL: yes(_CLIENT, "DELETE /orders with the ids"),
        Feature.CANCEL_ALL: yes(_CLIENT, "by the strategy's own ids; DELETE /orders/all would hit others' orders"),
        Feature.OCO: no(_INFERRED, _LISTS_NOTE),
        Feature.OTO: no(_INFERRED, _LISTS_NOTE),
        Feature.QUERY_ORDER: yes(_CLIENT, "found in the history by client order id, nonce or id"),
        Feature.QUERY_OPEN: yes(_CLIENT),
        Feature.QUERY_HISTORY: yes(_CLIENT, "retention unknown"),
        Feature.QUERY_FILLS: no(_CLIENT, "trades over REST do not say which order they belong to"),
        Feature.QUERY_POSITIONS: yes(_CLIENT),
        Feature.QUERY_ACCOUNT: yes(_CLIENT),
        Feature.CLIENT_ORDER_ID: yes(_PAGE, "32 hex digits, chosen by the adapter"),
        Feature.TRADE_IDS: yes(_PAGE, "last_trades; hashed with the order id"),
    },
    data={
        Channel.QUOTES: yes(_DOCS, "channel ticker"),
        Channel.TRADES: yes(_DOCS, "channel trades"),
        Channel.BOOK: yes(_DOCS, "channel book, L2, every 25 ms; a snapshot every minute"),
        Channel.MARK_PRICES: yes(_DOCS, "channel oracle"),
        Channel.INDEX_PRICES: yes(_DOCS, "channel oracle"),
        Channel.FUNDING_RATES: yes(_DOCS, "channel funding_rate; history over REST"),
        Channel.BARS: no(_DOCS, "no candles; aggregate them from trades"),
        Channel.INSTRUMENT_STATUS: no(_DOCS),
    },
    post_only_with=frozenset({(OrderType.LIMIT, TimeInForce.GTC), (OrderType.LIMIT, TimeInForce.GTD)}),
    reduce_only_with=frozenset({OrderType.LIMIT, OrderType.MARKET}),
    cancels_by_ref=True,
    params={
        STP: Param(
            "which of two own orders that would trade with each other is cancelled",
            values=tuple(word.value for word in SelfTradePrevention),
        ),
    },
)
