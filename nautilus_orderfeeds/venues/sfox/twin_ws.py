"""The WebSocket of the simulated sFOX: authentication and subscriptions (protocol 3, 8.1, 9)."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from nautilus_orderfeeds.sim.connection import Connection, decode_json
from nautilus_orderfeeds.sim.faults import FaultInjector
from nautilus_orderfeeds.sim.later import Later
from nautilus_orderfeeds.sim.server import SimServer, WsEndpoint
from nautilus_orderfeeds.venues.sfox.twin_accounts import Funds, Key, Keyring
from nautilus_orderfeeds.venues.sfox.twin_gate import EVERYBODY
from nautilus_orderfeeds.venues.sfox.twin_limits import MAX_CONNECTIONS, Limit, Limits
from nautilus_orderfeeds.venues.sfox.twin_options import SfoxTwinOptions
from nautilus_orderfeeds.venues.sfox.twin_outbox import AccountOutbox, enterprise_feed, own_feed
from nautilus_orderfeeds.venues.sfox.twin_public import MarketFeeds, is_market_feed
from nautilus_orderfeeds.venues.sfox.twin_sender import Sender
from nautilus_orderfeeds.venues.sfox.twin_views import Records
from nautilus_orderfeeds.venues.sfox.twin_wire import Wire
from nautilus_orderfeeds.venues.sfox.twin_words import Channel, InitialList

_SETTLEMENT = "private.user.post-trade-settlement"
_ONBOARDING = "private.enterprise.users"
_OWN = {own_feed(channel): channel for channel in Channel}
_ENTERPRISE = {enterprise_feed(channel): channel for channel in Channel}
_NO_CREDIT = {
    "enabled": False,
    "equity": "0",
    "equity_for_withdrawals": "0",
    "exposure": "0",
    "available_exposure": "0",
    "exposure_limit": "0",
    "liquidation_level": "0",
}


class SfoxStream(WsEndpoint):
    """The endpoint behind `/ws`."""

    def __init__(
        self,
        server: SimServer,
        keyring: Keyring,
        limits: Limits,
        sender: Sender,
        outbox: AccountOutbox,
        records: Records,
        funds: Funds,
        wire: Wire,
        market_feeds: MarketFeeds,
        options: SfoxTwinOptions,
        later: Later,
    ) -> None:
        self._server = server
        self._faults: FaultInjector = server.faults
        self._keyring = keyring
        self._limits = limits
        self._sender = sender
        self._outbox = outbox
        self._records = records
        self._funds = funds
        self._wire = wire
        self._market_feeds = market_feeds
        self._options = options
        self._later = later

    async def admit(self, request: web.Request) -> web.StreamResponse | None:
        """Refuse during maintenance (503), beyond ten connections or while blocked (429)."""
        if self._options.maintenance:
            return web.json_response({"error": "service unavailable: maintenance"}, status=503)
        if not self._options.ws_limits:
            return None
        is_full = len(self._server.connections) >= MAX_CONNECTIONS
        if is_full or self._limits.is_blocked(Limit.WEBSOCKET, EVERYBODY):
            return web.json_response({"error": "too many requests"}, status=429)
        return None

    async def opened(self, connection: Connection) -> None:
        """Nothing is said; whoever does not subscribe in time is closed."""
        connection.answers_pings = self._options.answer_pings

        def close_if_idle() -> None:
            if not connection.subscriptions:
                connection.close()

        self._later.once(self._options.subscribe_timeout_secs, close_if_idle)

    async def received(self, connection: Connection, message: str | bytes) -> None:
        """Dispatch one client message."""
        if self._options.ws_limits and self._limits.wait_secs(Limit.WEBSOCKET, EVERYBODY) > 0:
            self._sender.error(connection, "limit", "too many requests")
            if self._options.ws_limit_closes:
                connection.close()
            return
        body = decode_json(message)
        if not isinstance(body, dict):
            self._sender.error(connection, "", "invalid message")
            return
        match body.get("type"):
            case "authenticate":
                self._authenticate(connection, body)
            case "subscribe":
                self._subscribe(connection, body.get("feeds"))
            case "unsubscribe":
                self._unsubscribe(connection, body.get("feeds"))
            case other:
                self._sender.error(connection, str(other), "unknown type")

    # -- authentication -------------------------------------------------------------------------------------

    def _authenticate(self, connection: Connection, body: dict[str, Any]) -> None:
        key = self._keyring.find(body.get("apiKey"))
        flag = body.get("enterprise", False)
        wants_enterprise = flag is True or flag == "true"
        is_malformed = not wants_enterprise and flag is not False and flag != "false"
        if key is None or is_malformed or not self._may_log_in(key, wants_enterprise):
            self._sender.error(connection, "authenticate", "invalid apiKey")
            return
        connection.account = key.account
        connection.info["enterprise"] = wants_enterprise
        self._sender.success(connection, "authenticate")

    def _may_log_in(self, key: Key, wants_enterprise: bool) -> bool:
        if key.is_user_token and not self._options.user_token_on_ws:
            return False
        return key.is_enterprise or not wants_enterprise

    # -- subscriptions --------------------------------------------------------------------------------------

    def _subscribe(self, connection: Connection, feeds: Any) -> None:
        if not isinstance(feeds, list) or not feeds or not all(isinstance(feed, str) for feed in feeds):
            self._sender.error(connection, "subscribe", "feeds must be a list of names")
            return
        refused = [feed for feed in feeds if not self._may_subscribe(connection, feed)]
        if refused:
            self._sender.error(connection, "subscribe", f"cannot subscribe to {refused[0]}")
            return
        new = [feed for feed in dict.fromkeys(feeds) if (feed,) not in connection.subscriptions]
        connection.subscriptions.update((feed,) for feed in new)
        self._sender.success(connection, "subscribe", _feeds(connection))
        for feed in new:
            self._greet(connection, feed)

    def _unsubscribe(self, connection: Connection, feeds: Any) -> None:
        if not isinstance(feeds, list) or not all(isinstance(feed, str) for feed in feeds):
            self._sender.error(connection, "unsubscribe", "feeds must be a list of names")
            return
        connection.subscriptions.difference_update((feed,) for feed in feeds)
        self._sender.success(connection, "unsubscribe", _feeds(connection))

    def _may_subscribe(self, connection: Connection, feed: str) -> bool:
        if is_market_feed(feed):
            return connection.account is not None or not self._options.market_data_needs_auth
        if feed in _OWN or feed == _SETTLEMENT:
            return connection.account is not None
        return bool(connection.info.get("enterprise")) and (feed in _ENTERPRISE or feed == _ONBOARDING)

    def _greet(self, connection: Connection, feed: str) -> None:
        """What follows a subscription: a book, or the initial list of a private feed."""
        if is_market_feed(feed):
            self._market_feeds.greet(connection, feed)
        elif feed == _SETTLEMENT:
            self._sender.data(connection, feed, _NO_CREDIT, "settlement")
        elif feed in _OWN:
            assert connection.account is not None
            self._greet_account(connection, connection.account, _OWN[feed], is_enterprise=False)
        elif feed in _ENTERPRISE:
            for owner in list(self._keyring.owners.values()):
                if owner.is_user:
                    self._greet_account(connection, owner.name, _ENTERPRISE[feed], is_enterprise=True)

    def _greet_account(self, connection: Connection, account: str, channel: Channel, *, is_enterprise: bool) -> None:
        rows: list[dict[str, object]]
        match channel:
            case Channel.ORDERS:
                wanted = self._options.initial_user_orders if is_enterprise else self._options.initial_orders
                views = self._records.shown(account, self._faults.lag("orders/initial"))
                rows = [self._wire.feed_order(view) for view in views if view.status.is_open]
            case Channel.TRADES:
                wanted = self._options.initial_trades
                rows = [self._wire.feed_trade(trade) for trade in self._records.trades(account)]
            case Channel.BALANCES:
                wanted = self._options.initial_balances
                rows = self._wire.feed_balances(account, self._funds.currencies())
        if wanted is InitialList.ALWAYS or (wanted is InitialList.IF_ANY and rows):
            self._outbox.greet(connection, account, channel, rows, is_enterprise=is_enterprise)


def _feeds(connection: Connection) -> list[str]:
    return sorted(name for (name,) in connection.subscriptions)
