"""What people meet who report a fault or send a patch: forms, workflow, citation, versions."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import version

import pytest
import yaml

import fleet
from fleet.domain.versions import NEEDED, OPTIONAL
from tests.helpers.in_process import run_spotfleet

# Root keys of the Citation File Format 1.2.0 (its schema-guide.md), which admits no others.
CFF_KEYS = {
    "abstract", "authors", "cff-version", "commit", "contact", "date-released", "doi", "identifiers",
    "keywords", "license", "license-url", "message", "preferred-citation", "references", "repository",
    "repository-artifact",
    "repository-code", "title", "type", "url", "version",
}  # fmt: skip
ENTITY_KEYS = {
    "address", "alias", "city", "country", "date-end", "date-start", "email", "fax", "location", "name",
    "orcid", "post-code", "region", "tel", "website",
}  # fmt: skip


@pytest.fixture(scope="module")
def project(root):
    return tomllib.loads((root / "pyproject.toml").read_text())["project"]


def test_versions_of_all_packages_are_shown(project):
    lines = dict(line.split(maxsplit=1) for line in fleet.show_versions().splitlines())
    assert lines.pop("spotfleet") == fleet.__version__
    assert lines.pop("python").startswith("3.")
    assert lines.pop("system")
    assert lines["numpy"] == version("numpy")
    assert list(lines) == [*NEEDED, *OPTIONAL]
    name = re.compile(r"[\w-]+")
    assert [name.match(line)[0] for line in project["dependencies"]] == list(NEEDED)
    extras = {
        name.match(line)[0]
        for extra, lines in project["optional-dependencies"].items()
        if extra not in ("dev", "bench")
        for line in lines
    }
    assert extras == set(OPTIONAL)


def test_a_package_that_is_not_installed_is_said(monkeypatch):
    monkeypatch.setattr("fleet.domain.versions.OPTIONAL", ("absent",))
    assert fleet.show_versions().splitlines()[-1].split(maxsplit=1) == ["absent", "not installed"]


def test_the_command_line_prints_them():
    answer = run_spotfleet("--show-versions")
    assert (answer.status, answer.out, answer.err) == (0, fleet.show_versions() + "\n", "")


def test_the_citation_is_valid(root, project):
    cited = yaml.safe_load((root / "CITATION.cff").read_text())
    assert {"authors", "cff-version", "message", "title"} <= set(cited) <= CFF_KEYS
    assert cited["cff-version"] == "1.2.0"
    assert cited["type"] in ("software", "dataset")
    assert cited["authors"]
    assert all(set(author) <= ENTITY_KEYS and author["name"] for author in cited["authors"])
    assert all(isinstance(cited[key], str) and cited[key] for key in set(cited) - {"authors", "keywords"})
    assert len(set(cited["keywords"])) == len(cited["keywords"])
    assert (cited["version"], cited["license"]) == (project["version"], project["license"])
    assert project["version"] == fleet.__version__


def test_issue_forms_are_forms_and_ask_for_versions(root):
    forms = sorted((root / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))
    names = [form.stem for form in forms if form.stem != "config"]
    assert names == ["bug", "idea", "wrong_answer"]
    for name in names:
        form = yaml.safe_load((root / ".github" / "ISSUE_TEMPLATE" / f"{name}.yml").read_text())
        assert {"name", "description", "body"} <= set(form) <= {"name", "description", "labels", "body"}
        identifiers = [field["id"] for field in form["body"]]
        assert len(set(identifiers)) == len(identifiers)
        assert {"versions", "command"} <= set(identifiers)
        for field in form["body"]:
            assert field["type"] == "textarea"
            assert field["attributes"]["label"]
        asked = next(field for field in form["body"] if field["id"] == "versions")
        assert "spotfleet --show-versions" in asked["attributes"]["description"]


def test_the_workflow_may_only_read_and_runs_pinned_actions(root, project):
    text = (root / ".github" / "workflows" / "test.yml").read_text()
    workflow = yaml.safe_load(text)
    assert workflow["permissions"] == {"contents": "read"}
    assert "pull_request" in workflow[True]  # YAML 1.1 reads the key `on` as true
    assert "pull_request_target" not in text
    used = re.findall(r"uses: (.*)", text)
    assert used
    for action in used:
        assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action), action
    tested = workflow["jobs"]["test"]["strategy"]["matrix"]["python"]
    declared = {line.split(" :: ")[-1] for line in project["classifiers"] if "Python :: 3." in line}
    assert declared <= set(tested)
    assert all(isinstance(number, str) for number in tested)


def test_hooks_before_a_commit_run_what_make_lint_runs(root):
    hooks = yaml.safe_load((root / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
    programs = {hook["entry"].split()[0].removeprefix(".venv/bin/") for hook in hooks}
    recipe = re.search(r"^lint:.*\n((?:\t.*\n)+)", (root / "Makefile").read_text(), re.MULTILINE)[1]
    assert programs == {"ruff", "mypy", "codespell"}
    assert programs <= set(re.findall(r"\$\(BIN\)/([\w-]+)", recipe))


def test_the_changelog_keeps_its_form(root, project):
    text = (root / "CHANGELOG.md").read_text()
    newest = re.findall(r"^## (.*)$", text, re.MULTILINE)[0]
    assert newest.startswith(("[Unreleased]", f"[{project['version']}]"))
    kinds = re.findall(r"^### (.*)$", text, re.MULTILINE)
    assert kinds
    assert set(kinds) <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
