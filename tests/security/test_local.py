"""Whoever shares the machine, reads the terminal or the logs: names, characters, files and comparisons."""

import ast
import io
import json
import os
import stat
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from apollo_component.cli import output
from apollo_component.contract.errors import InputError, ManifestError, Problem
from apollo_component.host.connections import check_name
from apollo_component.host.workflow.file import parse_workflow

ROOT = Path(__file__).parent.parent.parent
STEERING = [
    "\x1b[2J",
    "\x1b]0;title\x07",
    "\x9b31m",
    "\x08\x08",
    "\r",
    "\x00",
    "\x7f",
    "\u202e",
    "\u2066",
    "\u200b",
    "\u2028",
]


def printed(does) -> str:
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        does()
    return out.getvalue() + err.getvalue()


def is_harmless(text: str) -> bool:
    return all(char.isprintable() or char == "\n" for char in text)


@pytest.mark.parametrize("steering", STEERING)
@pytest.mark.parametrize("as_json", [True, False])
def test_nothing_that_steers_a_terminal_is_printed(steering: str, as_json: bool) -> None:
    """Whatever a record, a name, a message or a path holds: no escape sequence, no turned text, no hidden character."""
    evil, out = f"a{steering}b", output.Output(as_json)
    error = InputError(evil, [Problem(evil, path=evil, file=evil)], hint=evil)
    for does in (
        lambda: out.say(evil), lambda: out.warn(evil), lambda: out.failure(error), lambda: out.facts({"x": evil}, evil),
        lambda: output.line({"x": evil, evil: [evil]}), lambda: output.pretty({evil: evil}),
        lambda: output.table([evil], [[evil]]),
    ):  # fmt: skip
        assert is_harmless(printed(does))


def test_escaping_changes_no_value() -> None:
    """A program that reads the JSON gets every character back."""
    value = {"x": "".join(STEERING) + 'äöü 漢字 \U0001d518 \\ " /'}
    assert json.loads(printed(lambda: output.line(value))) == value


def test_a_line_break_in_a_value_makes_no_line_of_its_own() -> None:
    """With --json, one event stays one line, so nobody can write a line into a log of them."""
    shown = printed(lambda: output.Output(True).warn('x\n{"error": {"code": "forged"}}'))
    assert len(shown.splitlines()) == 1


@pytest.mark.parametrize(
    "name",
    ["../x", "..", ".x", "/etc/passwd", "a/b", "a\\b", "a\x00b", "a\nb", "a\n", "\x1b[31m", "a\u202eb", "", " a", "-rf", "--help",
     "a" * 101, "a;b", "$(id)", "a'b", "a%00"],
)  # fmt: skip
def test_a_name_is_no_path_option_or_escape(name: str) -> None:
    """Names of connections are letters, digits, spaces and a few marks, and begin with a letter or digit."""
    with pytest.raises(InputError):
        check_name(name)


@pytest.mark.parametrize("step", ["../x", "a\\u0000b", "a/b", "A", "\\e[31m", "a\\nb", "x" * 61])
def test_a_step_id_is_a_plain_word(step: str, connector) -> None:
    """It becomes part of keys in the database and of lines people read."""
    text = f'name: x\nconnections: {{a: {{connector: apollo}}}}\nsteps:\n  - {{id: "{step}", action: users_search}}\n'
    with pytest.raises(ManifestError):
        parse_workflow(text, {"apollo": connector.manifest})


@pytest.mark.real
def test_every_file_of_a_home_is_its_owners(registered, tmp_path) -> None:
    """Even where the process makes files that everybody may write (umask 0): the folder, the database with its
    companions, and the key are their owner's alone."""
    home = tmp_path / "deep" / "home"
    code = (
        "import os; os.umask(0)\n"
        "from apollo_component.host.host import Host\n"
        "from apollo_component.host.runs import *\n"
        "host = Host.open()\n"
        "host.runs.create('action', 'x')\n"
        "import pathlib, stat, json\n"
        "home = pathlib.Path(os.environ['WORKFLOW_HOST_HOME'])\n"
        "print(json.dumps({str(f.relative_to(home)): stat.S_IMODE(f.stat().st_mode) for f in [home, *home.rglob('*')]}))\n"
        "host.close()\n"
    )
    environment = os.environ | {"WORKFLOW_HOST_HOME": str(home)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    modes = json.loads(done.stdout)
    assert {"host.db", "host.db-wal", "host.key", "."} <= set(modes)
    assert {name: oct(mode) for name, mode in modes.items() if mode & (stat.S_IRWXG | stat.S_IRWXO)} == {}


SECRET_NAMES = {
    "state",
    "token",
    "secret",
    "api_key",
    "access_token",
    "refresh_token",
    "client_secret",
    "check_value",
    "key",
}


def compared(file: Path) -> list[tuple[int, str]]:
    """Where something that is called like a secret is compared with == or in."""
    found = []
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if not isinstance(node, ast.Compare) or not any(isinstance(op, ast.Eq | ast.NotEq) for op in node.ops):
            continue
        sides = [node.left, *node.comparators]
        if any(isinstance(side, ast.Constant) for side in sides):
            continue  # with "" or a word of the code: not with somebody's guess
        for side in sides:
            name = side.attr if isinstance(side, ast.Attribute) else side.id if isinstance(side, ast.Name) else ""
            is_column = (
                isinstance(side, ast.Attribute) and isinstance(side.value, ast.Attribute) and side.value.attr == "c"
            )
            if name in SECRET_NAMES - {"key"} and not is_column:
                found.append((node.lineno, name))
    return found


def test_secrets_are_compared_in_constant_time() -> None:
    """No code of the connector or the host compares a state, token or check value with ==: the time would tell how
    much of a guess was right. Tokens in the database are looked up by their hash."""
    files = [
        file
        for folder in ("connector", "host", "contract", "cli")
        for file in (ROOT / "apollo_component" / folder).rglob("*.py")
    ]
    found = [(file.name, *place) for file in files for place in compared(file)]
    assert [
        place for place in found if place[2] != "state" or place[0] in ("auth.py", "listener.py", "linking.py")
    ] == []
    for name in ("connector/auth.py", "host/listener.py", "host/sealing.py"):
        assert "compare_digest" in (ROOT / "apollo_component" / name).read_text("utf-8")


def test_such_a_comparison_would_be_found(tmp_path) -> None:
    """The search sees what it is meant to see."""
    file = tmp_path / "x.py"
    file.write_text('a = query.state == state\nb = token != self.token\nc = table.c.token == x\nd = token == ""\n')
    assert {line for line, _ in compared(file)} == {1, 2}
