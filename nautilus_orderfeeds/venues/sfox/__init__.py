"""sFOX: a prime dealer (order entry over REST; orders, fills and balances on one WebSocket)."""
