"""The standalone page and the statistics of `orderfeeds timeline`, on the journal of a real run."""

import json
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from selenium.webdriver.common.keys import Keys

from nautilus_orderfeeds.cli import cli, stats
from nautilus_orderfeeds.cli.timeline_states import state_diagram
from nautilus_orderfeeds.orders.lifecycle_stats import Dimension, Distribution
from nautilus_orderfeeds.orders.transitions import arrows
from nautilus_orderfeeds.orders.words import OrderStatus
from tests.support.browser import addresses, browser, errors, is_wider_than_screen, overlapping_texts, screen
from tests.support.cli_runs import ShortRun, lines, run_short
from tests.support.lifecycles import HOSTILE, hostile_journal


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("page")


@pytest.fixture(scope="module")
def run(folder: Path) -> ShortRun:
    return run_short(folder / "BSX-001.sqlite")


@pytest.fixture(scope="module")
def hostile(folder: Path) -> Path:
    return hostile_journal(folder)


def timeline(*arguments: Any) -> Result:
    return CliRunner().invoke(cli, ["timeline", *map(str, arguments)])


def page_of(target: Path, *arguments: Any) -> str:
    done = timeline(*arguments, "--html", target)
    assert done.exit_code == 0, done.output
    return target.read_text()


# -- the page ----------------------------------------------------------------------------------------------------------


def test_page_refers_to_nothing_outside(run: ShortRun, folder: Path) -> None:
    page = page_of(folder / "one.html", folder / "BSX-001.sqlite")
    data = page[page.index('id="lives">') : page.index("</script>")]
    outside = re.findall(r"(?:https?:)?//[\w.]+", page.replace(data, ""))
    assert [found for found in outside if "//" in found and "www.w3.org" not in found and "." in found] == []
    for attribute in re.findall(r'(?:src|href)="([^"]*)"', page.replace(data, "")):
        assert attribute.startswith(("data:", "#"))
    assert run.part_filled in page
    assert run.at_market in page


def test_what_a_venue_sends_stays_text(hostile: Path, folder: Path) -> None:
    page = page_of(folder / "hostile.html", hostile)
    assert HOSTILE not in page
    assert page.count("<script") == 2


def test_page_of_one_order(run: ShortRun, folder: Path) -> None:
    page = page_of(folder / "order.html", folder / "BSX-001.sqlite", run.part_filled)
    assert run.part_filled in page
    assert run.at_market not in page


def test_page_in_json_says_where_it_is(run: ShortRun, folder: Path) -> None:
    done = timeline(folder / "BSX-001.sqlite", "--html", folder / "said.html", "--json")
    told = json.loads(done.stdout)
    assert told == {
        "html": str(folder / "said.html"),
        "orders": 2,
        "bytes": (folder / "said.html").stat().st_size,
    }
    assert run.part_filled


def test_page_that_cannot_be_written_is_named(run: ShortRun, folder: Path) -> None:
    done = timeline(folder / "BSX-001.sqlite", "--html", folder / "none" / "page.html")
    assert done.exit_code == 2
    assert "cannot be written: No such file or directory" in done.stderr
    assert run.part_filled


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (390, True)])
def test_page_in_a_browser(run: ShortRun, hostile: Path, folder: Path, tmp_path: Path, width: int, dark: bool) -> None:
    target = tmp_path / "all.html"
    page_of(target, folder / "BSX-001.sqlite", "--also", hostile)
    with browser(tmp_path / "profile") as driver:
        screen(driver, width, dark=dark)
        driver.get(f"{target.as_uri()}#{run.part_filled}")
        assert driver.find_element("id", "life-title").text.endswith("CANCELED")
        assert driver.title == "Orders of account BSX-001, SFOX-001"
        marks = [mark.text for mark in driver.find_elements("css selector", "#axis .moment text")]
        assert marks == ["S", "A", "F", "F", "c", "C"]
        path = driver.execute_script("return life.path.map(step => step.status)")
        assert path == ["INITIALIZED", "SUBMITTED", "ACCEPTED", "PARTIALLY_FILLED", "PENDING_CANCEL", "CANCELED"]
        taken = {a.get_attribute("data-step") for a in driver.find_elements("css selector", ".arrow.taken")}
        assert taken == {f"{a}>{b}" for a, b in pairwise(path)}
        assert driver.find_element("css selector", ".state.now").get_attribute("data-state") == "CANCELED"
        assert not is_wider_than_screen(driver)
        assert overlapping_texts(driver, "#axis text") == []
        assert overlapping_texts(driver, ".states tspan") == []

        axis = driver.find_element("id", "axis")
        driver.execute_script("arguments[0].focus()", axis)
        for _ in range(20):
            axis.send_keys(Keys.ARROW_RIGHT)
        assert "Canceled" in driver.find_element("id", "detail").text
        driver.execute_script("document.getElementById('true-scale').click()")
        assert len(driver.find_elements("css selector", "#axis .moment text")) == 6

        driver.find_element("id", "filter").send_keys("filled market")
        rows = [r for r in driver.find_elements("css selector", "#orders tbody tr") if r.is_displayed()]
        assert [row.get_attribute("data-id") for row in rows] == [run.at_market]
        rows[0].find_element("css selector", "button").click()
        assert driver.find_element("id", "life-title").text.endswith("FILLED")
        assert run.at_market in driver.current_url

        for row in driver.find_elements("css selector", "#orders tbody tr"):
            driver.execute_script("arguments[0].click()", row)
            assert not is_wider_than_screen(driver)
        assert driver.title == "Orders of account BSX-001, SFOX-001"  # nothing a venue sent was run
        assert errors(driver) == []
        assert {url for url in addresses(driver) if url.startswith(("http", "ws"))} == set()


def test_state_diagram_has_every_state_and_every_step_of_the_table() -> None:
    drawn = state_diagram()
    assert set(re.findall(r'data-state="(\w+)"', drawn)) == {status.name for status in OrderStatus}
    expected = {f"{a.name}>{b.name}" for a, b in arrows() if a is not b}
    assert set(re.findall(r'data-step="([\w>]+)"', drawn)) == expected


# -- statistics --------------------------------------------------------------------------------------------------------


def test_statistics_of_a_run(run: ShortRun, folder: Path) -> None:
    told = json.loads(timeline(folder / "BSX-001.sqlite", "--stats", "--json").stdout)
    assert told["by"] == ["venue", "instrument", "type"]
    limit, market = told["groups"]
    assert (limit["venue"], limit["instrument"], limit["type"]) == ("BSX", "BTC-PERP", "LIMIT")
    assert (limit["fill_ratio"], market["fill_ratio"], told["all"]["fill_ratio"]) == ("0.75", "1", "0.875")
    assert limit["endings"]["PARTIALLY_FILLED_CANCELED"] == market["endings"]["FILLED"] == 1
    assert (told["all"]["orders"], told["all"]["completed"], told["all"]["in_flight"]) == (2, 2, 0)
    assert limit["cancel_latency"]["count"] == 1
    assert market["cancel_latency"]["count"] == 0
    for measure in ("time_to_accept", "time_to_first_fill", "duration"):
        spread = told["all"][measure]
        assert spread["count"] == 2
        assert 0 < spread["min_ns"] <= spread["p50_ns"] <= spread["p90_ns"] <= spread["p99_ns"] <= spread["max_ns"]
    listed = json.loads(timeline(folder / "BSX-001.sqlite", "--json").stdout)["orders"]
    accepts = sorted(order["time_to_accept_ns"] for order in listed)
    assert told["all"]["time_to_accept"]["max_ns"] == accepts[-1]
    assert run.part_filled


def test_statistics_of_several_journals(run: ShortRun, hostile: Path, folder: Path) -> None:
    arguments = (folder / "BSX-001.sqlite", "--also", hostile, "--stats", "--by", "venue")
    told = json.loads(timeline(*arguments, "--json").stdout)
    assert [(group["venue"], group["orders"]) for group in told["groups"]] == [("BSX", 2), ("SFOX", 3)]
    assert told["groups"][1]["in_flight"] == 1
    assert told["all"]["orders"] == 5
    shown = timeline(*arguments)
    assert lines(shown.stdout, "in flight", "refused", "fill ratio")
    assert lines(shown.stdout, "│ all ", "│      5 │")
    assert run.part_filled


def test_statistics_of_the_newest_and_without_groups(run: ShortRun, folder: Path) -> None:
    told = json.loads(timeline(folder / "BSX-001.sqlite", "--stats", "--json", "--by", "", "--last", "1").stdout)
    assert [group["orders"] for group in told["groups"]] == [1]
    assert told["all"]["endings"]["FILLED"] == 1
    assert run.part_filled


def test_order_in_flight_is_shown_as_of_unknown_outcome(hostile: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "400")  # the ids in it are long
    shown = timeline(hostile)
    assert lines(shown.stdout, "SUBMITTED (outcome unknown)")
    told = json.loads(timeline(hostile, "--json").stdout)
    assert [order["phase"] for order in told["orders"]] == ["ACTIVE", "COMPLETED", "IN_FLIGHT"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--stats", "--by", "colour"), "'colour' is none of venue, instrument, type, side, strategy"),
        (("O-1", "--stats"), "leave ORDER out"),
        (("--stats", "--html", "x.html"), "leave --stats out"),
        (("--html", "x.html", "O-none"), "no order 'O-none'"),
    ],
)
def test_wrong_use_is_told(run: ShortRun, folder: Path, arguments: tuple[str, ...], said: str) -> None:
    done = timeline(folder / "BSX-001.sqlite", *arguments)
    assert done.exit_code == 2
    assert said in done.stderr
    assert run.part_filled


@pytest.mark.parametrize(
    ("p99_ns", "unit"), [(5_000_000, "ms"), (999_999_999, "ms"), (1_000_000_000, "s"), (120_000_000_000, "min")]
)
def test_percentiles_are_shown_in_one_unit(p99_ns: int, unit: str) -> None:
    assert stats.distribution_text(Distribution(count=1, p99_ns=p99_ns)).endswith(f" {unit}")
    assert stats.distribution_text(Distribution()) == "-"


def test_every_dimension_has_a_name() -> None:
    assert set(stats.DIMENSIONS.values()) == set(Dimension)
