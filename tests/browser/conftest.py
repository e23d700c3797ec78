"""Debian's chromium, headless; where it is absent the tests are skipped and say so."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
    "--window-size=1280,1000",
)  # fmt: skip
PATIENCE = 120


class Browser:
    """What the tests ask of a page."""

    def __init__(self, driver: Any) -> None:
        self.driver = driver

    def open(self, path: Path) -> None:
        """Load a page and wait until all its figures are drawn."""
        self.driver.get_log("performance")
        self.driver.get_log("browser")
        self.driver.get(path.absolute().as_uri())
        self.wait("orderparam.drawn.then(() => requestAnimationFrame(() => done(1)))")

    def run(self, script: str, *arguments: object) -> Any:
        """Return what a script returns."""
        return self.driver.execute_script(script, *arguments)

    def wait(self, script: str) -> Any:
        """Return what a script hands to ``done``."""
        found = self.driver.execute_async_script(
            f"const done = arguments[arguments.length - 1]; try {{ {script} }} catch (e) {{ done('failed: ' + e); }}"
        )
        assert not str(found).startswith("failed: "), found
        return found

    def errors(self) -> list[str]:
        """Return what the console holds beyond warnings of the driver."""
        return [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] == "SEVERE"]

    def requests(self) -> list[str]:
        """Return the addresses that were asked for since `open`."""
        found = []
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                found.append(message["params"]["request"]["url"][:200])
        return found

    def picture(self, viewer: int = 0) -> str:
        """Return the picture of a viewer after its next frame."""
        return self.wait(
            f"const v = orderparam.viewers[{viewer}]; v.redraw(); requestAnimationFrame(() => "
            "requestAnimationFrame(() => done(v.canvas.toDataURL())));"
        )

    def slide(self, query: str, value: float) -> None:
        """Move a slider as its user would."""
        self.run(
            "const s = document.querySelector(arguments[0]); s.value = arguments[1];"
            "s.dispatchEvent(new Event('input', {bubbles: true}));",
            query,
            value,
        )

    def slider_time(self, value: float) -> float:
        """Return how long it takes from a move of the first slider until its picture is drawn, milliseconds."""
        return self.wait(
            f"const v = orderparam.viewers[0], gl = v.renderer.gl, value = {value};"
            "const s = document.querySelector('input[data-part]'), pixel = new Uint8Array(4);"
            "const frame = () => new Promise((r) => requestAnimationFrame(r));"
            "(async () => { await frame(); const begun = performance.now(), f = v.frames;"
            "  s.value = value; s.dispatchEvent(new Event('input'));"
            "  while (v.frames === f) await frame();"
            "  gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, pixel);"  # waits for the drawing itself
            "  done(performance.now() - begun); })();"
        )

    def renderer(self) -> str:
        """Return the name of what draws."""
        return self.run(
            "const g = orderparam.viewers[0].renderer.gl, e = g.getExtension('WEBGL_debug_renderer_info');"
            "return e ? g.getParameter(e.UNMASKED_RENDERER_WEBGL) : 'unknown'"
        )


@pytest.fixture(scope="session")
def browser(tmp_path_factory) -> Iterator[Browser]:
    if not (CHROMIUM and DRIVER):
        pytest.skip("no chromium and chromedriver here: apt-get install chromium chromium-driver")
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('chromium')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    driver.set_script_timeout(PATIENCE)
    yield Browser(driver)
    driver.quit()
