"""Pages from templates: everything is escaped, an unknown name is an error, texts come from the messages file."""

import hashlib
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from .account_choices import account_note
from .messages import messages

HERE = Path(__file__).parent
STATIC = HERE / "static"
NOTHING = "\N{EN DASH}"
_COMMAND = re.compile(r"`| --[a-z]")


def rendered(template: str, values: Mapping[str, Any]) -> str:
    return _environment().get_template(template).render(values)


@cache
def static_version() -> str:
    """Changes with any of the static files, so that browsers may keep them."""
    digest = hashlib.sha256()
    for file in sorted(STATIC.rglob("*.*")):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters["moment"] = moment
    environment.filters.update(number=number, sentence=sentence, on_page=on_page)
    environment.globals.update(t=messages(), static_version=static_version, account_note=account_note)
    return environment


def moment(value: datetime | float | str | None) -> Markup | str:
    """A `<time>`; a script shows it in the reader's own zone."""
    if value is None or value == "":
        return NOTHING
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    at = datetime.fromtimestamp(value, UTC) if isinstance(value, int | float) else value.astimezone(UTC)
    return Markup('<time datetime="{}">{} UTC</time>').format(at.isoformat(timespec="seconds"), f"{at:%Y-%m-%d %H:%M}")


def number(value: float | None) -> str:
    """Thousands apart, no needless decimals."""
    if value is None:
        return NOTHING
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.2f}".rstrip("0").rstrip(".")


def sentence(text: str) -> str:
    """With a capital letter, where it doesn't go on from something else."""
    return text[:1].upper() + text[1:]


def on_page(hint: str) -> str:
    """An error's hint, but for one that names a command: who is here uses the pages."""
    return "" if _COMMAND.search(hint) else hint
