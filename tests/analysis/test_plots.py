"""Timelines and pictures of the lives in a journal: what they show is what the journal says."""

from pathlib import Path
from typing import Any

import pytest

from nautilus_orderfeeds import analysis
from nautilus_orderfeeds.analysis import life_plots, plots
from nautilus_orderfeeds.analysis.timeline import FRAMEWORK, WIRE
from nautilus_orderfeeds.orders.journal_reader import JournalReader
from nautilus_orderfeeds.orders.transitions import TRANSITIONS
from nautilus_orderfeeds.orders.words import OrderStatus
from tests.support.journals import write_lives


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_lives(tmp_path_factory.mktemp("plots") / "one.sqlite", "BSX-001", 5)


def texts(figure: Any) -> str:
    return " ".join(str(each.text) for each in figure.layout.annotations)


def test_timeline_has_every_event_and_frame(journal: Path) -> None:
    with JournalReader(journal) as reader:
        orders = reader.orders()
        for order in orders[:9]:
            moments = analysis.lifecycle_timeline(journal, order.client_order_id)
            offsets = [moment.offset_ns for moment in moments]
            assert offsets == sorted(offsets)
            assert offsets[0] == 0
            told = [moment.label for moment in moments if moment.lane == FRAMEWORK]
            assert told == [type(entry.event).__name__.removeprefix("Order") for entry in order.events]
            assert sum(moment.lane == WIRE for moment in moments) == len(reader.frames(order))
            figure = life_plots.order_timeline(moments, "an order")
            assert sum(len(trace.x) for trace in figure.data) == len(moments)


def test_path_follows_the_table(journal: Path) -> None:
    for n in range(1, 10):
        steps = analysis.lifecycle_path(journal, f"one-{n}")
        status = OrderStatus.INITIALIZED
        for step in steps:
            assert step.before is status
            assert step.after in TRANSITIONS[step.before].values() or step.event == "CancelRejected"
            status = step.after
        figure = life_plots.state_diagram(steps, "an order")
        shown = texts(figure)
        for number, step in enumerate(steps, 1):
            assert f"{number} " in shown
            assert step.after.name.replace("_", "<br>") in shown


def test_no_such_order(journal: Path) -> None:
    with pytest.raises(LookupError, match="no order 'nobody'"):
        analysis.lifecycle_timeline(journal, "nobody")


def test_every_status_has_a_place() -> None:
    figure = life_plots.state_diagram([], "the table")
    shown = texts(figure)
    assert all(status.name.replace("_", "<br>") in shown for status in OrderStatus)


def test_distributions_show_every_order_and_name_the_median(journal: Path) -> None:
    tables = analysis.open_journals([journal])
    measure = analysis.time_to_accept(tables)
    figure = plots.distributions(measure, "Time to accept")
    points = [trace for trace in figure.data if trace.mode == "markers"]
    assert sum(len(trace.x) for trace in points) == measure.count().to_pyarrow().as_py()
    for row in analysis.distribution(measure).to_pyarrow().to_pylist():
        assert f"<b>{plots.duration(row['p50'])}</b><br>{row['orders']} order" in texts(figure)
    assert len(plots.ratios(analysis.fill_ratio(tables), "Fill ratio").data) == 4


def test_fees_are_labelled_with_their_rate(journal: Path) -> None:
    tables = analysis.open_journals([journal])
    rows = analysis.fees(tables).to_pyarrow().to_pylist()
    (bars,) = plots.fee_rates(rows).data
    for row, label in zip(rows, bars.customdata, strict=True):
        assert f"{float(row['commission'] / row['notional'] * 10_000):.3g} bp, {row['fills']} fill(s)" in label


def test_fills_per_order_count_orders(journal: Path) -> None:
    tables = analysis.open_journals([journal])
    figure = plots.fills_per_order(tables.fills)
    assert sum(int(text) for trace in figure.data for text in trace.text) == len(
        {row["client_order_id"] for row in tables.fills.to_pyarrow().to_pylist()}
    )


@pytest.mark.parametrize(
    ("ns", "text"),
    [(1_500, "2 µs"), (999_999, "1000 µs"), (1_500_000, "1.5 ms"), (12_000_000, "12 ms"), (2 * 10**9, "2.00 s")],
)
def test_durations_for_people(ns: int, text: str) -> None:
    assert plots.duration(ns) == text
