"""What Roxom can do, with the evidence for each entry (protocol, sections 3 to 6, 9 and 10)."""

from typing import Final

from nautilus_orderfeeds.feed.market import Channel
from nautilus_orderfeeds.orders.words import OrderType, TimeInForce, TriggerType
from nautilus_orderfeeds.venues.capabilities import Capabilities, Evidence, Feature, no, yes
from nautilus_orderfeeds.venues.roxom.words import VENUE

_PAGE: Final = Evidence.VENUE_PAGE
_DOCS: Final = Evidence.DOCUMENTATION
_CLIENT: Final = Evidence.CLIENT_CODE
_INFERRED: Final = Evidence.INFERRED

_LISTS_NOTE: Final = "no contingent orders are documented"
_TYPE_NOTE: Final = "no such order type is documented"

CAPABILITIES: Final = Capabilities(
    venue=VENUE,
    order_types={
        OrderType.MARKET: yes(_DOCS, "the venue limits it to about 2% away; the rest is cancelled"),
        OrderType.LIMIT: yes(_DOCS),
        OrderType.STOP_MARKET: yes(_DOCS, "triggered by the mark price"),
        OrderType.STOP_LIMIT: yes(_DOCS, "triggered by the mark price"),
        OrderType.MARKET_IF_TOUCHED: no(_INFERRED, _TYPE_NOTE),
        OrderType.LIMIT_IF_TOUCHED: no(_INFERRED, _TYPE_NOTE),
        OrderType.TRAILING_STOP_MARKET: no(_INFERRED, _TYPE_NOTE),
        OrderType.TRAILING_STOP_LIMIT: no(_INFERRED, _TYPE_NOTE),
        OrderType.MARKET_TO_LIMIT: no(_INFERRED, _TYPE_NOTE),
    },
    time_in_force={
        OrderType.MARKET: {
            TimeInForce.GTC: yes(_DOCS, "sent without a time in force: a market order never rests"),
            TimeInForce.IOC: yes(_DOCS, "sent without a time in force: a market order never rests"),
        },
        OrderType.LIMIT: {
            TimeInForce.GTC: yes(_DOCS),
            TimeInForce.IOC: yes(_DOCS),
            TimeInForce.GTD: yes(_DOCS, "cancelAt, cut off to whole milliseconds"),
        },
        OrderType.STOP_MARKET: {
            TimeInForce.GTC: yes(_DOCS),
            TimeInForce.GTD: yes(_DOCS, "cancelAt, cut off to whole milliseconds"),
        },
        OrderType.STOP_LIMIT: {
            TimeInForce.GTC: yes(_DOCS),
            TimeInForce.IOC: yes(_INFERRED),
            TimeInForce.GTD: yes(_DOCS, "cancelAt, cut off to whole milliseconds"),
        },
    },
    features={
        Feature.POST_ONLY: yes(_DOCS, "the venue cancels the order if it would take"),
        Feature.REDUCE_ONLY: no(_INFERRED, "not documented"),
        Feature.QUOTE_QUANTITY: no(_DOCS),
        Feature.DISPLAY_QTY: no(_INFERRED, "not documented"),
        Feature.MODIFY: no(_DOCS, "no call to change an order; cancel and submit anew"),
        Feature.BATCH_SUBMIT: yes(_DOCS, "one request for each order"),
        Feature.BATCH_CANCEL: yes(_DOCS, "one request for each order"),
        Feature.CANCEL_ALL: yes(_DOCS, "one request for each order: the venue's own call would hit every symbol"),
        Feature.OCO: no(_INFERRED, _LISTS_NOTE),
        Feature.OTO: no(_INFERRED, _LISTS_NOTE),
        Feature.QUERY_ORDER: yes(_DOCS),
        Feature.QUERY_OPEN: yes(_DOCS),
        Feature.QUERY_HISTORY: yes(_DOCS, "retention unknown"),
        Feature.QUERY_FILLS: yes(_DOCS, "transaction log"),
        Feature.QUERY_POSITIONS: yes(_DOCS, "symbol by symbol"),
        Feature.QUERY_ACCOUNT: yes(_DOCS),
        Feature.CLIENT_ORDER_ID: no(_INFERRED, "not documented for new orders; `send_client_order_id` turns it on"),
        Feature.TRADE_IDS: no(_PAGE, "derived from the order id and its filled quantity"),
    },
    data={
        Channel.QUOTES: yes(_DOCS, "channel level1"),
        Channel.TRADES: yes(_DOCS, "channel trade: one aggregate for each update, at its average price"),
        Channel.BOOK: yes(_DOCS, "one level from level1; from depth with `depth_reading`"),
        Channel.MARK_PRICES: yes(_DOCS, "channel ticker"),
        Channel.INDEX_PRICES: yes(_DOCS, "channel ticker"),
        Channel.FUNDING_RATES: yes(_DOCS, "channel ticker"),
        Channel.BARS: no(_DOCS, "no candles; aggregate them from trades"),
        Channel.INSTRUMENT_STATUS: no(_DOCS),
    },
    post_only_with=frozenset(
        {
            (OrderType.LIMIT, TimeInForce.GTC),
            (OrderType.LIMIT, TimeInForce.GTD),
        }
    ),
    trigger_types=frozenset({TriggerType.NO_TRIGGER, TriggerType.DEFAULT, TriggerType.MARK_PRICE}),
    cancels_by_ref=False,
)
