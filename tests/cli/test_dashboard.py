"""`orderfeeds dashboard` in a real browser: live, read-only, without internet, for pages of its own only."""

import http.client
import importlib.util
import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from click.testing import CliRunner

from nautilus_orderfeeds.cli import cli
from nautilus_orderfeeds.orders.journal import Journal
from tests.cli.test_watch import written
from tests.support.browser import addresses, browser, errors, is_wider_than_screen, screen, texts, until
from tests.support.cli_runs import COMMAND, environment
from tests.support.lifecycles import fill, hostile_journal

pytest.importorskip("nicegui", reason="nicegui is not installed (extra `dashboard`)")


@contextmanager
def dashboard(*arguments: str) -> Iterator[str]:
    """Run the command on a free port until the block ends; give its URL."""
    process = subprocess.Popen(
        [*COMMAND, "dashboard", *arguments, "--port", "0", "--json"],
        stdout=subprocess.PIPE,
        text=True,
        env=environment(),
    )
    try:
        assert process.stdout is not None
        url: str = json.loads(process.stdout.readline())["url"]
        yield url
    finally:
        process.terminate()
        assert process.wait(20) == 0
        process.stdout.close()  # type: ignore[union-attr]


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Journal, Path]]:
    found = written(tmp_path_factory.mktemp("dashboard"))
    yield found
    found[0].close()


@pytest.fixture(scope="module")
def url(journal: tuple[Journal, Path]) -> Iterator[str]:
    with dashboard(str(journal[1])) as found:
        yield found


def test_page_follows_the_journal_and_shows_an_order(journal: tuple[Journal, Path], url: str, tmp_path: Path) -> None:
    with browser(tmp_path / "profile") as driver:
        screen(driver, 1280)
        driver.get(url)
        until(lambda: texts(driver, ".orders .w-ACCEPTED, .orders .w-PARTIALLY_FILLED"), "the orders")
        assert "SFOX-001" in texts(driver, ".top")[0]
        assert texts(driver, ".orders .w-SUBMITTED") == ["SUBMITTED?"]
        assert any("unreadable 1" in text for text in texts(driver, ".feed"))
        fills = len(texts(driver, ".fills tbody tr"))
        journal[0].append_event("O-0", fill("1", cum="5"), time.time_ns())
        journal[0].flush()
        until(lambda: len(texts(driver, ".fills tbody tr")) == fills + 1, "the new fill")
        until(lambda: any("5 (50%)" in text for text in texts(driver, ".orders tbody tr")), "the filled quantity")

        driver.execute_script(
            "[...document.querySelectorAll('.orders tbody tr')].find(r => r.innerText.includes('O-0')).click()"
        )
        frame = until(lambda: driver.find_elements("css selector", "iframe.timeline"), "the timeline")[0]
        driver.switch_to.frame(frame)
        until(lambda: texts(driver, "#life-title"), "the order in it")
        assert "PARTIALLY_FILLED" in texts(driver, "#life-title")[0]
        driver.switch_to.default_content()

        driver.execute_script("document.querySelector('.f-open').click()")
        driver.find_element("css selector", ".f-instrument input").send_keys("nothing")
        until(lambda: not any("O-0" in text for text in texts(driver, ".orders tbody tr")), "the filter")
        assert errors(driver) == []
        asked = {address for address in addresses(driver) if address.startswith(("http", "ws"))}
        assert {urlsplit(address).netloc for address in asked} == {urlsplit(url).netloc}


def test_page_on_a_telephone(url: str, tmp_path: Path) -> None:
    with browser(tmp_path / "profile") as driver:
        screen(driver, 390, dark=True)
        driver.get(url)
        cards = until(lambda: texts(driver, ".orders .q-table__grid-item-card"), "the orders as cards")
        assert any("O-1" in card and "SUBMITTED?" in card for card in cards)
        assert not is_wider_than_screen(driver)
        driver.execute_script("document.querySelector('.orders .q-table__grid-item-card').click()")
        until(lambda: driver.find_elements("css selector", "iframe.timeline"), "the timeline")
        assert not is_wider_than_screen(driver)
        assert errors(driver) == []


def test_what_a_venue_sends_stays_text(tmp_path: Path) -> None:
    with dashboard(str(hostile_journal(tmp_path))) as url, browser(tmp_path / "profile") as driver:
        driver.get(url)
        until(lambda: len(texts(driver, ".orders tbody tr")) == 3, "the orders")
        assert all("structor}}" in text for text in texts(driver, ".orders tbody tr"))  # nothing was worked out
        driver.execute_script("document.querySelector('.orders tbody tr').click()")
        frame = until(lambda: driver.find_elements("css selector", "iframe.timeline"), "the timeline")[0]
        driver.switch_to.frame(frame)
        until(lambda: texts(driver, "#life-title"), "the order in it")
        driver.switch_to.default_content()
        assert driver.title == "orderfeeds"
        assert driver.execute_script("return document.querySelectorAll('img[src=x]').length") == 0


# -- who may ask -------------------------------------------------------------------------------------------------------


def ask(url: str, path: str = "/", **headers: str) -> tuple[int, str]:
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=10)
    try:
        connection.request("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        return answer.status, answer.read().decode("utf-8", "replace")
    finally:
        connection.close()


def test_only_its_own_pages_are_answered(url: str) -> None:
    own = urlsplit(url).netloc
    assert ask(url)[0] == 200
    assert ask(url, Origin=f"http://{own}")[0] == 200
    assert ask(url, Origin="http://evil.example")[0] == 403
    assert ask(url, Host="evil.example")[0] == 403  # a name that was pointed at this machine
    socket = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
    key = {"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Origin": "http://evil.example"}
    path = "/_nicegui_ws/socket.io/?EIO=4&transport=websocket"
    assert ask(url, path, **socket, **key)[0] == 403


@pytest.mark.parametrize(
    ("host", "origin", "is_own"),
    [
        ("127.0.0.1:8080", "", True),
        ("[::1]:8080", "http://[::1]:8080", True),
        ("LOCALHOST:8080", "", True),
        ("127.0.0.7:8080", "http://127.0.0.7:8080", True),
        ("localhost:8080", "http://localhost:9090", False),
        ("localhost:8080", "null", False),
        ("localhost.evil.example", "", False),
        ("", "", False),
    ],
)
def test_who_counts_as_own(host: str, origin: str, is_own: bool) -> None:
    from nautilus_orderfeeds.cli.dashboard import LOOPBACK
    from nautilus_orderfeeds.cli.dashboard_server import OwnPagesOnly

    async def behind(*_: Any) -> None:
        raise AssertionError

    gate = OwnPagesOnly(behind, LOOPBACK | {"127.0.0.7"})
    headers = {b"host": host.encode()} | ({b"origin": origin.encode()} if origin else {})
    assert gate._is_own(headers) is is_own


def test_timeline_of_an_order_that_is_not_there(url: str) -> None:
    assert ask(url, "/timeline?order=O-0")[0] == 200
    assert ask(url, "/timeline?order=none")[0] == 404
    assert ask(url, "/timeline")[0] == 422


# -- the command -------------------------------------------------------------------------------------------------------


def run(*arguments: str) -> Any:
    return CliRunner().invoke(cli, ["dashboard", *arguments])


def test_other_machines_see_nothing_unless_asked_for(tmp_path: Path) -> None:
    done = run(str(tmp_path / "x.sqlite"), "--host", "0.0.0.0")
    assert done.exit_code == 2
    assert "add --allow-remote" in done.stderr
    warned = run(str(tmp_path / "x.sqlite"), "--host", "0.0.0.0", "--allow-remote")
    assert "warning: everyone who reaches 0.0.0.0 sees all orders" in warned.stderr
    assert "there is no journal" in warned.stderr


def test_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    real = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == "nicegui" else real(name, *rest)
    )
    done = run(str(tmp_path / "x.sqlite"))
    assert done.exit_code == 2
    assert "pip install 'orderfeeds-nt-community[dashboard]'" in done.stderr


def test_port_in_use_is_named(url: str, journal: tuple[Journal, Path]) -> None:
    done = run(str(journal[1]), "--port", str(urlsplit(url).port))
    assert done.exit_code == 2
    assert "Address already in use" in done.stderr


def test_journal_is_required() -> None:
    assert run().exit_code == 2
