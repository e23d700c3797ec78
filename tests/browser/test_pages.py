"""Every page in a real browser: no console errors, no network, controls that do what they say, nothing hostile."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from orderparam_cli.main import run as program

from orderparam.crystals.reading import read_crystal
from orderparam.discovery.analyse import analyse
from orderparam.parent import symmetrise
from orderparam.report.page import fit_page
from tests.browser.large import write_large_page

STRUCTURES = Path(__file__).parents[2] / "structures"
PAIR = [str(STRUCTURES / f"perovskite/LaMnO3_{n}.cif") for n in (221, 62)]


@pytest.fixture(scope="module")
def pages(tmp_path_factory) -> Path:
    """Return a folder with one page per command."""
    place = tmp_path_factory.mktemp("pages")
    commands = {
        "fit": ["fit", *PAIR, "--out", str(place / "run")],
        "constrained": ["fit", *PAIR, "--constrain", "subgroup=74", "--out", str(place / "constrained")],
        "floor": ["fit", *PAIR, "--no-order-parameter", "--out", str(place / "floor")],
        "identical": ["fit", PAIR[0], PAIR[0], "--out", str(place / "identical")],
        "modes": ["modes", *PAIR],
        "subgroups": ["subgroups", *PAIR],
        "domains": ["domains", *PAIR],
        "carriers": ["carriers", *PAIR],
        "directions": ["directions", PAIR[0], "--irrep", "R4+"],
        "directions_k": ["directions", "Pm-3m", "--k", "M"],
    }
    for name, arguments in commands.items():
        with pytest.raises(SystemExit) as end:
            program([*arguments, "--quiet", "--html", str(place / f"{name}.html")])
        assert end.value.code == 0
    return place


def atoms(browser, viewer: int = 0) -> np.ndarray:
    return np.array(browser.run(f"return Array.from(orderparam.viewers[{viewer}].now)")).reshape(-1, 3)


PAGES = ["fit", "constrained", "floor", "identical", "modes", "subgroups", "domains", "carriers", "directions"]


@pytest.mark.parametrize("name", [*PAGES, "directions_k"])
def test_a_page_loads_alone(browser, pages, name):
    browser.open(pages / f"{name}.html")
    assert browser.errors() == []
    asked = [url for url in browser.requests() if not url.startswith(("data:", "blob:"))]
    assert asked == [(pages / f"{name}.html").as_uri()]
    for box in browser.driver.find_elements("css selector", ".plot, canvas[role=img]"):
        assert len(box.get_attribute("aria-label")) > 20
    assert browser.run("return document.querySelectorAll('.failed:not([hidden])').length") == 0
    n_plots = browser.run("return document.querySelectorAll('.plot .plot-container').length")
    assert n_plots == browser.run("return document.querySelectorAll('.plot').length")


def test_a_page_says_what_the_network_reached(browser, pages):
    told = {}
    for name in ("fit", "constrained", "floor"):
        browser.open(pages / f"{name}.html")
        told[name] = browser.run("return document.querySelector('.lead').textContent")
    assert "reproduces the child" in told["fit"]
    assert "subgroup=74 the network reaches Imma (74), 3.4e-01 Å off the child" in told["constrained"]
    assert "Without any order parameter the network misses the child by 4.6e-01 Å" in told["floor"]


def test_the_checks_can_fail(browser, tmp_path):
    page = tmp_path / "bad.html"
    page.write_text(
        "<!DOCTYPE html><script>window.orderparam = {drawn: Promise.resolve()}; console.error('broken');"
        "fetch('http://localhost:9/').catch(() => 0);</script>"
    )
    browser.open(page)
    assert browser.errors()
    assert any("localhost" in url for url in browser.requests())


def test_the_path_leads_from_parent_to_child(browser, pages):
    analysis = analyse(symmetrise(read_crystal(PAIR[0])), read_crystal(PAIR[1]))
    child, parent = analysis.relation.distortion.crystal(), analysis.relation.distortion.reference()
    browser.open(pages / "modes.html")
    shown = browser.picture()
    for end, crystal in (("child", child), ("parent", parent)):
        browser.run(f"document.querySelector('button[data-{end}]').click()")
        of = np.array(browser.run("return Array.from(orderparam.viewers[0].scene.atoms)"))
        gaps = atoms(browser) @ np.linalg.inv(crystal.lattice) - crystal.positions[of]
        assert np.abs(gaps - np.rint(gaps)).max() < 1e-5
    assert browser.picture() != shown
    browser.run("document.querySelector('button[data-reset]').click()")
    assert browser.picture() == shown


def test_every_order_parameter_has_its_slider(browser, pages):
    analysis = analyse(symmetrise(read_crystal(PAIR[0])), read_crystal(PAIR[1]))
    browser.open(pages / "modes.html")
    of = np.array(browser.run("return Array.from(orderparam.viewers[0].scene.atoms)"))
    sliders = browser.driver.find_elements("css selector", ".viewer input[data-part]")
    names = [slider.get_attribute("aria-label") for slider in sliders]
    moved = [o.label for o in analysis.decomposition.displacive]
    assert names[: len(moved)] == moved
    before = browser.picture()
    for number in range(len(names)):
        browser.slide(f".viewer input[data-part='{number}']", 0)
    places = np.array(browser.run("return Array.from(orderparam.viewers[0].scene.places)")).reshape(-1, 3)
    assert np.abs(atoms(browser) - places).max() < 1e-6
    browser.slide(".viewer input[data-part='0']", -1.5)
    expected = -1.5 * analysis.decomposition.displacive[0].field()[of]
    assert np.abs(atoms(browser) - places - expected).max() < 1e-5
    size = browser.run("return document.querySelector('.viewer output[data-part=\"0\"]').textContent")
    assert float(size.split()[0]) == pytest.approx(
        -1.5 * analysis.decomposition.displacive[0].amplitude_supercell, abs=1e-3
    )
    assert browser.picture() != before


def test_play_moves_the_atoms(browser, pages):
    browser.open(pages / "modes.html")
    browser.run("document.querySelector('button[data-play]').click()")
    seen = browser.wait(
        "const seen = new Set(), v = orderparam.viewers[0]; const look = () => { seen.add(v.path.toFixed(3));"
        "if (seen.size > 5) { document.querySelector('button[data-play]').click(); done([...seen]); }"
        "else requestAnimationFrame(look); }; look();"
    )
    assert len(set(seen)) > 5
    assert (
        browser.wait("setTimeout(() => done(document.querySelector('button[data-play]').textContent), 300)") == "Play"
    )


def test_the_pointer_names_atoms_and_turns_the_structure(browser, pages):
    browser.open(pages / "modes.html")
    found = browser.run(
        "const v = orderparam.viewers[0], box = v.canvas.getBoundingClientRect();"
        "for (let a = 0; a < v.scene.atoms.length; a++) {"
        "  const [x, y] = v.renderer.project(...v.now.slice(3 * a, 3 * a + 3));"
        "  if (v.under(x, y) !== a) continue;"
        "  const at = {clientX: box.left + x, clientY: box.top + y};"
        "  v.canvas.dispatchEvent(new PointerEvent('pointermove', at));"
        "  return [v.tip.textContent, v.scene.texts[v.scene.atoms[a]], v.tip.hidden]; }"
    )
    assert found[0] == found[1]
    assert "moved by" in found[0]
    assert found[2] is False
    before = browser.picture()
    browser.run("orderparam.viewers[0].canvas.dispatchEvent(new KeyboardEvent('keydown', {key: 'ArrowLeft'}))")
    assert browser.picture() != before


def test_the_learned_input_is_drawn_and_can_be_hidden(browser, pages):
    browser.open(pages / "fit.html")
    assert browser.run("return orderparam.viewers.length") == 2
    glyphs = browser.run("return orderparam.viewers[1].glyphs.map((g) => [g.input, g.count, g.shown])")
    assert glyphs[0][0] == "Mn:1e"
    assert glyphs[0][1] > 100
    assert glyphs[0][2]
    before = browser.picture()
    browser.run("document.querySelector('input[data-input]').click()")
    assert browser.picture() != before


def test_the_graph_reacts(browser, pages):
    browser.open(pages / "subgroups.html")
    hover = browser.run(
        "const box = document.querySelector('[data-graph]'); const n = box.data.findIndex((t) => t.customdata);"
        "Plotly.Fx.hover(box, [{curveNumber: n, pointNumber: 1}]);"
        "return [...box.querySelectorAll('.hoverlayer text')].map((t) => t.textContent).join(' ')"
    )
    assert "away from the child" in hover
    before = browser.picture()
    shown = browser.wait(
        "const box = document.querySelector('[data-graph]'); const n = box.data.findIndex((t) => t.customdata);"
        "box.emit('plotly_click', {points: [{customdata: box.data[n].customdata[0]}]});"
        "const row = document.querySelector('tr.chosen').dataset.state; done([orderparam.viewers[0].state, row]);"
    )
    assert shown == [0, "0"]
    assert browser.picture() != before
    places = np.array(browser.run("return Array.from(orderparam.viewers[0].scene.places)")).reshape(-1, 3)
    moved = atoms(browser)
    breathing = (moved * places).sum() / (places**2).sum()  # node 0 is the parent, with its share of the strain
    assert abs(breathing - 1) < 1e-3
    assert np.abs(moved - breathing * places).max() < 1e-5
    browser.run("document.querySelector('tr[data-state=\"2\"] button').click()")
    assert browser.run("return orderparam.viewers[0].state") == 2


def test_charts_show_their_numbers(browser, pages):
    browser.open(pages / "fit.html")
    told = browser.run(
        "const box = document.querySelector('.plot'); Plotly.Fx.hover(box, [{curveNumber: 0, pointNumber: 0}]);"
        "return [...box.querySelectorAll('.hoverlayer text')].map((t) => t.textContent).join(' ')"
    )
    assert "As 1.19" in told


HOSTILE = "</script><script>window.hacked = 1</script><img src=x onerror='window.hacked = 1'>"


def test_hostile_names_stay_harmless(browser, pages, tmp_path):
    text = json.dumps([json.loads((pages / "run" / f"{n}.json").read_text()) for n in ("result", "drawing", "inputs")])
    record, drawing, inputs = json.loads(text)
    for place in (record["modes"]["child"], record["modes"]["parent"]):
        place["formula"] = place["file"] = HOSTILE
        place["space_group"]["symbol"] = HOSTILE
    record["modes"]["warnings"] = [HOSTILE]
    record["config"] = {"parent": HOSTILE, HOSTILE: HOSTILE}
    drawing["child_labels"] = [HOSTILE] * len(drawing["species"])
    drawing["species"] = [HOSTILE] * len(drawing["species"])
    inputs["inputs"][0]["name"] = HOSTILE
    for found in (*record["modes"]["irreps"], *record["gradient"], *record["carriers"], *record["necessity"]):
        for key in ("label", "direction", "site", "without", "space_group_irrep"):
            if key in found:
                found[key] = HOSTILE
    for node in drawing["subgroups"]["nodes"]:
        node["space_group"]["symbol"] = HOSTILE
    page = tmp_path / "hostile.html"
    page.write_text(fit_page(record, drawing, inputs))
    browser.open(page)
    assert browser.run("return window.hacked") is None
    assert [url for url in browser.requests() if not url.startswith(("data:", "blob:"))] == [page.as_uri()]
    assert browser.run("return document.querySelectorAll('img[src=x]').length") == 0
    assert HOSTILE in browser.run("return document.querySelector('h1').textContent")


def test_a_hostile_file_goes_through_the_command(browser, tmp_path):
    hostile = "<script>alert(1)<_script>"
    text = (STRUCTURES / "perovskite/LaMnO3_62.cif").read_text()
    child = tmp_path / f"{hostile}.cif"
    assert "\nLa1 La" in text
    child.write_text(text.replace("\nLa1 La", "\n'<img/src=x/onerror=alert(1)>' La"))
    with pytest.raises(SystemExit) as end:
        program(["modes", PAIR[0], str(child), "--quiet", "--html", str(tmp_path / "page.html")])
    assert end.value.code == 0
    browser.open(tmp_path / "page.html")
    assert browser.errors() == []
    assert "<script>" in browser.run("return document.querySelector('.lead').textContent")
    assert browser.run("return document.querySelectorAll('script:not([type])').length") == 4


def test_a_large_child_fits_and_moves(browser, tmp_path):
    """Of 320 atoms; how fast it moves is measured in `tests/benchmarks`."""
    page = write_large_page(tmp_path / "large.html")
    assert page.stat().st_size <= 12e6
    browser.open(page)
    assert browser.errors() == []
    before = atoms(browser)
    assert browser.slider_time(0.3) > 0
    assert np.abs(atoms(browser) - before).max() > 0.01
    assert browser.renderer()


def test_without_webgl_the_table_is_offered(browser, pages):
    script = "HTMLCanvasElement.prototype.getContext = new Proxy(HTMLCanvasElement.prototype.getContext, {apply: "
    script += "(f, self, args) => args[0] === 'webgl2' ? null : Reflect.apply(f, self, args)});"
    added = browser.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": script})
    try:
        browser.open(pages / "modes.html")
    finally:
        browser.driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", added)
    told = browser.run("return document.querySelector('.failed:not([hidden])').textContent")
    assert "the table below has its atoms" in told
    assert browser.run("return document.querySelectorAll('details tbody tr').length") >= 20
    assert browser.run("return document.querySelectorAll('.plot .plot-container').length") >= 3  # the charts are there


def test_paper_shows_what_plotly_draws_in_3d(browser, pages):
    """A canvas without its buffer would be empty on paper."""
    browser.open(pages / "modes.html")
    inside = (
        "const c = [...document.querySelectorAll('.plot .gl-container canvas')][0];"
        "const g = c.getContext('webgl2') || c.getContext('webgl');"
        "const pixels = new Uint8Array(4 * c.width * c.height);"
        "g.readPixels(0, 0, c.width, c.height, g.RGBA, g.UNSIGNED_BYTE, pixels);"
        "return [g.getContextAttributes().preserveDrawingBuffer, new Set(pixels).size];"
    )
    browser.wait("setTimeout(() => done(1), 500)")
    kept, shades = browser.run(inside)
    assert kept
    assert shades > 3


def test_a_printed_page_has_no_controls(browser, pages):
    browser.open(pages / "modes.html")
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    try:
        hidden = "return [...document.querySelectorAll('nav, .controls')].every((n) => n.offsetParent === null)"
        assert browser.run(hidden)
        assert browser.run("return document.querySelector('canvas').clientWidth") > 300
        told = browser.run("return document.querySelector('.paper').innerText")
        assert "R4+ 1.193 Å, M3+ 0.903 Å" in told
        assert "Arrows: displacements from the parent, × 3" in told
        browser.slide(".viewer input[data-part='0']", 0.5)
        assert "R4+ 0.596 Å" in browser.run("return document.querySelector('.paper').innerText")
    finally:
        browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
