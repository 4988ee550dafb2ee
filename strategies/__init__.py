"""Sample strategies: plain framework strategies that run unchanged in a backtest, a sandbox and live.

They import `nautilus_trader` and the helpers in `strategies.common`, nothing else: what a venue can or cannot do they
are told by their configuration.

None of them has an edge. They show how to write strategies that survive refusals, partial fills and outages; they are
not meant to earn money.
"""
