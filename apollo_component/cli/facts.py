"""What to know of an action beyond its description, in words."""

from ..contract.actions import Action, Compose
from ..contract.manifest import Manifest
from .palette import cost

EFFECTS = {
    "read": "Reads only; repeating it changes nothing.",
    "upsert": "Changes records; repeating it leaves the same result.",
    "create": "Makes a new record each time it runs.",
    "bill": "Costs credits each time it runs.",
    "send": "Real people get mail; it needs --yes.",
}


def facts(manifest: Manifest, action: Action) -> dict[str, str]:
    """By heading; headings without a value are left out."""
    found = {
        "Group": manifest.groups.get(action.group, action.group),
        **_route(manifest, action),
        "Effect": effect_text(action),
        "Mail": "real people may get mail; it needs --yes, or confirm in a workflow" if action.mails else "",
        "Cost": cost_text(action),
        "Waits": waits_text(action),
        "Deprecated": action.deprecated or "",
    }
    return {heading: value for heading, value in found.items() if value}


def effect_text(action: Action) -> str:
    rule = action.effect
    if rule.stated_by:
        return f"What you state in {rule.stated_by}; a GET reads unless told otherwise. With send it needs --yes."
    text = EFFECTS[rule.kind]
    if action.compose:
        return "Looks for the record first; repeating it leaves the same result."
    if rule.upsert_flag:
        text += f" With {rule.upsert_flag} and {' or '.join(rule.upsert_keys)}, repeating it makes no second record."
    return text


def cost_text(action: Action) -> str:
    """The worst cost of one request in words."""
    price = action.credits
    if price.variable:
        return "no known limit"
    if price.stated_by:
        return f"what you state in {price.stated_by}"
    if not price.base and not price.flags and not price.unbounded:
        return "free"
    each = f" for each of {' or '.join(price.per)}" if price.per else ""
    extra = [f"{more:g} more with {flag}" for flag, more in price.flags.items()]
    unbounded = [f"no known limit with {' or '.join(price.unbounded)}"] if price.unbounded else []
    return "; ".join([f"up to {cost(price.base)}{each}", *extra, *unbounded])


def waits_text(action: Action) -> str:
    """What comes after the answer and how long it is waited for, empty when nothing does."""
    wait = action.wait
    if wait is None:
        return ""
    when = f" with {' or '.join(wait.when)}" if wait.when else ""
    return f"up to {wait.timeout / 60:g} minutes for what comes later{when} (asks {wait.action}); --no-wait doesn't"


def _route(manifest: Manifest, action: Action) -> dict[str, str]:
    if action.raw:
        return {"Request": "the method and path you give", "Key needs": "what the path needs"}
    parts = manifest.parts(action.id)
    most = f" ({most_text(action.compose)})" if action.compose else ""
    return {
        "Request": ", ".join(f"{part.method} {part.path}" for part in parts) + most,
        "Key needs": ", ".join(key_text(part) for part in parts),
        "OAuth needs": ", ".join(oauth_text(part) for part in parts),
    }


def most_text(compose: Compose) -> str:
    from ..host.composed import most_requests

    return f"{most_requests(compose)} requests at most, 1 or 2 as a rule"


def key_text(action: Action) -> str:
    requires = action.requires
    return requires.key_endpoint or ("a master key" if requires.master_key else "any key")


def oauth_text(action: Action) -> str:
    return action.requires.oauth_scope or ("any token" if action.requires.open else "not available")
