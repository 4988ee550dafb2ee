"""What the parts of the execution client share: its attributes, set by `OrderFeedExecutionClient`.

The client is one class of the framework, and long; it is written in parts: its life (`execution_life.py`), its answers
to the engine (`execution_reports.py`), and what flows through it (`execution.py`).
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from nautilus_trader.model.identifiers import AccountId, ClientId
from nautilus_trader.model.identifiers import Venue as NtVenue

from nautilus_orderfeeds.adapter.account import AccountKeeper
from nautilus_orderfeeds.adapter.command_queue import CommandQueue
from nautilus_orderfeeds.adapter.commands import CommandDesk
from nautilus_orderfeeds.adapter.config import OrderFeedExecClientConfig
from nautilus_orderfeeds.adapter.contingency import BracketKeeper
from nautilus_orderfeeds.adapter.door import Door
from nautilus_orderfeeds.adapter.emitter import Emitter
from nautilus_orderfeeds.adapter.intake import Intake
from nautilus_orderfeeds.adapter.position_watch import PositionWatch
from nautilus_orderfeeds.adapter.reports import ReportBuilder
from nautilus_orderfeeds.adapter.resolver import Resolver
from nautilus_orderfeeds.adapter.sync import Synchronizer
from nautilus_orderfeeds.feed.errors import FatalFeedError
from nautilus_orderfeeds.feed.health import Health
from nautilus_orderfeeds.feed.recorder import FrameRecorder
from nautilus_orderfeeds.feed.session_base import SessionBase
from nautilus_orderfeeds.orders.inference import Rules
from nautilus_orderfeeds.orders.journal import Journal
from nautilus_orderfeeds.orders.tracker import OrderTracker, TrackedOrder
from nautilus_orderfeeds.venues.base import Venue, VenueMessage


class ExecutionParts:
    """Attributes of `OrderFeedExecutionClient`."""

    id: ClientId
    account_id: AccountId
    base_currency: Any
    _account: AccountKeeper
    _cache: Any
    _clock: Any
    _commands: CommandQueue
    _config: OrderFeedExecClientConfig
    _desk: CommandDesk
    _door: Door
    _emitter: Emitter
    _held: list[VenueMessage] | None
    _instrument_provider: Any
    _intake: Intake
    _journal: Journal | None
    _keeper: BracketKeeper
    _last_cause: str
    _log: Any
    _loop: asyncio.AbstractEventLoop
    _msgbus: Any
    _nt_venue: NtVenue
    _positions: PositionWatch
    _recorder: FrameRecorder | None
    _reports: ReportBuilder
    _resolver: Resolver
    _restored: bool
    _rng: random.Random
    _rules: dict[str, Rules]
    _sessions: list[SessionBase]
    _synchronizer: Synchronizer
    _timer: asyncio.Task[None] | None
    _sync_task: asyncio.Task[None] | None
    _tracker: OrderTracker
    _venue: Venue
    venue: NtVenue

    if TYPE_CHECKING:

        def handle_frame(self, raw: bytes) -> None:
            """Take in one frame."""

        def handle_message(self, message: VenueMessage) -> None:
            """Take in one decoded message."""

        def rules_of(self, symbol: str) -> Rules | None:
            """Return the reducer's rules of a symbol."""

        def _last_quote(self, tracked: TrackedOrder) -> Decimal | None: ...

        def _cancel_revenant(self, tracked: TrackedOrder) -> None: ...

        def _queue(self, name: str, run: Callable[[], Awaitable[None]]) -> None: ...

        def _on_fatal(self, error: FatalFeedError) -> None: ...

        def _publish_health(self, health: Health) -> None: ...

        async def _gate(self) -> None: ...

        async def _resync(self) -> None: ...

        async def _resync_later(self) -> None: ...

        async def _run_timer(self) -> None: ...

        async def _await_account_registered(self, timeout_secs: float = 30.0, log_registered: bool = True) -> None: ...
