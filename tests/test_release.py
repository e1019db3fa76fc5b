"""The wheel and the sdist hold what they should, and the wheel works in an environment of its own."""

import subprocess
import sys
import tarfile
import venv
import zipfile

import pytest


@pytest.fixture(scope="module")
def built(root, tmp_path_factory):
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "build", "--outdir", str(folder), str(root)], check=True, capture_output=True
    )
    return folder


@pytest.mark.deep
def test_what_is_in_the_files(built):
    (wheel,) = built.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    for part in ("fleet/py.typed", "strategies/py.typed", "strategies/lowest_price.py"):
        assert part in names
    assert not [name for name in names if name.startswith(("tests/", "docs/"))]
    for text in ("LICENSE", "NOTICE"):
        assert [name for name in names if name.endswith(f"licenses/{text}")]
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        inside = {name.partition("/")[2] for name in archive.getnames()}
    assert {"pyproject.toml", "README.md", "LICENSE", "Makefile", "mkdocs.yml", ".ci/run"} <= inside
    assert {"tests/conftest.py", "docs/index.md", "strategies/lowest_price.py"} <= inside
    assert not [name for name in inside if name.startswith("docs/images/gallery")]
    text = zipfile.ZipFile(wheel).read(next(name for name in names if name.endswith("METADATA"))).decode()
    assert "License-Expression: Apache-2.0" in text
    assert "Description-Content-Type: text/markdown" in text


ROOMS = (
    "allocate", "cli", "domain", "formats", "hindsight", "interruptions", "jobs", "metrics", "plots",
    "replay", "service", "solvers", "synthetic",
)  # fmt: skip
"""Tests that need nothing but the package with its extras."""
EXTRAS = ("fast", "files", "aws", "store")


@pytest.mark.deep
@pytest.mark.parametrize("versions", ["lowest", "newest"])
def test_the_wheel_in_a_clean_environment(built, tmp_path, root, versions):
    """Installed, tried, and held to the tests that the sdist brings."""
    (wheel,) = built.glob("*.whl")
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path / "source", filter="data")
    (source,) = (tmp_path / "source").iterdir()
    for needed in ("tests", "pyproject.toml"):  # away from the sources beside them
        (source / needed).rename(tmp_path / needed)
    venv.create(tmp_path / "env", with_pip=True)
    python = tmp_path / "env" / "bin" / "python"
    pins = lowest(root) if versions == "lowest" else []
    install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*install, f"{wheel}[{','.join(EXTRAS)}]", "pytest", "hypothesis", *pins], check=True)
    demo = [tmp_path / "env" / "bin" / "spotfleet", "demo", "--days", "2", "--plot", "demo.png", "--json"]
    subprocess.run(demo, cwd=tmp_path, check=True, capture_output=True)
    assert (tmp_path / "demo.png").stat().st_size > 10_000
    tests = [f"tests/{room}" for room in ROOMS]
    options = ["-q", "-x", "-m", "not deep", "-p", "no:cacheprovider", "-W", "default"]
    done = subprocess.run(
        [python, "-m", "pytest", *options, *tests], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:]


def lowest(root):
    """Return the lowest version of each dependency, those of the extras too, that is declared to work."""
    import re
    import tomllib

    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    extras = [line for extra in EXTRAS for line in project["optional-dependencies"][extra]]
    found = (re.match(r"([\w-]+)>=([\d.]+)", line) for line in [*project["dependencies"], *extras])
    return [f"{match[1]}=={match[2]}.*" for match in found if match]
