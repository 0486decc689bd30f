"""The wheel as people get it: complete, nothing too much, and working outside the checkout."""

import json
import shutil
import statistics
import subprocess
import sys
import tarfile
import time
import zipfile
from pathlib import Path

import pytest

from apollo_component.contract.loading import INDEX, digest, index_of, load_file
from apollo_component.contract.palette import palette_entry
from tests.packaging.conftest import built, copied, fresh

pytestmark = [pytest.mark.wheel, pytest.mark.real, pytest.mark.full]

ROOT = Path(__file__).parent.parent.parent
HEAVY = (
    "httpx", "jsonschema", "yaml", "typer", "rich", "pluggy", "sqlalchemy", "dbos", "cryptography", "alembic", "orjson",
    "jmespath", "click", "starlette",
)  # fmt: skip
HOST_ONLY = ("sqlalchemy", "alembic", "cryptography", "dbos", "typer", "rich", "jmespath", "platformdirs")
SANDBOX_ONLY = ("starlette", "uvicorn", "uvloop", "httptools", "python_multipart", "multipart", "jinja2")
PALETTE = {"connectors": [palette_entry(load_file(ROOT / "connector.yaml").data)]}
ENTRY_POINTS = """[console_scripts]
apollo-component = apollo_component.__main__:main

[workflow_connectors]
apollo = apollo_component.apollo.plugin:plugin
"""


# What is in it


def test_it_holds_everything_and_nothing_else(wheel):
    """Every file of the package, the declaration and its icon, all schemas and examples, the index; no tests, no build hook."""
    names = set(zipfile.ZipFile(wheel).namelist())
    own = {name for name in names if not name.partition("/")[0].endswith(".dist-info")}
    wanted = {f"apollo_component/{INDEX}", "apollo_component/connector.yaml", "apollo_component/icon.svg"}
    for folder, prefix in (
        ("apollo_component", ""),
        ("schemas", "apollo_component/"),
        ("examples", "apollo_component/"),
    ):
        files = (file for file in (ROOT / folder).rglob("*") if file.is_file() and "__pycache__" not in file.parts)
        wanted |= {prefix + file.relative_to(ROOT).as_posix() for file in files}
    assert own == wanted
    assert {"apollo_component/py.typed", "apollo_component/examples/prospecting.yaml"} <= own


def test_its_metadata_says_what_people_look_for(wheel):
    """Entry points, licence with its text, readme, and the Python it needs are told to installers."""
    archive = zipfile.ZipFile(wheel)
    info = next(name.partition("/")[0] for name in archive.namelist() if ".dist-info/" in name)
    assert archive.read(f"{info}/entry_points.txt").decode() == ENTRY_POINTS
    assert archive.read(f"{info}/licenses/LICENSE") == (ROOT / "LICENSE").read_bytes()
    metadata = archive.read(f"{info}/METADATA").decode()
    for line in ("License-Expression: Apache-2.0", "Requires-Python: >=3.11", "Provides-Extra: host"):
        assert line in metadata
    assert (ROOT / "README.md").read_text("utf-8")[:200] in metadata


def test_its_index_is_made_from_what_it_carries(installed):
    """The index's digest is that of the wheel's own connector.yaml and schemas, and its manifest is theirs."""
    index = json.loads((installed.package / INDEX).read_bytes())
    assert index["digest"] == digest(installed.package) == digest(ROOT)
    assert index == json.loads(json.dumps(index_of(ROOT)))


def test_a_build_leaves_nothing_behind(tmp_path):
    """Building writes into the folder it was told and nowhere else in the source tree."""
    source = copied(tmp_path / "source")
    before = {file for file in source.rglob("*") if "__pycache__" not in file.parts}
    built(source, "wheel", tmp_path / "dist")
    assert {file for file in source.rglob("*") if "__pycache__" not in file.parts} == before


def test_a_broken_declaration_can_not_be_built(tmp_path):
    """A manifest with a problem stops the build, naming the file and line."""
    source = copied(tmp_path / "source")
    file = source / "connector.yaml"
    file.write_text(file.read_text("utf-8").replace("group: people", "group: peple", 1), "utf-8")
    with pytest.raises(AssertionError, match=r"connector.yaml:\d+: actions\[0\].group: names no group"):
        built(source, "wheel", tmp_path / "dist")


def test_the_source_distribution_builds_the_same_wheel(wheel, tmp_path):
    """A wheel built from the source distribution has the same files with the same contents."""
    sdist = built(copied(tmp_path / "source"), "sdist", tmp_path / "sdist")
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path / "unpacked", filter="data")
    [source] = (tmp_path / "unpacked").iterdir()
    again = built(source, "wheel", tmp_path / "dist")
    assert _contents(again) == _contents(wheel)


def _contents(file):
    archive = zipfile.ZipFile(file)
    return {name: archive.read(name) for name in archive.namelist()}


# Installed


def test_the_palette_comes_without_libraries(installed):
    """The console script's function lists every action while none of the libraries is imported."""
    code = (
        "import sys, json; sys.argv = ['apollo-component', 'palette', '--json']\n"
        "from apollo_component.__main__ import main\n"
        "code = main()\n"
        f"print(json.dumps([code, [name for name in {HEAVY!r} if name in sys.modules]]), file=sys.stderr)"
    )
    done = installed.run(installed.python, "-c", code)
    assert json.loads(done.stdout) == PALETTE
    assert json.loads(done.stderr) == [0, []]


@pytest.mark.parametrize("arguments", [["palette", "--json"], ["palette"], ["--version"]])
def test_the_script_imports_nothing_heavy(installed, arguments):
    """The installed script itself, as the interpreter reports its imports, needs none of the libraries either."""
    done = installed.run(installed.python, "-X", "importtime", installed.script, *arguments)
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines()}
    assert "apollo_component" in imported
    assert imported.isdisjoint(HEAVY)
    assert done.stdout.strip()


def test_validate_knows_a_changed_wheel(installed, tmp_path):
    """`validate` passes for the wheel as it is, and names the index when its declaration was changed afterwards."""
    found = installed.json("validate")
    assert found["valid"] is True
    assert found["files"] == [str(installed.package / "connector.yaml")]
    shutil.copytree(installed.package, tmp_path / "apollo_component")
    file = tmp_path / "apollo_component" / "connector.yaml"
    file.write_text(file.read_text("utf-8").replace("title: Search people", "title: Look for people"), "utf-8")
    done = installed.run(installed.script, "validate", str(file), "--json", ok=False)
    assert done.returncode == 2
    assert INDEX in done.stderr


def test_describe_and_check_work(installed):
    """An action's description comes from the wheel's schemas, and the example workflow it carries is fine."""
    told = installed.json("describe", "people_match")
    assert (told["connector"], told["id"]) == ("apollo", "people_match")
    assert "reveal_phone_number" in told["input"]["properties"]
    example = str(installed.package / "examples" / "prospecting.yaml")
    assert installed.json("workflow", "check", example)["valid"] is True


def test_it_connects_and_runs(installed):
    """From the wheel alone: start its sandbox, link a key, test it, run an action and read all pages."""
    command = [installed.python, "-m", "apollo_component.sandbox", "--json", "--people", "300"]
    sandbox = subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, cwd=installed.elsewhere, env=installed.variables
    )
    with sandbox.stdout:
        try:
            facts = json.loads(sandbox.stdout.readline())
            where = {"APOLLO_API_URL": facts["api_url"], "APOLLO_OAUTH_URL": facts["oauth_url"]}
            key = {"APOLLO_API_KEY": facts["keys"]["master"]}
            linked = installed.json("connect", "api_key", "--name", "acme", **where, **key)
            assert linked["test"]["verdict"] == "connected"
            assert installed.json("test", "acme", **where)["verdict"] == "connected"
            arguments = ("run", "people_api_search", "--connection", "acme", "--all", "--limit", "120", "--json")
            done = installed.run(installed.script, *arguments, **where)
            assert len([json.loads(line) for line in done.stdout.splitlines()]) == 120
        finally:
            sandbox.terminate()
            sandbox.wait(10)


def test_the_core_needs_no_host(installed):
    """Without the extras the plugin still loads and validates an input: only the core dependencies are imported."""
    blocked = HOST_ONLY + SANDBOX_ONLY
    code = (
        f"import sys; sys.modules.update(dict.fromkeys({blocked!r}))\n"
        "from apollo_component.apollo.plugin import plugin\n"
        "from apollo_component.connector import client\n"
        "print(len(plugin.manifest.actions), plugin.schemas.check('schemas/actions/people_match.schema.json',"
        " {'email': 'a@example.com'})['email'])"
    )
    actions = len(load_file(ROOT / "connector.yaml").actions)
    assert installed.run(installed.python, "-c", code).stdout.split() == [str(actions), "a@example.com"]


def test_the_host_needs_no_sandbox(installed, tmp_path):
    """Without the sandbox's libraries every other command still starts."""
    code = (
        f"import sys; sys.modules.update(dict.fromkeys({SANDBOX_ONLY!r}))\n"
        "from apollo_component.cli.app import run\n"
        "sys.exit(run(['connections', '--json']))"
    )
    assert json.loads(installed.run(installed.python, "-c", code, WORKFLOW_HOST_HOME=str(tmp_path)).stdout) == []


# Not a wheel


def test_an_editable_install_shows_the_same_palette(tmp_path):
    """An editable install reads connector.yaml itself, shows the same palette, and shows a change at once."""
    source = copied(tmp_path / "source")
    editable = fresh(tmp_path, "--no-build-isolation", "--editable", str(source))
    assert editable.json("palette") == PALETTE
    assert not [file for file in tmp_path.rglob(INDEX) if file.parent.name != ".make"]
    file = source / "connector.yaml"
    file.write_text(file.read_text("utf-8").replace("title: Search people", "title: Look for people"), "utf-8")
    [connector] = editable.json("palette")["connectors"]
    assert "Look for people" in {action["title"] for action in connector["actions"]}


def test_a_checkout_shows_the_same_palette(registered):
    """In the checkout, with the plugin registered, the command shows what the wheel shows."""
    command = [sys.executable, "-m", "apollo_component", "palette", "--json"]
    done = subprocess.run(command, check=True, cwd=ROOT, capture_output=True, text=True)
    assert json.loads(done.stdout) == PALETTE


def test_how_long_the_palette_takes(installed, capsys):
    """The palette's time beside that of an interpreter which does nothing, for people to read; nothing is asserted."""
    commands = {
        "python -c pass": (installed.python, "-c", "pass"),
        "palette --json": (installed.script, "palette", "--json"),
        "python -m apollo_component palette --json": (
            installed.python, "-m", "apollo_component", "palette", "--json",
        ),
    }  # fmt: skip
    times = {
        name: statistics.median(_seconds(installed, command) for _ in range(15)) for name, command in commands.items()
    }
    with capsys.disabled():
        print("\n" + "\n".join(f"  {name}: {seconds * 1000:.1f} ms" for name, seconds in times.items()))


def _seconds(installed, command):
    start = time.perf_counter()
    installed.run(*command)
    return time.perf_counter() - start
