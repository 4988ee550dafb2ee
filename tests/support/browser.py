"""A real headless Chromium, for tests of pages; they are skipped where it is not installed."""

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
_OPTIONS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
)


def need_browser() -> None:
    """Skip the test if there is no browser, naming what is missing."""
    pytest.importorskip("selenium", reason="selenium is not installed (dependency group `browser`)")
    if CHROMIUM is None:
        pytest.skip("chromium is not installed (Debian: apt install chromium)")
    if DRIVER is None:
        pytest.skip("chromedriver is not installed (Debian: apt install chromium-driver)")


@contextmanager
def browser(profile: Path) -> Iterator[Any]:
    """Run a browser with a new profile until the block ends."""
    need_browser()
    from selenium import webdriver
    from selenium.webdriver.chrome.options import Options
    from selenium.webdriver.chrome.service import Service

    options = Options()
    assert CHROMIUM is not None
    options.binary_location = CHROMIUM
    for option in (*_OPTIONS, f"--user-data-dir={profile}"):
        options.add_argument(option)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    try:
        yield driver
    finally:
        driver.quit()


def screen(driver: Any, width: int, height: int = 900, *, dark: bool = False) -> None:
    """Give the page a screen of this size."""
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})


def is_wider_than_screen(driver: Any) -> bool:
    """Whether the page has to be moved sideways."""
    wider: bool = driver.execute_script(
        "return document.documentElement.scrollWidth > document.documentElement.clientWidth"
    )
    return wider


def overlapping_texts(driver: Any, selector: str) -> list[str]:
    """Return pairs of texts that are drawn over each other, among the elements of a CSS selector."""
    found: list[str] = driver.execute_script(
        """
        const boxes = [...document.querySelectorAll(arguments[0])]
          .map(e => [e.textContent, e.getBoundingClientRect()]).filter(([t, b]) => t.trim() && b.width);
        const bad = [];
        boxes.forEach(([t, a], i) => boxes.slice(i + 1).forEach(([u, b]) => {
          if (a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1) {
            bad.push(`${t} / ${u}`);
          }
        }));
        return bad;
        """,
        selector,
    )
    return found


def errors(driver: Any) -> list[str]:
    """Return what the page complained of since the last call."""
    return [entry["message"] for entry in driver.get_log("browser") if entry["level"] == "SEVERE"]


def addresses(driver: Any) -> set[str]:
    """Return every address that the page asked for since the last call."""
    import json

    sent = [json.loads(entry["message"])["message"] for entry in driver.get_log("performance")]
    return {m["params"]["request"]["url"] for m in sent if m["method"] == "Network.requestWillBeSent"}


def until(condition: Callable[[], Any], what: str, secs: float = 20.0) -> Any:
    """Wait until `condition` holds, and return what it gave."""
    deadline = time.monotonic() + secs
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.05)
    raise AssertionError(f"waited {secs} s for {what}")


def texts(driver: Any, selector: str) -> list[str]:
    """Return the texts of the elements of a CSS selector, read at one moment."""
    found: list[str] = driver.execute_script(
        "return [...document.querySelectorAll(arguments[0])].map(e => e.innerText)", selector
    )
    return found
