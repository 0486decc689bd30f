"""Checks of the machine: Python and packages, the home folder, plugins, servers, the log, the clocks."""

import platform
import stat
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from importlib.metadata import PackageNotFoundError, distribution, version
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import sqlalchemy as sa

from ...contract.errors import ConnectorError
from ...contract.hookspecs import SPEC_VERSION
from ...contract.manifest import Manifest
from ...contract.models import Credential, Reply
from .. import logs
from ..registry import Registry
from ..unmetered import Unmetered
from .findings import Examined, Finding, Heard, Verdict, worst

PACKAGE = __name__.partition(".")[0].replace("_", "-")
PLUMBING = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR")
SKEW_SECONDS = 2.0
"""Leases, expiry and quota windows are moments; machines that share a database must agree about them."""
ASK_SECONDS = 8.0


def environment(examined: Examined) -> Finding:
    set_ = [name for name in PLUMBING if examined.environ.get(name) or examined.environ.get(name.lower())]
    packages = dict(_packages())
    facts = {
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "platform": f"{platform.system()} {platform.release()} {platform.machine()}",
        "package": packages.pop(PACKAGE, "not installed"),
        "contract": SPEC_VERSION,
        "dependencies": packages,
        "set": set_,
    }
    text = f"Python {facts['python']} on {facts['platform']}, {PACKAGE} {facts['package']}."
    missing = [name for name in set_ if "CERT" in name and not _is_there(examined.environ, name)]
    if missing:
        hint = "Set it to a file or folder that exists, or unset it."
        return Finding("problem", f"{text} {', '.join(missing)} names nothing that is there.", hint, facts)
    return Finding("ok", f"{text} {', '.join(set_)} set." if set_ else text, "", facts)


def _packages() -> Iterator[tuple[str, str]]:
    """This package and what it needs, as far as it is installed."""
    try:
        needed = distribution(PACKAGE).requires or []
    except PackageNotFoundError:
        return
    names = dict.fromkeys([PACKAGE, *(_bare(item) for item in needed if "extra == 'test'" not in item)])
    for name in names:
        try:
            yield name, version(name)
        except PackageNotFoundError:
            continue


def _bare(requirement: str) -> str:
    return requirement.partition(";")[0].split("[")[0].split("<")[0].split(">")[0].split("=")[0].strip(" ~!(")


def _is_there(environ: Mapping[str, str], name: str) -> bool:
    return Path(environ.get(name) or environ.get(name.lower(), "")).exists()


def plugins(examined: Examined) -> Finding:
    if examined.registry is None:
        examined.registry = Registry.installed()
    found = {item.id: item.version for item in examined.registry.manifests.values()}
    if not found:
        return Finding("problem", "No connector is installed.", "Install one, or this package with its plugin anew.")
    told = ", ".join(f"{name} {number}" for name, number in found.items())
    return Finding("ok", f"Connectors: {told}.", "", {"connectors": found})


def home(examined: Examined) -> Finding:
    """Others on the machine must not read what is in it."""
    assert examined.settings  # noqa: S101  # checks run only with settings
    folder = examined.settings.home
    if not folder.exists():
        return Finding("ok", "The home folder isn't there yet; the first command that needs it makes it.")
    open_ = [file for file in (folder, *sorted(folder.glob("host.*"))) if mode_of(file) & 0o077]
    facts = {"modes": {file.name if file != folder else "home": oct(mode_of(file)) for file in (folder, *open_)}}
    facts["modes"] |= {file.name: oct(mode_of(file)) for file in sorted(folder.glob("host.*"))}
    inside = [file for file in open_ if file != folder]
    if open_ and (mode_of(folder) & 0o077):
        text = f"Other users of this machine may look into the home folder {folder}."
        hint = f"chmod 700 {folder}" + (f" && chmod 600 {folder}/host.*" if inside else "")
        return Finding("warning", text, hint, facts)
    return Finding("ok", f"The home folder {folder} is its owner's alone.", "", facts)


def mode_of(file: Path) -> int:
    return stat.S_IMODE(file.stat().st_mode)


def log(examined: Examined) -> Finding:
    """Only looked at: neither file nor handler is made."""
    wanted = examined.environ.get(logs.FILE, "")
    with logs.written({logs.LEVEL: examined.environ.get(logs.LEVEL, "")}):
        pass
    if not wanted:
        return Finding("ok", "No log is written.", f"{logs.FILE}=FILE writes one.", {"log": "off"})
    if wanted == "-":
        return Finding("ok", "The log goes to stderr.", "", {"log": "stderr"})
    file = Path(wanted).expanduser()
    if not file.exists():
        if file.parent.is_dir():
            return Finding("ok", "The log file isn't there yet.", "", {"log": "file"})
        return Finding("problem", "The folder of the log file isn't there.", f"Make it, or change {logs.FILE}.")
    facts = {"log": "file", "bytes": file.stat().st_size, "mode": oct(mode_of(file))}
    if file.is_file() and mode_of(file) & 0o077:
        return Finding("warning", "Other users may read the log file.", "chmod 600 it.", facts)
    return Finding("ok", f"The log file has {facts['bytes']:,} bytes.", "", facts)


def servers(examined: Examined) -> Finding:
    """Whether requests go to the real service. Addresses are not told: one may hold a secret by mistake."""
    told: dict[str, str] = {}
    mixed = False
    for manifest in _manifests(examined):
        where = {server.variable: _where(examined.environ, server.variable) for server in manifest.servers.values()}
        mixed = mixed or len(set(where.values())) > 1
        told |= where
    changed = {name: where for name, where in told.items() if where != "the service"}
    if not changed:
        return Finding("ok", "Requests go to the real services.", "", {"servers": told})
    text = "Not the real services: " + ", ".join(f"{name} is {where}" for name, where in changed.items()) + "."
    hint = "Unset them to reach the real services." + (" Some are set and others not: set all or none." * mixed)
    return Finding("warning", text, hint, {"servers": told})


def _where(environ: Mapping[str, str], variable: str) -> str:
    if not environ.get(variable):
        return "the service"
    try:
        host = urlsplit(environ[variable]).hostname or ""
    except ValueError:
        return "unreadable"
    return "on this machine" if host in ("localhost", "127.0.0.1", "::1") else "another server"


def _manifests(examined: Examined) -> list[Manifest]:
    return list(examined.registry.manifests.values()) if examined.registry else []


class _Listening(Unmetered):
    """Keeps the answer, whatever it means."""

    reply: Reply | None = None

    def received(self, reply: Reply) -> None:
        self.reply = reply


def service(examined: Examined) -> Finding:
    """One free request to each, without a credential: whatever is answered shows that it can be reached."""
    if examined.offline:
        return Finding("skipped", "Not asked, since --offline was given.")
    said: list[tuple[Verdict, str, str]] = []
    facts: dict[str, Any] = {}
    for manifest in _manifests(examined):
        kind = next((item for item in manifest.connection_types.values() if item.oauth is None), None)
        if kind is None or not manifest.test or examined.registry is None:
            continue
        try:
            heard = _asked(examined, manifest, Credential(kind.id))
        except ConnectorError as error:
            said.append(("problem", f"{manifest.title} gave no answer: {error.message}", error.hint))
            facts[manifest.id] = {"error": error.code}
            continue
        examined.heard[manifest.id] = heard
        took = round((heard.ended - heard.begun) * 1000)
        said.append(("ok", f"{manifest.title} answered in {took} ms.", ""))
        facts[manifest.id] = {"ms": took}
    if not said:
        return Finding("skipped", "No connector has a request that could be made without a connection.")
    verdict, text, hint = worst(*said)
    return Finding(verdict, text, hint, facts)


def _asked(examined: Examined, manifest: Manifest, nobody: Credential) -> Heard:
    """Raises ConnectorError when nothing came that is an answer."""
    assert examined.registry  # noqa: S101  # its manifest comes from it
    begun = examined.clock()
    context = _Listening(datetime.fromtimestamp(begun, UTC), ASK_SECONDS)
    stage = manifest.test[0]
    asked = {"action": stage.action, "input": dict(stage.input), "credential": nobody, "cursor": None}
    try:
        examined.registry.call(manifest.id, "connector_execute", **asked, context=context)
    except ConnectorError:
        if context.reply is None:
            raise
    told = context.reply.headers.get("date", "") if context.reply else ""
    return Heard(begun, examined.clock(), _date(told))


def _date(told: str) -> datetime | None:
    try:
        return parsedate_to_datetime(told)
    except ValueError:
        return None


def clock(examined: Examined) -> Finding:
    """Against the services' own time (whole seconds) and the database's; what a slow answer may explain is no skew."""
    skews = {name: _skew(heard) for name, heard in examined.heard.items() if heard.date}
    if examined.store is not None and not examined.store.is_sqlite:
        skews["database"] = _database_skew(examined)
    facts = {"skew_seconds": {name: round(skew, 1) for name, skew in skews.items()}}
    wrong = {name: skew for name, skew in skews.items() if abs(skew) > SKEW_SECONDS}
    if wrong:
        told = ", ".join(
            f"{abs(skew):.0f} s {'behind' if skew > 0 else 'ahead of'} {name}" for name, skew in wrong.items()
        )
        hint = "Set the clock (NTP): token expiry and schedules go by it, with SQLite leases and quotas too."
        return Finding("warning", f"This machine's clock is {told}.", hint, facts)
    if not skews:
        return Finding("skipped", "Nothing was asked that tells the time.")
    return Finding("ok", f"The clock agrees with {', '.join(skews)}.", "", facts)


def _skew(heard: Heard) -> float:
    """How far the service is ahead at the least; its Date has whole seconds."""
    told = heard.date.timestamp() if heard.date else 0.0
    return _least(told - heard.ended, told + 1 - heard.begun)


def _database_skew(examined: Examined) -> float:
    assert examined.store  # noqa: S101  # asked only when there is one
    begun = examined.clock()
    with examined.store.read() as connection:
        told = float(connection.execute(sa.text("SELECT extract(epoch FROM clock_timestamp())")).scalar() or 0)
    return _least(told - examined.clock(), told - begun)


def _least(low: float, high: float) -> float:
    """The value nearest to zero in between."""
    return min(max(low, 0.0), high) if low > 0 or high < 0 else 0.0
