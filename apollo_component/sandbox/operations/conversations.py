"""Recorded conversations: finding, showing and exporting them."""

import gzip
from typing import Any

import orjson

from .. import params as read
from ..clock import stamp
from ..errors import Refusal, unprocessable
from ..ids import secret
from ..operation import Answer, Call, Operation
from ..paging import Page, page_of, pagination
from ..searching import cut, moment, visible, within
from ..world import World

Record = dict[str, Any]

DEFAULT_SIZE = 25
NO_CREDITS = "Insufficient credits. Please upgrade your plan."
SHOWN_IN_SEARCH = (
    "id", "topic", "start_time", "duration", "state", "host", "host_id", "conversation_type", "account_ids",
    "comment_count",
)  # fmt: skip
PARAMETERS = (
    "page", "num_fetch_result", "conversation_type", "account_id", "contact_ids", "tag_ids", "tracker_ids",
    "organization_ids", "date_range", "scorecard_template_id", "scorecard_max_rating", "sort_by_field",
    "enforce_contact_boundary",
)  # fmt: skip


def matching(call: Call) -> list[Record]:
    """The conversations that pass every filter, the newest first."""
    params = call.params
    kind, account = read.text(params, "conversation_type"), read.object_id_param(params, "account_id")
    contacts = set(read.object_ids(read.texts(params, "contact_ids")))
    organizations = set(read.object_ids(read.texts(params, "organization_ids")))
    sent = params.get("date_range")
    dates = sent if isinstance(sent, dict) else {}
    bounds = (moment(dates.get("start") or ""), moment(dates.get("end") or ""))
    # the made-up conversations have no tags, trackers and scorecards
    if any(params.get(name) for name in ("tag_ids", "tracker_ids", "scorecard_template_id")):
        return []
    found = [
        one
        for one in call.state.world.conversations.values()
        if kind in ("", one["conversation_type"])
        and (not account or account in one["account_ids"])
        and (not contacts or contacts & set(one["contact_ids"]))
        and (not organizations or organizations & set(one["organization_ids"]))
        and within(one["start_time"], bounds)
    ]
    return sorted(found, key=lambda one: str(one["start_time"]), reverse=True)


def _page(call: Call) -> Page:
    """num_fetch_result is the size of a page; per_page, which the official client sends, counts as well."""
    size = read.integer(call.params.get("num_fetch_result")) or read.integer(call.params.get("per_page"))
    return page_of({"page": call.params.get("page"), "per_page": size or DEFAULT_SIZE})


def search(call: Call) -> Answer:
    page, found, world = _page(call), visible(call, matching(call)), call.state.world
    return {
        "pagination": pagination(page, len(found)),
        "breadcrumbs": {},
        "num_fetch_result": page.per_page,
        "playlist_clip_ids": [],
        "conversations": [_summary(world, one) for one in cut(call, page, found)],
    }


def _summary(world: World, one: Record) -> Record:
    accounts = [world.accounts[own] for own in one["account_ids"] if own in world.accounts]
    people = [world.contacts.records[own]["name"] for own in one["contact_ids"] if own in world.contacts.records]
    deals = [world.deals[own] for own in one["opportunity_ids"] if own in world.deals]
    names = ("id", "name", "opportunity_stage_id")
    return {name: one[name] for name in SHOWN_IN_SEARCH} | {
        "start_time": _seconds(one["start_time"]),
        "is_private": False,
        "can_access_conversation": True,
        "label_id_names": {},
        "participant_names": [one["host"], *people],
        "account_names": [account["name"] for account in accounts],
        "participants_info": [],
        "thumbnail_url": "",
        "is_internal": False,
        "deals": [{name: deal[name] for name in names} | {"account_name": accounts[0]["name"]} for deal in deals],
    }


def _seconds(value: str) -> str:
    at = moment(value)
    return stamp(at.timestamp())[:-5] + "Z" if at else value


def _insights(one: Record) -> bool:
    return bool(one["state"] == "insights_generated")


def show(call: Call) -> Answer:
    """One conversation; a share's id may follow its own. Insights cost a credit."""
    one = call.state.world.conversations.get(call.path["id"].partition("_")[0])
    if one is None:
        raise Refusal(404, {"error": "Conversation not found or access denied."})
    _bill(call, [one])
    return _shown(call.state.world, one)


def _bill(call: Call, found: list[Record]) -> None:
    call.state.ledger.bill(call, more=sum(_insights(one) for one in found), refusal=unprocessable(NO_CREDITS))


def _shown(world: World, one: Record) -> Record:
    """The wide record; without insights it has fewer keys and nothing was said."""
    hidden = ("contact_ids", "organization_ids", "created_at")
    record = {name: value for name, value in one.items() if name not in hidden}
    people = [world.contacts.records[own] for own in one["contact_ids"] if own in world.contacts.records]
    others = [
        {
            "id": contact["id"][::-1],
            "name": contact["name"],
            "email": contact["email"],
            "contact_id": contact["id"],
            "account_id": contact["account_id"],
            "organization_id": contact["organization_id"],
            "is_organization": False,
            "account_name": contact["organization_name"],
            "title": contact["title"],
            "account_stage": None,
        }
        for contact in people
    ]
    record |= {"playlist_clip_ids": [], "bot_call_ended_reason": None, "transcript": []}
    video = {"type_cd": "video", "url": None, "state_cd": "created"}
    if not _insights(one):
        return record | {
            "participants": {"internal": [], "external": {}},
            "opportunities": [],
            "video_recording": video,
        }
    deals = [world.deals[own] for own in one["opportunity_ids"] if own in world.deals]
    names = ("id", "name", "amount", "closed_date", "opportunity_stage_id", "stage_name", "owner_id")
    summary: Record = {
        "outcome": "A next call was agreed.",
        "pricing_discussion": None,
        "pain_points": [],
        "objections": [],
    }
    return record | {
        "participants": {"internal": [], "external": {"others": others}},
        "opportunities": [{name: deal[name] for name in names} | {"created_at": _deal_created(deal)} for deal in deals],
        "video_recording": video | {"url": f"https://recordings.example/{one['id']}"},
        "audio_recording": {"url": f"https://recordings.example/{one['id']}.mp3"},
        "transcript": [_sentence(one, number, person) for number, person in enumerate([*others, *others])],
        "recording_source": "dialer" if one["conversation_type"] == "phone_call" else "bot",
        "timelines": {"participant_timelines": [], "unknown_participants_timeline": []},
        "key_topics": {
            "tracker_insights": {"trackers_available": False, "trackers": None},
            "question_insights": [],
        },
        "call_summary": summary | {"next_steps": ["Send the offer."]},
        "editable_call_summary": dict.fromkeys(summary),
        "crm_pushed_accounts": [],
        "accounts": [],
        "team_id": world.team_id,
        "spritesheets": [],
        "has_v1_shares": False,
        "v2_share_id": None,
        "auto_deal_field_updates_count": None,
    }


def _deal_created(deal: Record) -> str:
    """When a deal was made; here it is documented under created_at alone."""
    return str(deal["opportunity_created_at"])


def _sentence(one: Record, number: int, person: Record) -> Record:
    text = "Hello, good to hear you." if number == 0 else "Let us talk about the offer."
    return {
        "id": f"{one['id'][:22]}{number:02d}",
        "start_time": 20_000 + 4_000 * number,
        "end_time": 23_000 + 4_000 * number,
        "spoken_sentence": text,
        "words": [[word] for word in text.split()],
        "participant_id": person["id"],
        "participant_name": person["name"],
    }


def export(call: Call) -> Answer:
    """Starts an export of everything between two times; its file is there a little later."""
    times = {}
    for name in ("start_time", "end_time"):
        times[name] = moment(read.text(call.params, name))
        if times[name] is None:
            raise unprocessable(f"{name} is not a valid ISO-8601 date.")
    start, end = times["start_time"], times["end_time"]
    if start is None or end is None or start >= end:
        raise unprocessable("start_time must be less than end_time.")
    world, email = call.state.world, read.text(call.params, "email").lower()
    if not any(user["email"] == email for user in world.users):
        text = (
            "Unable to find user to send notification email to. "
            "Please provide an address for a valid user using the email parameter."
        )
        raise Refusal(404, {"error": text})
    found = [one for one in world.conversations.values() if (at := moment(one["start_time"])) and start <= at <= end]
    if not found:
        raise Refusal(404, {"error": "Unable to find conversations within the given time range."})
    _bill(call, found)
    own = keep_export(world, found, call.now + call.state.settings.async_seconds)
    return {"export_url": f"https://app.apollo.io/#/conversations/export/{own}", "export_id": own}


def keep_export(world: World, found: list[Record], ready: float) -> str:
    """Writes the file of an export, which can be fetched from `ready` on; its id."""
    own = world.new_id("export")
    body = gzip.compress(orjson.dumps([_shown(world, one) for one in found]), mtime=0)
    signature = secret(world.seed, f"export/{own}")
    world.exports[own] = {"id": own, "ready": ready, "signature": signature, "body": body}
    return own


def export_show(call: Call) -> Answer:
    """Where the file is; until it is there the export is not found (unverified)."""
    found = call.state.world.exports.get(call.path["id"])
    if found is None or call.now < found["ready"]:
        raise Refusal(404, {"error": "Export not found or access denied."})
    return {"redirect_url": f"{call.base_url}/_storage/{found['id']}.json.gz?signature={found['signature']}"}


CONVERSATIONS = (
    Operation(
        "conversations_search", "POST", "/conversations/search", "api/v1/conversations/search",
        "conversations_search", search, PARAMETERS,
    ),
    Operation(
        "conversations_show", "GET", "/conversations/{id}", "api/v1/conversations/show", "conversations_show", show
    ),
    Operation(
        "conversations_export_create", "POST", "/conversations/export", "api/v1/conversations/export",
        "conversations_export", export, ("start_time", "end_time", "email"), quota_class="conversations_export",
    ),
    Operation(
        "conversations_export_show", "GET", "/conversations/export/{id}", "api/v1/conversations/find_export",
        "conversations_find_export", export_show,
    ),
)  # fmt: skip
