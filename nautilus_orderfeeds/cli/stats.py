"""Statistics of orders' lives, as a table for people and as plain values."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from rich.table import Table

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

#: From which duration on a unit is used, its ns, and its name.
_UNITS: Final = ((120_000_000_000, 60_000_000_000, "min"), (1_000_000_000, 1_000_000_000, "s"), (0, 1_000_000, "ms"))
#: Headings of the cells that `lines` gives.
COUNT_COLUMNS: Final = (
    "orders",
    "open",
    "in flight",
    "filled",
    "canceled",
    "expired",
    "refused",
    "fills",
    "fill ratio",
)
TIME_COLUMNS: Final = tuple(_MEASURES)

Groups = Mapping[tuple[str, ...], Statistics]


def groups(lifecycles: Iterable[OrderLifecycle], names: Sequence[str]) -> Groups:
    """Return statistics grouped by dimensions as people name them."""
    return grouped(lifecycles, [DIMENSIONS[name] for name in names])


def tables(found: Groups, total: Statistics) -> list[Table]:
    """Return two tables: what became of the orders, and how long it took; a line for each group and one for all."""
    counts = Table(title="orders", title_justify="left", header_style="bold")
    times = Table(title="times: median / 90 % / 99 %", title_justify="left", header_style="bold")
    for table, columns in ((counts, COUNT_COLUMNS), (times, TIME_COLUMNS)):
        table.add_column("")
        for column in columns:
            table.add_column(column, justify="right")
    rows = lines(found, total)
    for n, (name, count_cells, time_cells) in enumerate(rows):
        is_last_group = n == len(rows) - 2
        counts.add_row(name, *count_cells, end_section=is_last_group)
        times.add_row(name, *time_cells, end_section=is_last_group)
    return [counts, times]


def lines(found: Groups, total: Statistics) -> list[tuple[str, list[str], list[str]]]:
    """Return for each group, and for all, its name and the cells of both tables."""
    named = [*((" ".join(key), statistics) for key, statistics in found.items()), ("all", total)]
    return [
        (name, _counts(s), [distribution_text(getattr(s, field)) for field in _MEASURES.values()]) for name, s in named
    ]


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
    """Return median, 90th and 99th percentile for people, in one unit."""
    if not found.count:
        return "-"
    unit_ns, unit = next((ns, name) for least_ns, ns, name in _UNITS if found.p99_ns >= least_ns)
    values = (found.p50_ns, found.p90_ns, found.p99_ns)
    return f"{' / '.join(_short(ns / unit_ns) for ns in values)} {unit}"


def _short(value: float) -> str:
    return f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 100 else f"{value:.0f}"


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
