"""What an order is and what happened to it: pure, with no clock, socket or framework.

- ``words``: the vocabulary, spelled as the framework spells it
- ``requests``: what a strategy asks, and how asking ends (`Accepted`, `Refused`, `Unknown`)
- ``updates``: what a venue says it now knows
- ``events``: what happened
- ``transitions``: the one table of which event may follow which status
- ``state``, ``learning``, ``fills``, ``coverage``, ``inference``, ``reducer``: from updates to events
- ``tracker``: all orders of one account, found by any of their ids
- ``lifecycle``, ``lifecycle_tracker``, ``lifecycle_stats``: orders' lives in numbers
- ``journal``: the durable record
"""
