"""Our BSX client at venue servers of somebody else's making (`bsx_server`): refusals, silence, outages, restarts."""

from decimal import Decimal

import msgspec
import pytest
from nautilus_trader.model.enums import OrderStatus

from tests.foreign.bsx_desk import trading
from tests.foreign.bsx_server import OPTIONAL, Ways, foreign_bsx

REFUSALS = {
    "error": (400, "application/json", '{"error":"insufficient margin"}'),
    "nested error": (422, "application/json", '{"error":{"code":3,"message":"insufficient margin"}}'),
    "code as text": (403, "application/json", '{"code":"MARGIN","msg":"insufficient margin"}'),
    "detail": (409, "application/json", '{"status":"fail","detail":"insufficient margin"}'),
    "plain text": (400, "text/plain", "insufficient margin"),
}
#: An answer that may come from something in between is no evidence.
NO_EVIDENCE = {
    "nothing": (400, "text/plain", ""),
    "a page": (404, "text/html", "<html>not found</html>"),
    "broken": (500, "application/json", '{"error":"insufficient margin"}'),
}


@pytest.mark.parametrize("refusal", REFUSALS.values(), ids=REFUSALS)
async def test_a_refusal_in_other_words(refusal):
    async with foreign_bsx(Ways(refusal=refusal)) as server, trading(server) as desk:
        order = desk.limit(qty="6")
        await desk.until(order, OrderStatus.REJECTED)
        assert "margin" in desk.run.order_events(order.client_order_id)[-1].reason


@pytest.mark.parametrize("refusal", NO_EVIDENCE.values(), ids=NO_EVIDENCE)
async def test_what_is_no_evidence_rejects_nothing(refusal):
    async with foreign_bsx(Ways(refusal=refusal, missing=OPTIONAL)) as server, trading(server) as desk:
        order = desk.limit(qty="6")
        await desk.run.until(lambda: server.calls.count(("GET", "/orders")) > 4, "questions about the order")
        assert order.status == OrderStatus.SUBMITTED
        assert server.calls.count(("POST", "/orders")) == 1
        # Then it shows that it was taken.
        late = server.new(size="6", nonce=str(int(server.asked[-1]["nonce"])))
        await server.open(late)
        await desk.until(order, OrderStatus.ACCEPTED)


@pytest.mark.parametrize("create", ["full", "id"])
async def test_without_any_news_on_the_stream(create):
    ways = Ways(streams=False, create=create, missing=OPTIONAL)
    async with foreign_bsx(ways) as server, trading(server, audit_interval_secs=0.5) as desk:
        filled, canceled = desk.limit(), desk.limit(px="49000")
        await desk.until(filled, OrderStatus.ACCEPTED)
        await desk.until(canceled, OrderStatus.ACCEPTED)
        await server.fill(desk.at_venue(filled), "0.004")
        await desk.until(filled, OrderStatus.PARTIALLY_FILLED)
        assert desk.names(filled) == ["Initialized", "Submitted", "Accepted", "Filled"]


@pytest.mark.parametrize("ways", [{}, {"trades": "absent", "echoes": False}], ids=["told", "hardly told"])
async def test_what_happened_while_away(ways):
    async with foreign_bsx(Ways(**ways)) as server, trading(server) as desk:
        partly, ended, canceled = desk.limit(), desk.limit(), desk.limit()
        for order in (partly, ended, canceled):
            await desk.until(order, OrderStatus.ACCEPTED)
        await server.fill(desk.at_venue(partly), "0.002")
        await desk.until(partly, OrderStatus.PARTIALLY_FILLED)
        ways_back, server.ways.streams = server.ways.streams, False
        await server.fill(desk.at_venue(partly), "0.003")
        await server.fill(desk.at_venue(ended), "0.01")
        await server.end(desk.at_venue(canceled), "user")
        server.ways.streams = ways_back
        await server.drop_all()
        await desk.until(ended, OrderStatus.FILLED)
        await desk.until(canceled, OrderStatus.CANCELED)
        await desk.run.until(lambda: partly.filled_qty == Decimal("0.005"), "the second part")
        await server.fill(desk.at_venue(partly), "0.005")
        await desk.until(partly, OrderStatus.FILLED)
        assert [f.last_qty.as_decimal() for f in desk.fills(partly)] == [
            Decimal(q) for q in ("0.002", "0.003", "0.005")
        ]
        assert len(desk.fills(ended)) == 1


@pytest.mark.parametrize(
    "ways", [{}, {"missing": OPTIONAL}, {"trades": "absent"}], ids=["all", "few calls", "no trades"]
)
async def test_a_restart_tells_no_fill_twice(ways, tmp_path):
    journal = str(tmp_path / "journal.db")
    async with foreign_bsx(Ways(**ways)) as server:
        async with trading(server, journal=journal) as desk:
            order = desk.limit()
            await desk.until(order, OrderStatus.ACCEPTED)
            await server.fill(desk.at_venue(order), "0.004")
            await desk.until(order, OrderStatus.PARTIALLY_FILLED)
            order_id, at_venue = order.client_order_id, desk.at_venue(order)
        await server.fill(at_venue, "0.001")
        async with trading(server, journal=journal) as desk:
            again = desk.run.cache.order(order_id)
            await desk.run.until(lambda: again.filled_qty == Decimal("0.005"), "what was filled meanwhile")
            await server.fill(at_venue, "0.005")
            await desk.until(again, OrderStatus.FILLED)
            assert len(again.trade_ids) == 3


async def test_instruments_of_a_file_without_a_listing(tmp_path):
    """As `type(i).to_dict(i)` writes them, with as little of the venue's own in `info` as will do."""
    path = tmp_path / "instruments.json"
    async with foreign_bsx() as server, trading(server) as desk:
        row = type(desk.instrument).to_dict(desk.instrument)
    # Where nothing else numbers the product, the file must: a wrong number would trade another product.
    for missing, info in (({"/products"}, {"product_index": 1}), (set(), {})):
        path.write_bytes(msgspec.json.encode([row | {"info": info}]))
        async with foreign_bsx(Ways(missing=missing)) as server, trading(server, instruments=str(path)) as desk:
            order = desk.limit()
            await desk.until(order, OrderStatus.ACCEPTED)
            assert server.asked[-1]["product_index"] == 1
