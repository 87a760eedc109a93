"""The page in a real browser: hover, click, keys, menus, files; no complaint, and nothing asked of a network."""

import numpy as np
import pytest

from analysis.cli.main import main
from tests.analysis.conftest import make_cells, make_curves, make_table, make_trained, write_run, write_training
from tests.analysis.report.test_sweep_page import HOSTILE, decades

pytestmark = pytest.mark.thorough

# All text of an element, that in shadow roots too.
TEXT = """(function text(node) {
  const inside = [...(node.shadowRoot ? node.shadowRoot.childNodes : []), ...node.childNodes];
  return node.nodeType === 3 ? node.data : node.nodeName === "STYLE" ? "" : inside.map(text).join(" ");
})"""


def center(browser, selector):
    """Of an element, once it is in the window."""
    browser.run(f"document.querySelector('{selector}').scrollIntoView({{block: 'center'}})")
    return browser.run(
        f"(r => [r.x + r.width / 2, r.y + r.height / 2])(document.querySelector('{selector}').getBoundingClientRect())"
    )


def choose(browser, selector, value):
    """As a user does with a menu or a slider."""
    browser.run(
        f"(e => {{ e.value = {value!r}; e.dispatchEvent(new Event('input', {{bubbles: true}})) }})"
        f"(document.querySelector('{selector}'))"
    )


def chosen(browser):
    return browser.run("document.querySelector('.chosen').textContent")


def is_clean(browser):
    assert browser.complaints() == []
    assert [url for url in browser.asked() if not url.startswith(("file:", "data:", "about:"))] == []


@pytest.fixture
def opened(browser, tmp_path):
    cells = make_cells(seeds=7, initializers=("gaussian", "orthogonal"), log10_norm=decades)
    run = write_run(tmp_path / "run", cells)
    assert main(["report", str(run)]) == 0
    browser.events.clear()
    browser.open(run / "report.html")
    return browser


def test_hover_click_keys_sliders_and_menus(opened):
    assert chosen(opened).startswith("depth L 852, weight scale 1: 10^0.90 (10^0.00 to 10^3.60); theory 10^")
    x, y = center(opened, ".map")
    opened.mouse(x, y)
    opened.wait(
        f"document.querySelector('.bk-Tooltip') && {TEXT}(document.querySelector('.bk-Tooltip')).includes('7 seeds')"
    )
    opened.mouse(x, y - 100, click=True)
    opened.wait("document.querySelector('.chosen').textContent.includes('weight scale 2')")
    opened.run("document.querySelector('.map').focus()")
    opened.key("ArrowDown")
    opened.wait("document.querySelector('.chosen').textContent.includes('weight scale 1:')")
    choose(opened, '[data-role="x"]', "3")
    choose(opened, '[data-role="y"]', "0")
    assert chosen(opened).startswith("depth L 852, weight scale 0.5: exactly zero (exactly zero to exactly zero)")
    choose(opened, '[data-role="y"]', "2")
    assert chosen(opened).startswith("depth L 852, weight scale 2: undefined")
    assert "; output: " in opened.run("document.querySelector('.others').textContent")
    choose(opened, '[data-role="value"]', "log10_output")
    assert "theory" not in chosen(opened)
    for shown in ("theory", "residual", "verdict", "measured"):
        choose(opened, '[data-role="show"]', shown)
    choose(opened, '[data-role="menu"]', "1")
    opened.run("document.querySelector('[data-role=failed]').click()")
    is_clean(opened)


def test_pictures_and_data_are_saved_from_the_page(opened):
    """What the browser would write is caught where it becomes a file."""
    opened.run("window.saved = {}; URL.createObjectURL = (blob) => { window.blob = blob; return 'blob:x' }; true")
    opened.run("HTMLAnchorElement.prototype.click = function () { window.saved[this.download] = window.blob }; true")
    opened.run("document.querySelectorAll('.save')[0].querySelectorAll('button').forEach((button) => button.click())")
    opened.wait("Object.keys(window.saved).length === 3")
    assert sorted(opened.run("Object.keys(window.saved)")) == ["run-map.csv", "run-map.png", "run-map.svg"]
    lines = opened.run("window.saved['run-map.csv'].text()").splitlines()
    assert lines[0] == "initializer,scale,depth,seeds,log10_grad_first,low,high,predicted,z,verdict"
    assert len(lines) == 1 + 2 * 3 * 4
    assert sum(line.split(",")[4] == "-inf" for line in lines) == 2
    row = next(line.split(",") for line in lines if line.startswith("gaussian,2,100,"))
    np.testing.assert_allclose(float(row[4]), 98 * np.log10(2) + 0.9, rtol=1e-6)
    assert opened.run("window.saved['run-map.svg'].text()").startswith("<svg")
    assert opened.run("window.saved['run-map.png'].size") > 5000


def test_hostile_names_run_nothing(browser, tmp_path):
    cells = make_cells(depths=(2, 5), seeds=2, initializers=HOSTILE)
    run = write_run(tmp_path / "<img src=x onerror=alert(0)>", cells)
    assert main(["report", str(run), "--no-theory"]) == 0
    browser.events.clear()
    browser.open(run / "report.html")
    assert browser.run("document.querySelector('[data-role=menu]').selectedOptions[0].text") in HOSTILE
    assert browser.run("document.querySelectorAll('img').length") == 0
    assert not [event for event in browser.events if event["method"] == "Page.javascriptDialogOpening"]
    is_clean(browser)


def test_a_click_chooses_the_learning_curve_and_a_menu_its_column(browser, tmp_path):
    run = write_training(tmp_path / "run", make_trained(), make_curves())
    assert main(["report", str(run)]) == 0
    browser.events.clear()
    browser.open(run / "report.html")
    source = "Bokeh.documents.map((each) => each.get_model_by_name('run0-series-line')).find((each) => each).data"
    deepest = browser.run(f"{source}.median")
    choose(browser, '[data-role="x"]', "0")
    shallowest = browser.run(f"{source}.median")
    assert deepest != shallowest
    np.testing.assert_allclose(shallowest, 2.3 / (1 + np.array([0, 1, 2, 5, 10, 20, 50, 100, 199]) / 2), rtol=1e-6)
    choose(browser, '[data-role="series"]', "accuracy")
    assert browser.run(f"{source}.median") != shallowest
    is_clean(browser)


def test_a_table_is_sorted_filtered_and_saved(browser, tmp_path):
    run = write_run(tmp_path / "run", make_cells())
    make_table().to_csv(run / "table.csv")
    assert main(["report", str(run), "--no-theory"]) == 0
    browser.events.clear()
    browser.open(run / "report.html")
    column = "[...document.querySelectorAll('tbody tr')].filter((row) => !row.hidden).map((row) => row.cells[1].textContent)"
    assert browser.run(column) == ["orthogonal", "gaussian", "lsuv", "he_normal", "zero"]
    for _ in range(2):
        browser.run("document.querySelectorAll('th button')[2].click()")
    assert browser.run("document.querySelectorAll('th')[2].ariaSort") == "descending"
    assert browser.run(column) == ["he_normal", "orthogonal", "gaussian", "lsuv", "zero"]
    browser.run(
        "(e => { e.value = 'agrees'; e.dispatchEvent(new Event('input')) })(document.querySelector('[type=search]'))"
    )
    assert browser.run(column) == ["orthogonal", "gaussian"]
    is_clean(browser)


@pytest.mark.parametrize("width", [360, 1200])
def test_it_fits_a_phone_and_a_screen(opened, width):
    opened.size(width, 800)
    opened.wait("document.documentElement.scrollWidth <= window.innerWidth")
