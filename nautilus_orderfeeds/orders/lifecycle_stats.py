"""Counts, ratios and percentiles over the lives of many orders, in all or by venue, instrument, type and so on."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from enum import unique

from msgspec import Struct

from nautilus_orderfeeds.orders.decimals import EXACT, ZERO, exact_sum
from nautilus_orderfeeds.orders.lifecycle import Ending, OrderLifecycle, Phase
from nautilus_orderfeeds.orders.words import Word


@unique
class Dimension(Word):
    """What orders can be grouped by."""

    VENUE = "VENUE"
    INSTRUMENT = "INSTRUMENT"
    ORDER_TYPE = "ORDER_TYPE"
    SIDE = "SIDE"
    STRATEGY = "STRATEGY"


class Distribution(Struct, frozen=True, kw_only=True):
    """Some durations, all in ns. Percentiles are durations that really occurred (nearest rank).

    Parameters
    ----------
    count : int
        How many there are; the rest is 0 if there are none.
    mean_ns : int
        Rounded down.
    min_ns, p50_ns, p90_ns, p99_ns, max_ns : int
        The least, the percentiles and the greatest.
    """

    count: int = 0
    mean_ns: int = 0
    min_ns: int = 0
    p50_ns: int = 0
    p90_ns: int = 0
    p99_ns: int = 0
    max_ns: int = 0

    @classmethod
    def of(cls, durations_ns: Iterable[int | None]) -> "Distribution":
        """Return the distribution of those that are known."""
        known = sorted(ns for ns in durations_ns if ns is not None)
        if not known:
            return cls()
        return cls(
            count=len(known),
            mean_ns=sum(known) // len(known),
            min_ns=known[0],
            p50_ns=_nearest_rank(known, 50),
            p90_ns=_nearest_rank(known, 90),
            p99_ns=_nearest_rank(known, 99),
            max_ns=known[-1],
        )


def _nearest_rank(ordered: Sequence[int], percent: int) -> int:
    """Return the least value that `percent` of all do not exceed."""
    return ordered[max(-(-percent * len(ordered) // 100), 1) - 1]


class Statistics(Struct, frozen=True, kw_only=True):
    """What became of a group of orders.

    Parameters
    ----------
    orders : int
        All of them: pending + in_flight + active + completed.
    pending, in_flight, active, completed : int
        By phase. In flight: the outcome is unknown.
    endings : dict[Ending, int]
        The completed ones by how they ended; every ending is a key.
    fills, inferred_fills : int
        Fills told, and those of them made from a venue's totals.
    fill_ratio : Decimal
        Mean filled part of the completed orders that were not refused, 0 to 1.
    time_to_accept, time_to_first_fill, duration, cancel_latency : Distribution
        From submitting to the first proof of life; to the first fill; from the first record to the end (of completed
        orders: the mean is the average execution time); from asking for the cancel to it.
    """

    orders: int
    pending: int
    in_flight: int
    active: int
    completed: int
    endings: dict[Ending, int]
    fills: int
    inferred_fills: int
    fill_ratio: Decimal
    time_to_accept: Distribution
    time_to_first_fill: Distribution
    duration: Distribution
    cancel_latency: Distribution

    @classmethod
    def of(cls, lifecycles: Iterable[OrderLifecycle]) -> "Statistics":
        """Return the statistics of some orders; their order does not matter."""
        lives = list(lifecycles)
        phases = dict.fromkeys(Phase, 0)
        endings = dict.fromkeys(Ending, 0)
        for life in lives:
            phases[life.phase] += 1
            if life.ending is not None:
                endings[life.ending] += 1
        return cls(
            orders=len(lives),
            pending=phases[Phase.PENDING],
            in_flight=phases[Phase.IN_FLIGHT],
            active=phases[Phase.ACTIVE],
            completed=phases[Phase.COMPLETED],
            endings=endings,
            fills=sum(life.fills for life in lives),
            inferred_fills=sum(life.inferred_fills for life in lives),
            fill_ratio=_mean_fill_ratio(lives),
            time_to_accept=Distribution.of(life.time_to_accept_ns for life in lives),
            time_to_first_fill=Distribution.of(life.time_to_first_fill_ns for life in lives),
            duration=Distribution.of(life.duration_ns for life in lives),
            cancel_latency=Distribution.of(life.cancel_latency_ns for life in lives),
        )


_TAKEN = frozenset({Ending.FILLED, Ending.CANCELED, Ending.PARTIALLY_FILLED_CANCELED, Ending.EXPIRED})


def _mean_fill_ratio(lives: Sequence[OrderLifecycle]) -> Decimal:
    # Sorted, because sums of rounded thirds depend on their order in the last of 60 digits.
    ratios = sorted(life.fill_ratio for life in lives if life.ending in _TAKEN)
    total = ZERO
    for ratio in ratios:
        total = exact_sum(total, ratio)
    return EXACT.divide(total, Decimal(len(ratios))) if ratios else ZERO


def grouped(lifecycles: Iterable[OrderLifecycle], dimensions: Sequence[Dimension]) -> dict[tuple[str, ...], Statistics]:
    """Return statistics by groups.

    Parameters
    ----------
    lifecycles : Iterable[OrderLifecycle]
        The orders.
    dimensions : Sequence[Dimension]
        What to group by; none makes one group of all, named ``()``.

    Returns
    -------
    dict[tuple[str, ...], Statistics]
        By the values of the dimensions, sorted. Only groups that have orders (with no dimensions, always one).
    """
    members: dict[tuple[str, ...], list[OrderLifecycle]] = {} if dimensions else {(): []}
    for life in lifecycles:
        members.setdefault(tuple(_value(life, dimension) for dimension in dimensions), []).append(life)
    return {key: Statistics.of(members[key]) for key in sorted(members)}


def _value(life: OrderLifecycle, dimension: Dimension) -> str:
    match dimension:
        case Dimension.VENUE:
            return life.venue
        case Dimension.INSTRUMENT:
            return life.symbol
        case Dimension.ORDER_TYPE:
            return life.type.name
        case Dimension.SIDE:
            return life.side.name
        case Dimension.STRATEGY:
            return life.strategy_id
