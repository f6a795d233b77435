"""Screenshots of pages at three widths, light and dark: ``python docs/screenshots.py FOLDER PAGE.html...`` (needs Chromium and its driver)."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.chrome.service import Service

WIDTHS = (390, 1300, 2000)
HIGHEST = 16_000


def main(folder: Path, pages: list[Path]) -> None:
    """Write ``PAGE_WIDTH_SCHEME.png`` of each page, whole."""
    options = webdriver.ChromeOptions()
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars"):
        options.add_argument(argument)
    options.binary_location = shutil.which("chromium") or ""
    driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
    try:
        for page in pages:
            driver.get(page.resolve().as_uri())
            for width in WIDTHS:
                for scheme in ("light", "dark"):
                    driver.execute_cdp_cmd(
                        "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
                    )
                    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
                    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
                    height = min(HIGHEST, driver.execute_script("return document.documentElement.scrollHeight"))
                    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size | {"height": height})
                    driver.save_screenshot(str(folder / f"{page.stem}_{width}_{scheme}.png"))
    finally:
        driver.quit()


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.mkdir(parents=True, exist_ok=True)
    main(target, [Path(name) for name in sys.argv[2:]])
