"""What to know of an action or a trigger beyond its description, in words. How a person gives their word, or decides
not to wait, depends on where they are and is said there."""

from ..contract.actions import Accounting, Action, Compose
from ..contract.palette import cost
from ..contract.triggers import Trigger

EFFECTS = {
    "read": "Reads only; repeating it changes nothing.",
    "upsert": "Changes records; repeating it leaves the same result.",
    "create": "Makes a new record each time it runs.",
    "bill": "Costs credits each time it runs.",
    "send": "Real people get mail.",
}
STYLES = {
    "newest": "reads the newest first, one request when nothing is new",
    "scan": "reads all records each time, a request for every 100",
    "callback": "waits for what is delivered to this host",
}


def effect_text(action: Action) -> str:
    rule = action.effect
    if rule.stated_by:
        return f"What you state in {rule.stated_by}; a GET reads unless told otherwise."
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
    return f"up to {wait.timeout / 60:g} minutes for what comes later{when} (asks {wait.action})"


def accounts_text(action: Action) -> str:
    """What an answer to the action accounts for."""
    rule = action.accounts_for
    if rule is None:
        return _unasked_text(action)
    parts = [_items_text(action, rule)]
    parts += [f"a key of {' or '.join(rule.maps)} that wasn't taken is a named miss"] if rule.maps else []
    parts += [f"one of {name} that isn't in the answer is a named miss" for name in rule.beside]
    parts += [f"one below {rule.minimum.input} is a named miss"] if rule.minimum else []
    parts += ["while it goes on in the background, nothing"] if action.job else []
    return "; ".join(parts)


def _items_text(action: Action, rule: Accounting) -> str:
    if rule.in_place:
        return f"each of {' or '.join(rule.items)}, in its order: a record, null or a named miss"
    if rule.items:
        return f"each of {' or '.join(rule.items)}: a record or a named miss"
    found = "a record or not found" if action.reply.optional else "a record"
    return f"the one that was asked for: {found}"


def _unasked_text(action: Action) -> str:
    """Of an action that isn't asked for items by name."""
    if action.raw:
        return "nothing: the answer is given as it came"
    if action.paging and action.reply.total:
        return "how many match; when all pages are read, as many as are missing are told"
    if action.paging:
        return "each page; the service doesn't tell how many match"
    if action.reply.optional:
        return "nothing: the service may leave out what it doesn't have"
    kind = "list" if action.reply.records else "record"
    return f"its {kind}; an answer without it can't be read"


def looks_text(trigger: Trigger) -> str:
    """How often and in which way a trigger looks."""
    if trigger.action is None:
        return STYLES[trigger.style]
    return f"every {trigger.interval} s unless the workflow says otherwise; {STYLES[trigger.style]}"


def most_text(compose: Compose) -> str:
    from .composed import most_requests

    return f"{most_requests(compose)} requests at most, 1 or 2 as a rule"


def key_text(action: Action) -> str:
    requires = action.requires
    return requires.key_endpoint or ("a master key" if requires.master_key else "any key")


def oauth_text(action: Action) -> str:
    return action.requires.oauth_scope or ("any token" if action.requires.open else "not available")
