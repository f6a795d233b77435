"""The report in headless Chromium: no console errors, tables sort, every figure is there, light and dark, wide and narrow."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from many import with_workloads

from pimsim.report.build import report_page
from pimsim.report.data import ReportData
from pimsim.report.figures import FIGURES

selenium = pytest.importorskip("selenium", reason="selenium is not installed (pip install 'pimsim[test]')")
from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402
from selenium.webdriver.support.ui import WebDriverWait  # noqa: E402

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
    from selenium.webdriver.support.ui import WebDriverWait

    mark = browser.find_element(By.CSS_SELECTOR, "#latency_by_op .tip path")
    browser.execute_script("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", mark)
    hover = browser.find_element(By.ID, "hover")

    def shown(_: Any) -> bool:
        ActionChains(browser).move_by_offset(1, 0).move_to_element(mark).perform()
        return hover.is_displayed()

    WebDriverWait(browser, 30).until(shown)
    assert "feed-forward" in hover.text and "ms per token" in hover.text


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


@pytest.mark.parametrize("width", [390, 1300, 2000])
def test_page_is_never_wider_than_the_window(browser: Any, width: int) -> None:
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width


# Texts of every figure with their boxes relative to the figure, in pixels at the width at hand.
TEXTS = """
  return Array.from(document.querySelectorAll('.plot svg')).map(function (svg) {
    var whole = svg.getBoundingClientRect();
    return [svg.closest('section').id, whole.width, whole.height, Array.from(svg.querySelectorAll('text')).map(function (text) {
      var box = text.getBoundingClientRect();
      return [text.textContent, box.left - whole.left, box.top - whole.top, box.right - whole.left, box.bottom - whole.top];
    })];
  });
"""


def wrong_texts(browser: Any) -> list[str]:
    """Texts that leave their figure, or cover another one by more than a pixel and a half in both directions."""
    found = []
    for name, width, height, texts in browser.execute_script(TEXTS):
        assert texts, name
        slack = 1.5 * width / 700
        for text, left, top, right, bottom in texts:
            if left < -slack or top < -slack or right > width + slack or bottom > height + slack:
                found.append(f"{name}: '{text}' is clipped")
        for (one, *a), (other, *b) in combinations(texts, 2):
            # A box is as high as the font's line; letters take its middle, so a third of the height may be shared.
            overlap = min(a[3], b[3]) - max(a[1], b[1]), min(a[2], b[2]) - max(a[0], b[0])
            if overlap[0] > 0.34 * min(a[3] - a[1], b[3] - b[1]) and overlap[1] > slack:
                found.append(f"{name}: '{one}' and '{other}' overlap")
    return found


def set_view(browser: Any, width: int, scheme: str) -> None:
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]})
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)


@pytest.mark.parametrize("count", [1, 2, 3, 8, 30])
def test_texts_of_figures_are_whole_and_apart_at_every_width(
    browser: Any, built: tuple[Path, ReportData], tmp_path: Path, count: int
) -> None:
    page = tmp_path / f"{count}.html"
    plots = FIGURES if count == 2 else [plot for plot in FIGURES if not plot.focus]
    page.write_text(report_page(with_workloads(built[1], count), plots), encoding="utf-8")
    assert page.stat().st_size < 2_000_000
    browser.get(page.as_uri())
    for width in (390, 1300, 2000):
        for scheme in ("light", "dark"):
            set_view(browser, width, scheme)
            assert wrong_texts(browser) == [], (count, width, scheme)
            assert browser.execute_script("return document.documentElement.scrollWidth") <= width


@pytest.fixture
def fresh(browser: Any, built: tuple[Path, ReportData]) -> Any:
    """The report, loaded anew."""
    set_view(browser, 1300, "light")
    browser.get((built[0] / "report.html").as_uri())
    return browser


def test_summary_comes_first_and_marks_best_and_worst(fresh: Any) -> None:
    assert fresh.execute_script("return document.querySelector('main section').id") == "summary"
    for mark in ("best", "worst"):
        script = (
            f"return Array.from(document.querySelectorAll('#summary td.{mark}'), cell => cell.parentNode.cells[1].textContent)"
        )
        assert set(fresh.execute_script(script)) <= {"pim_gpt", "gddr6_aim"} and fresh.execute_script(script)


def test_tables_filter_by_every_word(fresh: Any) -> None:
    script = """
      const input = document.querySelector('#comparison input');
      input.value = 'gpt2_small t4 ideal'; input.dispatchEvent(new Event('input'));
      return Array.from(document.querySelectorAll('#comparison tbody tr')).filter(row => !row.hidden).map(row => row.textContent);
    """
    rows = fresh.execute_script(script)
    assert len(rows) == 2 and all("gpt2_small" in row and "t4" in row and "ideal" in row for row in rows)
    assert "2 of " in fresh.execute_script("return document.querySelector('#comparison .count').textContent")


def test_csv_of_a_figure_is_unpacked_in_the_page(fresh: Any, built: tuple[Path, ReportData]) -> None:
    script = """
      const done = arguments[0], bytes = Uint8Array.from(atob(document.getElementById('data-speedup').textContent), c => c.charCodeAt(0));
      new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'))).text().then(done);
    """
    text = fresh.execute_async_script(script)
    assert text.splitlines()[0] == (built[0] / "csv" / "speedup.csv").read_text().splitlines()[0]
    fresh.execute_script("document.querySelector('[data-csv=speedup]').click()")
    WebDriverWait(fresh, 5).until(
        lambda page: page.execute_script("return document.querySelector('[data-csv=speedup]').dataset.bytes") == str(len(text))
    )


def test_marks_are_reached_with_the_keyboard(fresh: Any) -> None:
    figure = fresh.find_element(By.CSS_SELECTOR, "#speedup svg")
    fresh.execute_script("arguments[0].focus()", figure)
    figure.send_keys(Keys.ARROW_RIGHT)
    first = fresh.find_element(By.ID, "hover").text
    figure.send_keys(Keys.ARROW_RIGHT)
    second = fresh.find_element(By.ID, "hover").text
    assert "gpt2_small on pim_gpt over t4" in first and first != second
    figure.send_keys(Keys.ESCAPE)
    assert not fresh.find_element(By.ID, "hover").is_displayed()


# What checkers of accessibility look for first: names of everything that can be used, one h1, headings in order, labels, language.
ACCESSIBLE = """
  const problems = [], named = e => (e.getAttribute('aria-label') || e.textContent || '').trim();
  if (!document.documentElement.lang) problems.push('no language');
  if (document.querySelectorAll('h1').length !== 1) problems.push('not one h1');
  let level = 1;
  document.querySelectorAll('h1, h2, h3, h4').forEach(h => {
    const own = Number(h.tagName[1]);
    if (own > level + 1) problems.push('heading skips a level: ' + h.textContent);
    level = own;
  });
  document.querySelectorAll('button, a, summary').forEach(e => { if (!named(e)) problems.push('no name: ' + e.outerHTML.slice(0, 80)); });
  document.querySelectorAll('input').forEach(e => { if (!e.labels.length) problems.push('no label: ' + e.outerHTML); });
  document.querySelectorAll('svg').forEach(e => {
    if (e.getAttribute('role') !== 'img' || !e.getAttribute('aria-label')) problems.push('figure without a name');
  });
  document.querySelectorAll('th').forEach(e => { if (!e.scope) problems.push('th without scope'); });
  document.querySelectorAll('table').forEach(e => { if (!e.caption) problems.push('table without caption'); });
  document.querySelectorAll('.scroll, .plot svg').forEach(e => { if (e.tabIndex < 0) problems.push('scrolls without keyboard'); });
  for (const one of ['main', 'nav', 'header', 'footer']) {
    if (document.querySelectorAll(one).length !== 1) problems.push('landmark ' + one);
  }
  return problems;
"""


def test_page_is_usable_with_keyboard_and_screen_reader(fresh: Any) -> None:
    assert fresh.execute_script(ACCESSIBLE) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast_of_text_is_at_least_4_5(fresh: Any, scheme: str) -> None:
    set_view(fresh, 1300, scheme)
    script = """
      const part = v => v <= 0.03928 ? v / 12.92 : Math.pow((v + 0.055) / 1.055, 2.4);
      const light = c => { const [r, g, b] = c.match(/[\\d.]+/g).map(v => part(v / 255)); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
      const behind = e => { for (; e; e = e.parentElement) {
        const c = getComputedStyle(e).backgroundColor; if (!c.endsWith(', 0)')) return c; } return 'rgb(255, 255, 255)'; };
      return ['p', 'a', 'button', '.caption', 'figcaption', 'td.best', 'td.worst', 'th button', 'td', 'footer'].map(name => {
        const e = document.querySelector('main ' + name) || document.querySelector(name);
        const a = light(getComputedStyle(e).color), b = light(behind(e));
        return [name, (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)];
      });
    """
    assert [(name, ratio) for name, ratio in fresh.execute_script(script) if ratio < 4.5] == []


def test_page_prints_without_controls(fresh: Any) -> None:
    fresh.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    script = "return Array.from(document.querySelectorAll('nav, .tools, #theme')).filter(e => getComputedStyle(e).display !== 'none').length"
    hidden = fresh.execute_script(script)
    background = fresh.execute_script("return getComputedStyle(document.body).backgroundColor")
    fresh.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
    assert hidden == 0 and background == "rgb(255, 255, 255)"
