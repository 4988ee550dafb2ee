"""Order entry: one outcome for every order, never better than the evidence."""

import json
from decimal import Decimal
from typing import Any

import pytest

from nautilus_orderfeeds.feed.clock import ManualClock
from nautilus_orderfeeds.orders.requests import Accepted, Amend, Denied, Outcome, Refused, Unknown
from nautilus_orderfeeds.orders.updates import OrderUpdate, Source, VenueStatus
from nautilus_orderfeeds.orders.words import OrderSide
from nautilus_orderfeeds.venues.sfox import wire
from nautilus_orderfeeds.venues.sfox.codec import OrderCodec, Terms
from nautilus_orderfeeds.venues.sfox.entry import OrderEntry, amended
from nautilus_orderfeeds.venues.sfox.queries import OrderQueries
from nautilus_orderfeeds.venues.sfox.venue import SfoxVenue
from tests.support.raw_http import Fault, RawServer, answer, raw_server
from tests.support.sfox_client import CLIENT_ORDER_ID, ORDER_ID, api, ref, rest_order, settings, specs, update

CREATE = wire.Create(
    side="buy",
    order=wire.CreateOrder(
        currency_pair="btcusd", algorithm_id=201, client_order_id=CLIENT_ORDER_ID, price="37227.82", quantity="0.05"
    ),
)


def said(status: int, content: Any) -> bytes:
    return answer(status, json.dumps(content).encode())


class Desk:
    """Order entry against a scripted server."""

    def __init__(self, *answers: Any) -> None:
        self.answers = answers
        self.codec = OrderCodec()
        self.server: RawServer | None = None

    async def do(self, what: Any) -> Any:
        async with raw_server(*self.answers) as server, api(server.url, timeout_secs=0.5) as client:
            self.server = server
            queries = OrderQueries(client, self.codec, ManualClock(), 60.0)
            return await what(OrderEntry(client, self.codec, queries))

    @property
    def targets(self) -> list[str]:
        assert self.server is not None
        return [f"{request.method} {request.target}" for request in self.server.requests]


async def create(*answers: Any) -> tuple[Outcome, list[OrderUpdate], Desk]:
    desk = Desk(*answers)
    outcome, updates = await desk.do(lambda entry: entry.create(CREATE))
    return outcome, updates, desk


async def test_an_order_that_was_taken():
    outcome, (told,), desk = await create(said(201, rest_order()))
    assert outcome == Accepted(str(ORDER_ID))
    assert (told.source, told.status) == (Source.ANSWER, VenueStatus.WORKING)
    assert desk.targets == ["POST /v1/orders/buy"]
    assert desk.server is not None
    request = desk.server.requests[0]
    assert json.loads(request.body) == {
        "currency_pair": "btcusd",
        "algorithm_id": 201,
        "client_order_id": CLIENT_ORDER_ID,
        "price": "37227.82",
        "quantity": "0.05",
    }
    assert request.headers["Authorization"] == "Bearer test-key"
    assert request.headers["Content-Type"] == "application/json"


async def test_an_order_that_is_done_in_the_answer():
    outcome, (told,), _ = await create(said(201, rest_order(status="Done", filled=0.05, vwap=37227.82)))
    assert isinstance(outcome, Accepted)
    assert (told.status, told.filled_qty) == (VenueStatus.FILLED, Decimal("0.05"))


async def test_fok_that_could_not_fill_may_be_told_with_success():
    outcome, (told,), _ = await create(said(201, rest_order(status="Canceled")))
    assert isinstance(outcome, Accepted)
    assert told.status is VenueStatus.CANCELED


async def test_an_answer_without_a_client_order_id_is_about_our_order():
    _, (told,), _ = await create(said(201, rest_order(client_order_id="", user_tx_id="")))
    assert told.refs == (f"cid:{CLIENT_ORDER_ID}",)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (422, {"error": "invalid currency_pair: btcusda"}),
        (400, {"error": "insufficient funds"}),
        (403, {"error": "read only key"}),
        (401, {"error": "invalid token. check authorization header."}),
    ],
)
async def test_a_definite_refusal(status: int, body: dict[str, str]):
    outcome, updates, desk = await create(said(status, body))
    assert isinstance(outcome, Refused)
    assert body["error"] in outcome.reason
    assert updates == []
    assert len(desk.targets) == 1


@pytest.mark.parametrize(
    "told",
    [
        said(500, {"error": "internal error"}),
        said(503, {"error": "maintenance"}),
        said(429, {"error": "too many requests"}),
        said(408, {"error": "timeout"}),
        said(400, {"message": "from a proxy"}),
        answer(422, b"<html>"),
        answer(201, b"{}"),
        answer(201, b"<html>"),
        said(201, rest_order(client_order_id="another order")),
        said(201, rest_order(filled="lots")),
        said(422, {"error": "client_order_id already used"}),
        said(400, {"error": "duplicate client order id"}),
        Fault.HANG,
        Fault.CLOSE,
        Fault.RESET,
        Fault.CUT,
    ],
)
async def test_whatever_is_no_definite_answer_is_unknown_and_not_sent_again(told: Any):
    outcome, updates, desk = await create(told)
    assert isinstance(outcome, Unknown)
    assert updates == []
    assert len(desk.targets) == 1
    assert "test-key" not in outcome.reason


async def test_what_never_left_is_refused():
    codec = OrderCodec()
    async with api("http://127.0.0.1:9") as client:
        entry = OrderEntry(client, codec, OrderQueries(client, codec, ManualClock(), 60.0))
        outcome, _ = await entry.create(CREATE)
    assert isinstance(outcome, Refused)
    assert "not sent" in outcome.reason


# -- cancel ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("told", "kind"),
    [
        (said(200, {"status": "canceled"}), Accepted),
        (said(200, {"status": "cancel pending"}), Accepted),
        (said(200, {"id": 3, "status": "Cancel pending"}), Accepted),
        (answer(200, b""), Accepted),
        (said(200, {"status": "order already finished"}), Refused),
        (said(400, {"status": "order already finished"}), Refused),
        (said(400, {"error": "internal error"}), Refused),
        (said(200, {"status": "perhaps"}), Unknown),
        (answer(200, b"[]"), Unknown),
        (said(500, {"error": "internal error"}), Unknown),
        (Fault.HANG, Unknown),
    ],
)
async def test_cancel(told: Any, kind: type[Outcome]):
    desk = Desk(told)
    outcome, updates = await desk.do(lambda entry: entry.cancel(ref()))
    assert isinstance(outcome, kind)
    assert updates == []
    assert desk.targets == [f"DELETE /v1/orders/{ORDER_ID}"]


async def test_without_the_venues_id_nothing_can_be_cancelled_or_changed():
    desk = Desk(said(200, {}))
    nameless = ref(venue_order_id=None)
    outcomes = [
        (await desk.do(lambda entry: entry.cancel(nameless)))[0],
        *[one for one, _ in await desk.do(lambda entry: entry.cancel_many([nameless, nameless]))],
        (await desk.do(lambda entry: entry.amend(Amend(ref=nameless, quantity=Decimal(1)), None)))[0],
    ]
    assert [type(outcome) for outcome in outcomes] == [Refused] * 4
    assert desk.targets == []


async def test_cancel_of_several_names_them_all_and_no_others():
    desk = Desk(said(200, {"orders": [{"id": 2, "status": "Cancel pending"}, {"id": 3, "status": "Canceled"}]}))
    refs = [ref(venue_order_id=str(n)) for n in (2, 3, 4)]
    outcomes = [outcome for outcome, _ in await desk.do(lambda entry: entry.cancel_many(refs))]
    assert [type(outcome) for outcome in outcomes] == [Accepted, Accepted, Refused]
    assert desk.targets == ["DELETE /v1/orders?ids=2,3,4"]


async def test_cancel_of_many_goes_in_chunks():
    desk = Desk(said(200, {"orders": []}))
    refs = [ref(venue_order_id=str(n)) for n in range(1, 102)]
    outcomes = await desk.do(lambda entry: entry.cancel_many(refs))
    assert len(outcomes) == 101
    assert [target.split("?")[0] for target in desk.targets] == ["DELETE /v1/orders"] * 2 + ["DELETE /v1/orders/101"]


@pytest.mark.parametrize(
    ("told", "kind"),
    [
        (said(400, {"error": "the order ids provided were invalid or the orders were already done/canceled"}), Refused),
        (said(500, {"error": "internal error"}), Unknown),
        (answer(200, b"oops"), Unknown),
    ],
)
async def test_one_outcome_for_all_where_none_is_named(told: bytes, kind: type[Outcome]):
    refs = [ref(venue_order_id=str(n)) for n in (2, 3)]
    outcomes = await Desk(told).do(lambda entry: entry.cancel_many(refs))
    assert [type(outcome) for outcome, _ in outcomes] == [kind, kind]


# -- change ------------------------------------------------------------------------------------------------------------

BUY = Terms(side=OrderSide.BUY, price=Decimal(100), quantity=Decimal(2), algorithm_id=201)
SELL = Terms(side=OrderSide.SELL, price=Decimal(100), quantity=Decimal(2), algorithm_id=201)
SPEC = specs()["BTCUSD"]


def change(terms: Terms, **changed: Any) -> dict[str, Any]:
    return json.loads(wire.encode(amended(Amend(ref=ref(), **changed), terms, SPEC)))


@pytest.mark.parametrize(
    ("terms", "asked", "sent"),
    [
        (BUY, {"quantity": Decimal(3)}, {"quantity": 3}),
        (BUY, {"price": Decimal("100.5")}, {"price": 100.5}),
        (SELL, {"price": Decimal("99.99")}, {"price": 99.99}),
        (SELL, {"price": Decimal(100), "quantity": Decimal("2.5")}, {"quantity": 2.5}),
        (BUY, {"price": Decimal("1E+3"), "quantity": Decimal(2)}, {"price": 1000}),
    ],
)
def test_changes_in_the_allowed_direction(terms: Terms, asked: dict[str, Any], sent: dict[str, Any]):
    assert change(terms, **asked) == sent


@pytest.mark.parametrize(
    ("terms", "asked", "reason"),
    [
        (BUY, {"quantity": Decimal(1)}, "can only increase a quantity: 2 to 1"),
        (BUY, {"price": Decimal(99)}, "can only raise the price of a buy: 100 to 99"),
        (SELL, {"price": Decimal(101)}, "can only lower the price of a sell: 100 to 101"),
        (BUY, {"price": Decimal("100.001")}, "off the tick"),
        (BUY, {"quantity": Decimal("2.000000001")}, "off the lot"),
        (BUY, {"price": Decimal(0)}, "not positive"),
        (BUY, {"price": Decimal(100), "quantity": Decimal(2)}, "nothing would change"),
        (BUY, {}, "nothing would change"),
        (BUY, {"trigger_price": Decimal(1)}, "no trigger price"),
        (BUY, {"quantity": Decimal(3), "params": {"post_only": True}}, "post_only"),
        (Terms(side=OrderSide.SELL, quantity=Decimal(2), algorithm_id=100), {"quantity": Decimal(3)}, "market order"),
        (Terms(side=OrderSide.BUY, by_amount=True), {"quantity": Decimal(3)}, "market order"),
        (Terms(side=OrderSide.BUY, quantity=Decimal(2)), {"price": Decimal(3)}, "no price"),
    ],
)
def test_changes_that_are_refused_before_anything_is_sent(terms: Terms, asked: dict[str, Any], reason: str):
    with pytest.raises(Denied, match=reason):
        change(terms, **asked)


async def test_a_change_goes_out_and_is_confirmed_by_the_feed_alone():
    desk = Desk(said(200, {"whatever": 1}))
    update(desk.codec)
    outcome, updates = await desk.do(lambda entry: entry.amend(Amend(ref=ref(), price=Decimal(37228)), SPEC))
    assert (outcome, updates) == (Accepted(str(ORDER_ID)), [])
    assert desk.targets == [f"PATCH /v1/orders/{ORDER_ID}"]
    assert desk.server is not None
    assert json.loads(desk.server.requests[0].body) == {"price": 37228}


async def test_terms_that_are_not_known_are_read_first():
    desk = Desk(said(200, rest_order()), said(200, {}))
    outcome, _ = await desk.do(lambda entry: entry.amend(Amend(ref=ref(), quantity=Decimal("0.06")), SPEC))
    assert isinstance(outcome, Accepted)
    assert desk.targets == [f"GET /v1/orders/{ORDER_ID}", f"PATCH /v1/orders/{ORDER_ID}"]
    lost = Desk(said(404, {"error": "not found"}))
    outcome, _ = await lost.do(lambda entry: entry.amend(Amend(ref=ref(), quantity=Decimal("0.06")), SPEC))
    assert isinstance(outcome, Refused)
    assert len(lost.targets) == 1


@pytest.mark.parametrize(
    ("told", "kind"),
    [(said(400, {"error": "quantity can only increase"}), Refused), (said(502, {}), Unknown), (Fault.CLOSE, Unknown)],
)
async def test_a_change_that_is_not_taken(told: Any, kind: type[Outcome]):
    desk = Desk(told)
    update(desk.codec)
    outcome, _ = await desk.do(lambda entry: entry.amend(Amend(ref=ref(), price=Decimal(37228)), SPEC))
    assert isinstance(outcome, kind)


async def test_a_venue_that_is_not_open_sends_nothing():
    venue = SfoxVenue(settings())
    outcomes = [
        (await venue.submit(None))[0],  # type: ignore[arg-type]
        (await venue.cancel(ref()))[0],
        (await venue.amend(Amend(ref=ref())))[0],
        *[outcome for outcome, _ in await venue.cancel_many([ref()])],
        *[outcome for outcome, _ in await venue.submit_list([None])],  # type: ignore[list-item]
    ]
    assert all(isinstance(outcome, Refused) and "not open" in outcome.reason for outcome in outcomes)
