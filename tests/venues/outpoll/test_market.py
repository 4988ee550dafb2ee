"""Top of book by event, turned into quotes of each asset."""

import json
from decimal import Decimal
from typing import Any

import pytest

from nautilus_orderfeeds.feed.errors import FrameError
from nautilus_orderfeeds.feed.market import Channel, Quote
from nautilus_orderfeeds.venues.outpoll.market import OutpollMarketFeed
from nautilus_orderfeeds.venues.outpoll.products import IS_PRIMARY
from nautilus_orderfeeds.venues.outpoll.settings import OutpollSettings
from tests.support.outpoll_rows import ASSET, OTHER, spec

THIRD = "asset-3"


def feed(*symbols: str) -> OutpollMarketFeed:
    """A feed of both assets of one outcome and one of another event, subscribed to `symbols`."""
    made = OutpollMarketFeed(OutpollSettings(base_url_ws="ws://127.0.0.1:1"))
    elsewhere = {"event_id": "event-2", "outcome_id": "outcome-2"}
    made.use_instruments([spec(ASSET), spec(OTHER, **{IS_PRIMARY: False}), spec(THIRD, **elsewhere)])
    for symbol in symbols:
        made.subscribe(Channel.QUOTES, symbol)
    return made


def prices(kind: str = "PRICES_DATA", event: str | None = "event-1", **row: Any) -> bytes:
    told = {"o": "outcome-1", "c": 0.42, "b": 0.41, "a": 0.43} | row
    return json.dumps({"t": kind, "e": event, "o": None, "d": [told], "r": None}).encode()


def test_one_subscription_for_an_event_whatever_its_assets() -> None:
    made = feed()
    first = [json.loads(frame) for frame in made.subscribe(Channel.QUOTES, ASSET)]
    second = [json.loads(frame) for frame in made.subscribe(Channel.QUOTES, OTHER)]

    assert first == [{"t": "SUBSCRIBE", "e": "event-1"}, {"t": "REQUEST_DATA", "e": "event-1"}]
    assert second == [{"t": "REQUEST_DATA", "e": "event-1"}], "its snapshot would not come by itself"
    assert made.unsubscribe(Channel.QUOTES, ASSET) == []
    assert [json.loads(frame) for frame in made.unsubscribe(Channel.QUOTES, OTHER)] == [
        {"t": "UNSUBSCRIBE", "e": "event-1"}
    ]
    assert made.unsubscribe(Channel.QUOTES, OTHER) == []


def test_other_channels_and_unknown_instruments_are_not_asked_for() -> None:
    made = feed()
    assert made.subscribe(Channel.TRADES, ASSET) == []
    assert made.subscribe(Channel.QUOTES, "nobody's") == []


@pytest.mark.parametrize("kind", ["PRICES_DATA", "PRICES_DATA_DELTA", "prices_data"])
def test_the_primary_asset_has_the_prices_told(kind: str) -> None:
    assert feed(ASSET).decode(prices(kind)) == [Quote(symbol=ASSET, bid=Decimal("0.41"), ask=Decimal("0.43"))]


def test_the_other_asset_has_what_is_left_of_a_dollar() -> None:
    made = feed(ASSET, OTHER)
    quotes = made.decode(prices())

    assert Quote(symbol=OTHER, bid=Decimal("0.57"), ask=Decimal("0.59")) in quotes
    assert made.reference_price(OTHER) == (Decimal("0.57"), Decimal("0.59"))


@pytest.mark.parametrize("empty", [{"b": None}, {"a": None}, {"b": 0}, {"a": 1}, {"a": 0}, {"b": 1}])
def test_no_quote_for_an_empty_side(empty: dict[str, Any]) -> None:
    made = feed(ASSET, OTHER)
    assert made.decode(prices(**empty)) == []
    assert made.reference_price(ASSET) is None
    assert len(made.decode(prices())) == 2, "and quotes again once both sides are there"


def test_what_has_not_changed_is_not_told_again() -> None:
    made = feed(ASSET)
    assert len(made.decode(prices())) == 1
    assert made.decode(prices("PRICES_DATA_DELTA")) == []
    assert len(made.decode(prices(b=0.40))) == 1


def test_an_outcome_of_another_event_is_not_mixed_up() -> None:
    made = feed(ASSET, THIRD)
    assert made.decode(prices(event="event-2")) == []
    assert [quote.symbol for quote in made.decode(prices(event="event-2", o="outcome-2"))] == [THIRD]
    assert [quote.symbol for quote in made.decode(prices(event=None))] == [ASSET], "by its outcome, if no event is told"


@pytest.mark.parametrize("kind", ["PING", "SUBSCRIBED", "UNSUBSCRIBED", "success"])
def test_frames_that_say_nothing(kind: str) -> None:
    assert feed(ASSET).decode(json.dumps({"t": kind, "e": "event-1", "d": None, "r": None}).encode()) == []


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"[1]",
        b'{"t":"ERROR","r":"Unknown message type"}',
        b'{"t":"WEATHER","d":{}}',
        b'{"t":"PRICES_DATA","d":{"o":"x"}}',
        b'{"t":"PRICES_DATA","d":[{"c":1}]}',
        b'{"t":"PRICES_DATA","d":[{"o":"outcome-1","b":"x"}]}',
        b'{"t":"PRICES_DATA","d":[{"o":"outcome-1","b":1e400}]}',
        b'{"t":"PRICES_DATA","d":[{"o":"outcome-1","b":NaN}]}',
    ],
)
def test_what_contradicts_the_protocol_is_refused(raw: bytes) -> None:
    with pytest.raises(FrameError):
        feed(ASSET).decode(raw)


def test_pong_only_if_that_is_switched_on() -> None:
    ping = b'{"t":"PING","d":null,"r":null}'
    assert feed().stream().answer(ping) is None
    answering = OutpollMarketFeed(OutpollSettings(pong_reply=True)).stream()
    assert answering.answer(ping) == b'{"t":"PONG"}'
    assert answering.answer(prices()) is None


async def test_there_is_neither_depth_nor_funding() -> None:
    made = feed(ASSET)
    assert await made.book(ASSET) is None
    assert await made.funding_rates(ASSET, 0, 1, 10) is None
    assert await made.instruments() == []
