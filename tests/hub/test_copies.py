"""What is copied from a trial works where it is pasted."""

import shlex
import subprocess
import sys

import pytest
import yaml

from apollo_component.contract.schemas import schemas_at
from apollo_component.host.planning import Plan
from apollo_component.host.registry import Registry
from apollo_component.host.workflow.file import parse_workflow
from apollo_component.hub import copies

MANIFESTS = Registry.installed().manifests
MANIFEST = MANIFESTS["apollo"]


def plan_of(name, values=None, **more):
    action = MANIFEST.actions[name]
    checked = schemas_at(MANIFEST.root).check(action.input, dict(action.example if values is None else values))
    return Plan(MANIFEST, action, checked, **more)


def test_every_example_is_a_step_that_a_workflow_takes():
    """A workflow of all the steps is checked without a complaint, and holds the same inputs."""
    plans = [plan_of(name) for name in sorted(MANIFEST.actions)]
    text = "name: All\nconnections:\n  apollo:\n    connector: apollo\nsteps:\n"
    text += "".join(copies.step(plan) for plan in plans)
    workflow = parse_workflow(text, MANIFESTS)
    assert [dict(step.with_) for step in workflow.steps] == [dict(plan.values) for plan in plans]


def test_texts_keep_their_type_in_a_step():
    """Words and digits that YAML could take for something else stay texts."""
    values = {"person_titles": ["on", "1.10", "null", "yes: no", "# x", " é'\"", "2026-10-31"]}
    assert (
        yaml.safe_load(copies.step(plan_of("people_api_search", values)))[0]["with"]["person_titles"]
        == (values["person_titles"])
    )


@pytest.mark.parametrize("kind", ["command", "python"])
def test_commands_and_python_run(kind, host, linked, service, tmp_path):
    """Against the sandbox, with quotes and spaces in the input."""
    values = {"q_keywords": 'it\'s "quoted" $HOME', "person_titles": ["Founder"]}
    plan = plan_of("people_api_search", values, every_page=True, limit=3)
    if kind == "command":
        words = shlex.split(copies.command(plan, linked.name))
        assert words[0] == "apollo-component"
        command = [sys.executable, "-m", "apollo_component", *words[1:]]
    else:
        command = [sys.executable, "-c", copies.python(plan, linked.name)]
    env = {**service.env, "WORKFLOW_HOST_HOME": str(tmp_path / "home"), "PATH": "/usr/bin"}
    env["WORKFLOW_HOST_DATABASE_URL"] = host.settings.database_url
    root = copies.__file__.partition("/apollo_c")[0]
    done = subprocess.run(command, capture_output=True, text=True, env=env, cwd=root, check=False)
    assert done.returncode == 0, done.stderr
    sent = service.requests()[-1]
    assert sent["path"].endswith("mixed_people/api_search")
