"""Roxom: bitcoin-margined perpetuals (order entry over REST; orders, balances and positions on one WebSocket)."""
