"""An invalid input never leaves the machine: one violation for each keyword, at every place of every input schema."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest
from hypothesis import given, seed
from hypothesis import strategies as st
from typer.testing import CliRunner

from apollo_component.cli.app import app
from apollo_component.contract.errors import InputError, ManifestError, ProblemsError
from apollo_component.contract.located import dotted
from apollo_component.contract.manifest import Manifest
from apollo_component.host.workflow.file import parse_workflow
from tests.tiers import tiered

from .breaking import CANARY, FAR, Site, broken, sites
from .conftest import FACTS, Host, examples, schema_of
from .whole import Way, fits
from .wire import Server


def by_keyword(action: str) -> dict[str, list[Site]]:
    found: dict[str, list[Site]] = {}
    for site in sites(schema_of(action)):
        found.setdefault(site.keyword, []).append(site)
    return found


CASES = [(action, keyword) for action in FACTS for keyword in by_keyword(action)]


def rotating() -> set[tuple[str, str]]:
    """Two keywords of each action, and every keyword with some action."""
    chosen: set[tuple[str, str]] = set()
    for place, action in enumerate(FACTS):
        words, seen = sorted(by_keyword(action)), {word for _, word in chosen}
        turn = {words[(place + step) % len(words)] for step in range(2)} if words else set()
        chosen |= {(action, word) for word in turn | set(words) - seen}
    return chosen


def violations(action: str, keyword: str) -> st.SearchStrategy[tuple[Any, Way]]:
    schema = schema_of(action)
    return st.sampled_from(by_keyword(action)[keyword]).flatmap(lambda site: broken(schema, site))


def refused(error: ProblemsError, place: Way) -> None:
    """The error names the place, and shows nothing of the value that stands there."""
    told = f"{error} {error!r} {error.hint} {json.dumps(error.as_dict())}"
    assert dotted(place) in {problem.path for problem in error.problems}, (dotted(place), str(error))
    assert CANARY not in told
    assert str(FAR) not in told


@pytest.mark.parametrize(("action", "keyword"), tiered(CASES, rotating()))
def test_a_violation_is_refused_before_anything_is_asked_for(
    action: str, keyword: str, server: Server, execute: Callable[..., Any]
) -> None:
    """The error names the place and not the value; no permit is asked for, no row written, nothing sent."""

    @examples(2)
    @seed(crc32(f"{action} {keyword}".encode()))
    @given(violations(action, keyword))
    def is_refused(case: tuple[Any, Way]) -> None:
        values, place = case
        assert not fits(schema_of(action), values)
        host = Host()
        server.seen.clear()
        with pytest.raises(InputError) as caught:
            execute(action, values, host)
        refused(caught.value, place)
        assert host.calls == []
        assert server.seen == []

    is_refused()


def as_yaml(value: Any) -> str:
    """One line of YAML for a value of JSON; a text is escaped in a way that YAML and JSON don't share."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{as_yaml(name)}: {as_yaml(item)}" for name, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(as_yaml, value)) + "]"
    if isinstance(value, str):
        return '"' + "".join(c if c.isascii() and c.isalnum() else f"\\U{ord(c):08X}" for c in value) + '"'
    return json.dumps(value)


@pytest.mark.parametrize("action", FACTS)
def test_workflow_check_refuses_it(action: str, manifest: Manifest) -> None:
    """A step with such an input is told at its place when the file is checked, and its value isn't shown."""

    @examples(2)
    @seed(crc32(action.encode()))
    @given(st.sampled_from(sorted(by_keyword(action))).flatmap(lambda keyword: violations(action, keyword)))
    def is_refused(case: tuple[Any, Way]) -> None:
        values, place = case
        step = f"{{id: one, action: {action}, with: {as_yaml(values)}}}"
        text = f"name: x\nconnections: {{a: {{connector: {manifest.id}}}}}\nsteps: [{step}]\n"
        with pytest.raises(ManifestError) as caught:
            parse_workflow(text, {manifest.id: manifest})
        refused(caught.value, ("steps", 0, "with", *place))

    is_refused()


@pytest.fixture(scope="module")
def environ(registered: None, sandbox_process: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A host with one connection, called `main`."""
    home: Path = tmp_path_factory.mktemp("home")
    known = sandbox_process.env | {"WORKFLOW_HOST_HOME": str(home)}
    key = {"APOLLO_API_KEY": sandbox_process.keys["master"]}
    linked = CliRunner().invoke(app, ["connect", "api_key", "--name", "main", "--json"], env=known | key)
    assert linked.exit_code == 0, linked.stderr
    return known


@pytest.mark.parametrize("keyword", sorted({keyword for _, keyword in CASES}))
def test_run_refuses_it(keyword: str, environ: dict[str, str], sandbox_process: Any) -> None:
    """`run` ends with the code for a bad input and the place; nothing was sent and no run began."""
    actions = [action for action, word in CASES if word == keyword]

    @examples(2)
    @given(st.sampled_from(actions).flatmap(lambda action: st.tuples(st.just(action), violations(action, keyword))))
    def is_refused(case: tuple[str, tuple[Any, Way]]) -> None:
        action, (values, place) = case
        given_input = ["--input", json.dumps(values), "--json"]
        seen = len(sandbox_process.requests())
        done = CliRunner().invoke(app, ["run", action, "--connection", "main", *given_input], env=environ)
        assert done.exit_code == 2, done.stderr
        problems = json.loads(done.stderr)["error"]["problems"]
        assert (dotted(place) or None) in {problem.get("path") for problem in problems} or not isinstance(values, dict)
        assert CANARY not in done.stderr + done.stdout
        assert len(sandbox_process.requests()) == seen
        assert json.loads(CliRunner().invoke(app, ["runs", "list", "--json"], env=environ).stdout) == []

    is_refused()
