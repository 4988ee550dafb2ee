"""Statistics of orders' lives, as a table for people and as plain values."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from rich.table import Table

from nautilus_orderfeeds.cli.console import secs
from nautilus_orderfeeds.orders.lifecycle import Ending, OrderLifecycle
from nautilus_orderfeeds.orders.lifecycle_stats import Dimension, Distribution, Statistics, grouped

#: What people type for a dimension.
DIMENSIONS: Final = {
    "venue": Dimension.VENUE,
    "instrument": Dimension.INSTRUMENT,
    "type": Dimension.ORDER_TYPE,
    "side": Dimension.SIDE,
    "strategy": Dimension.STRATEGY,
}
#: What the report is grouped by unless asked otherwise.
BY_DEFAULT: Final = ("venue", "instrument", "type")
_ENDINGS: Final = {
    Ending.FILLED: "filled",
    Ending.CANCELED: "canceled",
    Ending.PARTIALLY_FILLED_CANCELED: "part filled, canceled",
    Ending.EXPIRED: "expired",
    Ending.REJECTED: "rejected",
    Ending.DENIED: "denied",
}
_MEASURES: Final = {
    "time to accept": "time_to_accept",
    "time to first fill": "time_to_first_fill",
    "cancel latency": "cancel_latency",
    "duration": "duration",
}

Groups = Mapping[tuple[str, ...], Statistics]


def groups(lifecycles: Iterable[OrderLifecycle], names: Sequence[str]) -> Groups:
    """Return statistics grouped by dimensions as people name them."""
    return grouped(lifecycles, [DIMENSIONS[name] for name in names])


def tables(found: Groups, total: Statistics) -> list[Table]:
    """Return two tables: what became of the orders, and how long it took; a line for each group and one for all."""
    counts = Table(title="orders", title_justify="left", header_style="bold")
    for column in ("", "orders", "open", "in flight", "filled", "canceled", "expired", "refused", "fills", "fill ratio"):
        counts.add_column(column, justify="right" if column else "left")
    times = Table(title="times: median / 90 % / 99 % of so many", title_justify="left", header_style="bold")
    times.add_column("")
    for measure in _MEASURES:
        times.add_column(measure, justify="right")
    rows = [(" ".join(key), statistics) for key, statistics in found.items()]
    for n, (name, statistics) in enumerate([*rows, ("all", total)]):
        is_last_group = n == len(rows) - 1
        counts.add_row(name, *_counts(statistics), end_section=is_last_group)
        cells = [distribution_text(getattr(statistics, field)) for field in _MEASURES.values()]
        times.add_row(name, *cells, end_section=is_last_group)
    return [counts, times]


def _counts(statistics: Statistics) -> list[str]:
    ended = statistics.endings
    canceled = ended[Ending.CANCELED] + ended[Ending.PARTIALLY_FILLED_CANCELED]
    return [
        str(statistics.orders),
        str(statistics.active + statistics.pending),
        str(statistics.in_flight),
        str(ended[Ending.FILLED]),
        str(canceled),
        str(ended[Ending.EXPIRED]),
        str(ended[Ending.REJECTED] + ended[Ending.DENIED]),
        str(statistics.fills),
        f"{statistics.fill_ratio:.0%}",
    ]


def distribution_text(found: Distribution) -> str:
    """Return median, 90th and 99th percentile for people, and of how many."""
    if not found.count:
        return "-"
    return f"{secs(found.p50_ns)} / {secs(found.p90_ns)} / {secs(found.p99_ns)} ({found.count})"


def ending_text(ending: Ending) -> str:
    """Return an ending for people."""
    return _ENDINGS[ending]


def as_dict(statistics: Statistics) -> dict[str, Any]:
    """Return statistics as plain values: durations in ns, the ratio as text."""
    return {
        "orders": statistics.orders,
        "pending": statistics.pending,
        "in_flight": statistics.in_flight,
        "active": statistics.active,
        "completed": statistics.completed,
        "endings": {ending.name: count for ending, count in statistics.endings.items()},
        "fills": statistics.fills,
        "inferred_fills": statistics.inferred_fills,
        "fill_ratio": str(statistics.fill_ratio),
        **{field: distribution_as_dict(getattr(statistics, field)) for field in _MEASURES.values()},
    }


def distribution_as_dict(found: Distribution) -> dict[str, int]:
    """Return a distribution as plain values, all but the count in ns."""
    return {
        "count": found.count,
        "mean_ns": found.mean_ns,
        "min_ns": found.min_ns,
        "p50_ns": found.p50_ns,
        "p90_ns": found.p90_ns,
        "p99_ns": found.p99_ns,
        "max_ns": found.max_ns,
    }


def report_as_dict(found: Groups, total: Statistics, names: Sequence[str]) -> dict[str, Any]:
    """Return the whole report as plain values."""
    listed = [{**dict(zip(names, key, strict=True)), **as_dict(statistics)} for key, statistics in found.items()]
    return {"by": list(names), "groups": listed, "all": as_dict(total)}
