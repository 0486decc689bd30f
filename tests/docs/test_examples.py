"""Commands, workflows, connectors and programs shown in the documents."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import typer.main

from apollo_component.cli.app import app
from apollo_component.contract.loading import load_file, validate
from apollo_component.contract.located import parse
from apollo_component.host.registry import Registry
from apollo_component.host.workflow.file import parse_workflow
from apollo_component.sandbox.__main__ import parser as sandbox_parser

from .documents import DOCUMENTS, ROOT, blocks, name, named_files, text


def shown_commands():
    """Every command line in a console block, and every inline one that has more than the command's name."""
    for file in DOCUMENTS:
        lines = [line for block in blocks(name(file), "console") for line in block.splitlines()]
        found = [line.removeprefix("$ ") for line in lines if line.startswith("$ apollo-component")]
        found += re.findall(r"`(apollo-component [^`]+)`", file.read_text("utf-8"))
        for line in dict.fromkeys(found):
            yield pytest.param(line, id=f"{name(file)}: {line[:70]}")


@pytest.mark.parametrize("line", list(shown_commands()))
def test_shown_commands_exist(line):
    """A command shown has this name, knows each option, and gets every argument it needs."""
    command, words = typer.main.get_command(app), shlex.split(line)[1:]
    while words and hasattr(command, "commands") and not words[0].startswith("-"):
        assert words[0] in command.commands
        command, words = command.commands[words[0]], words[1:]
    known = {opt: getattr(item, "is_flag", False) for item in command.params for opt in item.opts if opt[0] == "-"}
    if command.name == "sandbox":
        known = {opt: item.nargs == 0 for item in sandbox_parser()._actions for opt in item.option_strings}
    given = 0
    while words:
        word = words.pop(0)
        if not word.startswith("-"):
            given += 1
        elif word not in ("--help", "--version"):
            assert word in known, word
            if not known[word]:
                assert words, f"{word} needs a value"
                words.pop(0)
    needed = [item for item in command.params if item.required and not item.opts[0].startswith("-")]
    assert given >= len(needed) or "--help" in line
    options = [item.opts[0] for item in command.params if item.required and item.opts[0].startswith("-")]
    assert [opt for opt in options if opt not in line] == []


def test_the_exit_codes_are_those_of_the_errors():
    """The README's table has a row for each exit code an error can have."""
    from apollo_component.contract import errors

    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and hasattr(kind, "exit_code")]
    table = text("README.md").partition("## Exit codes")[2].partition("\n## ")[0]
    assert {kind.exit_code for kind in kinds} <= {
        int(code) for code in re.findall(r"^\| (\d+) \|", table, re.MULTILINE)
    }


def workflows():
    for path in ("README.md", "docs/workflow.md"):
        for block in blocks(path, "yaml"):
            if re.search(r"^steps:", block, re.MULTILINE):
                yield pytest.param(block, id=path)


@pytest.mark.parametrize("block", list(workflows()))
def test_shown_workflows_pass_the_check(block):
    """A workflow that is shown can be saved and passes `workflow check`."""
    manifest = load_file(ROOT / "connector.yaml")
    assert parse_workflow(block, {manifest.id: manifest}).steps


def test_the_action_shown_for_the_manifest_is_the_real_one():
    """The action in docs/manifest.md says what connector.yaml says, its description aside."""
    [shown] = parse(blocks("docs/manifest.md", "yaml")[0], "docs/manifest.md").data
    real = load_file(ROOT / "connector.yaml").action_data(shown["id"])
    differ = {key for key, value in shown.items() if real[key] != value}
    assert differ <= {"description", "example"}


def test_the_second_connector_of_the_readme_works(tmp_path, monkeypatch):
    """The files in the README make a connector that validates, loads as a plugin and shows its action."""
    files = named_files("README.md")
    files.pop("founders.yaml")
    for path, content in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(content, "utf-8")
    assert validate(tmp_path / "connector.yaml") == []
    monkeypatch.syspath_prepend(str(tmp_path))
    scope = {"__file__": str(tmp_path / "plugin.py")}
    exec(compile(files["plugin.py"], "plugin.py", "exec"), scope)
    registry = Registry({"lighthouse": scope["plugin"]})
    assert list(registry.manifest("lighthouse").actions) == ["lamps_list"]


def programs():
    return [block for block in blocks("docs/contract.md", "python") if "minimal_host.py" in block]


@pytest.mark.real
def test_the_minimal_host_runs(tmp_path, registered, service, monkeypatch):
    """The host in docs/contract.md links, tests and reads three pages against a sandbox, in its own process."""
    [program] = programs()
    (tmp_path / "minimal_host.py").write_text(program, "utf-8")
    (tmp_path / "key").write_text(service.keys["scoped"], "utf-8")
    for variable, value in service.env.items():
        monkeypatch.setenv(variable, value)
    command = [sys.executable, "minimal_host.py", "key"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    first, *pages = done.stdout.splitlines()
    assert first.startswith("connected ")
    assert len(pages) >= 1
    assert pages[0].split()[0] == "25"


@pytest.mark.real
def test_the_minimal_host_tells_a_wrong_key(tmp_path, registered, service, monkeypatch):
    """With a key Apollo doesn't know it ends with the error's code, without a trace of the key."""
    [program] = programs()
    (tmp_path / "minimal_host.py").write_text(program, "utf-8")
    (tmp_path / "key").write_text("CANARYkeyCANARY", "utf-8")
    for variable, value in service.env.items():
        monkeypatch.setenv(variable, value)
    command = [sys.executable, "minimal_host.py", "key"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=60, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("reauthorization_needed: ")
    assert "CANARY" not in done.stdout + done.stderr


@pytest.mark.real
def test_the_sandbox_snippet_runs(tmp_path, registered):
    """The lines in docs/sandbox.md start a sandbox, reach it, and end it."""
    [snippet] = blocks("docs/sandbox.md", "python")
    used = 'import urllib.request as u; print(len(u.urlopen(facts["control_url"] + "/state").read()) > 100, bool(key))'
    program = snippet.replace("\n...\n", f"\n{used}\n") + "process.wait(10)\n"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path, timeout=60, check=False
    )
    assert (done.returncode, done.stdout) == (0, "True True\n"), done.stderr


@pytest.mark.real
def test_the_control_requests_are_accepted(service):
    """Each control request in docs/sandbox.md is one the sandbox understands."""
    import urllib.request

    lines = [line for block in blocks("docs/sandbox.md", "console") for line in block.splitlines() if "curl" in line]
    assert len(lines) >= 8
    for line in lines:
        words = shlex.split(line.removeprefix("$ curl -s "))
        method = words.pop(words.index("-X") + 1) if "-X" in words else None
        data = words.pop(words.index("-d") + 1) if "-d" in words else None
        [url] = [word for word in words if word.startswith("$CTRL")]
        url = url.replace("$CTRL", service.facts["control_url"])
        request = urllib.request.Request(url, data and data.encode(), method=method)
        with urllib.request.urlopen(request, timeout=10) as answer:
            assert answer.status == 200


@pytest.mark.real
def test_the_demo_prints_what_the_readme_shows(registered):
    """Each line of the README's demo comes out of the demo; the run's name and the time it took may differ."""
    command = [sys.executable, "-m", "apollo_component", "demo"]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    printed = {plain_line(line) for line in (done.stderr + done.stdout).splitlines()}
    [shown] = blocks("README.md", "text")
    assert [line for line in shown.splitlines() if plain_line(line) not in printed] == []


def plain_line(line):
    """Without what changes from one demo to the next."""
    drawn = re.sub("─+", "─", re.sub(r"run [0-9a-f-]+", "run ID", line))
    return re.sub(r"in [\d.]+ s", "in N s", drawn).strip()


def test_documents_are_found():
    """These tests look at the documents there are, not at an empty list."""
    assert {"README.md", "docs/contract.md"} <= {name(file) for file in DOCUMENTS}
    assert Path(ROOT / "docs/generate.py").is_file()


def test_every_control_route_is_documented():
    """docs/sandbox.md lists each route of the control door with its verbs, each setting and each fault, and no other."""
    from dataclasses import fields

    from apollo_component.sandbox.control import DOORS
    from apollo_component.sandbox.faults import KINDS
    from apollo_component.sandbox.settings import Settings

    document = text("docs/sandbox.md")
    rows = [re.match(r"\| ([A-Z, ]+) \| (`/[^|]+) \|", line) for line in document.splitlines()]
    listed = {
        (verb, path)
        for row in rows
        if row
        for verb in row[1].split(", ")
        for path in re.findall(r"`(/[\w/]+)`", row[2])
    }
    assert listed == set(DOORS)
    settings = document.partition("| Setting |")[2].partition("## Faults")[0]
    assert set(re.findall(r"^\| `(\w+)`", settings, re.MULTILINE)) == {
        *(field.name for field in fields(Settings)),
        "revoke_family",
    }
    assert {kind for kind in KINDS if f"`{kind}`" not in document.partition("## Faults")[2]} == set()
