"""Texts of an input brought into the form that a service wants, where it is plain what is meant. Pure.

A schema names the form of a text by `x-form`. What can't be read is left as it is: the rules beside it refuse it.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote, unquote

_WEB = re.compile(r"https?://", re.IGNORECASE)
_PROFILE = re.compile(r"(?:https?://)?(?:[a-z]{1,3}\.)?linkedin\.com/in/([^\s/?#]+)(?:[/?#]\S*)?", re.IGNORECASE)

Tree = Mapping[str, Any]
"""Names of fields with the form of their text, or with the tree of what is inside; lists are passed through."""


def domain(text: str) -> str:
    """`https://www.Example.com/x` as `example.com`. An email address names a person, so it is left as it is."""
    host = re.split(r"[/?#]", _WEB.sub("", text, count=1), maxsplit=1)[0].removesuffix(".").lower()
    bare = host.removeprefix("www.")
    return text if "@" in text or not host else bare if "." in bare else host


def linkedin_profile(text: str) -> str:
    """The address of a person's profile in one spelling, for services that compare the whole text:
    `http://www.linkedin.com/in/<slug>`, lower case and URL-encoded."""
    found = _PROFILE.fullmatch(text)
    return f"http://www.linkedin.com/in/{quote(unquote(found[1]), safe='')}".lower() if found else text


FORMS: Mapping[str, Callable[[str], str]] = {
    "domain": domain,
    "linkedin_profile": linkedin_profile,
    "lower_case": str.lower,
}


def formed(tree: Tree | str, value: Any, known: Callable[[Any], bool]) -> Any:
    """A copy of a value in which every text has its form. Parts for which `known` is false are left."""
    if isinstance(value, list):
        return [formed(tree, item, known) for item in value]
    if isinstance(tree, str):
        return FORMS[tree](value) if isinstance(value, str) and known(value) else value
    if not isinstance(value, Mapping):
        return value
    return {name: formed(tree[name], inner, known) if name in tree else inner for name, inner in value.items()}
