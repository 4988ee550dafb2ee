"""How an order is known before the venue has named it (protocol, 8 traps 7 and 8).

No key of ours is echoed, so the key of an order *is* its terms and the time it was sent: by these it is looked for
among the account's orders if its create was not answered, also after a restart (the journal keeps the key).
"""

from decimal import Decimal
from typing import Final, Self

from msgspec import Struct, structs

from nautilus_orderfeeds.orders.decimals import plain
from nautilus_orderfeeds.orders.requests import NewOrder, OrderRef
from nautilus_orderfeeds.orders.words import LiquiditySide, OrderSide, OrderType, TimeInForce

_TERMS: Final = "terms:"
_CLIENT_ID: Final = "cid:"
_FIELDS: Final = 11

_NS_PER_MS: Final = 1_000_000


class Terms(Struct, frozen=True, kw_only=True):
    """What was asked for; none of it ever changes, since the venue cannot modify orders.

    Parameters
    ----------
    made_ns, expire_time_ns : int
        UNIX ns; `made_ns` is when it was made ready: it may have waited long for the stream before it was sent.
    quantity : Decimal
        Base units.
    price, trigger_price : Decimal, optional
        BTC per base unit.
    strategy_id : str
        Whose order it is; not part of the key, and nothing the venue is told.
    recorded_ns : int
        UNIX ns, when it was recorded, right before it was sent; 0 if not known. Not part of the key.
    """

    client_order_id: str
    made_ns: int
    symbol: str
    side: OrderSide
    type: OrderType
    time_in_force: TimeInForce
    quantity: Decimal
    price: Decimal | None = None
    trigger_price: Decimal | None = None
    expire_time_ns: int = 0
    post_only: bool = False
    strategy_id: str = ""
    recorded_ns: int = 0

    @classmethod
    def of(cls, order: NewOrder, made_ns: int) -> Self:
        """Return the terms of `order`."""
        return cls(
            client_order_id=order.client_order_id,
            made_ns=made_ns,
            symbol=order.symbol,
            side=order.side,
            type=order.type,
            time_in_force=order.time_in_force,
            quantity=order.quantity,
            price=order.price,
            trigger_price=order.trigger_price,
            expire_time_ns=order.expire_time_ns // _NS_PER_MS * _NS_PER_MS,  # as it is sent
            post_only=order.post_only,
            strategy_id=order.strategy_id,
        )

    @property
    def sent_ns(self) -> int:
        """When it was sent as far as is known, UNIX ns."""
        return self.recorded_ns or self.made_ns

    def is_like(self, other: Self) -> bool:
        """Whether the venue was told the same of both: then none of its words can tell them apart."""
        ours = {"client_order_id": self.client_order_id, "made_ns": self.made_ns}
        ours |= {"recorded_ns": self.recorded_ns, "strategy_id": self.strategy_id}
        return structs.replace(other, **ours) == self

    @property
    def key(self) -> str:
        """The key under which the order is known (one of `OrderRef.refs`); the client order id makes it unique."""
        fields = (
            str(self.made_ns),
            self.symbol,
            self.side.value,
            self.type.value,
            self.time_in_force.value,
            plain(self.quantity),
            "" if self.price is None else plain(self.price),
            "" if self.trigger_price is None else plain(self.trigger_price),
            str(self.expire_time_ns),
            "1" if self.post_only else "0",
            self.client_order_id,
        )
        return _TERMS + "|".join(fields)

    @classmethod
    def read(cls, key: str) -> Self | None:
        """Return the terms a key tells; None if it is none of ours."""
        fields = key.removeprefix(_TERMS).split("|", _FIELDS - 1)
        if not key.startswith(_TERMS) or len(fields) != _FIELDS:
            return None
        made, symbol, side, type_, force, quantity, price, trigger, expire, post_only, client_order_id = fields
        try:
            return cls(
                client_order_id=client_order_id,
                made_ns=int(made),
                symbol=symbol,
                side=OrderSide(side),
                type=OrderType(type_),
                time_in_force=TimeInForce(force),
                quantity=Decimal(quantity),
                price=Decimal(price) if price else None,
                trigger_price=Decimal(trigger) if trigger else None,
                expire_time_ns=int(expire),
                post_only=post_only == "1",
            )
        except (ValueError, ArithmeticError):
            return None

    @property
    def liquidity_side(self) -> LiquiditySide:
        """Which side its fills take, as far as the terms alone say (protocol, 10)."""
        if self.post_only:
            return LiquiditySide.MAKER
        if self.type in (OrderType.MARKET, OrderType.STOP_MARKET) or self.time_in_force is TimeInForce.IOC:
            return LiquiditySide.TAKER
        return LiquiditySide.NO_LIQUIDITY_SIDE


def client_id_key(client_order_id: str) -> str:
    """Return the key of an order whose client order id was sent along."""
    return _CLIENT_ID + client_order_id


def terms_of(ref: OrderRef) -> Terms | None:
    """Return the terms among the keys of `ref`; None for an order that is not ours."""
    terms = next((terms for key in ref.refs if (terms := Terms.read(key)) is not None), None)
    if terms is None:
        return None
    strategy_id = "" if ref.terms is None else ref.terms.strategy_id
    return structs.replace(terms, strategy_id=strategy_id, recorded_ns=ref.created_ns)
