"""A browser opens the page without an error, and its script runs."""

from __future__ import annotations

import json
import shutil
import subprocess

import pytest

from fornet_hf.evaluation.report import page
from tests.evaluation.report import made

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium")


def chromium(path, folder, *options: str) -> subprocess.CompletedProcess[str]:
    """Open a page without a window; the browser's messages go to stderr."""
    command = [
        CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
        f"--user-data-dir={folder / 'profile'}", "--enable-logging=stderr", *options, path.as_uri(),
    ]  # fmt: skip
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("browser")
    comparison = made.comparison(2)
    (folder / "report.html").write_text(page([made.illustrated(comparison)]), encoding="utf-8")
    return folder


def complaints(done: subprocess.CompletedProcess[str]) -> list[str]:
    return [line for line in done.stderr.splitlines() if "CONSOLE" in line]


def test_a_browser_finds_no_error(folder):
    done = chromium(folder / "report.html", folder, "--dump-dom")
    assert complaints(done) == []
    assert "Biases of 2 classifiers" in done.stdout


def test_this_test_can_fail(folder):
    broken = (folder / "report.html").read_text(encoding="utf-8").replace("</body>", "<script>x</script></body>")
    (folder / "broken.html").write_text(broken, encoding="utf-8")
    assert "Content Security Policy" in "".join(complaints(chromium(folder / "broken.html", folder, "--dump-dom")))


@pytest.mark.parametrize("width", [390, 1400])
def test_nothing_is_wider_than_the_screen(folder, width):
    """Measured in a frame of that width, as windows without a screen are not so narrow."""
    text = (folder / "report.html").read_text(encoding="utf-8")
    start, end = text.index("<meta http-equiv"), text.index("<title>")
    (folder / "free.html").write_text(text[:start] + text[end:], encoding="utf-8")
    probe = (
        f'<iframe src="free.html" style="width:{width}px;height:900px;border:0"></iframe><p></p><script>'
        'const frame = document.querySelector("iframe");'
        "frame.onload = () => { const root = frame.contentDocument.documentElement;"
        'document.querySelector("p").textContent = `${root.scrollWidth} of ${root.clientWidth}`; };</script>'
    )
    (folder / "probe.html").write_text(probe, encoding="utf-8")
    options = ("--dump-dom", "--allow-file-access-from-files", "--hide-scrollbars", "--virtual-time-budget=5000")
    assert f"{width} of {width}" in chromium(folder / "probe.html", folder, *options).stdout


def test_a_click_on_a_heading_sorts(folder):
    text = (folder / "report.html").read_text(encoding="utf-8")
    start, end = text.index("<meta http-equiv"), text.index("<title>")
    click = (
        '<script>const table = document.querySelector("table.long"), button = table.querySelectorAll("button")[1];'
        "button.click(); const read = () => [...table.tBodies[0].rows].map(row => +row.cells[1].dataset.value);"
        "const up = read(); button.click(); const down = read();"
        "document.title = JSON.stringify([up, down]);</script>"
    )
    path = folder / "sorted.html"
    path.write_text((text[:start] + text[end:]).replace("</body>", f"{click}</body>"), encoding="utf-8")
    title = chromium(path, folder, "--dump-dom").stdout.partition("<title>")[2].partition("</title>")[0]
    up, down = json.loads(title)
    assert len(up) == len(made.CLASSES)
    assert up == sorted(up)
    assert down == up[::-1] or down == sorted(up, reverse=True)
