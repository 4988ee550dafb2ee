"""The same lives at every venue: live on the bus, from the journal, and as the venue's ledger has them."""

from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from nautilus_orderfeeds.adapter import OrderLifecycles
from nautilus_orderfeeds.orders.journal_reader import JournalReader
from nautilus_orderfeeds.orders.lifecycle import Ending, Phase
from nautilus_orderfeeds.orders.lifecycle_stats import Dimension
from tests.support.profiles import PROFILES
from tests.support.scene import open_scene
from tests.support.venue_profile import VenueProfile


@pytest.mark.node
@pytest.mark.parametrize("profile", PROFILES, ids=str)
async def test_lives_of_a_part_filled_a_filled_and_a_resting_order(profile: VenueProfile, tmp_path: Path) -> None:
    journal = tmp_path / "journal.sqlite"
    lifecycles = OrderLifecycles()
    told: list[tuple[str, str]] = []
    async with open_scene(
        profile,
        exec_options={**profile.exec_options, "journal": str(journal)},
        enable_limit_buys=False,
        enable_limit_sells=False,
    ) as scene:
        lifecycles.attach(scene.tester)
        lifecycles.listen(lambda life, moves: told.extend((life.client_order_id, move.name) for move in moves))
        part, whole, rests = scene.limit(ticks=40), scene.limit(ticks=50), scene.limit(ticks=60)
        share = Decimal(profile.qty) / profile.parts
        for order in (part, whole, rests):
            scene.submit(order)
            await scene.until(lambda order=order: order.is_open, "the order to rest")
        scene.fill(part, share)
        await scene.until(lambda: part.filled_qty > 0, "a part")
        scene.tester.cancel_order(part)
        await scene.closed(part)
        scene.fill(whole, profile.qty)
        await scene.closed(whole)

        lives = {name: _life(lifecycles, order) for name, order in (("part", part), ("whole", whole), ("rests", rests))}
        assert {name: (life.phase, life.ending) for name, life in lives.items()} == {
            "part": (Phase.COMPLETED, Ending.PARTIALLY_FILLED_CANCELED),
            "whole": (Phase.COMPLETED, Ending.FILLED),
            "rests": (Phase.ACTIVE, None),
        }
        for order, life in ((part, lives["part"]), (whole, lives["whole"]), (rests, lives["rests"])):
            truth = scene.sim_order(order)
            assert life.filled_qty == order.filled_qty.as_decimal() == truth.filled
            assert (life.venue_order_id, life.venue) == (order.venue_order_id.value, profile.venue)
            assert life.time_to_accept_ns is not None
            moves = [move for client_order_id, move in told if client_order_id == life.client_order_id]
            once = [move for move in moves if move not in ("CHANGED", "FILL")]
            assert len(once) == len(set(once))
            assert moves.count("FILL") == max(life.fills - 1, 0)
            assert ("COMPLETED" in moves) == life.is_completed
            assert ("FIRST_FILL" in moves) == (life.fills > 0)
        assert lives["part"].cancel_latency_ns is not None
        exact = 100 * Fraction(share) / Fraction(profile.qty)
        assert abs(Fraction(lives["part"].fill_percent) - exact) < Fraction(1, 10**20)
        assert lives["whole"].fill_percent == 100
        with JournalReader(journal) as reader:
            kept = {life.client_order_id: life for life in reader.lifecycles()}
            assert reader.venue == profile.venue
        assert {life.client_order_id: life for life in lives.values()} == kept
        ((key, statistics),) = lifecycles.statistics_by(Dimension.VENUE).items()
        assert key == (profile.venue,)
        assert (statistics.orders, statistics.active, statistics.completed) == (3, 1, 2)
        lifecycles.detach()


def _life(lifecycles: OrderLifecycles, order: Any) -> Any:
    life = lifecycles.get(order.client_order_id.value)
    assert life is not None
    return life
