"""The account, instrument and key endpoints of the simulated BSX (protocol 3.2, 4.2, 4.9, 4.10)."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

from nautilus_orderfeeds.sim.clock import SimClock
from nautilus_orderfeeds.sim.ledger import Position
from nautilus_orderfeeds.sim.market import Market
from nautilus_orderfeeds.sim.model import OrderState, Product
from nautilus_orderfeeds.sim.server import Answer, Call, SimServer
from nautilus_orderfeeds.venues.bsx.twin_accounts import ApiKey, BsxAccount, Keyring, Refused
from nautilus_orderfeeds.venues.bsx.twin_margin import MAINTENANCE_SHARE, Margin
from nautilus_orderfeeds.venues.bsx.twin_options import ActiveKey, BsxTwinOptions
from nautilus_orderfeeds.venues.bsx.twin_rest import authenticated
from nautilus_orderfeeds.venues.bsx.twin_signing import SigningDomain, recover
from nautilus_orderfeeds.venues.bsx.twin_wire import INDEX_OF, PRODUCT_INDEXES, plain

_NS = 1_000_000_000
_HOUR_NS = 3_600 * _NS
_DAY_NS = 24 * _HOUR_NS
_FAUCET = Decimal(10_000)
_USDC = "0x00000000000000000000000000000000000005dc"


class AccountRoutes:
    """Adds the public and the account endpoints to a server."""

    def __init__(
        self,
        server: SimServer,
        keyring: Keyring,
        market: Market,
        margin: Margin,
        domain: SigningDomain,
        clock: SimClock,
        options: BsxTwinOptions,
    ) -> None:
        self._keyring = keyring
        self._market = market
        self._margin = margin
        self._domain = domain
        self._clock = clock
        self._options = options
        self._started_ns = clock.now_ns()
        server.route("GET", "/products", self._products)
        server.route("GET", "/chain/configs", self._chain_configs)
        server.route("POST", "/users/register", self._register)
        for method, path, handler in (
            ("GET", "/products/{product_id}/funding-rate", self._funding_history),
            ("GET", "/portfolio/detail", self._portfolio),
            ("GET", "/users/api-key", self._list_keys),
            ("POST", "/users/api-key", self._new_key),
            ("DELETE", "/users/api-key", self._delete_keys),
            ("POST", "/collateral-mode", self._collateral_mode),
            ("POST", "/margin-mode", self._margin_mode),
            ("POST", "/leverage", self._leverage),
            ("POST", "/isolated-margin", self._isolated_margin),
            ("POST", "/deposit-test-token", self._faucet),
        ):
            server.route(method, path, authenticated(keyring, handler))

    # -- public ---------------------------------------------------------------------------------------------

    async def _chain_configs(self, call: Call) -> Answer:
        main = self._domain.served()
        if self._options.legacy_chain_configs:
            return Answer(200, main)
        degen = {**main, "name": "Degen", "verifying_contract": "0x" + "de" * 20}
        addresses = {
            "usdc_contract": _USDC,
            "weth_contract": "0x" + "01" * 20,
            "usdt_contract": "0x" + "02" * 20,
            "cbbtc_contract": "0x" + "03" * 20,
            "degen_contract": "0x" + "04" * 20,
        }
        return Answer(200, {"main": main, "degen": degen, "addresses": addresses})

    async def _products(self, call: Call) -> Answer:
        return Answer(200, {"products": [self._product(index, p) for index, p in sorted(PRODUCT_INDEXES.items())]})

    def _product(self, index: int, product: Product) -> dict[str, object]:
        symbol = product.symbol
        mark = self._market.mark(symbol)
        last = self._market.last(symbol) or mark
        ratio = Decimal(1) / self._options.leverage
        is_active = symbol not in self._options.inactive_products
        rate = plain(self._market.funding_rates[symbol])
        active_keys: dict[str, object] = {"is_active": is_active, "enabled": is_active}
        match self._options.active_key:
            case ActiveKey.IS_ACTIVE:
                del active_keys["enabled"]
            case ActiveKey.ENABLED:
                del active_keys["is_active"]
            case ActiveKey.NEITHER:
                active_keys.clear()
            case ActiveKey.BOTH:
                pass
        return {
            "index": index,
            "product_id": symbol,
            "base_asset_symbol": product.base,
            "quote_asset_symbol": product.quote,
            "underlying": product.base,
            "display_name": symbol,
            "display_base_asset_symbol": product.base,
            "base_increment": plain(product.lot),
            "quote_increment": plain(product.tick),
            "min_order_size": plain(product.min_size),
            "max_position_size": "1000000",
            **active_keys,
            "visible": True,
            "post_only": symbol in self._options.post_only_products,
            "perpetual_product_config": {
                "initial_margin": plain(ratio),
                "maintenance_margin": plain(ratio * MAINTENANCE_SHARE),
                "max_leverage": str(self._options.leverage),
            },
            "spot_product_config": None,
            "last_price": plain(last),
            "mark_price": plain(mark),
            "index_price": plain(self._market.index_prices.get(symbol, mark)),
            "high_24h": plain(last),
            "low_24h": plain(last),
            "change_24h": "0",
            "quote_volume_24h": "0",
            "open_interest": "0",
            "funding_interval": str(_HOUR_NS),
            "next_funding_rate": rate,
            "next_funding_time": str((self._clock.now_ns() // _HOUR_NS + 1) * _HOUR_NS),
            "predicted_funding_rate": rate,
            "last_cumulative_funding": "0",
        }

    def _funding_history(self, call: Call, account: BsxAccount, key: ApiKey) -> Answer:
        symbol = _product_id(call.params.get("product_id"))
        now_ns = self._clock.now_ns()
        start, end = _whole(call, "from", 0), _whole(call, "to", now_ns)
        latest = now_ns // _HOUR_NS * _HOUR_NS
        hours = range(latest, latest - 7 * _DAY_NS, -_HOUR_NS)
        times = [time for time in hours if start <= time <= end]
        per_page, page = _whole(call, "limit", 20), _whole(call, "page", 1)
        shown = times[(page - 1) * per_page : page * per_page]
        rate = plain(self._market.funding_rates[symbol])
        paging = {
            "page": page,
            "per_page": per_page,
            "last_page": max(1, -(-len(times) // per_page)),
            "total": len(times),
            "from": (page - 1) * per_page + 1 if shown else 0,
            "to": (page - 1) * per_page + len(shown),
        }
        items = [{"time": str(time), "rate": rate} for time in shown]
        return Answer(200, {"product_id": symbol, "items": items, "paging": paging})

    # -- keys -----------------------------------------------------------------------------------------------

    async def _register(self, call: Call) -> Answer:
        try:
            return self._registered(call.json())
        except (Refused, ValueError) as exc:
            return (exc if isinstance(exc, Refused) else Refused(f"invalid registration: {exc}")).answer()

    def _registered(self, body: object) -> Answer:
        if not isinstance(body, dict):
            raise Refused("the body must be an object")
        texts = ("user_wallet", "signer", "wallet_signature", "signer_signature", "message")
        if any(not isinstance(body.get(name), str) for name in texts):
            raise Refused(f"{', '.join(texts)} must be strings")
        wallet, signer = body["user_wallet"].lower(), body["signer"].lower()
        nonce = int(str(body.get("nonce")))
        register = {"key": signer, "message": body["message"], "nonce": nonce}
        by_wallet = recover(self._domain, "Register", register, body["wallet_signature"])
        by_signer = recover(self._domain, "SignKey", {"account": wallet}, body["signer_signature"])
        if by_wallet != wallet or by_signer != signer:
            raise Refused("failed to verify signature")
        if wallet not in self._keyring.accounts:
            self._keyring.accounts[wallet] = BsxAccount(wallet)
            self._market.ledger.add_account(wallet)
        account = self._keyring.accounts[wallet]
        if nonce in account.register_nonces:
            raise Refused("nonce was already used")
        account.register_nonces.add(nonce)
        served = self._keyring.new_key(wallet, signer, "").served()
        return Answer(200, {name: served[name] for name in ("api_key", "api_secret", "expired_at", "name")})

    def _list_keys(self, call: Call, account: BsxAccount, key: ApiKey) -> Answer:
        return Answer(200, {"api_keys": [k.served() for k in self._keyring.keys_of(account.address)]})

    def _new_key(self, call: Call, account: BsxAccount, key: ApiKey) -> Answer:
        name = _body(call).get("name", "")
        return Answer(200, {"api_key": self._keyring.new_key(account.address, key.signer, str(name)).served()})

    def _delete_keys(self, call: Call, account: BsxAccount, key: ApiKey) -> Answer:
        own = {k.api_key for k in self._keyring.keys_of(account.address)}
        gone = [name for name in call.query.get("api_keys", []) if name in own]
        for name in gone:
            del self._keyring.keys[name]
        return Answer(200, {"api_keys": gone})

    # -- account --------------------------------------------------------------------------------------------

    def _portfolio(self, call: Call, account: BsxAccount, key: ApiKey) -> Answer:
        funds = self._margin.funds(account.address)
        ledger = self._market.ledger
        positions = {symbol: ledger.position(symbol, account.address) for symbol in self._market.products}
        maintenance = funds.position_margin * MAINTENANCE_SHARE
        notional = sum((abs(p.net) * self._market.mark(s) for s, p in positions.items()), Decimal(0))
        realized = sum((p.realized for p in positions.values()), Decimal(0))
        equity = funds.equity
        summary = {
            "collateral_mode": account.collateral_mode,
            "collateral_margin_balance": plain(equity),
            "cross_margin_balance": plain(equity),
            "margin_usage": plain(_ratio(funds.initial_margin, equity)),
            "account_leverage": plain(_ratio(notional, equity)),
            "in_liquidation": False,
            "free_collateral": plain(funds.free),
            "total_account_value": plain(equity),
            "total_notional": plain(notional),
            "usdc_balance": plain(funds.cash),
            "unsettled_usdc": "0",
            "realized_pnl": plain(realized),
            "total_initial_margin": plain(funds.initial_margin),
            "total_maintenance_margin": plain(maintenance),
            "token_balances": [{"address": _USDC, "balance": plain(funds.cash)}],
            "has_pending_withdrawal": False,
            "total_unrealized_pnl": plain(funds.unrealized),
            "total_collateral_value": plain(funds.cash),
            "margin_health": plain(_ratio(equity - maintenance, equity)),
            "has_pending_swap": False,
            "total_isolated_order_reserve": "0",
        }
        body = {
            "account": account.address,
            "summary": summary,
            "positions": [
                self._position(account, symbol, position) for symbol, position in positions.items() if position.net
            ],
            "stats": self._stats(account),
            "maker_fee": float(self._options.maker_fee_rate),
            "taker_fee": float(self._options.taker_fee_rate),
        }
        return Answer(200, body)

    def _position(self, account: BsxAccount, symbol: str, position: Position) -> dict[str, object]:
        mark = self._market.mark(symbol)
        notional = abs(position.net) * mark
        initial = notional * self._margin.ratio(account.address, symbol)
        no_stop = {"price": "0", "size": "0", "stop_price_option": "NONE"}
        return {
            "product_index": INDEX_OF[symbol],
            "product_id": symbol,
            "margin_mode": account.margin_modes.get(symbol, "CROSS"),
            "margin_balance": "0",
            "net_size": plain(position.net),
            "avg_entry_price": plain(position.average_price),
            "initial_margin_requirement": plain(initial),
            "maintenance_margin_requirement": plain(initial * MAINTENANCE_SHARE),
            "liquidation_price": "0",
            "unrealized_pnl": plain(position.unrealized(mark)),
            "mark_price": plain(mark),
            "index_price": plain(self._market.index_prices.get(symbol, mark)),
            "leverage": str(self._margin.leverage(account.address, symbol)),
            "unsettled_funding": "0",
            "funding_index": "0",
            "quote_balance": plain(-position.cost),
            "stop_position": {"nearest_take_profit": no_stop, "nearest_stop_loss": no_stop},
            "isolated_usdc_balance": plain(account.isolated.get(symbol, Decimal(0))),
            "in_isolated_liquidation": False,
            "free_isolated_usdc_balance": plain(account.isolated.get(symbol, Decimal(0))),
        }

    def _stats(self, account: BsxAccount) -> dict[str, object]:
        ledger = self._market.ledger

        def count(product: str | None) -> dict[str, str]:
            states = [o.state for o in ledger.orders(account=account.address, product=product)]
            pending = states.count(OrderState.PENDING)
            opened = sum(state.is_open for state in states) - pending
            return {
                "total_orders": str(len(states)),
                "total_done_orders": str(len(states) - opened - pending),
                "total_open_orders": str(opened),
                "total_pending_orders": str(pending),
            }

        fills = ledger.fills(account=account.address)
        volume = sum((fill.price * fill.size for fill in fills), Decimal(0))
        deposited = ledger.accounts[account.address].deposits["USDC"]
        return {
            "order_stats": count(None),
            "products": [{"product_id": s, "stat": count(s)} for s in self._market.products],
            "trading_stats": {"total_trading_volume": plain(volume)},
            "tokens": [{"address": _USDC, "total_deposit": plain(deposited), "total_withdraw": "0"}],
        }

    def _collateral_mode(self, call: Call, account: BsxAccount, key: ApiKey) -> Answer:
        account.collateral_mode = _word(_body(call), "collateral_mode", "MULTI_COLLATERAL", "USDC_COLLATERAL")
        return Answer(200, {"success": True})

    def _margin_mode(self, call: Call, account: BsxAccount, key: ApiKey) -> Answer:
        body = _body(call)
        account.margin_modes[_product_id(body.get("product_id"))] = _word(body, "margin_mode", "CROSS", "ISOLATED")
        return Answer(200, {"success": True})

    def _leverage(self, call: Call, account: BsxAccount, key: ApiKey) -> Answer:
        body = _body(call)
        leverage = body.get("leverage")
        if not isinstance(leverage, int) or isinstance(leverage, bool) or leverage < 1:
            raise Refused(f"invalid leverage: {leverage!r}")
        if leverage > self._options.leverage:
            raise Refused(f"leverage {leverage} is above the maximum {self._options.leverage}")
        account.leverages[_product_id(body.get("product_id"))] = leverage
        return Answer(200, {"success": True})

    def _isolated_margin(self, call: Call, account: BsxAccount, key: ApiKey) -> Answer:
        body = _body(call)
        symbol = _product_id(body.get("product_id"))
        try:
            amount = Decimal(str(body.get("amount")))
        except InvalidOperation:
            raise Refused(f"invalid amount: {body.get('amount')!r}") from None
        account.isolated[symbol] = account.isolated.get(symbol, Decimal(0)) + amount
        return Answer(200, {"success": True})

    def _faucet(self, call: Call, account: BsxAccount, key: ApiKey) -> Answer:
        now_ns = self._clock.now_ns()
        if now_ns - account.faucet_ns < _DAY_NS:
            raise Refused("test tokens are given once a day", code=8, status=429)
        account.faucet_ns = now_ns
        self._market.ledger.deposit(account.address, "USDC", _FAUCET)
        return Answer(200, {"success": True})


def _body(call: Call) -> dict[str, Any]:
    body = call.json()
    if not isinstance(body, dict):
        raise Refused("the body must be an object")
    return body


def _product_id(value: object) -> str:
    if not isinstance(value, str) or value not in INDEX_OF:
        raise Refused(f"unknown product_id {value!r}")
    return value


def _word(body: dict[str, Any], name: str, *known: str) -> str:
    value = body.get(name)
    if value not in known:
        raise Refused(f"invalid {name}: {value!r}")
    return str(value)


def _whole(call: Call, name: str, default: int) -> int:
    text = call.one(name)
    if not text:
        return default
    if not text.isascii() or not text.isdigit():
        raise Refused(f"invalid {name}: {text!r}")
    return int(text) or default  # zero is protobuf's "not set"


def _ratio(part: Decimal, whole: Decimal) -> Decimal:
    return part / whole if whole else Decimal(0)
