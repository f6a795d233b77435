"""The report in headless Chromium: no console errors, tables sort, every figure is there, light and dark, wide and narrow."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pimsim.report.data import ReportData
from pimsim.report.figures import FIGURES

selenium = pytest.importorskip("selenium", reason="selenium is not installed (pip install 'pimsim[test]')")
CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
pytestmark = pytest.mark.skipif(
    not (CHROMIUM and DRIVER), reason="chromium and chromedriver are not installed (apt-get install chromium chromium-driver)"
)


@pytest.fixture(scope="module")
def browser(built: tuple[Path, ReportData]) -> Iterator[Any]:
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--window-size=1300,900"):
        options.add_argument(argument)
    options.binary_location = CHROMIUM or ""
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    driver.get((built[0] / "report.html").as_uri())
    yield driver
    driver.quit()


def column(browser: Any, table: str, index: int) -> list[str]:
    script = "return Array.from(document.querySelectorAll(arguments[0]), cell => cell.textContent)"
    return list(browser.execute_script(script, f"#{table} tbody td:nth-child({index})"))


def test_console_has_no_errors(browser: Any) -> None:
    assert [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"] == []


def test_every_figure_is_drawn(browser: Any) -> None:
    for plot in FIGURES:
        box = browser.execute_script(
            "const b = document.querySelector(arguments[0]).getBBox(); return [b.width, b.height]", f"#{plot.name} svg"
        )
        assert min(box) > 100, plot.name


def test_tables_sort_by_number_in_both_directions(browser: Any) -> None:
    head = "#runs th:nth-child(4) button"
    for sign in (1, -1):
        browser.execute_script("document.querySelector(arguments[0]).click()", head)
        values = [float(text) for text in column(browser, "runs", 4)]
        assert values == sorted(values, key=lambda value: sign * value) and len(set(values)) > 2


def test_tables_sort_by_text(browser: Any) -> None:
    browser.execute_script("document.querySelector('#comparison th:nth-child(2) button').click()")
    names = column(browser, "comparison", 2)
    assert names == sorted(names) and len(set(names)) == 2


def test_pointing_at_a_bar_shows_its_value(browser: Any) -> None:
    from selenium.webdriver import ActionChains
    from selenium.webdriver.common.by import By

    mark = browser.find_element(By.CSS_SELECTOR, "#latency_by_op .tip path")
    browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", mark)
    ActionChains(browser).move_to_element(mark).perform()
    hover = browser.find_element(By.ID, "hover")
    assert hover.is_displayed() and "feed-forward" in hover.text and "ms per token" in hover.text


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_is_readable_in_either_scheme(browser: Any, scheme: str) -> None:
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    script = """
      const light = c => { const [r, g, b] = c.match(/[\\d.]+/g).map(Number); return (0.2126*r + 0.7152*g + 0.0722*b) / 255 };
      const label = getComputedStyle(document.querySelector('#speedup svg text'));
      return [light(getComputedStyle(document.body).backgroundColor), light(getComputedStyle(document.body).color), light(label.fill)]
    """
    background, text, label = browser.execute_script(script)
    assert (background > 0.9) == (scheme == "light")
    assert abs(background - text) > 0.6 and abs(background - label) > 0.6


def test_button_switches_between_light_and_dark(browser: Any) -> None:
    script = "return getComputedStyle(document.body).backgroundColor"
    before = browser.execute_script(script)
    browser.execute_script("document.getElementById('theme').click()")
    assert browser.execute_script(script) != before
    browser.execute_script("document.getElementById('theme').click()")
    assert browser.execute_script(script) == before


@pytest.mark.parametrize("width", [380, 1300])
def test_page_is_never_wider_than_the_window(browser: Any, width: int) -> None:
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
