"""The site builds without a warning, has every public name, and fetches nothing from elsewhere."""

import os
import re
import subprocess
import sys

import pytest

import fleet


@pytest.fixture(scope="module")
def site(root, tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        cwd=root,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder


def test_every_public_name_has_its_entry(site):
    page = (site / "api" / "index.html").read_text()
    found = set(re.findall(r'<h3 id="fleet[\w.]*\.(\w+)"', page))
    assert set(fleet.__all__) - found == {"__version__"}


def test_the_gallery_is_drawn(site):
    pictures = re.findall(r'src="([^"]+images/gallery/[^"]+)"', (site / "gallery" / "index.html").read_text())
    assert len(pictures) >= 10
    assert all((site / "gallery" / picture).resolve().stat().st_size > 5000 for picture in pictures)


def test_pages_fetch_nothing_from_elsewhere(site):
    for page in site.rglob("*.html"):
        fetched = re.findall(
            r'(?:<script[^>]* src|<img[^>]* src|<link[^>]*stylesheet[^>]* href)="(https?:[^"]+)"',
            page.read_text(),
        )
        assert not fetched, (page, fetched)
