"""
What the simulated Outpoll serves besides orders: wallet, events and keys (protocol 4.5, 5.1, 5.9).

Deposit address and transactions are for the account login only; their shapes are not documented.
"""

from __future__ import annotations

from datetime import datetime

from nautilus_orderfeeds.sim.faults import FaultInjector
from nautilus_orderfeeds.sim.market import Market
from nautilus_orderfeeds.sim.server import Answer, Call
from nautilus_orderfeeds.venues.outpoll.twin_assumed import shaped
from nautilus_orderfeeds.venues.outpoll.twin_exchange import Exchange
from nautilus_orderfeeds.venues.outpoll.twin_gate import Gate
from nautilus_orderfeeds.venues.outpoll.twin_keys import ApiKey, Keyring, Refused
from nautilus_orderfeeds.venues.outpoll.twin_options import OutpollTwinOptions
from nautilus_orderfeeds.venues.outpoll.twin_prices import current
from nautilus_orderfeeds.venues.outpoll.twin_products import EVENTS, OUTCOMES, EventOutcome, assets_of, primary_of
from nautilus_orderfeeds.venues.outpoll.twin_records import Records
from nautilus_orderfeeds.venues.outpoll.twin_request import only, read_object, whole_number
from nautilus_orderfeeds.venues.outpoll.twin_wire import Wire, iso

_BALANCES = "/api/user-balances"
_SEARCH_FIELDS = ("sb", "sd", "l", "ss", "c", "t", "ft")
_SORTS = ("VOLUME_24H", "TOTAL_VOLUME", "LIQUIDITY", "NEWEST", "OLDEST", "ENDING_SOON", "CHANCE")
_LANGUAGES = ("en", "de", "es", "pt", "zh", "ja", "ko", "id")


class WalletRoutes:
    """Adds `/api/user-balances` and what only the account login may see."""

    def __init__(
        self,
        gate: Gate,
        records: Records,
        market: Market,
        faults: FaultInjector,
        wire: Wire,
        options: OutpollTwinOptions,
    ) -> None:
        self._records = records
        self._market = market
        self._faults = faults
        self._wire = wire
        self._options = options
        gate.private("GET", _BALANCES, self._balances)
        gate.private("GET", f"{_BALANCES}/full", self._full)
        gate.login_only("GET", "/api/deposit/usdc-address", self._address)
        gate.login_only("GET", "/api/transactions", self._transactions)

    async def _balances(self, call: Call, owner: str) -> Answer:
        return self._rows(call, owner, is_full=False)

    async def _full(self, call: Call, owner: str) -> Answer:
        return self._rows(call, owner, is_full=True)

    def _rows(self, call: Call, owner: str, *, is_full: bool) -> Answer:
        only(call.query, ("eventTokenIds", "page", "size"))
        wanted = {token for value in call.query.get("eventTokenIds", []) for token in value.split(",") if token}
        lag = self._faults.lag(f"GET {call.path}")
        rows = [
            self._wire.user_balance(holding, owner, current(self._market, holding.asset), is_full=is_full)
            for holding in self._records.holdings(owner, lag=lag)
            if not wanted or holding.asset.asset_id in wanted
        ]
        page = whole_number(call, "page", 0, 0)
        size = min(whole_number(call, "size", 100, 1), self._options.max_page_size)
        shown = rows[page * size : (page + 1) * size]
        return Answer(200, {"i": shown, "p": page, "s": size, "tp": -(-len(rows) // size)})

    async def _address(self, call: Call, owner: str) -> Answer:
        return Answer(200, {"address": "0x0000000000000000000000000000000000000000"})

    async def _transactions(self, call: Call, owner: str) -> Answer:
        return Answer(200, {"i": [], "p": 0, "s": 20, "tp": 0})


class EventRoutes:
    """Adds the event search: open to everybody, and of its outcomes nearly everything is assumed."""

    def __init__(self, gate: Gate, market: Market, exchange: Exchange, wire: Wire, options: OutpollTwinOptions) -> None:
        self._market = market
        self._exchange = exchange
        self._wire = wire
        self._options = options
        gate.public("POST", "/api/events/search", self._search)

    async def _search(self, call: Call) -> Answer:
        only(call.query, ("page", "size"))
        body = read_object(call)
        only(body, _SEARCH_FIELDS)
        for name, words in (("sb", _SORTS), ("sd", ("ASC", "DESC")), ("l", _LANGUAGES)):
            if name in body and body[name] not in words:
                raise Refused(400, f"invalid {name}: {body[name]!r}")
        page, size = whole_number(call, "page", 0, 0), whole_number(call, "size", 20, 1)
        text = str(body.get("ss") or "").lower()
        # Events here have no category and no tag, so a filter by one finds nothing.
        is_empty = any(body.get(name) for name in ("c", "t", "ft"))
        found = [event for event in EVENTS.values() if text in event.title.lower() and not is_empty]
        rows = [
            {
                "id": event.event_id,
                "title": event.title,
                "outcomes": [self._outcome(outcome) for outcome in OUTCOMES.values() if outcome.event == event],
            }
            for event in found[page * size : (page + 1) * size]
        ]
        return Answer(200, {"content": rows})

    def _outcome(self, outcome: EventOutcome) -> dict[str, object]:
        fields = self._options.fields
        assets = [
            shaped(
                {
                    "asset_id": asset.asset_id,
                    "name": asset.name,
                    "token": asset.token,
                    "is_primary": asset.is_primary,
                },
                fields.asset,
            )
            for asset in assets_of(outcome)
        ]
        values = {
            "outcome_id": outcome.outcome_id,
            "title": outcome.title,
            "status": "CLOSED" if self._exchange.is_resolved(outcome) else "ACTIVE",
            "chance": self._wire.rest(current(self._market, primary_of(outcome))),
            "assets": assets,
        }
        return shaped(values, fields.outcome)


class KeyRoutes:
    """Adds `/auth/api-key`: keys are made with the account login, and a new one ends the former (4.5)."""

    def __init__(self, gate: Gate, keyring: Keyring, options: OutpollTwinOptions) -> None:
        self._keyring = keyring
        self._options = options
        gate.login_only("POST", "/auth/api-key/send-code", self._send_code)
        gate.login_only("POST", "/auth/api-key", self._create)
        gate.login_only("GET", "/auth/api-key", self._show)
        gate.login_only("DELETE", "/auth/api-key", self._delete)

    async def _send_code(self, call: Call, owner: str) -> Answer:
        return Answer(200, {})

    async def _create(self, call: Call, owner: str) -> Answer:
        body = read_object(call)
        only(body, ("code", "otp", "expiresAt"))
        if body.get("code") != self._keyring.code(owner):
            raise Refused(400, "Invalid code")
        key = self._keyring.new_key(owner, _time_ns(body.get("expiresAt")))
        return Answer(201, {**_shown(key), "secret": key.secret})

    async def _show(self, call: Call, owner: str) -> Answer:
        return Answer(200, _shown(self._active(owner)))

    async def _delete(self, call: Call, owner: str) -> Answer:
        self._active(owner).is_active = False
        status = self._options.cancel_status
        return Answer(status, None if status == 204 else {})

    def _active(self, owner: str) -> ApiKey:
        key = self._keyring.key_of(owner)
        if not key.is_active:
            raise Refused(404, "No active API key")
        return key


def _shown(key: ApiKey) -> dict[str, object]:
    return {
        "id": key.key_id,
        "key": key.key,
        "createdAt": iso(key.created_ns),
        "expiresAt": None if key.expires_ns is None else iso(key.expires_ns),
    }


def _time_ns(value: object) -> int | None:
    if value is None:
        return None
    try:
        return int(datetime.fromisoformat(str(value)).timestamp()) * 10**9
    except ValueError:
        raise Refused(400, f"invalid expiresAt: {value!r}") from None
