"""Making and rewriting sequences with their steps, mails and templates."""

from collections.abc import Mapping
from typing import Any

from .. import params as read
from ..clock import offset_stamp
from ..errors import Refusal, unprocessable
from ..operation import Answer, Call, Operation
from ..operations.sequences import shown
from ..word_list import words
from ..world import World
from ..world.activity_records import template as blank_template
from ..world.lists import lists_named
from ..world.team_records import CAMPAIGN_COUNTS, CAMPAIGN_RATES, campaign, step, touch

Record = dict[str, Any]
Params = Mapping[str, Any]

EMAILS = ("auto_email", "manual_email")
FLAGS = words(
    """mark_finished_if_reply mark_finished_if_click mark_finished_if_interested mark_paused_if_ooo
    sequence_by_exact_daytime create_task_if_email_open ignore_apollo_global_email_bounce_list"""
)
NUMBERS = words(
    """max_emails_per_day days_to_wait_before_mark_as_response email_open_trigger_task_threshold
    same_account_reply_delay_days"""
)
PLAIN = words("name folder_id sequence_ruleset_id cc_emails bcc_emails creation_type")
ID_LISTS = ("excluded_account_stage_ids", "excluded_contact_stage_ids")
MAX_REPLY_DELAY = 1000
NO_CONTENT = "Please make sure your template has content before turning it on."
NO_BODY = "Please make sure your template has a non-empty body before turning it on."
EMPTY_SCHEDULE = (
    "The schedule you are trying to attach to this sequence is empty. "
    "You cannot attach an empty schedule to the sequence"
)


def create(call: Call) -> Answer:
    """A restricted sequence of the acting user, whatever user_id says."""
    world, params = call.state.world, call.params
    _check(call, NO_CONTENT)
    own = world.fresh_id("sequence", call.now)
    record = campaign(own, call.caller.user_id, "", call.now, active=False, loaded=False)
    record |= {"num_steps": 0, "emailer_schedule_id": next(iter(world.schedules)), "hard_bounce_rate": "loading"}
    record["sharing_permission"] |= {"visibility": "restricted", "access_type": None}
    record["updated_at"] = offset_stamp(call.now)
    world.sequences[own] = record
    world.steps[own], world.touches[own], world.enrolled[own] = [], [], {}
    _apply(call, record)
    record["name"] = record["name"] or "New Sequence"  # unverified: how a sequence without a name is called
    if isinstance(params.get("emailer_steps"), list):
        _set_steps(call, record)
    loading = dict.fromkeys((*CAMPAIGN_COUNTS, *CAMPAIGN_RATES), "loading")
    return {
        "emailer_campaign": shown(world, record) | loading,
        "sharing_accesses": [],
        "emailer_steps": world.steps[own],
        "emailer_touches": world.touches[own],
        "emailer_templates": _templates(world, own),
        "attachments": [],
        "team": {"id": world.team_id, "sequences_finder_empty": False},
    }


def update(call: Call) -> Answer:
    """Rewrites what is sent; of emailer_steps, what is left out is deleted."""
    world, own = call.state.world, call.path["id"]
    record = world.sequences.get(own)
    if record is None or record["deleted"]:
        raise Refusal(404, {"error": "Record not found."})
    _check(call, NO_BODY)
    _apply(call, record)
    if user := read.object_id_param(call.params, "user_id"):
        record["user_id"] = user
        record["sharing_permission"]["owner_id"] = user
    if isinstance(permission := call.params.get("sharing_permission"), dict):
        _share(record["sharing_permission"], permission)
    if isinstance(call.params.get("emailer_steps"), list):
        _set_steps(call, record)
        if record["creation_type"] == "draft":
            record["creation_type"] = "new"
    record["updated_at"] = offset_stamp(call.now)
    names = ("id", "position", "wait_time", "wait_mode", "auto_skip_in_x_days")
    steps = [{name: entry[name] for name in names} | {"step_type": entry["type"]} for entry in world.steps[own]]
    flat = {name: record[name] for name in ("id", "name", "active", "archived", "created_at", "updated_at")}
    return flat | {
        "num_steps": record["num_steps"],
        "steps": steps,
        "emailer_campaign": shown(world, record),
        "emailer_steps": world.steps[own],
        "emailer_touches": world.touches[own],
    }


def _templates(world: World, own: str) -> list[Record]:
    ids = [entry["emailer_template_id"] for entry in world.touches[own]]
    return [world.templates[template] for template in ids if template in world.templates]


def _check(call: Call, no_content: str) -> None:
    """The documented refusals of both writes; nothing is changed before they are over."""
    params, world = call.params, call.state.world
    if "emailer_schedule_id" in params:
        schedule = world.schedules.get(read.object_id_param(params, "emailer_schedule_id"))
        if schedule is None or not schedule["schedule_hash"]:
            raise unprocessable(EMPTY_SCHEDULE)
    for entry in _objects(params, "emailer_steps"):
        exact = read.text(entry, "exact_datetime")
        if not read.text(entry, "id") and not exact and read.integer(entry.get("wait_time")) is None:
            raise unprocessable("Wait time must not be empty")
        for sent in _objects(entry, "emailer_touches"):
            _check_content(world, sent, no_content)
    delay = read.integer(params.get("same_account_reply_delay_days"), 0) or 0
    if delay > MAX_REPLY_DELAY or (read.integer(params.get("max_emails_per_day"), 0) or 0) < 0:
        raise unprocessable("Invalid parameters")  # unverified text


def _check_content(world: World, sent: Params, text: str) -> None:
    """An approved mail needs a body, its own or that of the template it keeps."""
    content = sent.get("emailer_template")
    if read.text(sent, "status") != "approved":
        return
    if isinstance(content, dict) and "body_html" in content:
        body = read.text(content, "body_html")
    else:
        known = next((t for all_ in world.touches.values() for t in all_ if t["id"] == read.text(sent, "id")), None)
        body = world.templates.get(known["emailer_template_id"], {}).get("body_html", "") if known else ""
    if not body:
        raise unprocessable(text)


def _objects(params: Params, name: str) -> list[Record]:
    sent = params.get(name)
    return [entry for entry in sent if isinstance(entry, dict)] if isinstance(sent, list) else []


def _apply(call: Call, record: Record) -> None:
    params, world = call.params, call.state.world
    record |= {name: read.text(params, name) for name in PLAIN if name in params}
    record |= {name: read.flag(params, name) for name in FLAGS if name in params}
    record |= {name: read.integer(params.get(name)) for name in NUMBERS if name in params}
    record |= {name: read.object_ids(read.texts(params, name)) for name in ID_LISTS if name in params}
    if "active" in params:
        record["active"] = read.flag(params, "active")
    if "emailer_schedule_id" in params:
        record["emailer_schedule_id"] = read.text(params, "emailer_schedule_id")
    if "label_names" in params:
        names = read.texts(params, "label_names")
        lists = lists_named(world, names, call.caller.user_id, call.now, "emailer_campaigns")
        record["label_ids"] = [label["id"] for label in lists]


def _share(permission: Record, sent: Params) -> None:
    if "visibility" in sent:
        permission |= {"visibility": read.text(sent, "visibility"), "access_type": None}
    if "access_type" in sent:
        permission["access_type"] = read.text(sent, "access_type") or None
    accesses = {entry["user_or_team_id"]: entry for entry in permission["sharing_accesses"]}
    for entry in (*_objects(sent, "added_sharing_accesses"), *_objects(sent, "updated_sharing_accesses")):
        own = read.text(entry, "user_or_team_id")
        accesses[own] = accesses.get(own, {}) | entry
    for entry in _objects(sent, "deleted_sharing_accesses"):
        accesses.pop(read.text(entry, "user_or_team_id"), None)
    permission["sharing_accesses"] = list(accesses.values())


def _set_steps(call: Call, record: Record) -> None:
    """The whole ordered set of steps; known ids keep their step, the others are new."""
    world, own = call.state.world, record["id"]
    steps = {entry["id"]: entry for entry in world.steps[own]}
    touches = {entry["id"]: entry for entry in world.touches[own]}
    world.steps[own], world.touches[own] = [], []
    for place, sent in enumerate(_objects(call.params, "emailer_steps"), 1):
        kind = read.text(sent, "type") or "auto_email"
        entry = steps.get(read.text(sent, "id")) or step(world.new_id("step"), own, place, kind) | {"wait_time": 0}
        entry |= {name: read.text(sent, name) for name in ("type", "wait_mode", "priority", "note") if name in sent}
        numbers = ("wait_time", "max_emails_per_day", "auto_skip_in_x_days")
        entry |= {name: read.integer(sent.get(name)) for name in numbers if name in sent}
        entry |= {"position": place, "exact_datetime": read.text(sent, "exact_datetime") or None}
        entry["note_text"] = entry["note"] or ""
        world.steps[own].append(entry)
        if "emailer_touches" not in sent:
            world.touches[own] += [one for one in touches.values() if one["emailer_step_id"] == entry["id"]]
        for content in _objects(sent, "emailer_touches"):
            world.touches[own].append(_touch(call, entry, content, touches))
    record["num_steps"] = len(world.steps[own])


def _touch(call: Call, entry: Record, sent: Params, known: Mapping[str, Record]) -> Record:
    world, own = call.state.world, read.text(sent, "id")
    made = known.get(own) or touch(world.new_id("touch"), entry["id"], "new_thread") | {"status": "to_be_reviewed"}
    made |= {name: read.text(sent, name) for name in ("type", "status") if name in sent}
    if "include_signature" in sent:
        made["include_signature"] = read.flag(sent, "include_signature")
    made |= {name: sent[name] for name in ("generation_options", "generation_tone") if name in sent}
    content = sent.get("emailer_template")
    content = content if isinstance(content, dict) else {}
    template = world.templates.get(read.text(content, "id") or made["emailer_template_id"])
    if template is None:
        template = blank_template(world.new_id("template"), call.caller.user_id, "", "", call.now)
        world.templates[template["id"]] = template
    template |= {name: str(content[name] or "") for name in ("subject", "body_html") if name in content}
    made["emailer_template_id"] = template["id"]
    return made


CREATE_PARAMETERS = (
    *words("name permissions active emailer_schedule_id user_id label_names folder_id"), *FLAGS, *NUMBERS, *ID_LISTS,
    "sequence_ruleset_id", "emailer_steps",
)  # fmt: skip
UPDATE_PARAMETERS = words(
    """name active creation_type permissions sharing_permission user_id emailer_schedule_id label_names
    max_emails_per_day same_account_reply_delay_days cc_emails bcc_emails emailer_steps"""
)

SEQUENCE_WRITES = (
    Operation(
        "sequences_create", "POST", "/sequences", "api/v1/sequences/create", "emailer_campaigns_create", create,
        CREATE_PARAMETERS,
    ),
    Operation(
        "sequences_update", "PUT", "/sequences/{id}", "api/v1/sequences/update", "emailer_campaigns_update", update,
        UPDATE_PARAMETERS, also=("PATCH",),
    ),
)  # fmt: skip
