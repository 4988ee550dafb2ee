"""The custom data goes into and comes out of a ParquetDataCatalog, and reaches an actor over the bus."""

from decimal import Decimal
from pathlib import Path
from typing import Any

from nautilus_trader.common.actor import Actor
from nautilus_trader.model.data import DataType
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.persistence.catalog import ParquetDataCatalog

from nautilus_orderfeeds.adapter.custom_data import FeedHealth, OrderFeedUpdate, VenueEvent
from nautilus_orderfeeds.sim import simulate
from nautilus_orderfeeds.sim.model import Side
from nautilus_orderfeeds.venues.bsx import BsxLiveExecClientFactory
from tests.support.nodes import exec_tester, node_config, running_node

IID = InstrumentId.from_str("BTC-PERP.BSX")


def update(n: int) -> OrderFeedUpdate:
    return OrderFeedUpdate(
        ts_event=n,
        ts_init=n + 1,
        instrument_id=IID,
        client_order_id=f"O-{n}",
        venue_order_id="V",
        source="STREAM",
        venue_status="WORKING",
        order_status="ACCEPTED",
        quantity="0.018000000000000001",
        filled_qty="0",
        leaves_qty="0.018000000000000001",
        avg_px="",
        unexplained_qty="0",
        events="OrderAccepted",
        reason="",
    )


def test_catalog_round_trip(tmp_path: Path) -> None:
    catalog = ParquetDataCatalog(str(tmp_path))
    updates = [update(n) for n in range(1, 6)]
    healths = [
        FeedHealth(
            ts_event=n,
            ts_init=n,
            client_id="BSX",
            stream="BSX orders",
            state="LIVE",
            last_frame_ns=n,
            connects=1,
            gaps=0,
            malformed_frames=0,
            detail="",
        )
        for n in range(1, 4)
    ]
    venue = [VenueEvent(ts_event=7, ts_init=7, client_id="BSX", kind="LIQUIDATION", body='{"size":"1.0"}')]

    for data in (updates, healths, venue):
        catalog.write_data(data)

    back = [_data(item) for item in catalog.query(OrderFeedUpdate)]
    assert [item.to_dict() for item in back] == [item.to_dict() for item in updates]
    assert Decimal(back[0].quantity) == Decimal("0.018000000000000001")
    assert [_data(h).state for h in catalog.query(FeedHealth)] == ["LIVE"] * 3
    assert [_data(v).values for v in catalog.query(VenueEvent)] == [{"size": "1.0"}]


def _data(item: Any) -> Any:
    return getattr(item, "data", item)


class Watcher(Actor):
    """Keeps all custom data it is sent."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[Any] = []

    def on_start(self) -> None:
        for kind in (OrderFeedUpdate, FeedHealth, VenueEvent):
            self.subscribe_data(DataType(kind))

    def on_data(self, data: Any) -> None:
        self.seen.append(data)


async def test_actor_hears_updates_and_health() -> None:
    async with simulate("bsx", seed=1, market_flow=False) as sim:
        watcher = Watcher()
        tester = exec_tester(IID, "0.01")
        config = node_config({"BSX": sim.exec_config(requests_per_sec=500, stale_after_secs=0.5)})
        async with running_node(
            config, exec_factories={"BSX": BsxLiveExecClientFactory}, strategies=(tester,), actors=(watcher,)
        ) as run:
            await run.until(lambda: run.exec_client("BSX")._intake._publishing, "the client to see the subscription")
            order = sim.place_external("BTC-PERP", side=Side.BUY, size="0.01", price="60000")
            await run.until(
                lambda: [u for u in watcher.seen if isinstance(u, OrderFeedUpdate)], "an update of the order"
            )
            (first, *_) = [u for u in watcher.seen if isinstance(u, OrderFeedUpdate)]
            assert first.instrument_id == IID
            assert first.venue_order_id == order.venue_order_id
            sim.disconnect_all(abort=True)
            await run.until(
                lambda: [h.state for h in watcher.seen if isinstance(h, FeedHealth)][-1:] == ["LIVE"], "LIVE again"
            )
            states = [h.state for h in watcher.seen if isinstance(h, FeedHealth)]
            assert "CONNECTING" in states
            assert "RESYNCING" in states
            assert [h for h in watcher.seen if isinstance(h, FeedHealth)][-1].is_live
