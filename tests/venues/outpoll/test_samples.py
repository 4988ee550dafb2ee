"""Every sample of the protocol decodes to what its page says; the broken ones are refused."""

from decimal import Decimal
from pathlib import Path

import pytest
from msgspec import Raw

from nautilus_orderfeeds.feed.errors import FrameError
from nautilus_orderfeeds.venues.outpoll import wire
from nautilus_orderfeeds.venues.outpoll.frames import Hint, Ping, Snapshot, decode_frame
from nautilus_orderfeeds.venues.outpoll.market import OutpollMarketFeed
from nautilus_orderfeeds.venues.outpoll.settings import OutpollSettings
from nautilus_orderfeeds.venues.outpoll.streams import envelope_of

SAMPLES = Path(__file__).parent / "samples"


def sample(name: str) -> bytes:
    return (SAMPLES / name).read_bytes()


def test_order_update() -> None:
    assert decode_frame(sample("seed/ws-server-order-update.json")) == Hint(
        "a1b2c3d4-e5f6-7890-abcd-ef1234567890", failed=False
    )


def test_tpsl_update_keeps_the_decimals_of_the_wire() -> None:
    update = decode_frame(sample("seed/ws-server-tpsl-update.json"))

    assert isinstance(update, wire.TpslData)
    assert (update.i, update.a, update.s) == ("order-id", "asset-id", "ACTIVE")
    assert (update.q, str(update.tpp), str(update.slp)) == (Decimal(100), "0.95", "0.10")


@pytest.mark.parametrize("name", ["seed/ws-server-ping.json", "seed/ws-server-auth-success-order-updates.json"])
def test_frames_that_say_nothing(name: str) -> None:
    assert decode_frame(sample(name)) == Ping()


@pytest.mark.parametrize(
    "name", ["seed/ws-server-auth-success-order-updates.json", "docs/ws-server-auth-success-order-feed.json"]
)
def test_success_in_either_case(name: str) -> None:
    envelope = envelope_of(sample(name))

    assert envelope is not None
    assert (envelope.t or "").casefold() == "success"


def test_an_error_after_auth_is_refused() -> None:
    with pytest.raises(FrameError):
        decode_frame(sample("seed/ws-server-auth-failure-order-updates.json"))


def test_balance_snapshot() -> None:
    snapshot = decode_frame(sample("docs/ws-server-auth-success-balance-snapshot.json"))

    assert isinstance(snapshot, Snapshot)
    (row,) = snapshot.balances
    assert (row.i, str(row.b), str(row.f)) == ("078dcd98-928d-479f-8110-ff6d27e44de2", "1250.50", "1200.00")


def test_balance_delta() -> None:
    delta = decode_frame(sample("docs/ws-server-balance-delta.json"))

    assert isinstance(delta, wire.BalanceDelta)
    assert (delta.a, str(delta.b), str(delta.f)) == ("asset-id", "1200.50", "1150.00")


def test_order_lists() -> None:
    (raw,) = wire.RAW_PAGE.decode(sample("docs/rest-response-get-active-orders.json")).i
    active = wire.ACTIVE_ORDER.decode(bytes(raw))
    page = wire.HISTORY_PAGE.decode(sample("docs/rest-response-get-history-orders.json"))
    (ended,) = page.i

    assert (active.id, active.status, active.side) == ("order-id", "ACTIVE", "BUY")
    assert (active.price, active.quantity) == (Decimal("0.42"), Decimal(100))
    assert (page.p, page.s, page.tp) == (0, 20, 8)
    assert (ended.i, ended.a, ended.si, ended.t, ended.st) == ("order-id", "asset-id", "BUY", "LIMIT", "FILLED")
    assert (ended.oq, ended.q, ended.p, ended.m) == (100, 100, Decimal("0.42"), 1710000000000)


def test_positions_and_answer_to_placing() -> None:
    (position,) = wire.POSITIONS_PAGE.decode(sample("docs/rest-response-get-open-positions.json")).i

    assert (position.ai, position.eoi, position.ei, position.ip) == ("asset-id", "outcome-id", "event-id", True)
    assert (position.tsc, position.asc, position.sp) == (100, 100, Decimal("0.5"))
    assert wire.TAKEN.decode(sample("docs/rest-response-post-orders-limit.json")).i == "ord_7f3a9c2d"


def test_prices_of_an_outcome_nobody_asked_for_are_dropped() -> None:
    feed = OutpollMarketFeed(OutpollSettings())

    assert feed.decode(sample("docs/ws-server-order-book-prices-data.json")) == []
    assert feed.decode(sample("docs/ws-server-order-book-subscribed.json")) == []


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"t":"ORDER_UPDATE","d":null}',
        b'{"t":"ORDER_UPDATE","d":{"i":"x","s":"MAYBE"}}',
        b'{"t":"ORDER_UPDATE","d":{"i":"","s":"SUCCESS"}}',
        b'{"t":"ORDER_UPDATE","d":{"i":"\\u00e9","s":"SUCCESS"}}',
        b'{"t":"TPSL_UPDATE","d":{"i":"x"}}',
        b'{"a":"x","b":1}',
        b'{"a":"x","b":1e999,"f":0}',
        b'{"t":"success","d":{"l":[{"i":"x"}]}}',
        b"\xff\xfe",
    ],
)
def test_what_contradicts_the_protocol_is_refused(raw: bytes) -> None:
    with pytest.raises(FrameError):
        decode_frame(raw)


@pytest.mark.parametrize("name", ["ws-envelope-order-book-schema", "ws-envelope-activity-schema"])
def test_samples_that_are_no_json_are_refused(name: str) -> None:
    with pytest.raises(FrameError):
        decode_frame(sample(f"docs/{name}.txt"))


@pytest.mark.parametrize(("value", "text"), [("0.420", "0.42"), ("1E+2", "100"), ("0.000001", "0.000001")])
def test_numbers_are_written_short_and_without_exponent(value: str, text: str) -> None:
    assert wire.number(Decimal(value)) == Raw(text.encode())


def test_market_buy_body_is_the_one_of_the_signing_example() -> None:
    body: dict[str, object] = {"e": "54ccea1a-16fd-469c-8018-84b375243e8a", "o": "b21f6fd8-b9d1-4b9f-bb79-ef141e3dcb76"}
    body |= {"ba": "a1b2c3d4-...", "qa": "078dcd98-928d-479f-8110-ff6d27e44de2", "s": "BUY"}

    assert wire.encode({**body, "am": wire.number(Decimal(50))}) == sample(
        "docs/rest-request-post-orders-market-buy.json"
    )
