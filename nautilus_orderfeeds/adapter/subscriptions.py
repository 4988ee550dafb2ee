"""Subscribing to everything a venue publishes."""

from collections.abc import Iterable

from nautilus_orderfeeds.feed.market import Channel
from nautilus_orderfeeds.venues.base import MarketFeed


def subscribe_all(market: MarketFeed, symbols: Iterable[str]) -> tuple[Channel, ...]:
    """Note a subscription of every channel the venue has, for every symbol.

    Made before the stream is opened, so its handshake asks for them. Returns the channels.
    """
    channels = tuple(channel for channel, support in market.capabilities.data.items() if support.supported)
    for symbol in symbols:
        for channel in channels:
            market.subscribe(channel, symbol)
    return channels
