"""The wheel on the newer Pythons that are found here, and databases that go from one Python to another."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.packaging.conftest import ROOT, Environment

pytestmark = [pytest.mark.wheel, pytest.mark.real, pytest.mark.full]
NEWER = ("3.12", "3.13")
WAITS = 5
"""The exit code of a run that waits for budget."""
EXAMPLE = "examples/prospecting.yaml"


def interpreter(version: str) -> str | None:
    """Where a Python of this version is: on the path, or among pyenv's."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    installed = [str(file) for file in sorted(pyenv.glob(f"{version}.*/bin/python{version}"))]
    return shutil.which(f"python{version}", path=os.pathsep.join([*map(os.path.dirname, installed), os.defpath]))


@pytest.fixture(scope="session", params=NEWER)
def newer(request, wheel, tmp_path_factory) -> Environment:
    """The wheel with host and sandbox, installed for another Python than that of the tests."""
    found = interpreter(request.param)
    if found is None:
        pytest.skip(f"there is no Python {request.param} here, on the path or among pyenv's")
    folder = tmp_path_factory.mktemp("python")
    subprocess.run([found, "-m", "venv", folder / "env"], check=True)
    made = Environment(folder / "env", folder, {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")})
    pip = (made.python, "-m", "pip", "--quiet", "--disable-pip-version-check")
    subprocess.run([*pip, "install", "--no-compile", f"{wheel}[host,sandbox]"], check=True)
    return made


def test_the_demo_is_done(newer):
    """The demonstration runs from nothing to its end."""
    assert newer.json("demo")["run"]["status"] == "done"


def test_a_run_goes_on_with_another_python(newer, registered, service, tmp_path):
    """A run goes from one Python to another and back in one database, which the doctor then calls sound."""
    here = Environment(Path(sys.prefix), ROOT, dict(os.environ))
    variables = {**service.env, "WORKFLOW_HOST_HOME": str(tmp_path / "home"), "APOLLO_API_KEY": service.keys["master"]}

    def run(environment: Environment, *command: str, ends: int = 0):
        module = (environment.python, "-m", "apollo_component")
        done = environment.run(*module, *command, "--json", ok=False, **variables)
        assert done.returncode == ends, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    run(here, "connect", "api_key", "--name", "work")
    begun = ("workflow", "run", str(ROOT / EXAMPLE), "--connection", "apollo=work", "--budget", "10")
    identity = run(newer, *begun, ends=WAITS)["id"]
    run(here, "workflow", "run", "--resume", identity, "--budget", "20", ends=WAITS)
    assert run(newer, "workflow", "run", "--resume", identity, "--budget", "60")["status"] == "done"
    assert run(here, "doctor", "--offline")["problems"] == 0
