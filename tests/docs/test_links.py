"""Links, names and numbers in the documents."""

import re

import pytest

from apollo_component.contract.loading import load_file

from .documents import DOCUMENTS, ROOT, anchors, name, text, without_code


@pytest.mark.parametrize("file", DOCUMENTS, ids=name)
def test_relative_links_lead_somewhere(file):
    """A link within the project names a file that exists and a heading that is in it."""
    wrong = []
    for target in re.findall(r"\]\(([^)\s]+)\)", without_code(name(file))):
        if target.startswith(("https://", "http://")):
            continue
        path, _, anchor = target.partition("#")
        there = (file.parent / path).resolve() if path else file
        if not there.is_file() or (anchor and anchor not in anchors(there.relative_to(ROOT).as_posix())):
            wrong.append(target)
    assert wrong == []


def test_the_readme_links_every_document():
    """Nobody has to look into the folder to know what is there."""
    found = text("README.md")
    assert [name(file) for file in DOCUMENTS if f"]({name(file)})" not in found and file.name != "README.md"] == []


def test_every_environment_variable_is_in_the_readme():
    """What the code reads from the environment under a name of ours is told, and nothing else is."""
    sources = [file.read_text("utf-8") for file in (ROOT / "apollo_component").rglob("*.py")]
    sources.append(text("connector.yaml"))
    wanted = {found for source in sources for found in re.findall(r"WORKFLOW_HOST_[A-Z_]+[A-Z]", source)}
    wanted |= {server.variable for server in load_file(ROOT / "connector.yaml").servers.values()}
    wanted |= {"APOLLO_COMPONENT_DEBUG"}
    table = text("README.md").partition("## Environment variables")[2].partition("\n## ")[0]
    told = set(re.findall(r"`([A-Z_]{6,})`", table))
    proxies = {found for found in told if found.endswith(("_PROXY", "_FILE", "_DIR"))}
    assert told - proxies - {"APOLLO_API_KEY", "APOLLO_CLIENT_SECRET"} == wanted


def test_the_number_of_actions_is_true():
    """The count of actions in README, changelog and sandbox is the manifest's: those with a route of their own."""
    count = sum(bool(action.path) for action in load_file(ROOT / "connector.yaml").actions.values())
    for path in ("README.md", "CHANGELOG.md", "docs/sandbox.md"):
        assert set(re.findall(r"(\d+) (?:Apollo )?actions", text(path))) == {str(count)}, path


def test_the_number_of_triggers_is_true():
    """README and changelog count the manifest's triggers, in words."""
    words = {15: "Fifteen", 16: "Sixteen", 17: "Seventeen"}
    count = words[len(load_file(ROOT / "connector.yaml").triggers)]
    for path in ("README.md", "CHANGELOG.md"):
        assert re.findall(r"(\w+) triggers[:;]", text(path)) == [count], path


def test_every_dependency_has_its_reason():
    """docs/dependencies.md names exactly the packages that pyproject.toml asks for."""
    import tomllib

    project = tomllib.loads(text("pyproject.toml"))["project"]
    asked = [*project["dependencies"], *(one for many in project["optional-dependencies"].values() for one in many)]
    packages = {re.split(r"[\[<>=]", item)[0] for item in asked} - {project["name"]}
    rows = re.findall(r"^\| ([\w, -]+) \|", text("docs/dependencies.md"), re.MULTILINE)
    told = {item.strip() for row in rows for item in row.split(",")} - {"Package", "---"}
    assert told == packages


@pytest.mark.parametrize("file", DOCUMENTS, ids=name)
def test_no_path_of_a_machine_is_named(file):
    """A document holds for every reader: no home, temporary or build folder of the one who wrote it."""
    assert re.findall(r"/(?:home|root|tmp|opt|work|Users)/\S*", file.read_text("utf-8")) == []
