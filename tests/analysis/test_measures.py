"""The measures, against the lives of the orders themselves, and the same on two engines to the last digit."""

import math
import os
import re
import shutil
from collections import defaultdict
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from nautilus_orderfeeds import analysis
from nautilus_orderfeeds.analysis import Tables
from nautilus_orderfeeds.orders.journal_reader import JournalReader
from nautilus_orderfeeds.orders.lifecycle import OrderLifecycle
from tests.support.journals import JournalWriter, fill, write_lives


@pytest.fixture(scope="module")
def journals(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("journals")
    return [
        write_lives(folder / "one.sqlite", "BSX-001", 1),
        write_lives(folder / "two.sqlite", "ROXOM-001", 2, orders=25),
        write_lives(folder / "three.sqlite", "BSX-002", 3, orders=9),
    ]


@pytest.fixture(scope="module")
def tables(journals: list[Path]) -> Tables:
    return analysis.open_journals(journals)


@pytest.fixture(scope="module")
def lives(journals: list[Path]) -> dict[str, OrderLifecycle]:
    found = {}
    for path in journals:
        with JournalReader(path) as reader:
            found.update({order.client_order_id: order.lifecycle(reader.venue) for order in reader.orders()})
    return found


def values(measure: Any) -> dict[str, Any]:
    return {row["client_order_id"]: row["value"] for row in measure.to_pyarrow().to_pylist()}


@pytest.mark.parametrize("name", ["time_to_accept", "time_to_first_fill", "cancel_latency"])
def test_durations_are_those_of_the_lives(tables: Tables, lives: dict[str, OrderLifecycle], name: str) -> None:
    wanted = {order: getattr(life, f"{name}_ns") for order, life in lives.items()}
    told = values(getattr(analysis, name)(tables))
    assert len(set(told.values())) > 10
    assert told == {order: value for order, value in wanted.items() if value is not None}


def test_fill_ratio_is_exact(tables: Tables, lives: dict[str, OrderLifecycle]) -> None:
    told = values(analysis.fill_ratio(tables))
    assert told == {
        order: life.fill_ratio.quantize(Decimal("1e-18")) for order, life in lives.items() if life.is_completed
    }
    assert {0, 1} < set(told.values())


def test_distribution_has_values_that_occurred(tables: Tables, lives: dict[str, OrderLifecycle]) -> None:
    groups: dict[tuple[str, str], list[int]] = defaultdict(list)
    for life in lives.values():
        if life.time_to_accept_ns is not None:
            groups[life.venue, life.type.name].append(life.time_to_accept_ns)
    told = analysis.distribution(analysis.time_to_accept(tables)).to_pyarrow().to_pylist()
    assert [(row["venue"], row["type"]) for row in told] == sorted(groups)
    for row in told:
        group = sorted(groups[row["venue"], row["type"]])
        assert (row["orders"], row["smallest"], row["largest"]) == (len(group), group[0], group[-1])
        for name, percent in (("p10", 10), ("p50", 50), ("p90", 90), ("p99", 99)):
            assert row[name] == group[math.ceil(len(group) * percent / 100) - 1]


def test_fees_are_summed_exactly(tables: Tables, journals: list[Path]) -> None:
    told = analysis.fees(tables).to_pyarrow().to_pylist()
    wanted: dict[str, Decimal] = defaultdict(Decimal)
    for path in journals:
        with JournalReader(path) as reader:
            for order in reader.orders():
                for entry in order.events:
                    wanted[reader.venue] += getattr(entry.event, "commission", Decimal(0))
    by_venue: dict[str, Decimal] = defaultdict(Decimal)
    for row in told:
        by_venue[row["venue"]] += row["commission"]
    assert by_venue == wanted
    assert {row["liquidity_side"] for row in told} == {"MAKER", "TAKER"}
    assert sum(row["estimated"] for row in told) > 0


def test_partial_fills(tables: Tables, lives: dict[str, OrderLifecycle]) -> None:
    told = {row["venue"]: row for row in analysis.partial_fills(tables).to_pyarrow().to_pylist()}
    for venue in ("BSX", "ROXOM"):
        filled = [life for life in lives.values() if life.venue == venue and life.fills]
        row = told[venue]
        assert row["orders"] == len(filled)
        assert row["in_parts"] == sum(life.fills > 1 for life in filled)
        assert row["not_wholly"] == sum(life.is_completed and life.filled_qty < life.quantity for life in filled)
        assert row["fills"] == sum(life.fills for life in filled)
        assert row["most_fills"] == 2
        assert row["inferred"] == sum(life.inferred_fills for life in filled)


def test_a_number_that_does_not_fit_is_named(tmp_path: Path) -> None:
    writer = JournalWriter(tmp_path / "big.sqlite", "BSX-001", 1)
    writer.order([fill("1", "1", px="0.0000000000000000001")])
    writer.close()
    with pytest.raises(ValueError, match=r"last_px 1E-19 of big-1 does not fit DECIMAL\(38, 18\)"):
        analysis.read_journals([tmp_path / "big.sqlite"])


def page() -> dict[str, Any]:
    """The Python of the docs' page."""
    scope: dict[str, Any] = {"__name__": "page"}
    text = (Path(__file__).parents[2] / "docs/analysis.md").read_text()
    for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
        exec(compile(block, "docs/analysis.md", "exec"), scope)
    return scope


def test_python_of_the_page_runs(tables: Tables, journals: list[Path]) -> None:
    told = page()["medians"](journals)
    assert told == analysis.distribution(analysis.time_to_accept(tables)).to_pyarrow().to_pylist()


# -- two engines -------------------------------------------------------------------------------------------------------

EXPRESSIONS: dict[str, Callable[[Tables], Any]] = {
    "time_to_accept": lambda t: analysis.distribution(analysis.time_to_accept(t)),
    "time_to_first_fill": lambda t: analysis.distribution(analysis.time_to_first_fill(t), by=["venue", "side"]),
    "cancel_latency": lambda t: analysis.distribution(analysis.cancel_latency(t)),
    "fill_ratio": lambda t: analysis.distribution(analysis.fill_ratio(t)),
    "fees": analysis.fees,
    "partial_fills": analysis.partial_fills,
    "each order's time to accept": lambda t: analysis.time_to_accept(t).order_by(["account", "client_order_id"]),
}


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Spark in this process, one core, no web interface, nothing outside of loopback."""
    if shutil.which("java") is None and not os.environ.get("JAVA_HOME"):
        pytest.skip("there is no Java here (PySpark needs Java 17)")
    pyspark_sql = pytest.importorskip("pyspark.sql")
    folder = tmp_path_factory.mktemp("spark")
    session = (
        pyspark_sql.SparkSession.builder.master("local[1]")
        .appName("orderfeeds analysis")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.sql.shuffle.partitions", "1")
        .config("spark.default.parallelism", "1")
        .config("spark.driver.memory", "512m")
        .config("spark.sql.warehouse.dir", str(folder / "warehouse"))
        .config("spark.driver.extraJavaOptions", f"-Dderby.system.home={folder / 'derby'}")
        .getOrCreate()
    )
    session.sparkContext.setLogLevel("ERROR")
    yield session
    session.stop()


def test_the_same_expressions_on_duckdb_and_spark(tables: Tables, spark: Any, tmp_path: Path) -> None:
    import ibis

    analysis.write_parquet(tables, tmp_path)
    on_spark = analysis.open_parquet(tmp_path, ibis.pyspark.connect(spark))
    on_files = analysis.open_parquet(tmp_path)
    for name, expression in EXPRESSIONS.items():
        here = expression(tables).to_pyarrow().to_pylist()
        assert here, name
        assert expression(on_files).to_pyarrow().to_pylist() == here, name
        assert expression(on_spark).to_pyarrow().to_pylist() == here, name
    by_the_page = page()["on_a_cluster"](spark, tmp_path).to_pylist()
    assert by_the_page == EXPRESSIONS["cancel_latency"](tables).to_pyarrow().to_pylist()
