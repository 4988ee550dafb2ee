"""The listing, settings and balances: what is read, guessed, left out or refused."""

import json
from contextlib import nullcontext
from decimal import Decimal

import pytest

from nautilus_orderfeeds.feed.clock import ManualClock
from nautilus_orderfeeds.feed.errors import FatalFeedError, FrameError, TransientFeedError
from nautilus_orderfeeds.venues.secrets import Secret
from nautilus_orderfeeds.venues.sfox import wire
from nautilus_orderfeeds.venues.sfox.account import account_update, decode_balances, owed
from nautilus_orderfeeds.venues.sfox.listing import read_listing
from nautilus_orderfeeds.venues.sfox.products import decode_currencies, decode_fee_rates, decode_pairs
from nautilus_orderfeeds.venues.sfox.settings import RoutingType, SfoxSettings
from nautilus_orderfeeds.venues.sfox.venue import SfoxVenue
from tests.support.raw_http import Fault, answer, raw_server
from tests.support.sfox_client import API_KEY, PAIRS, api, settings, specs

FEES = wire.FeeRates(makerRate=Decimal("0.0002"), nprRate=Decimal("0.0003"), nprOffRate=Decimal("0.001"))


def body(content: object) -> bytes:
    return json.dumps(content).encode()


def test_an_instrument_has_eight_decimals_and_a_rule_for_prices():
    listed = specs()
    assert {(spec.price_precision, spec.size_precision) for spec in listed.values()} == {(8, 8)}
    assert {symbol: str(spec.price_increment) for symbol, spec in listed.items()} == {
        "BTCUSD": "0.01",
        "ETHBTC": "1E-8",
        "ETHUSDC": "1E-8",
    }
    assert specs(fiat_price_places=4)["BTCUSD"].price_increment == Decimal("0.0001")
    assert specs(crypto_price_places=2)["ETHUSDC"].price_increment == Decimal("0.01")


def test_what_is_fiat_is_told_or_guessed_by_name():
    eur = {"btceur": {"symbol": "btceur", "base": "btc", "quote": "eur"}}
    (guessed,) = decode_pairs(body(eur), settings(), {}, wire.FeeRates())
    (told,) = decode_pairs(body(eur), settings(), {"eur": False}, wire.FeeRates())
    assert (guessed.price_increment, guessed.min_quantity) == (Decimal("0.01"), None)
    assert (told.price_increment, told.min_quantity) == (Decimal("1E-8"), Decimal("0.001"))
    assert guessed.min_notional is None, "the minimum of 5 is one of dollars"


def test_the_taker_fee_is_that_of_the_routing():
    pairs = body(PAIRS)
    by_routing = {
        routing: decode_pairs(pairs, settings(routing_type=routing), {}, FEES)[0].taker_fee
        for routing in (RoutingType.NET_PRICE, RoutingType.SMART, None)
    }
    assert by_routing == {
        RoutingType.NET_PRICE: Decimal("0.0003"),
        RoutingType.SMART: Decimal("0.001"),
        None: Decimal("0.0003"),
    }


def test_a_pair_that_cannot_be_read_does_not_hide_the_others(caplog: pytest.LogCaptureFixture):
    broken = {**PAIRS, "x": {"symbol": "x"}, "y": 7, "z": {"symbol": "caf\u00e9", "base": "a", "quote": "b"}}
    assert [spec.symbol for spec in decode_pairs(body(broken), settings(), {}, wire.FeeRates())] == [
        "BTCUSD",
        "ETHBTC",
        "ETHUSDC",
    ]
    assert len(caplog.records) == 3


@pytest.mark.parametrize(("decode", "wrong"), [(decode_currencies, b"{}"), (decode_fee_rates, b"[]")])
def test_what_is_no_listing_is_refused(decode: object, wrong: bytes):
    with pytest.raises(FrameError):
        decode(wrong)  # type: ignore[operator]
    with pytest.raises(FrameError):
        decode_pairs(b"[]", settings(), {}, wire.FeeRates())


async def test_fees_and_currencies_may_be_missing(caplog: pytest.LogCaptureFixture):
    async with raw_server(answer(404, b"{}"), answer(403, b"{}"), answer(200, body(PAIRS))) as server:
        async with api(server.url) as client:
            listed = await read_listing(client, settings())
    assert len(listed) == 3
    assert listed[0].taker_fee is None
    assert "guessed" in caplog.text
    assert "fee rates" in caplog.text


# -- opening -----------------------------------------------------------------------------------------------------------


async def opened(*answers: bytes | Fault, **changed: object) -> list[str]:
    async with raw_server(*answers) as server:
        venue = SfoxVenue(settings(server.url, **changed), clock=ManualClock(autojump_secs=0.02))
        try:
            await venue.open()
        finally:
            await venue.close()
            await venue.close()
        return [request.target for request in server.requests]


async def test_opening_reads_the_balances():
    assert await opened(answer(200, b"[]")) == ["/v1/user/balance"]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"api_key": Secret("")}, "SFOX_API_KEY"),
        ({"enterprise": True}, "set user_id"),
        ({"user_id": "test3"}, "enterprise=True"),
    ],
)
async def test_what_is_missing_or_does_not_fit_is_named(changed: dict[str, object], words: str):
    with pytest.raises(FatalFeedError, match=words):
        await opened(answer(200, b"[]"), **changed)


@pytest.mark.parametrize(
    ("told", "kind"),
    [
        (answer(401, b'{"error":"invalid token. check authorization header."}'), FatalFeedError),
        (answer(403, b'{"error":"forbidden"}'), FatalFeedError),
        (answer(503, b'{"error":"maintenance"}'), TransientFeedError),
        (Fault.CLOSE, TransientFeedError),
        (answer(200, b"{}"), FrameError),
    ],
)
async def test_why_it_cannot_be_opened(told: bytes | Fault, kind: type[Exception]):
    with pytest.raises(kind) as refused:
        await opened(told)
    assert API_KEY not in str(refused.value)


async def test_a_gateways_refusal_says_nothing_against_a_key_that_was_good():
    blocked = answer(403, b"<html>Attention Required!</html>")
    async with raw_server(blocked, answer(200, b"[]"), blocked, answer(403, b'{"error":"forbidden"}')) as server:
        async with api(server.url) as client:
            for kind in (FatalFeedError, None, TransientFeedError, FatalFeedError):
                with nullcontext() if kind is None else pytest.raises(kind):
                    await client.read("/v1/orders", bytes)


async def test_an_account_that_owes_something_is_refused_unless_allowed(caplog: pytest.LogCaptureFixture):
    rows = body(
        [{"currency": "usd", "balance": -12.5, "available": 0}, {"currency": "btc", "balance": 1, "available": 1}]
    )
    with pytest.raises(FatalFeedError, match=r"-12\.5 USD"):
        await opened(answer(200, rows))
    await opened(answer(200, rows), allow_negative_balances=True)
    assert "-12.5 USD" in caplog.text
    balances = decode_balances(rows)
    assert owed(balances) == {"USD": Decimal("-12.5")}
    assert [(each.currency, each.total) for each in account_update(balances, complete=True).balances] == [
        ("USD", 0),
        ("BTC", 1),
    ]


async def test_a_debt_of_a_live_account_is_told_once_each_time_it_arises(caplog: pytest.LogCaptureFixture):
    owing, even = ([{"currency": "usd", "balance": usd, "available": 0}] for usd in (-1.5, 2))
    answers = [answer(200, body(rows)) for rows in (even, owing, owing, even, owing)]
    async with raw_server(*answers) as server:
        venue = SfoxVenue(settings(server.url), clock=ManualClock(autojump_secs=0.02))
        await venue.open()
        for warnings in (1, 1, 1, 2):
            await venue.account()
            assert sum("-1.5 USD" in record.message for record in caplog.records) == warnings
        await venue.close()


def test_balances_that_are_none_are_refused():
    rows = decode_balances(b'[{"currency":"b\xc3\xa9","balance":1,"available":1}]')
    with pytest.raises(ValueError, match="currency"):
        account_update(rows, complete=True)
    with pytest.raises(ValueError, match="finite"):
        account_update(decode_balances(b'[{"currency":"b","balance":"NaN","available":1}]'), complete=True)


@pytest.mark.parametrize(
    "wrong",
    [{"fiat_price_places": 9}, {"crypto_price_places": -1}, {"absent_after_secs": -1}, {"sequence_grace_secs": -1}],
)
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, float]):
    with pytest.raises(ValueError, match=r"must"):
        SfoxSettings(**wrong)  # type: ignore[arg-type]


def test_settings_show_no_key():
    shown = repr(settings(enterprise=True, user_id="test3"))
    assert API_KEY not in shown
    assert "test3" in shown
