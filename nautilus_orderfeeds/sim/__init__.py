"""
Simulated venues: each venue's documented protocol on a loopback port, with a market, a ledger and faults.

    async with simulate("bsx", seed=7) as sim:
        sim.base_url_http, sim.base_url_ws
        sim.exec_config(), sim.data_config()
        sim.ledger, sim.market, sim.faults, sim.requests

This room knows no venue: `simulate` finds the twin by the venue's name. `python -m nautilus_orderfeeds.sim`
runs one as a process of its own.
"""

from nautilus_orderfeeds.sim.faults import Fault
from nautilus_orderfeeds.sim.flow import FlowSettings
from nautilus_orderfeeds.sim.model import EndReason, OrderState, Side
from nautilus_orderfeeds.sim.simulation import Simulation, simulate

__all__ = ["EndReason", "Fault", "FlowSettings", "OrderState", "Side", "Simulation", "simulate"]
