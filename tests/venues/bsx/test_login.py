"""Opening names what is wrong; the handshakes take every shape of the venue's answers."""

import asyncio
import json
import pickle

import pytest
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosedError, InvalidStatus
from websockets.frames import Close
from websockets.http11 import Response

from nautilus_orderfeeds.feed.clock import ManualClock
from nautilus_orderfeeds.feed.errors import FatalFeedError, FeedError, HandshakeTimeout, TransientFeedError
from nautilus_orderfeeds.feed.market import Channel
from nautilus_orderfeeds.venues.bsx.market import BsxMarketFeed
from nautilus_orderfeeds.venues.bsx.settings import BsxSettings, Secret
from nautilus_orderfeeds.venues.bsx.stream import OrdersStream
from nautilus_orderfeeds.venues.bsx.venue import BsxVenue
from tests.support.bsx_client import API_KEY, API_SECRET, SIGNER, SIGNER_KEY, WALLET, product, settings, spec
from tests.support.raw_http import Fault, answer, raw_server

HOUR = 3600 * 10**9
NOW = 1_719_319_688_000_000_000


def said(content):
    return answer(200, json.dumps(content).encode())


PRODUCTS = said({"products": [product()]})
CONFIGS = said(
    {"main": {"name": "BSX", "version": "1", "chain_id": "8453", "verifying_contract": "0x" + "0" * 39 + "2"}}
)


def keys(**changed):
    key = {"api_key": API_KEY, "api_secret": API_SECRET, "sender": WALLET, "signer": SIGNER, "expired_at": "0"}
    return said({"api_keys": [{**key, **changed}]})


PORTFOLIO = said({"account": WALLET, "summary": {}})


async def opened(*answers, clock=None, **changed):
    """Open against a server that answers so; close again."""
    async with raw_server(*answers) as server:
        venue = BsxVenue(settings(server.url, **changed), clock=clock or ManualClock(NOW, autojump_secs=0.2))
        try:
            await venue.open()
        finally:
            await venue.close()
            await venue.close()
        return [request.target for request in server.requests]


async def test_open_asks_for_everything_that_is_needed():
    targets = await opened(PRODUCTS, CONFIGS, keys())
    assert targets[:3] == ["/products", "/chain/configs", "/users/api-key"]


async def test_the_wallet_may_come_from_the_venue():
    await opened(PRODUCTS, CONFIGS, keys(), wallet_address="")
    targets = await opened(PRODUCTS, CONFIGS, keys(sender=""), PORTFOLIO, wallet_address="")
    assert targets[3] == "/portfolio/detail"
    with pytest.raises(FatalFeedError, match="BSX_WALLET_ADDRESS"):
        await opened(PRODUCTS, CONFIGS, keys(sender=""), said({"summary": {}}), wallet_address="")


async def test_addresses_are_compared_without_regard_to_case():
    await opened(
        PRODUCTS, CONFIGS, keys(sender=WALLET.upper().replace("0X", "0x"), signer=SIGNER.upper().replace("0X", "0x"))
    )


WRONG = {
    "no key": ({"api_key": ""}, (), "BSX_API_KEY"),
    "no secret": ({"api_secret": Secret("")}, (), "BSX_API_SECRET"),
    "no signer": ({"signer_key": Secret("")}, (), "BSX_SIGNER_KEY"),
    "key is none": ({"signer_key": Secret("hello")}, (PRODUCTS, CONFIGS, keys()), "BSX_SIGNER_KEY"),
    "wallet is none": ({"wallet_address": "hello"}, (PRODUCTS, CONFIGS, keys()), "BSX_WALLET_ADDRESS"),
    "another wallet": ({"wallet_address": SIGNER}, (PRODUCTS, CONFIGS, keys()), "belongs to 0x7e5f"),
    "another signer": ({}, (PRODUCTS, CONFIGS, keys(signer=WALLET)), "registered for the signer 0x7e5f"),
    "refused": ({}, (PRODUCTS, CONFIGS, answer(401, b'{"code":16,"message":"unauthenticated"}')), "login refused"),
}


@pytest.mark.parametrize(("changed", "answers", "named"), WRONG.values(), ids=WRONG)
async def test_what_cannot_get_better_is_fatal_and_named(changed, answers, named):
    with pytest.raises(FatalFeedError, match=named) as caught:
        await opened(*(answers or (PRODUCTS,)), **changed)
    assert_no_secret(str(caught.value))


BROKEN = {
    "configs": (PRODUCTS, said({})),
    "keys": (PRODUCTS, CONFIGS, said({"api_keys": [API_SECRET]})),
    "address": (PRODUCTS, CONFIGS, keys(sender="0x12")),
}


@pytest.mark.parametrize("answers", BROKEN.values(), ids=BROKEN)
async def test_what_may_pass_is_transient_and_shows_no_secret(answers):
    with pytest.raises(TransientFeedError) as caught:
        await opened(*answers)
    assert_no_secret(str(caught.value))


async def test_an_unreadable_key_in_the_list_does_not_hide_ours(caplog):
    """Nor is it shown: it holds a secret."""
    rows = [{"api_secret": API_SECRET}, {"api_key": API_KEY, "sender": None, "signer": "", "expired_at": str(NOW + 1)}]
    targets = await opened(PRODUCTS, CONFIGS, said({"api_keys": rows}), PORTFOLIO, clock=ManualClock(NOW))
    assert targets[2] == "/users/api-key"
    assert "unreadable" in caplog.text
    assert "expires in" in caplog.text
    assert_no_secret(caplog.text)


async def test_a_failing_listing_is_a_warning_only(caplog):
    await opened(*[answer(503, b"{}")] * 3, CONFIGS, keys())
    assert "/products failed" in caplog.text


async def test_the_variables_of_another_environment_are_named():
    with pytest.raises(FatalFeedError, match="BSX_TESTNET_API_SECRET"):
        await opened(PRODUCTS, api_secret=Secret(""), env_prefix="BSX_TESTNET_")


async def test_a_host_that_is_no_bsx_is_named():
    gone = answer(404, b"<html>")
    with pytest.raises(FatalFeedError, match=r"base_url_http"):
        await opened(gone, gone, gone)
    await opened(gone, CONFIGS, gone)


async def test_a_host_that_never_answers_is_named_within_seconds():
    clock = ManualClock(NOW, autojump_secs=0.2)
    async with raw_server(Fault.HANG) as server:
        with pytest.raises(TransientFeedError, match=f"cannot reach {server.url}"):
            await BsxVenue(settings(server.url), clock=clock).open()
        assert len(server.requests) == 1


async def test_an_unreachable_host_is_named():
    async with raw_server(b"") as server:
        url = server.url
    with pytest.raises(TransientFeedError, match=f"cannot reach {url}"):
        await BsxVenue(settings(url), clock=ManualClock(NOW, autojump_secs=0.2)).open()


@pytest.mark.parametrize(("left", "words"), [(-1, "has expired"), (HOUR, "expires in 1.0 hours"), (1000 * HOUR, "")])
async def test_the_key_s_expiry_is_told(left, words, caplog):
    await opened(PRODUCTS, CONFIGS, keys(expired_at=str(NOW + left)), clock=ManualClock(NOW))
    assert words in caplog.text
    assert bool(words) is bool(caplog.text)


async def test_the_key_s_expiry_is_checked_hourly(caplog):
    clock = ManualClock(NOW)
    async with raw_server(PRODUCTS, CONFIGS, keys(expired_at=str(NOW + 24 * HOUR + HOUR // 2))) as server:
        venue = BsxVenue(settings(server.url), clock=clock)
        await venue.open()
        assert caplog.text == ""
        asked = len(server.requests)
        await clock.advance(3601)
        for _ in range(200):
            if caplog.text:
                break
            await asyncio.sleep(0.01)
        await venue.close()
        assert len(server.requests) == asked + 1
    assert "expires in 23.5 hours" in caplog.text


async def test_a_clock_that_is_off_is_told(caplog):
    products = answer(200, json.dumps({"products": []}).encode(), Date="Mon, 01 Jan 2018 00:00:00 GMT")
    await opened(products, CONFIGS, keys())
    assert "clock is off" in caplog.text


async def test_used_before_open_says_so():
    venue = BsxVenue(settings())
    for question in (venue.instruments(), venue.resync([], 0), venue.history(0), venue.account()):
        with pytest.raises(FatalFeedError, match=r"open\(\)"):
            await question
    with pytest.raises(FeedError, match=r"open\(\)"):
        await BsxMarketFeed(settings()).instruments()


# -- secrets ---------------------------------------------------------------------------------------------------------


def assert_no_secret(text):
    assert API_SECRET not in text
    assert SIGNER_KEY.removeprefix("0x") not in text


def test_nothing_shows_the_secrets():
    shown = settings()
    for text in (repr(shown), str(shown), f"{shown.api_secret}", repr(shown.signer_key), repr(BsxVenue(shown))):
        assert_no_secret(text)
        assert API_KEY not in text
    with pytest.raises(TypeError):
        pickle.dumps(shown.api_secret)


@pytest.mark.parametrize("wrong", [{"market_slippage": -1}, {"market_slippage": 1}, {"requests_per_sec": 0}])
def test_settings_that_make_no_sense(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        BsxSettings(**wrong)


# -- handshakes ------------------------------------------------------------------------------------------------------


class Script:
    """A handshake's other side: after each frame sent, what it says; a wait takes the first frame that fits."""

    def __init__(self, *replies):
        self.replies = list(replies)
        self.heard = []
        self.sent = []
        self.kept = []

    async def send(self, frame):
        self.sent.append(json.loads(frame))
        self.heard += self.replies.pop(0)

    async def expect(self, predicate, timeout_secs=10.0, *, keep=False):
        for frame in list(self.heard):
            try:
                fits = predicate(frame)
            except FeedError:  # as the gate does: what refuses is no data
                self.heard.remove(frame)
                raise
            if fits:
                self.heard.remove(frame)
                if keep:
                    self.kept.append(frame)
                return frame
        raise TransientFeedError("nothing came")


GREETING = b'{"type":"message","connection_id":"8fdad76b"}'
AUTHENTICATED = b'{"channel":"auth","type":"authenticated"}'
SNAPSHOT = b'{"channel":"orders","type":"snapshot","data":[],"timestamp":"1"}'
SUBSCRIBED = b'{"channel":"orders","type":"subscribed"}'


async def shake(*replies, clock=None):
    script = Script(*replies)
    await OrdersStream(settings(), clock or ManualClock(NOW)).handshake(script)
    return script


@pytest.mark.parametrize("confirmation", [[SUBSCRIBED, SNAPSHOT], [SNAPSHOT], [SUBSCRIBED], [SNAPSHOT, SUBSCRIBED]])
async def test_acknowledgement_or_snapshot_confirms(confirmation):
    script = await shake([GREETING, b"junk", AUTHENTICATED], confirmation)
    assert script.kept == confirmation[:1]  # delivered as data, too
    assert [sent["op"] for sent in script.sent] == ["auth", "sub"]
    assert script.sent[0]["data"]["timestamp"] == str(NOW)


def refusal(message, code):
    return json.dumps({"channel": "auth", "type": "error", "message": message, "code": code}).encode()


async def test_a_login_that_was_good_is_given_up_only_for_words_about_the_key():
    stream = OrdersStream(settings(), ManualClock(NOW))
    with pytest.raises(FatalFeedError, match="login refused"):
        await stream.handshake(Script([refusal("something went wrong", 400)]))
    await stream.handshake(Script([AUTHENTICATED], [SNAPSHOT]))
    for message, code in (("something went wrong", 400), ("internal", 13), ("too many", 429)):
        with pytest.raises(TransientFeedError) as caught:
            await stream.handshake(Script([refusal(message, code)]))
        assert caught.value.retry_after_secs
    with pytest.raises(TransientFeedError, match="unsupported"):
        await stream.handshake(
            Script([AUTHENTICATED], [b'{"channel":"orders","type":"error","message":"unsupported","code":400}'])
        )
    for message in ("api key not found", "API key expired", "invalid signature", "unauthenticated"):
        with pytest.raises(FatalFeedError, match="check api_key"):
            await stream.handshake(Script([refusal(message, 400)]))


@pytest.mark.parametrize("code", ['"UNAUTHENTICATED"', "null", '"400"', "400"])
async def test_a_refused_login_is_read_however_its_code_is_written(code):
    frame = b'{"channel":"auth","type":"error","message":"api key not found","code":%b}' % code.encode()
    with pytest.raises(FatalFeedError, match="api key not found"):
        await shake([frame])


def upgrade_refused(status):
    return InvalidStatus(Response(status, "", Headers(), b"<html>denied</html>"))


CLOSED = ConnectionClosedError(Close(1008, "policy"), None)


@pytest.mark.parametrize("refused", [upgrade_refused(401), upgrade_refused(403), CLOSED], ids=["401", "403", "1008"])
async def test_who_refuses_a_connection_does_not_judge_the_key(refused):
    """The upgrade carries no credentials: if it was good before, something in between has its day."""
    market = BsxMarketFeed(settings()).stream()
    orders = OrdersStream(settings(), ManualClock(NOW))
    for stream in (orders, market):
        assert isinstance(stream.classify(refused), FatalFeedError)
    await market.handshake(Script())
    await orders.handshake(Script([AUTHENTICATED], [SNAPSHOT]))
    for stream in (orders, market):
        verdict = stream.classify(refused)
        assert isinstance(verdict, TransientFeedError)
        assert verdict.retry_after_secs
        assert isinstance(stream.classify(FatalFeedError("said so")), FatalFeedError)


@pytest.mark.parametrize("channel", ['"channel":"auth",', ""])
@pytest.mark.parametrize(
    ("message", "code", "error"),
    [
        ("api key not found", 400, FatalFeedError),
        ("signature is wrong", 401, FatalFeedError),
        ("timestamp should be closed to current timestamp (100.854776s)", 400, TransientFeedError),
        ("try later", 503, TransientFeedError),
        ("slow down", 429, TransientFeedError),
    ],
)
async def test_a_refused_login_in_both_shapes(channel, message, code, error):
    refusal = f'{{{channel}"type":"error","message":"{message}","code":{code}}}'.encode()
    with pytest.raises(error, match="login refused") as caught:
        await shake([refusal])
    if error is TransientFeedError:
        assert caught.value.retry_after_secs == 5.0


@pytest.mark.parametrize(("code", "error"), [(400, FatalFeedError), (401, TransientFeedError)])
async def test_a_refused_subscription(code, error):
    refusal = f'{{"channel":"orders","type":"error","message":"no","code":{code}}}'.encode()
    with pytest.raises(error, match="subscription to orders refused"):
        await shake([AUTHENTICATED], [refusal])


def test_the_login_is_never_recorded():
    stream = OrdersStream(settings(), ManualClock(NOW))
    assert stream.recordable(stream.probe())
    assert stream.recordable(b'{"op":"sub","channel":"orders"}')
    assert not stream.recordable(b'{"op":"auth","data":{"key":"x"}}')


async def test_market_handshake_restores_every_subscription(caplog):
    feed = BsxMarketFeed(settings())
    feed.use_instruments([spec()])
    for channel in (Channel.QUOTES, Channel.MARK_PRICES, Channel.INDEX_PRICES, Channel.TRADES, Channel.BOOK):
        feed.subscribe(channel, "BTC-PERP")
    feed.unsubscribe(Channel.BOOK, "BTC-PERP")
    feed.subscribe(Channel.TRADES, "NO-PERP")

    def ack(channel):
        return json.dumps({"channel": channel, "product": "BTC-PERP", "type": "subscribed"}).encode()

    refusal = b'{"channel":"trades","type":"error","message":"given channel/product is unsupported","code":400}'
    script = Script([GREETING, ack("ticker")], [ack("oracle")], [ack("trades")], [refusal])
    await feed.stream().handshake(script)
    assert [(sent["channel"], sent["product"]) for sent in script.sent] == [
        ("ticker", "BTC-PERP"),
        ("oracle", "BTC-PERP"),
        ("trades", "BTC-PERP"),
        ("trades", "NO-PERP"),
    ]
    assert script.heard == [GREETING]
    assert "no trades of NO-PERP" in caplog.text


class Silent(Script):
    """A venue that sends data and acknowledges nothing."""

    async def expect(self, predicate, timeout_secs=10.0, *, keep=False):
        try:
            return await super().expect(predicate, timeout_secs, keep=keep)
        except TransientFeedError as exc:
            raise HandshakeTimeout("nothing came") from exc


async def test_market_handshake_needs_no_acknowledgement():
    feed = BsxMarketFeed(settings())
    feed.use_instruments([spec()])
    feed.subscribe(Channel.QUOTES, "BTC-PERP")
    feed.subscribe(Channel.TRADES, "BTC-PERP")
    data = b'{"channel":"ticker","product":"BTC-PERP","type":"snapshot","data":{}}'
    script = Silent([data], [])
    await feed.stream().handshake(script)
    assert script.kept == [data], "the first data is data"
