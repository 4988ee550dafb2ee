"""Several commands in batches: each is sent once, in the order given, and a single one goes its own way."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from nautilus_orderfeeds.orders.requests import Accepted
from nautilus_orderfeeds.venues.answers import Answer, in_batches


@given(items=st.lists(st.integers(), max_size=30), size=st.integers(1, 7))
async def test_every_item_is_answered_once_and_in_order(items: list[int], size: int):
    sent: list[list[int]] = []

    async def one(item: int) -> Answer:
        sent.append([item])
        return Accepted(f"one {item}"), []

    async def many(batch: Sequence[int]) -> list[Answer]:
        assert len(batch) > 1
        sent.append(list(batch))
        return [(Accepted(f"many {item}"), []) for item in batch]

    answers = await in_batches(items, size, one, many)
    assert [item for batch in sent for item in batch] == items
    assert all(len(batch) == size for batch in sent[:-1])
    assert not sent or 1 <= len(sent[-1]) <= size
    told = [f"{'one' if len(batch) == 1 else 'many'} {item}" for batch in sent for item in batch]
    assert [outcome.venue_order_id for outcome, _ in answers] == told
