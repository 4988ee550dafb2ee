"""Requests and answers on one socket: who gets which answer, and what is known when none comes."""

import asyncio
from decimal import Decimal
from typing import Any

import pytest

from nautilus_orderfeeds.feed.errors import FrameError, OutcomeUnknown, SendError, TransientFeedError
from nautilus_orderfeeds.orders.requests import Accepted, OrderRef, Refused, Unknown
from nautilus_orderfeeds.orders.updates import VenueStatus
from nautilus_orderfeeds.orders.words import ContingencyType, OrderSide, OrderType
from nautilus_orderfeeds.venues.acttrader.words import Event
from tests.support.acttrader_client import Line, line, new_order


def ref(venue_order_id: str | None = "1", client_order_id: str = "O-1", refs: tuple[str, ...] = ()) -> OrderRef:
    return OrderRef(client_order_id=client_order_id, symbol="EURUSD", venue_order_id=venue_order_id, refs=refs)


def submit(talk: Line, client_order_id: str = "O-1", **terms: Any) -> asyncio.Task[Any]:
    prepared = talk.venue.prepare(new_order(client_order_id, **terms))
    return asyncio.ensure_future(talk.venue.submit(prepared))


async def test_answers_find_their_requests_in_any_order():
    talk = line("final", aon_for_gtc=True)
    tasks = [submit(talk, f"O-{n}") for n in range(3)]
    await talk.asked(3)
    assert [sent["payload"]["clientOrderId"] for sent in talk.sent] == ["O-0", "O-1", "O-2"]
    for number in (2, 0, 1):
        talk.answer({"orderId": 100 + number, "status": "NEW"}, number=number)
    assert [(await task)[0] for task in tasks] == [Accepted("100"), Accepted("101"), Accepted("102")]


async def test_request_ids_never_repeat():
    one, other = line("draft"), line("draft")
    for talk in (one, other):
        submit(talk)
        submit(talk, "O-2")
        await talk.asked(2)
    ids = [sent["requestId"] for talk in (one, other) for sent in talk.sent]
    assert len(set(ids)) == 4


async def test_the_acknowledgement_binds_before_the_next_frame():
    """The draft's has nothing but an id: the update that names the order comes out of the very frame."""
    talk = line("draft")
    submit(talk)
    await talk.asked()
    (update,) = talk.answer({"orderId": 5, "status": "NEW"})
    assert (update.venue_order_id, update.client_order_id) == ("5", "O-1")
    assert update.refs == ("cid:O-1",)


@pytest.mark.parametrize("status", ["REJECTED", "rejected"])
async def test_acknowledged_as_rejected_is_a_refusal(status: str):
    talk = line("draft")
    task = submit(talk)
    await talk.asked()
    assert talk.answer({"orderId": 5, "status": status, "reason": "no money"}) == []
    assert (await task)[0] == Refused("no money")


async def test_acknowledged_as_something_else_is_looked_at():
    talk = line("draft")
    task = submit(talk)
    await talk.asked()
    update, readback = talk.answer({"orderId": 5, "status": "FILLED"})
    assert update.status is VenueStatus.WORKING
    assert readback.venue_order_id == "5"
    assert (await task)[0] == Accepted("5")


async def test_error_without_a_request_id_is_routed_by_its_event_if_that_is_clear():
    talk = line("final", aon_for_gtc=True)
    task = submit(talk)
    await talk.asked()
    talk.hear({"event": "error", "payload": {"event": "newordersingle", "error": "no money"}})
    assert (await task)[0] == Refused("no money")
    both = [submit(talk, "O-2"), submit(talk, "O-3")]
    await talk.asked(3)
    talk.hear({"event": "error", "payload": {"event": "newordersingle", "error": "no money"}})
    talk.hear({"event": "error", "payload": {"error": "no money"}})
    await asyncio.sleep(0)
    assert not any(task.done() for task in both)


async def test_error_that_cannot_be_read_refuses_all_the_same():
    talk = line("final", aon_for_gtc=True)
    task = submit(talk)
    await talk.asked()
    talk.hear({"event": "error", "requestId": talk.sent[0]["requestId"], "payload": "no"})
    outcome, _ = await task
    assert isinstance(outcome, Refused)


async def test_the_end_of_a_connection_leaves_every_outcome_unknown_at_once():
    talk = line("final", aon_for_gtc=True)
    tasks = [submit(talk), asyncio.ensure_future(talk.venue.cancel(ref()))]
    query = asyncio.ensure_future(talk.venue.look_up([ref()], 0))
    await talk.asked(3)
    (stream,) = talk.venue.streams()
    stream.ended()
    for task in tasks:
        outcome, updates = await task
        assert isinstance(outcome, Unknown)
        assert "connection ended" in outcome.reason
        assert updates == []
    with pytest.raises(TransientFeedError):
        await query
    # An answer of the old connection can never come; one that claims to be is nobody's.
    assert talk.answer({"orderId": 5, "status": "NEW"}, number=0) == []


async def test_a_late_answer_still_names_the_order():
    talk = line("draft", timeout_secs=0.05)
    task = submit(talk)
    await talk.asked()
    outcome, _ = await task
    assert isinstance(outcome, Unknown)
    assert "no answer" in outcome.reason
    (update,) = talk.answer({"orderId": 5, "status": "NEW"})
    assert (update.venue_order_id, update.client_order_id) == ("5", "O-1")


async def test_nothing_is_sent_without_a_connection():
    talk = line("draft")

    async def gone(frame: bytes | str) -> None:
        raise SendError("not connected")

    talk.venue.attach(gone)
    outcome, _ = await submit(talk)
    assert isinstance(outcome, Refused)
    assert "not sent" in outcome.reason
    # A cancel stays wanted: it is sent when there is a connection again.
    outcome, _ = await talk.venue.cancel(ref())
    assert isinstance(outcome, Unknown)
    assert "not sent" in outcome.reason


async def test_a_connection_that_breaks_while_sending_is_unknown():
    talk = line("draft")

    async def breaks(frame: bytes | str) -> None:
        raise OutcomeUnknown("broke")

    talk.venue.attach(breaks)
    assert (await submit(talk))[0] == Unknown("broke")


async def test_too_many_requests_are_not_sent_rather_than_late():
    talk = line("draft", requests_per_sec=1, timeout_secs=0.2)
    tasks = [submit(talk, f"O-{n}") for n in range(3)]
    outcomes = [(await task)[0] for task in tasks]
    assert len(talk.sent) < 3
    waited = [o for o in outcomes if isinstance(o, Refused)]
    assert len(waited) == 3 - len(talk.sent)
    assert all("not sent" in o.reason for o in waited)


async def test_an_unreadable_answer_is_unknown_and_a_fault():
    talk = line("final", aon_for_gtc=True)
    task = submit(talk)
    await talk.asked()
    with pytest.raises(FrameError):
        talk.answer({"orderId": [], "status": "NEW"})
    outcome, _ = await task
    assert isinstance(outcome, Unknown)
    assert "unreadable" in outcome.reason


async def test_an_answer_about_another_order_is_a_fault():
    talk = line("final")
    task = asyncio.ensure_future(talk.venue.cancel(ref("1")))
    await talk.asked()
    with pytest.raises(FrameError):
        talk.answer({"orderId": 2, "status": "CANCELED"})
    assert isinstance((await task)[0], Unknown)


async def test_an_answer_in_another_event_is_a_fault():
    talk = line("final")
    task = asyncio.ensure_future(talk.venue.cancel(ref("1")))
    await talk.asked()
    with pytest.raises(FrameError, match="answer to ordercancel"):
        talk.answer({"orderId": 1}, event="newordersingle")
    talk.answer({"orderId": 1, "status": "CANCELED"})
    assert (await task)[0] == Accepted("1")


@pytest.mark.parametrize("frame", [b"heartbeat", b"  heartbeat\n", b"ping", b"pong"])
def test_bare_words_are_no_fault(frame: bytes):
    assert line("draft").hear(frame) == []


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        b"\xff\xfe",
        b"{",
        b"[]",
        b'"text"',
        b"null",
        b"12",
        b'{"event":"maintenance","payload":{}}',
        b'{"event":null}',
        b'{"payload":{}}',
        b'{"event":"execution"}',
        b'{"event":"execution","payload":null}',
        b'{"event":"execution","payload":[]}',
        b'{"event":"execution","payload":{"status":"NEW"}}',
        b'{"event":"execution","payload":{"orderId":1}} // comment',
        b"garbage \x00 garbage",
        b"x" * 100,
    ],
)
def test_what_is_no_frame_of_the_protocol_is_refused(frame: bytes):
    with pytest.raises(FrameError):
        line("draft").hear(frame)


def test_the_answer_to_an_auth_message_may_be_anything_once():
    talk = line("final")
    (stream,) = talk.venue.streams()
    stream._on_auth()
    assert talk.hear(b'{"event":"welcome"}') == []
    with pytest.raises(FrameError):
        talk.hear(b'{"event":"welcome"}')


def test_after_an_auth_message_a_first_execution_is_an_execution():
    talk = line("final")
    (stream,) = talk.venue.streams()
    stream._on_auth()
    assert talk.hear({"event": "execution", "payload": {"orderId": 1, "status": "NEW"}})
    with pytest.raises(FrameError):
        talk.hear(b'{"event":"welcome"}')


# -- OCO answers ------------------------------------------------------------------------------------------------------


def pair(talk: Line) -> asyncio.Task[Any]:
    common: dict[str, Any] = {"contingency_type": ContingencyType.OCO, "params": {"aon": True}}
    first = new_order("O-1", linked_order_ids=("O-2",), **common)
    second = new_order("O-2", type=OrderType.STOP_MARKET, linked_order_ids=("O-1",), **common)
    return asyncio.ensure_future(talk.venue.submit_list([talk.venue.prepare(first), talk.venue.prepare(second)]))


@pytest.mark.parametrize(
    "rows",
    [
        [{"orderId": 1, "clientOrderId": "O-1"}, {"orderId": 2, "clientOrderId": "O-2"}],
        [{"orderId": 2, "clientOrderId": "O-2"}, {"orderId": 1, "clientOrderId": "O-1"}],
        [
            {"orderId": 2, "clientOrderId": "O-1", "type": "STOP"},
            {"orderId": 1, "clientOrderId": "O-1", "type": "LIMIT"},
        ],
        [{"orderId": 1, "clientOrderId": "O-1"}, {"orderId": 2, "clientOrderId": "O-1"}],
        [{"orderId": 1}, {"orderId": 2}],
    ],
    ids=["by id", "by id, swapped", "by type", "by position", "nothing told"],
)
async def test_rows_of_a_pair_find_their_legs(rows: list[dict[str, Any]]):
    talk = line("draft")
    task = pair(talk)
    await talk.asked()
    said = talk.answer([{**row, "status": "NEW"} for row in rows])
    assert [(u.venue_order_id, u.client_order_id) for u in said] == [("1", "O-1"), ("2", "O-2")]
    assert [outcome for outcome, _ in await task] == [Accepted("1"), Accepted("2")]


async def test_one_leg_of_a_pair_refused():
    talk = line("draft")
    task = pair(talk)
    await talk.asked()
    talk.answer(
        [
            {"orderId": 1, "clientOrderId": "O-1", "status": "NEW"},
            {"orderId": 2, "clientOrderId": "O-2", "status": "REJECTED", "reason": "price"},
        ]
    )
    assert [outcome for outcome, _ in await task] == [Accepted("1"), Refused("price")]


async def test_a_refused_pair_refuses_both():
    talk = line("draft")
    task = pair(talk)
    await talk.asked()
    talk.refuse("no money")
    assert [outcome for outcome, _ in await task] == [Refused("no money")] * 2


async def test_a_row_missing_is_unknown_for_both():
    talk = line("draft")
    task = pair(talk)
    await talk.asked()
    with pytest.raises(FrameError):
        talk.answer([{"orderId": 1, "status": "NEW"}])
    assert all(isinstance(outcome, Unknown) for outcome, _ in await task)


# -- looking orders up ------------------------------------------------------------------------------------------------


async def test_list_of_the_draft_is_matched_without_an_id():
    talk = line("draft")
    task = asyncio.ensure_future(talk.venue.resync([ref("1")], 0))
    await talk.asked()
    row = {"orderId": 1, "clientOrderId": "O-1", "type": "LIMIT", "price": 1.3, "origQty": 10000, "executedQty": 0}
    talk.hear({"event": "orders", "payload": [{**row, "status": "NEW"}, {"orderId": "bad row", "origQty": "x"}]})
    (update,) = (await task).updates
    assert (update.venue_order_id, update.price) == ("1", Decimal("1.3"))
    assert len(talk.sent) == 1


async def test_an_empty_list_proves_nothing():
    talk = line("final")
    task = asyncio.ensure_future(talk.venue.resync([ref("1")], 0))
    await talk.asked()
    talk.answer([])
    sent = await talk.asked(2)
    assert sent["event"] == Event.ORDER_STATUS.value
    assert sent["payload"] == {"orderId": 1}
    talk.refuse("ORDER_NOT_EXISTS")
    truth = await task
    assert truth.updates == []
    assert truth.absent == []  # it was acknowledged: then this answer is strange, not the order's end


async def test_an_order_never_acknowledged_is_absent_only_after_its_time():
    talk = line("final", aon_for_gtc=True, timeout_secs=0.1)
    task = submit(talk)
    await talk.asked()
    order = ref(None, refs=("cid:O-1",))
    for number, gone in ((1, False), (2, True)):
        looking = asyncio.ensure_future(talk.venue.look_up([order], 0))
        await talk.asked(number + 1)
        assert talk.sent[-1]["payload"] == {"clientOrderId": "O-1"}
        talk.refuse("ORDER_NOT_EXISTS")
        assert ((await looking).absent == [order]) is gone
        if not gone:
            await task
            await asyncio.sleep(0.1)


async def test_another_error_is_no_absence():
    talk = line("final", timeout_secs=0.05)
    await asyncio.sleep(0.06)
    looking = asyncio.ensure_future(talk.venue.look_up([ref(None)], 0))
    await talk.asked()
    talk.refuse("try later")
    assert (await looking).absent == []


async def test_a_leg_is_not_absent_while_its_sibling_hides_it():
    """A server that shows one client order id on both legs knows the second leg under the first one's."""
    talk = line("final", timeout_secs=0.05)
    await asyncio.sleep(0.06)
    leg = ref(None, "O-2", ("leg:O-2|STOP", "leg:O-1|STOP"))
    for type_, found in (("LIMIT", []), ("STOP", ["2"])):
        looking = asyncio.ensure_future(talk.venue.look_up([leg], 0))
        before = len(talk.sent)
        await talk.asked(before + 1)
        talk.refuse("ORDER_NOT_EXISTS")
        await talk.asked(before + 2)
        assert talk.sent[-1]["payload"] == {"clientOrderId": "O-1"}
        talk.answer({"orderId": 2, "clientOrderId": "O-1", "type": type_, "status": "NEW"})
        truth = await looking
        assert [u.venue_order_id for u in truth.updates] == found
        assert truth.absent == []


async def test_without_a_list_every_order_is_asked_for_by_its_id(caplog: pytest.LogCaptureFixture):
    talk = line("final")
    for turn in (0, 2):
        task = asyncio.ensure_future(talk.venue.resync([ref("1")], 0))
        await talk.asked(turn + 1)
        talk.refuse("not now")
        sent = await talk.asked(turn + 2)
        assert sent["payload"] == {"orderId": 1}
        talk.answer({"orderId": 1, "status": "NEW", "type": "LIMIT", "executedQty": 0})
        assert [u.venue_order_id for u in (await task).updates] == ["1"]
    assert sum("no list of orders" in message for message in caplog.messages) == 1


async def test_an_unanswered_list_is_no_reading():
    talk = line("final", timeout_secs=0.05)
    with pytest.raises(TransientFeedError, match="no answer to orders"):
        await talk.venue.resync([], 0)


async def test_draft_order_without_an_id_is_looked_for_in_the_list():
    talk = line("draft")
    task = asyncio.ensure_future(talk.venue.look_up([ref(None, refs=("cid:O-1",))], 0))
    sent = await talk.asked()
    assert sent["event"] == Event.ORDERS.value
    talk.hear({"event": "orders", "payload": []})
    truth = await task
    assert (truth.updates, truth.absent) == ([], [])


async def test_sole_login_takes_others_for_its_own():
    row = {"orderId": 9, "symbol": "EURUSD", "side": "BUY", "type": "LIMIT", "origQty": 1000, "executedQty": 0}
    for sole, found in ((False, []), (True, ["9"])):
        talk = line("final", sole_login=sole)
        assert talk.venue.capabilities.foreign_updates is not sole
        task = asyncio.ensure_future(talk.venue.resync([], 0))
        await talk.asked()
        talk.answer([{**row, "status": "NEW"}])
        assert [u.venue_order_id for u in (await task).updates] == found


async def test_a_listed_order_is_ours_only_if_no_other_could_be(caplog: pytest.LogCaptureFixture):
    """Another login's order may show the same client order id: of two alike none is taken, of another side neither."""
    row = {"clientOrderId": "O-1", "symbol": "EURUSD", "type": "LIMIT", "status": "NEW", "executedQty": 0}
    mine, alike = {**row, "orderId": 1, "side": "BUY"}, {**row, "orderId": 2, "side": "BUY"}
    other = {**row, "orderId": 3, "side": "SELL"}
    order = OrderRef(client_order_id="O-1", symbol="EURUSD", refs=("cid:O-1",), side=OrderSide.BUY, terms=new_order())
    for rows, found in (([mine, other], ["1"]), ([mine, alike], []), ([other], [])):
        talk = line("draft")
        task = asyncio.ensure_future(talk.venue.look_up([order], 0))
        await talk.asked()
        talk.hear({"event": "orders", "payload": rows})
        assert [u.venue_order_id for u in (await task).updates] == found
    assert "2 listed orders (1, 2) may be 'O-1'" in caplog.text
