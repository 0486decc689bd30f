"""What to know of an action beyond its description, by heading, with the options of commands that matter for it."""

from ..contract.actions import Action
from ..contract.manifest import Manifest
from ..host import facts as words


def facts(manifest: Manifest, action: Action) -> dict[str, str]:
    """By heading; headings without a value are left out."""
    waits = words.waits_text(action)
    found = {
        "Group": manifest.groups.get(action.group, action.group),
        **_route(manifest, action),
        "Effect": effect_text(action),
        "Mail": "real people may get mail; it needs --yes, or confirm in a workflow" if action.mails else "",
        "Cost": words.cost_text(action),
        "Accounts for": words.accounts_text(action),
        "Waits": f"{waits}; --no-wait doesn't" if waits else "",
        "Deprecated": action.deprecated or "",
    }
    return {heading: value for heading, value in found.items() if value}


def effect_text(action: Action) -> str:
    text = words.effect_text(action)
    if action.effect.stated_by:
        return f"{text} It needs --yes with send, where the route's action does, and for any undeclared write."
    return text.replace(words.EFFECTS["send"], "Real people get mail; it needs --yes.")


def _route(manifest: Manifest, action: Action) -> dict[str, str]:
    if action.raw:
        return {"Request": "the method and path you give", "Key needs": "what the path needs"}
    parts = manifest.parts(action.id)
    most = f" ({words.most_text(action.compose)})" if action.compose else ""
    return {
        "Request": ", ".join(f"{part.method} {part.path}" for part in parts) + most,
        "Key needs": ", ".join(words.key_text(part) for part in parts),
        "OAuth needs": ", ".join(words.oauth_text(part) for part in parts),
    }
