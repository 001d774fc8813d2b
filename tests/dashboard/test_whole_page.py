"""The page as one file."""

import hashlib
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.dashboard.sample_figures import SESSION, snapshot, timeline
from token_tracking_server.dashboard import page
from token_tracking_server.dashboard.app_view import DATA_KEY, app_page, report_data
from token_tracking_server.dashboard.export import session_page

OUTSIDE = re.compile(r"https?:|//[a-z0-9-]+\.[a-z]{2,}", re.IGNORECASE)
MOST_BYTES = 300_000


def test_it_names_no_outside_address() -> None:
    for text in (app_page(), session_page(timeline())):
        assert OUTSIDE.findall(text) == []
        assert not re.search(r"""(?:src|href)=["'](?!data:|#)""", text)


def test_it_is_small_enough_for_a_host_to_hold() -> None:
    assert len(app_page().encode()) < MOST_BYTES


def test_the_style_sheet_says_the_same_without_the_spaces_for_readers() -> None:
    source = (page.STATIC / "style.css").read_text(encoding="utf-8")
    without = re.sub(r"/\*.*?\*/", "", source, flags=re.DOTALL)
    assert re.sub(r"\s", "", page.style()) == re.sub(r"\s", "", without)
    # Spaces that mean something stay.
    for part in ('content:" \u2193"', "main > .card + .card", "@media (max-width:32rem){"):
        assert part in page.style()
    assert "/*" not in page.style()


def test_the_chart_library_is_the_one_that_its_notice_names() -> None:
    vendor = page.STATIC / "vendor"
    told = (vendor / "NOTICE").read_text(encoding="utf-8")
    found = hashlib.sha256((vendor / "chart.umd.min.js").read_bytes()).hexdigest()
    assert found in told
    assert "MIT License" in told
    assert "Released under the MIT License" in page.chart_library()


def test_a_session_stands_in_its_file_and_cannot_leave_its_element() -> None:
    made = timeline()
    html = session_page(made, "Europe/Berlin")
    held = re.search(r'<script type="application/json" id="data">(.*?)</script>', html)
    assert held
    report = json.loads(held[1])
    assert (report["kind"], report["timezone"]) == ("timeline", "Europe/Berlin")
    assert report["timeline"]["session_id"] == SESSION
    assert "<" not in held[1]


def test_data_for_a_host_name_their_kind() -> None:
    assert DATA_KEY == "token-tracking/report"
    found = report_data(snapshot(), "UTC")
    assert found["kind"] == "snapshot"
    assert found["snapshot"]["overall"]["cost_usd"] == 43.3217
    assert report_data(timeline(), "UTC")["timeline"]["session_id"] == SESSION


def test_every_module_of_the_script_is_in_it_once() -> None:
    modules = {path.stem for path in (page.STATIC / "js").glob("*.js")}
    assert sorted(re.findall(r"^const in_(\w+) = ", page.script(), re.MULTILINE)) == sorted(modules)
    assert not re.search(r"^(?:import|export) ", page.script(), re.MULTILINE)


@pytest.mark.skipif(shutil.which("node") is None, reason="no node")
def test_the_script_is_one_that_an_engine_can_read(tmp_path: Path) -> None:
    # Lines are joined without their indentation: no text may go over several.
    for module in (page.STATIC / "js").glob("*.js"):
        lines = module.read_text(encoding="utf-8").splitlines()
        assert not [line for line in lines if line.count("`") % 2], module
    path = tmp_path / "app.js"
    path.write_text(page.script(), encoding="utf-8")
    subprocess.run(["node", "--check", str(path)], check=True)
