import asyncio, pytest
from decimal import Decimal
from nautilus_trader.config import StrategyConfig
from nautilus_trader.model.enums import OrderSide, TimeInForce, OrderStatus
from nautilus_trader.model.identifiers import InstrumentId, AccountId
from nautilus_trader.trading.strategy import Strategy
from nautilus_orderfeeds.sim import simulate
from nautilus_orderfeeds.cli.compare import compare
from nautilus_orderfeeds.venues.acttrader import ActTraderLiveExecClientFactory, ActTraderLiveDataClientFactory
from tests.support.nodes import running_node, node_config
IID = InstrumentId.from_str("EURUSD.ACTTRADER")

@pytest.mark.parametrize("dialect", ["draft", "final"])
async def test_smoke(dialect):
    async with simulate("acttrader", seed=3, market_flow=False, dialect=dialect) as sim:
        cfg = sim.exec_config(aon_for_gtc=True, requests_per_sec=500, audit_interval_secs=1.0)
        print(cfg)
        s = Strategy(StrategyConfig(strategy_id="S", order_id_tag="1"))
        node = node_config({"ACTTRADER": cfg}, {"ACTTRADER": sim.data_config()}, inflight_check_interval_ms=0, log_level="INFO")
        async with running_node(node, exec_factories={"ACTTRADER": ActTraderLiveExecClientFactory}, data_factories={"ACTTRADER": ActTraderLiveDataClientFactory}, strategies=(s,)) as run:
            inst = run.cache.instrument(IID)
            s.subscribe_quote_ticks(IID)
            bid, ask = sim.market.best("EURUSD")
            f = s.order_factory
            a = f.limit(IID, OrderSide.BUY, inst.make_qty(10000), inst.make_price(bid))
            m = f.market(IID, OrderSide.BUY, inst.make_qty(5000))
            g = f.limit(IID, OrderSide.SELL, inst.make_qty(10000), inst.make_price(ask), time_in_force=TimeInForce.GTD, expire_time=s.clock.utc_now() + __import__("pandas").Timedelta(seconds=1))
            st = f.stop_market(IID, OrderSide.SELL, inst.make_qty(10000), inst.make_price(bid - Decimal("0.01")))
            for o in (a, m, g, st): s.submit_order(o)
            await run.until(lambda: m.status == OrderStatus.FILLED and a.is_open and st.is_open, "filled")
            s.modify_order(a, price=inst.make_price(bid - Decimal("0.0005")))
            s.modify_order(st, trigger_price=inst.make_price(bid - Decimal("0.02")))
            await run.until(lambda: a.price.as_decimal() == bid - Decimal("0.0005") and st.trigger_price.as_decimal() == bid - Decimal("0.02"), "modified")
            s.cancel_order(a); s.cancel_order(st)
            await run.until(lambda: a.status == OrderStatus.CANCELED and g.status == (OrderStatus.EXPIRED if dialect=="final" else OrderStatus.CANCELED) and st.is_closed, lambda: f"cancel {a} {g} {st}")
            await run.until(lambda: run.cache.quote_tick(IID) is not None, "quote")
            for o in (a, m, g, st): print([type(e).__name__ for e in o.events], o.last_event)
            print(compare(sim, run.cache, "ACTTRADER", AccountId("ACTTRADER-001")).differences)
            print([ (r.path, r.status) for r in sim.requests])
            print(run.cache.account(AccountId("ACTTRADER-001")))

@pytest.mark.parametrize("dialect", ["draft", "final"])
async def test_oco_bracket(dialect):
    async with simulate("acttrader", seed=3, market_flow=False, dialect=dialect) as sim:
        cfg = sim.exec_config(aon_for_gtc=True, requests_per_sec=500, audit_interval_secs=1.0)
        s = Strategy(StrategyConfig(strategy_id="S", order_id_tag="1"))
        node = node_config({"ACTTRADER": cfg}, inflight_check_interval_ms=0, log_level="INFO")
        async with running_node(node, exec_factories={"ACTTRADER": ActTraderLiveExecClientFactory}, strategies=(s,)) as run:
            inst = run.cache.instrument(IID)
            bid, ask = sim.market.best("EURUSD")
            f = s.order_factory
            ol = f.bracket(IID, OrderSide.BUY, inst.make_qty(10000), sl_trigger_price=inst.make_price(bid-Decimal("0.01")), tp_price=inst.make_price(ask+Decimal("0.001")), tp_post_only=False)
            s.submit_order_list(ol)
            e, *kids = ol.orders
            await run.until(lambda: e.status == OrderStatus.FILLED and all(k.is_open and k.venue_order_id.value.isdigit() for k in kids), lambda: f"{ol.orders}", 5)
            tp = next(k for k in kids if k.has_price)
            from nautilus_orderfeeds.sim.model import Side
            sim.market.trade("EURUSD", tp.price.as_decimal(), Decimal(10000), Side.BUY)
            await run.until(lambda: all(k.is_closed for k in kids), lambda: f"{ol.orders}", 5)
            for o in ol.orders: print([type(x).__name__ for x in o.events], o)
            print([ (r.path, r.status) for r in sim.requests])
            print(compare(sim, run.cache, "ACTTRADER", AccountId("ACTTRADER-001")).differences)
