"""Private order streams of BSX, ActTrader, sFOX, Roxom and Outpoll for NautilusTrader.

The rooms, each importing only those before it:

- ``orders``: what an order is and what happened to it (pure)
- ``feed``: keeping one private feed alive and complete
- ``venues``: one folder a venue: wire, signing, order entry, simulated twin, and the door
- ``adapter``: the NautilusTrader clients (one execution client, one data client)
- ``sim``: what the simulated venues share
- ``cli``: the ``orderfeeds`` command

Not affiliated with, endorsed by or supported by Nautech Systems Pty Ltd.
"""

from nautilus_orderfeeds.version import __version__

__all__ = ["__version__"]
