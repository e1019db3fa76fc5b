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
    assert [name for name in names if name.endswith("licenses/LICENSE")]
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        inside = {name.partition("/")[2] for name in archive.getnames()}
    assert {"pyproject.toml", "README.md", "LICENSE", "tests/conftest.py"} <= inside


@pytest.mark.deep
@pytest.mark.parametrize("versions", ["lowest", "newest"])
def test_the_wheel_in_a_clean_environment(built, tmp_path, root, versions):
    (wheel,) = built.glob("*.whl")
    venv.create(tmp_path / "env", with_pip=True)
    python = tmp_path / "env" / "bin" / "python"
    pins = lowest(root) if versions == "lowest" else []
    install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    # with the extra `fast`: some tests hold the compiled kernels to their twins
    subprocess.run([*install, f"{wheel}[fast]", "pytest", "hypothesis", *pins], check=True)
    demo = [tmp_path / "env" / "bin" / "spotfleet", "demo", "--days", "2", "--plot", "demo.png", "--json"]
    subprocess.run(demo, cwd=tmp_path, check=True, capture_output=True)
    assert (tmp_path / "demo.png").stat().st_size > 10_000
    rooms = ("allocate", "domain", "replay", "metrics", "hindsight")
    tests = [str(root / "tests" / room) for room in rooms if (root / "tests" / room).is_dir()]
    done = subprocess.run(
        [
            python,
            "-m",
            "pytest",
            "-q",
            "-x",
            "-m",
            "not deep",
            "-p",
            "no:cacheprovider",
            "-W",
            "default",
            *tests,
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:]


def lowest(root):
    """Return the lowest version of each core dependency that is declared to work."""
    import re
    import tomllib

    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    found = (re.match(r"([\w-]+)>=([\d.]+)", line) for line in project["dependencies"])
    return [f"{match[1]}=={match[2]}.*" for match in found if match]
