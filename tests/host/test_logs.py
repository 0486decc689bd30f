"""The structured log: closed, harmless, cheap, and never in the way."""

import ast
import io
import json
import logging
import os
import stat
import time
from pathlib import Path

import pytest

from apollo_component.contract.errors import ConnectorError, InputError, OutcomeUnknownError
from apollo_component.host.events import FIELDS, LogEvent
from apollo_component.host.logs import JsonLines, Line, bound, log, written

from .calling import NEVER_SENT, NO_ANSWER
from .conftest import add_oauth, answer, page, windows

PACKAGE = Path(__file__).parent.parent.parent / "apollo_component"


class Lines(logging.Handler):
    """Keeps every line as the data a reader gets."""

    def __init__(self):
        super().__init__(logging.DEBUG)
        self.setFormatter(JsonLines())
        self.texts = []

    def emit(self, record):
        self.texts.append(self.format(record))

    @property
    def all(self):
        return [json.loads(text) for text in self.texts]

    def of(self, event):
        return [line for line in self.all if line["event"] == event]


@pytest.fixture
def lines():
    logger, kept = logging.getLogger("workflow_host"), Lines()
    logger.addHandler(kept)
    logger.setLevel(logging.DEBUG)
    yield kept
    logger.setLevel(logging.NOTSET)
    logger.removeHandler(kept)


def _calls():
    for file in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                yield file, node


def test_every_event_is_written_somewhere_and_nothing_else():
    """The list of events is the events there are: each is used, and no line has a name of its own."""
    used = {
        node.attr
        for file in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "LogEvent"
    }
    assert used >= {event.name for event in LogEvent}


def test_every_field_given_is_one_of_the_list():
    """A call site can't give a field that the log leaves out."""
    given = {
        keyword.arg
        for _, node in _calls()
        if node.func.id in ("log", "bound", "bind")
        for keyword in node.keywords
        if keyword.arg
    }
    assert given <= set(FIELDS)


def test_a_request_has_its_place_its_ids_and_what_it_cost(lines, caller, service):
    """The line of an answered request names run, step, item, attempt, connection, action, status, quota and credits."""
    service.on("/pay", answer({"records": [{}], "spent": 3}, x_request_id="srv-1", **windows(minute=7)))
    caller.page("pay", {"items": ["secret@example.com"]})
    [line] = lines.of("request.answered")
    [sent] = lines.of("request.sent")
    assert line["request"] == sent["request"]
    told = {name: line[name] for name in line if name not in ("time", "ms", "request")}
    assert told == {
        "level": "info", "event": "request.answered", "run": caller.run, "step": "run", "item": "0", "attempt": 1,
        "connection": caller.connection.id, "connector": "demo", "action": "pay", "status": 200,
        "request_id": "srv-1", "left": {"minute": 7}, "credits": 3,
    }  # fmt: skip
    assert isinstance(line["ms"], int)


def test_trouble_is_told_by_code(lines, caller, service):
    """Refused, unanswered, retried, held back and unknown: each has its line with the error's code."""
    service.on("/find", answer({"error": "no"}, 422))
    service.on("/put", NEVER_SENT, answer({}))
    service.on("/mail", NO_ANSWER)
    with pytest.raises(ConnectorError):
        caller.page("find", item="1")
    caller.page("put", item="2")
    with pytest.raises(OutcomeUnknownError):
        caller.page("mail", item="3")
    assert [line["error"] for line in lines.of("request.refused")] == ["rejected"]
    assert [line["error"] for line in lines.of("request.failed")] == ["temporary"] * 2
    assert [line["pause_s"] for line in lines.of("request.retried")] == [0.5, 0.5]
    assert [line["effect"] for line in lines.of("request.in_doubt")] == ["send"]
    assert [line["item"] for line in lines.of("request.unknown")] == ["3"]


def test_what_never_left_is_held(lines, caller, service, host):
    """A request that a budget or a cancelled run holds back is not told as sent."""
    host.runs.cancel(caller.run)
    with pytest.raises(ConnectorError):
        caller.page("put")
    assert [line["error"] for line in lines.of("request.held")] == ["cancelled"]
    assert lines.of("request.sent") == service.sent("/put") == []


def test_a_recorded_answer_is_no_request(lines, caller):
    """Playing back what was recorded writes no line of a request."""
    caller.page("put")
    before = len(lines.texts)
    caller.page("put")
    assert not [line for line in lines.all[before:] if line["event"].startswith("request.")]


def test_a_refresh_is_told(lines, host, clock, manifest, service):
    """A refresh and the connection's new state have their lines, without a token."""
    expired = add_oauth(host, clock, age=100, life=50)
    host.refresher.usable(expired.id)
    assert len(lines.of("refresh.done")) == 1
    assert [line["to"] for line in lines.of("connection.changed")] == ["linked", "refreshed"]
    assert "access-" not in "".join(lines.texts)


def test_no_input_record_or_text_is_written(lines, caller, service):
    """Whatever an input, an answer or an error's text holds stays out of every line."""
    service.on("/find", page({"email": "canary-record@example.com"}, total=1))
    service.on("/put", answer({"error": "canary-said"}, 422))
    caller.page("find", {"q": "canary-typed"})
    with pytest.raises(ConnectorError):
        caller.page("put", {"name": "canary-typed"}, item="1")
    assert lines.texts
    assert "canary" not in "".join(lines.texts)


@pytest.mark.parametrize("nasty", ["a\nb", "\x1b[31m", "\u2028", "\x85", "\u202e", '"}{"'])
def test_a_value_stays_inside_its_line(lines, nasty):
    """Nothing breaks out of a line, in our form or in another handler's."""
    log(LogEvent.RUN_CHANGED, run=nasty, to="x" * 1000)
    [text] = lines.texts
    assert text.isascii() and text.isprintable()  # noqa: PT018
    assert json.loads(text)["run"] == nasty
    assert len(json.loads(text)["to"]) == 200
    assert str(Line("run.changed", {"run": nasty})).isprintable()


def test_only_plain_values_are_written(lines):
    """An object that is handed in by mistake isn't shown."""
    log(LogEvent.RUN_CHANGED, run=object(), to=b"bytes", left={"minute": "text"}, item=None)
    assert set(lines.all[0]) == {"time", "level", "event"}


def test_a_request_id_is_one_or_is_left_out(lines, caller, service):
    """A service's header is taken only when it looks like an id."""
    service.on("/find", page(x_request_id="some one\x1b@example.com"))
    caller.page("find")
    assert "request_id" not in lines.of("request.answered")[0]


def test_the_file_is_its_owners_and_may_be_moved_away(tmp_path):
    """A new log file has mode 0600; after a rotation by moving, lines go to a new file."""
    file = tmp_path / "host.log"
    with written({"WORKFLOW_HOST_LOG": str(file)}), bound(run="r1"):
        log(LogEvent.RUN_CHANGED, to="one")
        file.rename(tmp_path / "old.log")
        log(LogEvent.RUN_CHANGED, to="two")
    log(LogEvent.RUN_CHANGED, to="three")
    assert json.loads((tmp_path / "old.log").read_text())["to"] == "one"
    assert json.loads(file.read_text())["to"] == "two"
    assert {stat.S_IMODE(found.stat().st_mode) for found in tmp_path.iterdir()} == {0o600}


def test_a_level_leaves_out_what_is_below(tmp_path):
    """WORKFLOW_HOST_LOG_LEVEL=warning writes warnings and errors only."""
    file = tmp_path / "host.log"
    with written({"WORKFLOW_HOST_LOG": str(file), "WORKFLOW_HOST_LOG_LEVEL": "WARNING"}):
        log(LogEvent.RUN_CHANGED, to="done")
        log(LogEvent.LEASE_LOST, lease="run:1")
    assert [json.loads(line)["event"] for line in file.read_text().splitlines()] == ["lease.lost"]


@pytest.mark.parametrize(
    "environ",
    [{"WORKFLOW_HOST_LOG": "/nowhere/at/all.log"}, {"WORKFLOW_HOST_LOG": "-", "WORKFLOW_HOST_LOG_LEVEL": "loud"}],
)
def test_a_log_that_cannot_be_is_an_error_at_once(environ):
    """What can't be used is refused with its variable's name, before anything is done."""
    with pytest.raises(InputError) as caught, written(environ):
        raise AssertionError
    assert caught.value.problems[0].path in environ


def test_a_full_disk_stops_no_work(capfd, monkeypatch):
    """Lines that can't be written are lost, which is said once."""
    monkeypatch.setattr("sys.__stderr__", said := io.StringIO())
    with written({"WORKFLOW_HOST_LOG": "/dev/full"}):
        log(LogEvent.RUN_CHANGED, to="one")
        log(LogEvent.RUN_CHANGED, to="two")
    assert said.getvalue().count("can't be written") == 1


def test_a_library_configures_nothing():
    """Without the variable nobody listens, no level is set and nothing reaches the root logger's handlers by us."""
    with written({}):
        logger = logging.getLogger("workflow_host")
        assert logger.level == logging.NOTSET
        assert [type(handler) for handler in logger.handlers] == [logging.NullHandler]


def test_a_line_costs_little(tmp_path):
    """Far under what a request costs; the figure is printed by benchmarks/logging_cost.py."""
    with written({"WORKFLOW_HOST_LOG": os.devnull}), bound(run="r", step="s", item="1", connection="c", action="a"):
        spent = []
        for _ in range(20):
            begun = time.perf_counter()
            for _ in range(100):
                log(LogEvent.REQUEST_ANSWERED, status=200, ms=120, left={"minute": 40, "hour": 200}, credits=1.0)
            spent.append((time.perf_counter() - begun) / 100)
    assert min(spent) < 0.002


def test_an_answer_played_back_that_means_an_error_is_no_request(lines, caller, service):
    """A recorded answer that can't be read is not told as one that was held back."""
    service.always("/put", answer(b"<html>"))
    with pytest.raises(ConnectorError):
        caller.page("put")
    before = len(lines.texts)
    service.always("/put", answer({}))
    caller.page("put")
    later = [line["event"] for line in lines.all[before:] if line["event"] != "request.in_doubt"]
    assert later == ["request.sent", "request.answered"]


def test_leases_that_change_hands_are_told(lines, host, clock):
    """Taking over a lease that ran out is told by its name; taking a free one is not."""
    leases = host.leases
    leases.release(leases.acquire("run:1", 10))
    leases.acquire("run:1", 10)
    assert lines.of("lease.taken") == []
    clock.sleep(11)
    leases.acquire("run:1", 10)
    assert [line["lease"] for line in lines.of("lease.taken")] == ["run:1"]


def test_a_wait_for_quota_is_told(lines, caller, service):
    """Waiting for a minute's quota is one line with the window and how long."""
    service.on("/find", page(total=0, **windows(minute=(0, 1))))
    caller.page("find", item="1")
    caller.page("find", item="2")
    [line] = lines.of("quota.waited")
    assert line["window"] == "minute"
    assert 0 < line["pause_s"] <= 60


def test_a_create_that_is_found_again_is_told(lines, caller, service, clock):
    """A lost create that had worked has its line, with the attempt that was in doubt."""
    made = {"name": "n", "created_at": clock.moment().isoformat()}
    service.on("/make", NO_ANSWER)
    service.on("/find", page(made, total=1))
    caller.page("make", {"name": "n"})
    assert [(line["action"], line["attempt"]) for line in lines.of("request.found")] == [("make", 1)]
