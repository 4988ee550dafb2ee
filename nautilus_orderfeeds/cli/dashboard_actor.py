"""The dashboard inside a trading node: an actor that shows what goes over the node's message bus.

::

    node.trader.add_actor(DashboardActor(DashboardActorConfig(port=8080, journals=("BSX-001.sqlite",))))

It reads only: it gives no command and publishes nothing. If it cannot listen, it says so in the node's log, and the
node trades on.
"""

import asyncio
import importlib.util
from collections import deque
from decimal import Decimal
from typing import Any, Final

from nautilus_trader.common.actor import Actor
from nautilus_trader.common.config import ActorConfig
from nautilus_trader.model.enums import liquidity_side_to_str, order_side_to_str
from nautilus_trader.model.events import OrderFilled

from nautilus_orderfeeds.adapter.custom_data import FEED_HEALTH, FeedHealth
from nautilus_orderfeeds.adapter.lifecycle import OrderLifecycles
from nautilus_orderfeeds.cli.dashboard import is_loopback
from nautilus_orderfeeds.cli.watch_model import SHOWN, Blotter, FeedLine, FillLine, ordered
from nautilus_orderfeeds.orders.words import LiquiditySide, OrderSide

_HEALTH_TOPIC: Final = f"data.{FEED_HEALTH.topic}"
_FILLS_TOPIC: Final = "events.order.*"


class BusSource:
    """A blotter of what a node's message bus tells, from the start of this on.

    Parameters
    ----------
    title : str
        Heading of the blotter.
    msgbus : MessageBus
        The node's.
    """

    def __init__(self, title: str, msgbus: Any) -> None:
        self.msgbus = msgbus
        self._title = title
        self._lives = OrderLifecycles(max_completed=SHOWN)
        self._fills: deque[FillLine] = deque(maxlen=SHOWN)
        self._health: dict[tuple[str, str], FeedHealth] = {}
        self._changed = True

    @property
    def blotter(self) -> Blotter:
        """The present picture."""
        return Blotter(
            title=self._title,
            account=", ".join(sorted({client_id for client_id, _ in self._health})),
            orders=ordered(list(self._lives)),
            fills=list(reversed(self._fills)),
            feeds=[_feed_line(health) for health in self._health.values()],
        )

    def poll(self) -> bool:
        """Return whether anything has changed since the last look."""
        changed, self._changed = self._changed, False
        return changed

    async def start(self) -> None:
        """Listen from now on."""
        self.attach()

    async def stop(self) -> None:
        """Listen no more; idempotent."""
        self.detach()

    async def settled(self, timeout_secs: float) -> bool:
        """What the bus has told is all there is."""
        return True

    def attach(self) -> None:
        """Listen from now on."""
        self._lives.listen(lambda _life, _moves: self._note())
        self._lives.attach(self)
        self.msgbus.subscribe(topic=_HEALTH_TOPIC, handler=self._on_health)
        self.msgbus.subscribe(topic=_FILLS_TOPIC, handler=self._on_order_event)

    def detach(self) -> None:
        """Listen no more; idempotent."""
        self._lives.detach()
        self.msgbus.unsubscribe(topic=_HEALTH_TOPIC, handler=self._on_health)
        self.msgbus.unsubscribe(topic=_FILLS_TOPIC, handler=self._on_order_event)

    def _note(self) -> None:
        self._changed = True

    def _on_health(self, health: FeedHealth) -> None:
        self._health[health.client_id, health.stream] = health
        self._changed = True

    def _on_order_event(self, event: Any) -> None:
        if isinstance(event, OrderFilled):
            self._fills.append(_fill_line(event))
            self._changed = True


def _fill_line(event: OrderFilled) -> FillLine:
    last_qty: Decimal = event.last_qty.as_decimal()
    return FillLine(
        recorded_ns=event.ts_init,
        client_order_id=event.client_order_id.value,
        symbol=event.instrument_id.symbol.value,
        side=OrderSide[order_side_to_str(event.order_side)],
        last_qty=last_qty,
        last_px=event.last_px.as_decimal(),
        commission=event.commission.as_decimal(),
        commission_currency=event.commission.currency.code,
        liquidity_side=LiquiditySide[liquidity_side_to_str(event.liquidity_side)],
        inferred=bool((event.info or {}).get("inferred", False)),
    )


def _feed_line(health: FeedHealth) -> FeedLine:
    return FeedLine(
        name=health.stream,
        state=health.state,
        last_frame_ns=health.last_frame_ns,
        connects=health.connects,
        gaps=health.gaps,
        malformed_frames=health.malformed_frames,
        detail=health.detail,
    )


class DashboardActorConfig(ActorConfig, frozen=True):
    """Configuration of `DashboardActor`.

    Parameters
    ----------
    host, port : str, int
        Where to listen; port 0 takes a free one. There is no login.
    allow_remote : bool
        Must be true for a host that other machines can reach.
    journals : tuple[str, ...]
        Journals to draw the timelines of orders from.
    """

    host: str = "127.0.0.1"
    port: int = 8080
    allow_remote: bool = False
    journals: tuple[str, ...] = ()


class DashboardActor(Actor):
    """Serves the dashboard from inside a live node.

    Parameters
    ----------
    config : DashboardActorConfig
        Where to listen, and what to draw timelines from.
    """

    def __init__(self, config: DashboardActorConfig) -> None:
        super().__init__(config)
        self._source: BusSource | None = None
        self._server: Any = None
        self._task: asyncio.Task[None] | None = None

    @property
    def url(self) -> str | None:
        """Where the dashboard is; None while it is not served."""
        return None if self._server is None else str(self._server.url)

    def on_start(self) -> None:
        """Listen to the bus and serve; a dashboard that cannot be served never stops the node."""
        config = self.config
        if importlib.util.find_spec("nicegui") is None:
            self.log.error(
                "The dashboard needs NiceGUI: pip install 'orderfeeds-nt-community[dashboard]' (in a clone: make tools)"
            )
            return
        from nautilus_orderfeeds.cli.dashboard_server import DashboardServer

        if not is_loopback(config.host) and not config.allow_remote:
            self.log.error(f"Dashboard: {config.host} can be reached from other machines: set allow_remote, or do not")
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self.log.error("The dashboard is for live nodes: here no event loop runs")
            return
        source = BusSource(self.trader_id.value, self.msgbus)
        try:
            self._server = DashboardServer([source], config.host, config.port, config.journals)
        except OSError as e:
            self.log.error(f"Dashboard: cannot listen on {config.host}:{config.port}: {e.strerror or e}")
            return
        self._source = source
        source.attach()
        self._task = loop.create_task(self._server.run(), name="dashboard")
        self._task.add_done_callback(self._on_end)
        self.log.info(f"Dashboard: {self._server.url}")

    def _on_end(self, task: "asyncio.Task[None]") -> None:
        if not task.cancelled() and task.exception() is not None:
            self.log.error(f"Dashboard: ended by {task.exception()!r}; the node goes on")

    def on_stop(self) -> None:
        """Serve no more."""
        if self._source is not None:
            self._source.detach()
            self._source = None
        if self._server is not None:
            self._server.stop()
            self._server = None
