"""
Who gets which private message of the simulated sFOX, and when (protocol 8.2-8.5).

A message belongs to an account and a channel. It goes to the connections that are logged in to that account
(`private.user.*`) and, for an end user, to those of the enterprise key (`private.enterprise.users.*`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from nautilus_orderfeeds.sim.connection import Connection, encode_json
from nautilus_orderfeeds.sim.outbox import Outbox
from nautilus_orderfeeds.venues.sfox.twin_accounts import Owner
from nautilus_orderfeeds.venues.sfox.twin_options import SfoxTwinOptions
from nautilus_orderfeeds.venues.sfox.twin_sender import Sender
from nautilus_orderfeeds.venues.sfox.twin_words import Channel, EnterpriseTrades, PayloadShape

Row = dict[str, object]
_NAMES = {Channel.ORDERS: "orders", Channel.TRADES: "trades", Channel.BALANCES: "balances"}


def own_feed(channel: Channel) -> str:
    """The feed of the account that is logged in."""
    return f"private.user.{channel.value}"


def enterprise_feed(channel: Channel) -> str:
    """The feed of all end users of an enterprise key."""
    return f"private.enterprise.users.{channel.value}"


@dataclass(frozen=True, slots=True)
class Message:
    """
    Rows for everyone who listens to an account's channel.

    `rows` are what the own feed lists, `all_rows` what the enterprise feed lists (all balances, for one).
    """

    rows: list[Row]
    all_rows: list[Row]
    names: tuple[str, ...]


class AccountOutbox(Outbox[tuple[str, Channel], Message]):
    """
    Sends private messages, or keeps those of an account's channels back for a while.

    Parameters
    ----------
    sender : Sender
    owners : Mapping[str, Owner]
        By account.
    options : SfoxTwinOptions
    """

    def __init__(self, sender: Sender, owners: Mapping[str, Owner], options: SfoxTwinOptions) -> None:
        super().__init__(self._deliver)
        self._sender = sender
        self._owners = owners
        self._options = options

    def tell(
        self,
        account: str,
        channel: Channel,
        rows: list[Row],
        *kinds: str,
        all_rows: list[Row] | None = None,
        kind: str = "update",
    ) -> None:
        """Send rows to whoever listens; `kinds` are further names by which faults know the message."""
        plain = _NAMES[channel]
        names = (plain, f"{plain}/{kind}", *(f"{plain}/{kind}/{more}" for more in kinds))
        self.post((account, channel), Message(rows, rows if all_rows is None else all_rows, names))

    def greet(
        self, connection: Connection, account: str, channel: Channel, rows: list[Row], *, is_enterprise: bool
    ) -> None:
        """Send one connection what there is now, behind its subscription."""
        plain = _NAMES[channel]
        feed = enterprise_feed(channel) if is_enterprise else own_feed(channel)
        self._write(connection, feed, account, channel, rows, is_enterprise, (plain, f"{plain}/initial"))

    def _deliver(self, key: tuple[str, Channel], message: Message) -> None:
        account, channel = key
        own, enterprise = own_feed(channel), enterprise_feed(channel)
        is_user = self._owners[account].is_user
        for connection in self._sender.connections():
            if connection.account == account and (own,) in connection.subscriptions:
                self._write(connection, own, account, channel, message.rows, False, message.names)
            if is_user and connection.info.get("enterprise") and (enterprise,) in connection.subscriptions:
                self._write(connection, enterprise, account, channel, message.all_rows, True, message.names)

    def _write(
        self,
        connection: Connection,
        feed: str,
        account: str,
        channel: Channel,
        rows: list[Row],
        is_enterprise: bool,
        names: tuple[str, ...],
    ) -> None:
        payloads: list[object]
        is_flat = channel is Channel.TRADES and self._options.enterprise_trades is EnterpriseTrades.FLAT
        if is_enterprise and not is_flat:
            payloads = [{"user_id": account, "updates": rows}]
        else:
            rows = [{"user_id": account, **row} for row in rows] if is_enterprise else rows
            payloads = list(rows) if self._options.payload_shape is PayloadShape.OBJECT and rows else [rows]
        for payload in payloads:
            if self._options.payload_shape is PayloadShape.TEXT:
                payload = encode_json(payload).decode()
            self._sender.data(connection, feed, payload, *names)
