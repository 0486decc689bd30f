"""The wheel, built once a session, and a fresh environment outside the checkout that has it installed."""

import json
import os
import shutil
import site
import subprocess
import sys
import sysconfig
import venv
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
LEFT_OUT = shutil.ignore_patterns(
    ".git", ".venv", "__pycache__", ".*_cache", ".hypothesis", ".make", "dist", "build", "*.egg-info"
)
BUILDER = "from hatchling.build import *; import sys; globals()[sys.argv[1]](sys.argv[2])"


@dataclass(frozen=True)
class Environment:
    """An environment of its own: `python`, the console `script`, where packages are, and an empty folder to be in."""

    folder: Path
    elsewhere: Path
    variables: dict[str, str]

    @property
    def python(self) -> str:
        return str(self.folder / "bin" / "python")

    @property
    def script(self) -> str:
        return str(self.folder / "bin" / "apollo-component")

    @property
    def site(self) -> Path:
        return Path(sysconfig.get_path("purelib", vars={"base": str(self.folder), "platbase": str(self.folder)}))

    @property
    def package(self) -> Path:
        return self.site / "apollo_component"

    def run(self, *command: str, ok: bool = True, **more: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            command,
            check=False,
            cwd=self.elsewhere,
            env=self.variables | more,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0 or not ok, done.stdout + done.stderr
        return done

    def json(self, *arguments: str, **more: str):
        return json.loads(self.run(self.script, *arguments, "--json", **more).stdout)


def copied(folder: Path) -> Path:
    """The checkout without what tools leave in it, so that building leaves nothing in the real one."""
    shutil.copytree(ROOT, folder, ignore=LEFT_OUT)
    return folder


def built(source: Path, what: str, into: Path) -> Path:
    """A wheel or an sdist, made by the build backend itself: no network and no isolation."""
    into.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-c", BUILDER, f"build_{what}", str(into)]
    done = subprocess.run(command, check=False, cwd=source, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    [file] = into.iterdir()
    return file


def fresh(folder: Path, *install: str) -> Environment:
    """A new environment that sees this one's libraries, but not this one's copy of the package."""
    venv.EnvBuilder(symlinks=True, with_pip=False).create(folder / "env")
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir()
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "WORKFLOW_HOST", "APOLLO", "COV"))}
    home = {"WORKFLOW_HOST_HOME": str(folder / "home"), "HOME": str(folder)}
    made = Environment(folder / "env", elsewhere, clean | home)
    libraries = [path for path in site.getsitepackages() if path != str(made.site)]
    (made.site / "libraries.pth").write_text("\n".join(libraries) + "\n")
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "--python", made.python]
    subprocess.run([*pip, "install", "--no-deps", "--no-index", *install], check=True, cwd=elsewhere)
    return made


@pytest.fixture(scope="session")
def wheel(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    return built(copied(folder / "source"), "wheel", folder / "dist")


@pytest.fixture(scope="session")
def installed(wheel, tmp_path_factory) -> Environment:
    return fresh(tmp_path_factory.mktemp("installed"), str(wheel))
