"""A whole tour with unmistakable secrets: everything that can be done with them in this process and by the command,
with logging at DEBUG, and all the places a secret could end up in kept for the scanner."""

import contextlib
import gc
import json
import logging
import os
import secrets
import subprocess
import sys
import tempfile
import traceback
import urllib.request
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

from apollo_component.apollo.plugin import plugin as apollo
from apollo_component.cli.consent import decide
from apollo_component.contract.errors import ConnectorError
from apollo_component.contract.models import AuthorizeRequest, Callback, OAuthApp
from apollo_component.host import linking
from apollo_component.host.host import Host
from apollo_component.host.registry import Registry
from apollo_component.host.runner import Job
from apollo_component.host.settings import Settings
from apollo_component.host.vault import open_vault
from apollo_component.host.workflow import engine
from apollo_component.host.workflow.file import parse_workflow

LOGGERS = ("", "sqlalchemy", "sqlalchemy.engine", "sqlalchemy.pool", "alembic", "dbos", "httpx", "httpcore", "asyncio")
OURS = ("apollo_component.", "httpx", "httpcore", "sqlalchemy.engine", "dbos")
REFUSED = "http://127.0.0.1:9/api/v1"
FLOW = """
name: Canary
connections:
  apollo: {connector: apollo, use: NAME}
steps:
  - id: people
    action: people_api_search
    with: {per_page: 3}
  - id: enrich
    action: people_bulk_match
    with: {details: {$from: "steps.people.records[].{id: id}"}}
  - id: contacts
    action: contacts_create
    for_each: steps.enrich.records[?email]
    on_error: collect
    with: {first_name: {$from: item.first_name}, email: {$from: item.email}, run_dedupe: true}
"""
LOG_EVERYTHING = f"""
import logging, os
logging.basicConfig(level=logging.DEBUG, filename=os.path.join(os.environ["CANARY_LOGS"], f"{{os.getpid()}}.log"))
for name in {LOGGERS!r}:
    logging.getLogger(name).setLevel(logging.DEBUG)
"""

REPEATS = {
    "palette", "describe", "requirements", "connect inner space", "connect refused", "connect bad file", "connect stdin",
    "apps add twice", "apps list", "history", "test strict", "test refused", "run all", "run bill", "run 422",
    "connect free", "run 403", "run html", "run truncate", "workflow other", "runs", "runs again", "runs show",
    "test revoked", "import broken", "elsewhere",
}  # fmt: skip
"""Commands of the whole tour alone: others, or the tour in this process, go the same way."""


class Tour:
    """`secrets` by name; `texts`, `outputs` and `outcomes` by the label of the step that made them."""

    def __init__(self, folder: Path, facts: dict, python_path: str, database: str = "") -> None:
        self.facts, self.folder, self.python_path = facts, folder, python_path
        self.secrets: dict[str, str] = {f"key {name}": key for name, key in facts["keys"].items()}
        self.texts: dict[str, str] = {}
        self.outputs: dict[str, str] = {}
        self.outcomes: dict[str, str] = {}
        self.arguments: list[list[str]] = []
        for name in ("inputs", "home", "temporary", "logs", "site"):
            (folder / name).mkdir()
            setattr(self, name, folder / name)
        (self.site / "sitecustomize.py").write_text(LOG_EVERYTHING)
        self.whole = True
        self.database = database or f"sqlite:///{self.home / 'host.db'}"
        self.secrets["client secret"] = facts["oauth"]["client_secret"]
        for name in ("wrong key", "wrong client secret", "foreign state", "typed on a command line"):
            self.secrets[name] = secrets.token_urlsafe(32)
        self.app = OAuthApp(facts["oauth"]["client_id"], self.secrets["client secret"], (self.redirect,))

    @property
    def redirect(self) -> str:
        return self.facts["oauth"]["redirect_uris"][-1]

    def run(self, *, whole: bool) -> None:
        """All that can be done; or the short way round, which leaves out what only repeats a kind of success or failure."""
        self.whole = whole
        self.here()
        self.by_command()

    def some(self, values, of=2):
        """All of these values on the whole tour, else the first ones."""
        return list(values) if self.whole else list(values)[:of]

    # keeping

    def attempt(self, label, function, *arguments, **more):
        """Do one thing; keep what it gave, or everything its exception says."""
        try:
            result = function(*arguments, **more)
        except Exception as error:
            self.outcomes[label] = type(error).__name__
            self.texts[label] = "\n".join(_everything_of(error))
            return None
        self.outcomes[label] = "ok"
        self.texts[label] = f"{result!r}\n{result}"
        return result

    def secret_file(self, content) -> str:
        """A file that is meant to hold a secret, and so isn't searched."""
        file = self.inputs / secrets.token_hex(4)
        file.write_text(content if isinstance(content, str) else json.dumps(content))
        return str(file)

    def control(self, path, body=None):
        request = urllib.request.Request(self.facts["control_url"] + path, json.dumps(body or {}).encode())
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def fault(self, operation, kind, **more):
        self.control("/faults", {"operation": operation, "kind": kind, "times": 1, **more})

    def learn(self, host, name, when):
        """The tokens of a connection are secrets from now on."""
        with contextlib.suppress(ConnectorError):
            credential = host.connections.credential(host.connections.get(name))
            self.secrets[f"access token {name} {when}"] = credential.access_token
            self.secrets[f"refresh token {name} {when}"] = credential.refresh_token

    def allowed(self, attempt, decision="allow"):
        """Press a button of the consent page; what it sends back are secrets too."""
        answer = dict(parse_qsl(urlsplit(decide(attempt.url, decision)).query))
        number = len(self.secrets)
        self.secrets[f"state {number}"] = attempt.state
        self.secrets[f"code {number}"] = answer.get("code", "")
        return answer

    # in this process

    def here(self, *parts):
        """In this process: the parts that are named, or all of them."""
        chosen = parts or ("keys", "oauth", "runs", "echoes", "refreshes", "flows", "imports", "vault")
        with _logged(self.logs / "host.log"), _fds(self.folder / "stdout", self.folder / "stderr"):
            settings = Settings(self.home, self.database)
            sleep = lambda _seconds: None  # noqa: E731
            host = Host.open(settings, Registry({"apollo": apollo}), sleep=sleep, notice=print)
            self.secrets["host key"] = (self.home / "host.key").read_text().strip()
            try:
                for part in chosen:
                    getattr(self, f"_{part}")(host)
                if self.whole:
                    self.texts["all objects"] = "\n".join(_all_objects())
            finally:
                host.close()
        for name in ("stdout", "stderr"):
            self.outputs[f"in process {name}"] = (self.folder / name).read_text()

    def _keys(self, host):
        good, wrong = self.secrets["key master"], self.secrets["wrong key"]
        values = {
            "good": good, "wrong": wrong, "white space": f" \t'{good}'\n", "inner space": f"{good[:14]} {good[14:]}",
            "not ascii": f"{good}é", "too long": good * 30, "empty": " ",
        }  # fmt: skip
        for label, value in values.items():
            name = label.replace(" ", "-")
            self.attempt(
                f"link key {label}", linking.link_key, host, "apollo", name, "api_key", {"api_key": value},
                ("users_search", "people_match"),
            )  # fmt: skip
        for name in ("scoped_without_search", "free"):
            fields = {"api_key": self.secrets[f"key {name}"]}
            self.attempt(f"link key {name}", linking.link_key, host, "apollo", name, "api_key", fields)
        self.attempt("authorize request", AuthorizeRequest, "api_key", {"api_key": good}, self.app, state=wrong)
        with _environment(APOLLO_API_URL=REFUSED):
            self.attempt(
                "link key refused", linking.link_key, host, "apollo", "no", "api_key", {"api_key": good}
            )  # fmt: skip
        for kind in ("html", "truncate", "drop_before"):
            self.fault("auth_health", kind)
            self.attempt(f"link key {kind}", linking.link_key, host, "apollo", "no", "api_key", {"api_key": good})

    def _oauth(self, host):
        def begin(label, app=self.app):
            return self.attempt(
                f"begin {label}", linking.begin, host, "apollo", label.replace(" ", "-"), "oauth2", app,
                actions=("users_search", "people_api_search", "people_match", "people_bulk_match", "contacts_create"),
            )  # fmt: skip

        attempt = begin("oauth")
        answer = self.allowed(attempt)
        self.attempt("finish", linking.finish, host, attempt, answer)
        self.learn(host, "oauth", "first")
        self.attempt("finish with a spent code", linking.finish, host, attempt, answer)
        self.attempt("callback", Callback, answer, attempt.state, self.redirect, self.app)
        for decision in ("deny", "no_permission"):
            attempt = begin(f"oauth {decision}")
            self.attempt(f"finish {decision}", linking.finish, host, attempt, self.allowed(attempt, decision))
        attempt = begin("oauth foreign")
        answer = self.allowed(attempt)
        foreign = self.secrets["foreign state"]
        self.attempt("finish foreign state", linking.finish, host, attempt, answer | {"state": foreign})
        self.attempt("finish no state", linking.finish, host, attempt, {"code": answer["code"]})
        self.attempt("finish no code", linking.finish, host, attempt, {"state": attempt.state})
        self.attempt("finish truncated", self._with_fault, "truncate", linking.finish, host, attempt, answer)
        attempt = begin("oauth html")
        answer = self.allowed(attempt)
        self.attempt("finish html", self._with_fault, "html", linking.finish, host, attempt, answer)
        liar = OAuthApp(self.app.client_id, self.secrets["wrong client secret"], self.app.redirect_uris)
        attempt = begin("oauth liar", liar)
        self.attempt("finish wrong secret", linking.finish, host, attempt, self.allowed(attempt))
        self.attempt("add an app", host.apps.add, "app", "apollo", self.app)
        self.attempt("get an app", host.apps.get, "app")

    def _with_fault(self, kind, function, *arguments, operation="oauth_token", **more):
        self.fault(operation, kind, **more)
        return function(*arguments)

    def action(self, host, label, name, action, /, **values):
        def all_of():
            connection = host.connections.get(name)
            chosen = host.registry.manifest("apollo").actions[action]
            job = Job(f"run-{label}".replace(" ", "-"), connection.id, chosen, values, every_page=False)
            return list(host.runner.pages(job))

        return self.attempt(label, all_of)

    def _runs(self, host):
        for name in ("good", "oauth"):
            self.attempt(f"test {name}", linking.test_stored, host, name, ("users_search", "opportunities_search"))
            self.attempt(f"test strict {name}", linking.test_stored, host, name, (), strict=True)
            self.action(host, f"run {name}", name, "users_search")
            self.action(host, f"run bill {name}", name, "people_match", email="a@example.com")
            self.action(host, f"run bad input {name}", name, "people_match", key=self.secrets["wrong key"])
            for kind in ("html", "truncate", "drop_after", "wrong_types"):
                self.fault("users_search", kind)
                self.action(host, f"run {kind} {name}", name, "users_search")
            for status in self.some((302, 422, 403, 404, 429, 500, 503)):
                self.fault("users_search", "status", status=status)
                self.action(host, f"run {status} {name}", name, "users_search")
            with _environment(APOLLO_API_URL=REFUSED):
                self.action(host, f"run elsewhere {name}", name, "users_search")
                self.attempt(f"move {name}", linking.move, host, name)
                self.action(host, f"run refused {name}", name, "users_search")
            self.attempt(f"move back {name}", linking.move, host, name)
            self.fault("opportunities_create", "drop_after")
            self.action(host, f"run lost {name}", name, "opportunities_create", name="Lost deal")
        self.action(host, "run 403 for want of a right", "scoped_without_search", "people_api_search", per_page=1)
        self.action(host, "run 422", "good", "contacts_update", contact_id="0" * 24, title="x")
        self.attempt("history", host.connections.history, host.connections.get("oauth"))
        self.attempt("connections", host.connections.all)
        self.attempt("connections as dict", lambda: [item.as_dict() for item in host.connections.all()])

    def _echoes(self, host):
        """A service that repeats what it was sent, in every field an error message could be taken from."""
        for name in ("good", "oauth"):
            self.learn(host, name, "echo")
            credential = host.connections.credential(host.connections.get(name))
            sent = credential.api_key or credential.access_token
            for status in self.some((401, 422, 400, 402, 403, 404, 429, 500, 503)):
                for field in self.some(("error", "message", "error_message")):
                    body = {field: f"The header said {sent}, which is wrong: {sent[:16]}..."}
                    self.fault("users_search", "status", status=status, body=body)
                    self.action(host, f"echo {status} {field} {name}", name, "users_search")
                    self.learn(host, name, f"echo {status} {field}")
                    if host.connections.get(name).status != "active":
                        self._again(host)
                    credential = host.connections.credential(host.connections.get(name))
                    sent = credential.api_key or credential.access_token
            self.fault("auth_health", "status", status=422, body={"error": f"Wrong credential {sent}"})
            self.attempt(f"test echo {name}", linking.test_stored, host, name)
            self._again(host)
        wrong = self.secrets["wrong key"]
        for status in (401, 422):
            self.fault("auth_health", "status", status=status, body={"error": f"Invalid api key {wrong}"})
            self.attempt(
                f"link echo {status}", linking.link_key, host, "apollo", "no", "api_key", {"api_key": wrong}
            )  # fmt: skip
        attempt = linking.begin(host, "apollo", "no", "oauth2", self.app)
        answer = self.allowed(attempt)
        for field in ("error", "error_description", "message"):
            text = f"Code {answer['code']} of {self.app.client_secret} is bad"
            body = {"error": "invalid_request"} | {field: text}
            self.fault("oauth_token", "status", status=400, body=body)
            self.attempt(f"finish echo {field}", linking.finish, host, attempt, answer)

    def _again(self, host):
        """Link the OAuth connection again, whatever happened to it."""
        attempt = linking.begin(host, "apollo", "oauth", "oauth2", self.app)
        linking.finish(host, attempt, self.allowed(attempt))
        fields = {"api_key": self.secrets["key master"]}
        linking.link_key(host, "apollo", "good", "api_key", fields)
        self.learn(host, "oauth", f"again {len(self.secrets)}")

    def _refreshes(self, host):
        self.control("/tokens/expire")
        self.action(host, "refresh", "oauth", "users_search")
        self.learn(host, "oauth", "refreshed")
        for label, fault in {
            "503": {"kind": "status", "status": 503}, "html": {"kind": "html"}, "truncate": {"kind": "truncate"},
            "drop": {"kind": "drop_before"},
        }.items():  # fmt: skip
            self.control("/tokens/expire")
            self.fault("oauth_token", **fault)
            self.action(host, f"refresh {label}", "oauth", "users_search")
            self.action(host, f"after {label}", "oauth", "users_search")
            self.learn(host, "oauth", f"after {label}")
            self._again(host)
        credential = host.connections.credential(host.connections.get("oauth"))
        for field in ("error", "error_description", "message"):
            text = f"No refresh for {credential.refresh_token} by {self.app.client_secret}"
            body = {"error": "invalid_request"} | {field: text}
            self.control("/tokens/expire")
            self.fault("oauth_token", "status", status=400, body=body)
            self.action(host, f"refresh echo {field}", "oauth", "users_search")
            self._again(host)
            credential = host.connections.credential(host.connections.get("oauth"))
        self.control("/tokens/revoke")
        self.action(host, "revoked", "oauth", "users_search")
        self.action(host, "dead", "oauth", "users_search")
        self.attempt("test dead", linking.test_stored, host, "oauth")
        self._again(host)

    def _flows(self, host):
        for name in ("good", "oauth"):
            self.attempt(f"workflow {name}", self._flow, host, name)
        self.control("/tokens/revoke")
        report = self.attempt("workflow revoked", self._flow, host, "oauth")
        self._again(host)
        self.attempt("workflow resumed", lambda: engine.drive(host, report["id"]))

    def _flow(self, host, name):
        workflow = parse_workflow(FLOW.replace("NAME", name), host.registry.manifests)
        return engine.drive(host, engine.start(host, workflow, {}, {}).id, progress=print)

    def _imports(self, host):
        attempt = linking.begin(host, "apollo", "elsewhere", "oauth2", self.app)
        linking.finish(host, attempt, self.allowed(attempt))
        self.learn(host, "elsewhere", "first")
        good = {
            "client_id": self.app.client_id,
            "client_secret": self.app.client_secret,
            "access_token": self.secrets["access token elsewhere first"],
            "refresh_token": self.secrets["refresh token elsewhere first"],
        }
        host.connections.remove(host.connections.get("elsewhere"))
        bad = {
            "not json": json.dumps(good)[:-3],
            "missing": {key: value for key, value in good.items() if key != "client_id"},
            "wrong type": good | {"access_token": [good["access_token"]]},
            "unknown field": good | {"token": good["access_token"]},
            "bad time": good | {"expires_at": "tomorrow"},
            "a list": [good],
            "dead pair": good | {"access_token": self.secrets["access token oauth first"],
                                 "refresh_token": self.secrets["refresh token oauth first"]},
        }  # fmt: skip
        for label, content in {**bad, "good": good}.items():
            file = Path(self.secret_file(content))
            self.attempt(f"import {label}", linking.take_over, host, "apollo", f"in {label}", "oauth2", file)
            self.learn(host, f"in {label}", "imported")

    def _vault(self, host):
        connection = host.connections.get("good")
        with host.store.write() as open_:
            open_.exec_driver_sql("CREATE TABLE kept AS SELECT id, secret FROM host_connections")
            open_.exec_driver_sql(
                "UPDATE host_connections SET secret = (SELECT secret FROM kept WHERE id <> host_connections.id)"
            )
        self.attempt("moved secret", host.connections.credential, connection)
        with host.store.write() as open_:
            open_.exec_driver_sql(
                "UPDATE host_connections SET secret = (SELECT secret FROM kept WHERE id = host_connections.id)"
            )
            open_.exec_driver_sql("DROP TABLE kept")
        self.attempt("open again", host.connections.credential, connection)
        settings = Settings(self.home, host.settings.database_url, key=self.secrets["host key"][::-1])
        self.attempt("malformed host key", open_vault, settings, host.store)
        other = Settings(self.home, host.settings.database_url, key="A" * 43 + "=")
        self.attempt("other host key", open_vault, other, host.store)

    # by the command

    def command(self, label, *arguments, given="", secret=(), ok=None, **variables):
        """Run the command; what it prints is kept, an authorize address (which must hold its state) apart."""
        if not self.whole and label in REPEATS:
            return "{}"
        process = self._started(*arguments, **variables)
        out, err = process.communicate(given, timeout=120)
        self._kept(label, process.returncode, out, err)
        return out

    def _started(self, *arguments, **variables):
        command = [sys.executable, "-m", "apollo_component", *arguments]
        self.arguments.append(command)
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("APOLLO", "WORKFLOW"))},
            "PYTHONPATH": os.pathsep.join([str(self.site), self.python_path]),
            "WORKFLOW_HOST_HOME": str(self.home),
            "APOLLO_API_URL": self.facts["api_url"],
            "APOLLO_OAUTH_URL": self.facts["oauth_url"],
            "APOLLO_COMPONENT_DEBUG": "1",
            "CANARY_LOGS": str(self.logs),
            "TMPDIR": str(self.temporary),
        }
        return subprocess.Popen(
            command, env=environment | variables, cwd=self.folder, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def _kept(self, label, code, out, err, hidden=""):
        self.outcomes[f"command {label}"] = str(code)
        for name, text in (("stdout", out), ("stderr", err)):
            self.outputs[f"command {label} {name}"] = text.replace(hidden, "(address)") if hidden else text

    def by_command(self):
        key = self.secrets["key master"]
        run = self.command
        run("palette", "palette", "--json")
        run("describe", "describe", "people_match")
        run("requirements", "requirements", "people_match")
        run("connect file", "connect", "api_key", "--name", "c1", "--secret-file", self.secret_file(key), "--json")
        run("connect variable", "connect", "api_key", "--name", "c2", APOLLO_API_KEY=f"  '{key}' ")
        run("connect stdin", "connect", "api_key", "--name", "c3", "--secret-file", "-", given=f"\n{key}\n")
        run("connect wrong", "connect", "api_key", "--name", "c4", APOLLO_API_KEY=self.secrets["wrong key"])
        run("connect inner space", "connect", "api_key", "--name", "c4", APOLLO_API_KEY=f"{key} {key}")
        run("connect refused", "connect", "api_key", "--name", "c4", APOLLO_API_KEY=key, APOLLO_API_URL=REFUSED)
        typed = f"api_key={self.secrets['typed on a command line']}"
        run("connect typed", "connect", "api_key", "--name", "c4", "--field", typed)
        run("connect bad file", "connect", "api_key", "--name", "c4", "--secret-file", "/does/not/exist")
        secret = self.secret_file(self.app.client_secret)
        app = ("--client-id", self.app.client_id, "--redirect-uri", self.redirect, "--secret-file", secret)
        run("apps add", "apps", "add", "stored", *app, "--json")
        run("apps add twice", "apps", "add", "stored", *app)
        run("apps list", "apps", "list")
        self._browser("listened", "o1", listen=True)
        self._browser("pasted", "o2")
        self._browser("denied", "o3", decision="deny")
        self._browser("foreign", "o3", change=lambda answer: answer | {"state": self.secrets["foreign state"]})
        self._browser("elsewhere", "o3", to="https://example.com/other")
        host = self._opened()
        for name in ("o1", "o2"):
            self.learn(host, name, "by command")
        host.close()
        self._by_command_with_tokens(run, key)

    def _by_command_with_tokens(self, run, key):
        run("connections", "connections", "--json")
        run("history", "connections", "--history", "o1")
        run("test", "test", "o1", "--json", "--for", "users_search")
        run("test strict", "test", "c1", "--strict")
        run("test refused", "test", "c1", APOLLO_API_URL=REFUSED)
        run("run", "run", "users_search", "--connection", "o1", "--json")
        run("run all", "run", "people_api_search", "--connection", "c1", "--all", "--limit", "150")
        run("run bill", "run", "people_match", "--connection", "c1", "--input", '{"email": "a@example.com"}')
        run("run bad input", "run", "people_match", "--connection", "c1", "--input", f'{{"api_key": "{"x" * 20}"}}')
        run("run 422", "run", "contacts_update", "--connection", "c1", "--input", f'{{"contact_id": "{"0" * 24}"}}')
        run("connect free", "connect", "api_key", "--name", "free1", APOLLO_API_KEY=self.secrets["key free"])
        run("run 403", "run", "people_match", "--connection", "free1", "--input", '{"email": "a@example.com"}')
        for kind in ("html", "truncate"):
            self.fault("users_search", kind)
            run(f"run {kind}", "run", "users_search", "--connection", "c1")
        self.fault("users_search", "status", status=422, body={"error": f"What is {key}?"})
        run("run echo", "run", "users_search", "--connection", "c1")
        flow = self.secret_file(FLOW.replace("NAME", "c1"))
        run("workflow run", "workflow", "run", flow, "--json")
        run("workflow other", "workflow", "run", flow, "--connection", "apollo=o1")
        run("runs", "runs", "list", "--json")
        identity = json.loads(run("runs again", "runs", "list", "--json").splitlines()[0])
        first = identity[0] if isinstance(identity, list) else identity
        run("runs show", "runs", "show", str(first.get("id", "none")))
        self.control("/tokens/expire")
        run("run refreshed", "run", "users_search", "--connection", "o1")
        host = self._opened()
        self.learn(host, "o1", "refreshed by command")
        host.close()
        self.control("/tokens/revoke")
        run("run revoked", "run", "users_search", "--connection", "o1")
        run("test revoked", "test", "o1")
        good = {
            "client_id": self.app.client_id,
            "client_secret": self.app.client_secret,
            "access_token": self.secrets["access token o2 by command"],
            "refresh_token": self.secrets["refresh token o2 by command"],
        }
        imported = self.secret_file(good)
        run("import dead", "connect", "oauth2", "--name", "i1", "--import-credential", imported)
        broken = self.secret_file(json.dumps(good)[1:])
        run("import broken", "connect", "oauth2", "--name", "i2", "--import-credential", broken)
        run("remove", "remove", "c2", "--yes", "--json")
        run("lost key", "connections", WORKFLOW_HOST_KEY=self.secrets["host key"][:-4])

    def _browser(self, label, name, *, decision="allow", listen=False, change=dict, to=""):
        """Link in a browser; this process is the browser."""
        if not self.whole and label in REPEATS:
            return
        how = [] if listen else ["--paste"]
        process = self._started(
            "connect", "oauth2", "--name", name, "--app", "stored", "--no-browser", "--json", "--for", "users_search",
            *how,
        )  # fmt: skip
        first = process.stdout.readline()
        url = json.loads(first)["authorize_url"]
        state = dict(parse_qsl(url.partition("?")[2]))["state"]
        self.secrets[f"state of {label}"] = state
        answer = dict(parse_qsl(urlsplit(decide(url, decision)).query))
        self.secrets[f"code of {label}"] = answer.get("code", "")
        address = f"{to or self.redirect}?{urlencode(change(answer))}"
        if listen:
            with urllib.request.urlopen(address, timeout=10) as page:
                self.outputs[f"page {label}"] = page.read().decode() + str(page.headers)
            out, err = process.communicate(timeout=60)
        else:
            out, err = process.communicate(address + "\n", timeout=60)
        self._kept(label, process.returncode, first + out, err, url)

    def _opened(self):
        return Host.open(Settings(self.home, f"sqlite:///{self.home / 'host.db'}"), Registry({"apollo": apollo}))


def _everything_of(error):
    """What any report of an exception could show, through its whole chain."""
    seen = []
    while error is not None and error not in seen:
        seen.append(error)
        yield from (str(error), repr(error), repr(error.args), *traceback.format_exception(error))
        if isinstance(error, ConnectorError):
            yield from (repr(vars(error)), json.dumps(error.as_dict(), default=str))
        error = error.__cause__ or error.__context__


def _all_objects():
    """repr and str of every living value of ours and of the libraries that handle requests and rows."""
    for thing in gc.get_objects():
        kind = type(thing)
        if str(kind.__module__).startswith(OURS) or isinstance(thing, BaseException):
            with contextlib.suppress(Exception):
                yield f"{thing!r} {thing}"


@contextlib.contextmanager
def _logged(file):
    handler = logging.FileHandler(file)
    before = {name: logging.getLogger(name).level for name in LOGGERS}
    for name in LOGGERS:
        logging.getLogger(name).setLevel(logging.DEBUG)
    logging.getLogger().addHandler(handler)
    logging.getLogger("dbos").addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(handler)
        logging.getLogger("dbos").removeHandler(handler)
        for name, level in before.items():
            logging.getLogger(name).setLevel(level)
        handler.close()


@contextlib.contextmanager
def _fds(out, err):
    """This process's own stdout and stderr, into files."""
    sys.stdout.flush()
    sys.stderr.flush()
    saved = os.dup(1), os.dup(2)
    with out.open("wb") as first, err.open("wb") as second:
        os.dup2(first.fileno(), 1)
        os.dup2(second.fileno(), 2)
        try:
            with (
                contextlib.redirect_stdout(open(1, "w", closefd=False)),
                contextlib.redirect_stderr(open(2, "w", closefd=False)),
            ):
                yield
                sys.stdout.flush()
                sys.stderr.flush()
        finally:
            for number, fd in zip((1, 2), saved, strict=True):
                os.dup2(fd, number)
                os.close(fd)


@contextlib.contextmanager
def _environment(**variables):
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


@contextlib.contextmanager
def temporary_files_in(folder):
    before = tempfile.tempdir
    tempfile.tempdir = str(folder)
    try:
        with _environment(TMPDIR=str(folder)):
            yield
    finally:
        tempfile.tempdir = before
