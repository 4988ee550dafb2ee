"""The framework's `OrderInitialized` in the journal, and the order made from it again after a restart."""

from typing import Any

import msgspec
from nautilus_trader.model.events import OrderInitialized
from nautilus_trader.model.orders import Order
from nautilus_trader.model.orders.unpacker import OrderUnpacker


def encode_init(order: Any) -> bytes:
    """Return the JSON of the event that initialized a framework order."""
    return msgspec.json.encode(OrderInitialized.to_dict(order.init_event), enc_hook=str)


def decode_order(init: bytes) -> Order:
    """Return a framework order in its initial state.

    Raises
    ------
    Exception
        Whatever the framework raises for a record it cannot read (a newer or older framework).
    """
    return OrderUnpacker.from_init(OrderInitialized.from_dict(msgspec.json.decode(init)))
