"""A visitor chooses by clicks and sees the composition and the answers; nothing is fetched from elsewhere."""

from __future__ import annotations

import shutil
from urllib.parse import urlsplit

import pytest
from PIL import Image

pytest.importorskip("gradio", reason="only the Space's environment has gradio")
playwright = pytest.importorskip("playwright.sync_api")

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium")
WAIT = 60_000  # milliseconds


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"])
        yield opened
        opened.close()


class Visit:
    """A page that a visitor looks at, what went wrong on it, and what it asked of other machines."""

    def __init__(self, browser, address, *, width=1400, until="#verdict strong"):
        self.page = browser.new_page(viewport={"width": width, "height": 1000})
        self.page.set_default_timeout(WAIT)
        self.errors, self.elsewhere = [], []
        self.page.on("pageerror", self._note)
        self.page.route("**/*", self._allow)
        self.page.goto(address)
        self.page.wait_for_selector(until)

    def _note(self, error):
        self.errors.append(error)

    def _allow(self, route):
        parts = urlsplit(route.request.url)
        if parts.hostname in ("127.0.0.1", None):
            route.continue_()
        else:
            self.elsewhere.append(route.request.url)
            route.abort()

    def source(self, name):
        """The address of the image that a part shows."""
        return self.page.locator(f"#{name} img").first.get_attribute("src")

    def changes(self, action, *names):
        """Act, and wait until these images are others."""
        before = {name: self.source(name) for name in names}
        action()
        for name, old in before.items():
            self.page.wait_for_function(
                "([name, old]) => document.querySelector(`#${name} img`)?.getAttribute('src') !== old",
                arg=[name, old],
            )


@pytest.fixture
def visit(browser, served):
    one = Visit(browser, served)
    yield one
    one.page.close()


def test_the_first_look_shows_all_parts(visit):
    for name in ("composition", "mask", "before"):
        assert visit.source(name)
    visit.page.locator("#row img").nth(4).wait_for()  # Gradio's parts draw themselves when each has its code
    assert visit.page.locator("#row img").count() == 5
    assert "of 5" in visit.page.inner_text("#verdict")
    visit.page.wait_for_function("document.querySelector('#answer')?.innerText.includes('%')")
    assert visit.errors == []


def test_a_click_changes_object_background_and_answer(visit):
    before = visit.page.inner_text("#answer")
    visit.changes(lambda: visit.page.locator("#background button").nth(3).click(), "composition", "mask")
    visit.page.wait_for_function("old => document.querySelector('#answer').innerText !== old", arg=before)
    visit.changes(lambda: visit.page.locator("#object button").nth(4).click(), "composition", "mask", "before")
    visit.page.wait_for_selector("#verdict strong:text('daisy')")


def test_a_click_before_the_first_answer_is_not_forgotten(browser, served):
    visit = Visit(browser, served, until="#background button")
    visit.page.locator("#background button").nth(4).click()
    visit.page.wait_for_selector("#verdict strong")
    visit.page.locator("#row .caption-label").nth(4).wait_for()
    captions = [" ".join(one.split()[1:-1]) for one in visit.page.locator("#row .caption-label").all_inner_texts()]
    assert captions[2] != captions[4]
    visit.page.wait_for_selector(f"#answer h2:text-is('{captions[4]}')")
    visit.page.close()


def test_a_click_on_a_background_takes_the_place_of_the_visitor_s_own(visit, tmp_path):
    Image.new("RGB", (320, 160), (9, 99, 199)).save(tmp_path / "own.png")
    upload = visit.page.locator("#own input[type=file]")
    visit.changes(lambda: upload.set_input_files(tmp_path / "own.png"), "composition", "mask")
    visit.changes(lambda: visit.page.locator("#background button").nth(3).click(), "composition", "mask")
    visit.page.wait_for_selector("#own input[type=file]", state="attached")


def test_a_slider_moves_the_object(visit):
    number = visit.page.locator("#x input[type=number]")
    visit.changes(lambda: (number.fill("0.2"), number.press("Enter")), "composition", "mask")


def test_nothing_is_fetched_from_elsewhere(visit):
    assert visit.elsewhere == []


def test_a_small_screen_shows_everything_in_its_width(browser, served):
    visit = Visit(browser, served, width=390)
    assert visit.page.evaluate("document.documentElement.scrollWidth") <= 390
    visit.page.close()
