"""Outpoll: a prediction market (order entry over REST; streams that only hint, truth is read back over REST)."""
