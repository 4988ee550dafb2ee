"""What a venue can do, with the evidence for it; the one source of denials and of the tables in the docs."""

from collections.abc import Mapping
from decimal import Decimal
from enum import Enum, unique
from typing import Any

from msgspec import Struct

from nautilus_orderfeeds.feed.market import Channel
from nautilus_orderfeeds.orders.decimals import is_multiple, plain
from nautilus_orderfeeds.orders.requests import Denied, NewOrder
from nautilus_orderfeeds.orders.words import ContingencyType, OrderType, TimeInForce, TriggerType
from nautilus_orderfeeds.venues.instruments import InstrumentSpec


@unique
class Evidence(Enum):
    """Where a fact comes from, strongest first."""

    VENUE_PAGE = "venue page"
    DOCUMENTATION = "other documentation"
    CLIENT_CODE = "client code"
    INFERRED = "inferred"


@unique
class Feature(Enum):
    """What can be asked of a venue beside types and times in force."""

    POST_ONLY = "post-only"
    REDUCE_ONLY = "reduce-only"
    QUOTE_QUANTITY = "quote quantity"
    DISPLAY_QTY = "display quantity (iceberg)"
    MODIFY = "modify"
    BATCH_SUBMIT = "batch submit"
    BATCH_CANCEL = "batch cancel"
    CANCEL_ALL = "cancel all"
    OCO = "OCO lists"
    OTO = "OTO lists (brackets)"
    QUERY_ORDER = "query one order"
    QUERY_OPEN = "query open orders"
    QUERY_HISTORY = "query order history"
    QUERY_FILLS = "query fills"
    QUERY_POSITIONS = "query positions"
    QUERY_ACCOUNT = "query balances"
    CLIENT_ORDER_ID = "client order id echoed"
    TRADE_IDS = "trade ids in the stream"


class Support(Struct, frozen=True):
    """Whether something is supported, why we think so, and what to know about it."""

    supported: bool
    evidence: Evidence
    note: str = ""


def yes(evidence: Evidence, note: str = "") -> Support:
    """Supported."""
    return Support(True, evidence, note)


def no(evidence: Evidence, note: str = "") -> Support:
    """Not supported; `note` completes the reason of a denial."""
    return Support(False, evidence, note)


class Param(Struct, frozen=True):
    """One key of a command's `params`: `values` are the allowed ones (empty: any of `kind`)."""

    about: str
    kind: type = str
    values: tuple[Any, ...] = ()


class Capabilities(Struct, frozen=True, kw_only=True):
    """Everything a venue can do. What is not listed is not supported.

    Parameters
    ----------
    venue : str
        Name, for messages.
    order_types, features, data : Mapping
        Support of each.
    time_in_force : Mapping
        Order type -> time in force -> support.
    post_only_with : frozenset of (OrderType, TimeInForce)
        Combinations post-only may go with.
    reduce_only_with : frozenset of OrderType
        Types reduce-only may go with.
    trigger_types : frozenset of TriggerType
        Accepted for conditional orders.
    params : Mapping[str, Param]
        Allowed keys of a submit command's `params`.
    bars : frozenset of str
        Bar specifications published (``"1-DAY-LAST"``).
    reads_back : bool
        An answer to a submit says only that it was taken, and the stream gives hints only: the order is read back.
    cancels_by_ref : bool
        A cancel may name an order by what we chose before sending, so it need not wait for the venue's id.
    snapshot_over_stream : bool
        The snapshot is asked for on the stream itself, so frames must flow while it is taken.
    foreign_updates : bool
        The stream also tells of other accounts' orders, without saying whose they are: an order that is not known is
        counted and ignored, and none entered elsewhere can be taken up.
    keeps_brackets : bool
        Brackets are kept by this client: the children are held here until the entry has filled (`Feature.OTO`).
    """

    venue: str
    order_types: Mapping[OrderType, Support]
    time_in_force: Mapping[OrderType, Mapping[TimeInForce, Support]]
    features: Mapping[Feature, Support]
    data: Mapping[Channel, Support]
    post_only_with: frozenset[tuple[OrderType, TimeInForce]] = frozenset()
    reduce_only_with: frozenset[OrderType] = frozenset()
    trigger_types: frozenset[TriggerType] = frozenset({TriggerType.NO_TRIGGER, TriggerType.DEFAULT})
    params: Mapping[str, Param] = {}
    bars: frozenset[str] = frozenset()
    reads_back: bool = False
    cancels_by_ref: bool = False
    snapshot_over_stream: bool = False
    foreign_updates: bool = False
    keeps_brackets: bool = False

    def supports(self, feature: Feature) -> bool:
        """Return whether `feature` is supported."""
        support = self.features.get(feature)
        return support is not None and support.supported

    def check(self, order: NewOrder, spec: InstrumentSpec, now_ns: int) -> None:
        """Refuse what this venue cannot do, before anything is sent.

        Parameters
        ----------
        order : NewOrder
            What the strategy wants.
        spec : InstrumentSpec
            Its instrument.
        now_ns : int
            UNIX ns.

        Raises
        ------
        Denied
            With the reason. Numbers are never rounded to fit.
        """
        self._check_kind(order, now_ns)
        self._check_instructions(order)
        self._check_params(order.params)
        if order.quantity <= 0:
            raise Denied(f"quantity {plain(order.quantity)} is not positive")
        check_numbers(spec, None if order.quote_quantity else order.quantity, order.price, order.trigger_price)

    def _check_kind(self, order: NewOrder, now_ns: int) -> None:
        self._need(self.order_types.get(order.type), f"order type {order.type.name}")
        forces = self.time_in_force.get(order.type, {})
        self._need(forces.get(order.time_in_force), f"time in force {order.time_in_force.name} on {order.type.name}")
        if order.time_in_force is TimeInForce.GTD:
            if not order.expire_time_ns:
                raise Denied("GTD needs an expire_time")
            if order.expire_time_ns <= now_ns:
                raise Denied("expire_time is in the past")
        if order.trigger_type not in self.trigger_types:
            raise Denied(f"{self.venue} does not support trigger type {order.trigger_type.name}")

    def _check_instructions(self, order: NewOrder) -> None:
        if order.post_only:
            self._need_feature(Feature.POST_ONLY)
            if (order.type, order.time_in_force) not in self.post_only_with:
                raise Denied(f"post-only does not go with {order.type.name} {order.time_in_force.name} at {self.venue}")
        if order.reduce_only:
            self._need_feature(Feature.REDUCE_ONLY)
            if order.type not in self.reduce_only_with:
                raise Denied(f"reduce-only does not go with {order.type.name} at {self.venue}")
        if order.quote_quantity:
            self._need_feature(Feature.QUOTE_QUANTITY)
        if order.display_qty is not None:
            self._need_feature(Feature.DISPLAY_QTY)
        match order.contingency_type:
            case ContingencyType.NO_CONTINGENCY:
                return
            case ContingencyType.OCO:
                self._need_feature(Feature.OCO)
            case ContingencyType.OTO | ContingencyType.OUO:
                self._need_feature(Feature.OTO)

    def _check_params(self, params: Mapping[str, Any]) -> None:
        for key, value in params.items():
            param = self.params.get(key)
            if param is None:
                known = ", ".join(sorted(self.params)) or "none"
                raise Denied(f"unknown param {key!r} for {self.venue} (known: {known})")
            if (param.kind is not bool and isinstance(value, bool)) or not isinstance(value, param.kind):
                raise Denied(f"param {key!r} must be {param.kind.__name__}, was {type(value).__name__}")
            if param.values and value not in param.values:
                raise Denied(f"param {key!r} must be one of {', '.join(map(str, param.values))}, was {value!r}")

    def _need_feature(self, feature: Feature) -> None:
        self._need(self.features.get(feature), feature.value)

    def _need(self, support: Support | None, what: str) -> None:
        if support is None or not support.supported:
            note = f" ({support.note})" if support is not None and support.note else ""
            raise Denied(f"{self.venue} does not support {what}{note}")


def check_numbers(
    spec: InstrumentSpec, quantity: Decimal | None, price: Decimal | None, trigger_price: Decimal | None
) -> None:
    """Refuse what does not fit an instrument; numbers are never rounded to fit.

    Parameters
    ----------
    spec : InstrumentSpec
        The instrument.
    quantity : Decimal, optional
        Base units; None is not checked, nor are the others.
    price, trigger_price : Decimal, optional
        Quote per base.

    Raises
    ------
    Denied
        With the reason.
    """
    if quantity is not None:
        if not is_multiple(quantity, spec.size_increment):
            raise Denied(f"quantity {plain(quantity)} is off the lot of {plain(spec.size_increment)}")
        if spec.min_quantity is not None and quantity < spec.min_quantity:
            raise Denied(f"quantity {plain(quantity)} is below the minimum of {plain(spec.min_quantity)}")
        if spec.max_quantity is not None and quantity > spec.max_quantity:
            raise Denied(f"quantity {plain(quantity)} is above the maximum of {plain(spec.max_quantity)}")
    for name, px in (("price", price), ("trigger_price", trigger_price)):
        if px is None:
            continue
        if not is_multiple(px, spec.price_increment):
            raise Denied(f"{name} {plain(px)} is off the tick of {plain(spec.price_increment)}")
        if spec.min_price is not None and px < spec.min_price:
            raise Denied(f"{name} {plain(px)} is below the minimum of {plain(spec.min_price)}")
        if spec.max_price is not None and px > spec.max_price:
            raise Denied(f"{name} {plain(px)} is above the maximum of {plain(spec.max_price)}")
