"""A trial as text to take elsewhere: a step of a workflow, a command, a piece of Python. Pure."""

import json
import pprint
import re
import shlex
from typing import Any

import yaml

from ..host.planning import Plan

PACKAGE = __name__.partition(".")[0]
COMMAND = PACKAGE.replace("_", "-")


class _Dumper(yaml.SafeDumper):
    """Without anchors, which workflow files don't know."""

    def ignore_aliases(self, _data: Any) -> bool:
        return True


def step(plan: Plan) -> str:
    """An item of a workflow's `steps`; confirmed where people may get mail, as the person was when copying."""
    found: dict[str, Any] = {"id": _identifier(plan.action.id), "action": plan.action.id}
    found |= {"all": True, "limit": plan.limit} if plan.limit is not None else {}
    found |= {"confirm": True} if plan.needs_word else {}
    found |= _estimate(plan)
    found |= {"with": _given(plan)}
    return yaml.dump([found], Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=10_000)


def command(plan: Plan, connection: str) -> str:
    """For a shell."""
    words = [COMMAND, "run", f"{plan.manifest.id}.{plan.action.id}", "--connection", connection]
    words += ["--input", json.dumps(_given(plan), ensure_ascii=False)]
    words += ["--limit", str(plan.limit)] if plan.limit is not None else []
    words += ["--budget", f"{plan.budget:g}"] if plan.budget is not None else []
    estimate = plan.max_credits_per_record
    words += ["--max-credits-per-record", f"{estimate:g}"] if estimate is not None else []
    words += ["--yes"] if plan.needs_word else []
    return shlex.join(words)


def python(plan: Plan, connection: str) -> str:
    """A program that runs it on this host."""
    wanted: dict[str, Any] = {"every_page": True, "limit": plan.limit} if plan.limit is not None else {}
    wanted |= {} if plan.budget is None else {"budget": plan.budget}
    wanted |= _estimate(plan)
    more = "".join(f", {name}={value!r}" for name, value in wanted.items())
    values = pprint.pformat(_given(plan), width=100, sort_dicts=False)
    return (
        f"from {PACKAGE}.host.host import Host\n"
        f"from {PACKAGE}.host.running import chosen, run\n\n"
        f"values = {values}\n"
        "host = Host.open()\n"
        "try:\n"
        f"    what = chosen(host, {connection!r}, {plan.action.id!r}, values{more})\n"
        "    tally = run(host, what, lambda page: print(page.records or page.value))\n"
        "    print(tally.status, tally.records)\n"
        "finally:\n"
        "    host.close()\n"
    )


def _given(plan: Plan) -> dict[str, Any]:
    return dict(plan.values)


def _estimate(plan: Plan) -> dict[str, Any]:
    found = plan.max_credits_per_record
    return {} if found is None else {"max_credits_per_record": found}


def _identifier(name: str) -> str:
    """An id that a workflow allows: small letters, digits and underscores, a letter first."""
    found = re.sub(r"[^a-z0-9_]+", "_", name.lower())
    return (found if re.match(r"[a-z]", found) else f"step_{found}")[:60]
