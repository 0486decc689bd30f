"""What a connection has used and has left: as the service tells it, beside what the host learnt from its answers."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from ..contract.digging import dig, number
from ..contract.errors import ConnectorError, ReauthorizationError, WrongServerError
from ..contract.manifest import Counts, CreditUsage, Manifest, RequestUsage
from ..contract.models import Page
from .calls import Call, Caller
from .connections import Connection
from .journal import Key
from .options import Options

Row = dict[str, Any]
Declared = CreditUsage | RequestUsage


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a report; `problem` is a sentence where the service didn't tell it."""

    rows: tuple[Row, ...] = ()
    problem: str = ""
    start: str = ""
    end: str = ""


@dataclass(frozen=True, slots=True)
class UsageReport:
    """`credits`: {pool, title, note, limit, used, left}; `requests`: {name, window, limit, used, left}; `learnt`:
    {operation, window, limit, left, resets_at}. A number is None where it isn't told."""

    credits: Part
    requests: Part
    learnt: tuple[Row, ...]

    def as_dict(self) -> Row:
        return asdict(self)


class Usages:
    """Costs no credits: only free reads are declared."""

    def __init__(self, caller: Caller, options: Options) -> None:
        self.caller, self.options = caller, options

    def report(self, connection: str) -> UsageReport:
        """Raises NotFoundError, ReauthorizationError and WrongServerError: without a credential no part can be told."""
        link = self.caller.connections.get(connection)
        told = self.caller.registry.manifest(link.connector).usage
        parts = self._part(link, told.credits, self._credits), self._part(link, told.requests, _requests)
        return UsageReport(*parts, tuple(self._learnt(link)))

    def _learnt(self, link: Connection) -> Iterator[Row]:
        """What was learnt of windows that are still open: past a reset nothing is known."""
        now = datetime.fromtimestamp(self.caller.limits.clock(), UTC)
        for row in self.caller.limits.of(link.quota_scope):
            if datetime.fromisoformat(row["resets_at"]) > now:
                yield row

    def _part(self, link: Connection, declared: Declared | None, read: Callable[[Manifest, Any, Page], Part]) -> Part:
        if declared is None:
            return Part(problem="The service tells nothing about this.")
        manifest = self.caller.registry.manifest(link.connector)
        action = manifest.actions[declared.action]
        try:
            return read(manifest, declared, self.caller.page(Call(Key("usage", action.id, ""), link.id, action, {})))
        except (ReauthorizationError, WrongServerError):
            raise
        except ConnectorError as error:
            return Part(problem=" ".join(part for part in (error.message, error.hint) if part))

    def _credits(self, manifest: Manifest, declared: CreditUsage, page: Page) -> Part:
        fields = self.options.fields(manifest, manifest.actions[declared.action].output)
        about = {field.name: field.schema for field in fields}
        pools = dig(page.value, declared.pools)
        if not isinstance(pools, Mapping):
            return Part(problem=f"The answer can't be read: it has no `{declared.pools}`.")
        rows = []
        for pool, found in pools.items():
            texts = about.get(f"{declared.pools}.{pool}", {})
            named = {"pool": pool, "title": texts.get("title", pool), "note": texts.get("description", "")}
            rows.append(named | _counts(declared.counts, found))
        moments = [str(dig(page.value, key) or "") for key in (declared.start, declared.end)]
        return Part(tuple(rows), "", *moments)


def _requests(_manifest: Manifest, declared: RequestUsage, page: Page) -> Part:
    return Part(tuple(_windows(declared, page)))


def _windows(declared: RequestUsage, page: Page) -> Iterator[Row]:
    for record in page.records:
        for window, key in declared.windows.items():
            if isinstance(found := dig(record, key), Mapping):
                yield {"name": str(dig(record, declared.name)), "window": window} | _counts(declared.counts, found)


def _counts(declared: Counts, found: Any) -> Row:
    return {name: number(dig(found, key)) for name, key in asdict(declared).items()}
