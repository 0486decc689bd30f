"""The command line in this process and as a real one; whatever it prints is searched for secrets afterwards."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

ROOT = Path(__file__).parent.parent.parent


@dataclass(frozen=True)
class Done:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The last line of stdout."""
        return json.loads(self.out.splitlines()[-1])

    @property
    def lines(self) -> list[Any]:
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def error(self) -> dict[str, Any]:
        """The error object of --json."""
        found = [json.loads(line) for line in self.err.splitlines()]
        return next(item["error"] for item in found if "error" in item)

    @property
    def summary(self) -> dict[str, Any]:
        found = [json.loads(line) for line in self.err.splitlines()]
        return next(item["run"] for item in found if "run" in item)


@dataclass
class Cli:
    """Runs commands for one host home."""

    env: dict[str, str]
    secrets: set[str]
    printed: list[str] = field(default_factory=list)

    def __call__(self, *arguments: str, stdin: str = "", env: dict[str, str] | None = None) -> Done:
        """In this process."""
        from apollo_component.cli.app import app

        result = CliRunner().invoke(app, list(arguments), input=stdin, env=self.env | (env or {}))
        self.printed += [result.stdout, result.stderr]
        return Done(result.exit_code, result.stdout, result.stderr)

    def process(self, *arguments: str, **more: Any) -> subprocess.Popen[str]:
        """As a real process, with its streams as pipes; Ctrl-C reaches it also when the tests run in the background."""
        command = [sys.executable, "-m", "apollo_component", *arguments]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | more
        return subprocess.Popen(
            command,
            text=True,
            env=os.environ | self.env,
            cwd=ROOT,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509  # no thread holds a lock
            **pipes,
        )

    def finished(self, process: subprocess.Popen[str], stdin: str | None = None) -> Done:
        out, err = process.communicate(stdin, timeout=60)
        self.printed += [out, err]
        return Done(process.returncode, out, err)

    def link(self, name: str = "main", key: str = "master") -> Done:
        done = self("connect", "api_key", "--name", name, "--json", env={"APOLLO_API_KEY": self.key(key)})
        assert done.code == 0, done.err
        return done

    def key(self, name: str) -> str:
        return self.keys[name]

    keys: dict[str, str] = field(default_factory=dict)


@pytest.fixture
def cli(registered: None, service: Any, tmp_path: Path, database_at: Any, backend: str) -> Iterator[Cli]:
    """A fresh host against the sandbox; afterwards no secret may have been printed."""
    secrets = {*service.keys.values(), service.oauth["client_secret"]}
    env = {**service.env, "WORKFLOW_HOST_HOME": str(tmp_path / "home")}
    if backend == "postgres":
        env["WORKFLOW_HOST_DATABASE_URL"] = database_at(tmp_path / "home")
    made = Cli(env, secrets, keys=service.keys)
    yield made
    shown = [secret for secret in made.secrets for text in made.printed if secret in text]
    assert not shown, "a secret was printed"
