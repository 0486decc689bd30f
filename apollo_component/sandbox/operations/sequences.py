"""Sequences, which the API calls emailer campaigns: search, and enrolling contacts."""

from collections.abc import Iterable, Mapping
from typing import Any

from .. import params as read
from ..contact_writes import USER_MANAGED
from ..errors import not_found, unprocessable
from ..mailing import enter_step
from ..operation import Answer, Call, Operation
from ..operations.email_search import STATS
from ..paging import RECORDED_PER_PAGE, breadcrumbs, page_of, pagination
from ..searching import cut, visible
from ..world import World
from ..world.enrolling import enroll

Record = dict[str, Any]

FROM = "send_email_from_email_account_id"
MISSING_BOTH = "Please specify a emailer_campaign_id and send_email_from_email_account_id."
STATUSES = ("active", "paused", "finished", "failed", "bounced", "hard_bounced", "spam_blocked", "not_sent")


def shown(world: World, sequence: Record) -> Record:
    """A sequence with its counts as they are now; statistics that are not loaded stay "loading"."""
    own = sequence["id"]
    tally = world.campaign_statuses(own)
    statistics = _statistics(world.sequence_messages.get(own, ())) if sequence["loaded_stats"] else {}
    return sequence | statistics | {"contact_statuses": {status: tally[status] for status in STATUSES}}


def _statistics(mails: Iterable[Record]) -> dict[str, float]:
    """Counts of contacts and their rates, which are fractions of those the mail reached."""
    people = {
        name: len({mail["contact_id"] for mail in mails if STATS[stat](mail)})
        for name, stat in (
            ("scheduled", "scheduled"), ("delivered", "delivered"), ("bounced", "bounced"), ("opened", "opened"),
            ("clicked", "clicked"), ("unsubscribed", "unsubscribed"), ("demoed", "demoed"),
            ("spam_blocked", "spam_blocked"),
        )
    }  # fmt: skip
    people["replied"] = len({mail["contact_id"] for mail in mails if mail["replied"]})
    people["hard_bounced"] = len({mail["contact_id"] for mail in mails if mail["failure_reason"] == "hard_bounced"})
    people |= {f"{name}_unfiltered": people[name] for name in ("opened", "clicked")}
    people |= {f"delivered_{name}_tracked": people["delivered"] for name in ("open", "click")}
    reached = people["delivered"]
    sent = reached + people["bounced"]
    rates = {
        f"{rate}_rate": round(people[name] / reached, 4) if reached else 0
        for rate, name in (
            ("open", "opened"), ("click", "clicked"), ("reply", "replied"), ("opt_out", "unsubscribed"),
            ("demo", "demoed"), ("spam_block", "spam_blocked"),
        )
    }  # fmt: skip
    rates["bounce_rate"] = round(people["bounced"] / sent, 4) if sent else 0
    rates["hard_bounce_rate"] = round(people["hard_bounced"] / sent, 4) if sent else 0
    return {f"unique_{name}": number for name, number in people.items()} | rates


def matching(call: Call) -> list[Record]:
    name = read.text(call.params, "q_name").lower()
    sequences = call.state.world.sequences.values()
    return [one for one in sequences if name in one["name"].lower() and not one["deleted"]]


def search(call: Call) -> Answer:
    page, found = page_of(call.params, default=RECORDED_PER_PAGE), visible(call, matching(call))
    return {
        "pagination": pagination(page, len(found)),
        "breadcrumbs": breadcrumbs(call.params, {"q_name": "Name"}),
        "emailer_campaigns": [shown(call.state.world, sequence) for sequence in cut(call, page, found)],
        "num_fetch_result": None,
    }


def add_contact_ids(call: Call) -> Answer:
    """Enrolls contacts; those that may not be are named in skipped_contact_ids while the status is 200."""
    world = call.state.world
    ids = _contact_ids(call)
    box = _mailbox(call)
    sequence = world.sequences.get(read.object_ids([call.path["sequence_id"]])[0])
    if sequence is None:
        raise not_found()  # unverified: how an unknown sequence is answered
    skipped: dict[str, str] = {}
    added: list[Record] = []
    for own in dict.fromkeys(ids):
        contact = world.contacts.records.get(own)
        reason = _reason(world, contact, sequence["id"], call.params) if contact else "contact_not_found"
        if reason or contact is None:
            skipped[own] = str(reason)
            continue
        _enroll(call, contact, sequence, box)
        added.append(contact)
    return {
        "contacts": added,
        "skipped_contact_ids": skipped,
        "emailer_campaign": shown(world, sequence),
        "emailer_steps": world.steps[sequence["id"]],
        "emailer_touches": world.touches[sequence["id"]],
        "team": {"id": world.team_id, "sequences_finder_empty": False},
        "signals_hash": None,
    }


def _contact_ids(call: Call) -> list[str]:
    ids, names = read.texts(call.params, "contact_ids"), set(read.texts(call.params, "label_names"))
    if not ids and not names:
        raise unprocessable("Please specify either contact_ids or label_names.")
    if ids:
        return read.object_ids(ids)
    world = call.state.world
    lists = [label["id"] for name, label in world.labels_of("contacts").items() if name in names]
    return [own for label in lists for own in world.contacts.ids("label", label)]


def _mailbox(call: Call) -> Record:
    """The sending mailbox; of several the first sends, as rotation is not emulated."""
    sent = call.params.get(FROM)
    ids = [str(own) for own in sent] if isinstance(sent, list) else [read.text(call.params, FROM)]
    if not read.text(call.params, "emailer_campaign_id") or not any(ids):
        raise unprocessable(MISSING_BOTH)
    world = call.state.world
    if world.aggregate_mailbox_id in ids:
        raise unprocessable(
            "Aggregate accounts are not supported for this sequence. "
            f"These are the aggregate accounts: {world.aggregate_mailbox_id}"
        )
    boxes = [box for own in read.object_ids(ids) for box in world.mailboxes if box["id"] == own]
    if gone := [box["email"] for box in boxes if not box["active"]]:
        raise unprocessable(f"These mailboxes are no longer active. {', '.join(gone)}")
    if not boxes:
        raise unprocessable(MISSING_BOTH)  # unverified: how an unknown mailbox is answered
    return boxes[0]


def _reason(world: World, contact: Record, sequence_id: str, params: Mapping[str, Any]) -> str | None:
    """Why a contact may not be enrolled, or None.

    The order of the checks is unverified, as is what makes an address of the user's own unverified, a job changed or
    a contact pending: here it is what the record tells.
    """
    others = {s["status"] for s in contact["contact_campaign_statuses"]}
    has_email, verified = bool(contact["email"]), contact["email_status"] == "verified"
    own_address = contact["email_true_status"] == USER_MANAGED
    checks = (
        ("contacts_already_exists_in_current_campaign", contact["id"] in world.enrolled[sequence_id], ""),
        ("contacts_without_email", not has_email, "sequence_no_email"),
        ("contacts_in_pending_state", contact["has_pending_email_arcgate_request"], "add_if_in_queue"),
        (
            "contacts_with_unverified_user_managed_email",
            has_email and not verified and own_address,
            "contact_verification_skipped",
        ),
        ("contacts_unverified_email", has_email and not verified and not own_address, "sequence_unverified_email"),
        ("contacts_with_job_change", bool(contact["contact_job_change_event"]), "sequence_job_change"),
        (
            "contacts_active_in_other_campaigns",
            bool(others & {"active", "paused"}),
            "sequence_active_in_other_campaigns",
        ),
        (
            "contacts_finished_in_other_campaigns",
            "finished" in others,
            "sequence_finished_in_other_campaigns",
        ),
        (
            "contacts_in_same_company",
            _colleague_enrolled(world, contact, sequence_id),
            "sequence_same_company_in_same_campaign",
        ),
    )
    return next(
        (reason for reason, hit, allowed in checks if hit and not (allowed and read.flag(params, allowed))),
        None,
    )


def _colleague_enrolled(world: World, contact: Record, sequence_id: str) -> bool:
    """Whether a contact of the same account is in the sequence (what Apollo takes for one company is unverified)."""
    if not contact["account_id"]:
        return False
    enrolled = world.enrolled[sequence_id]
    return any(own in enrolled for own in world.contacts.ids("account_id", contact["account_id"]))


def _enroll(call: Call, contact: Record, sequence: Record, box: Record) -> None:
    """A contact of an inactive sequence starts paused, as in the documented example."""
    paused = read.text(call.params, "status") == "paused" or not sequence["active"]
    alias = read.text(call.params, "send_email_from_email_address")
    enroll(
        call.state.world,
        contact,
        sequence["id"],
        box,
        adder=read.text(call.params, "user_id") or call.caller.user_id,
        moment=call.now,
        status="paused" if paused else "active",
        inactive_reason=None if sequence["active"] else "Sequence inactive",
        auto_unpause_at=read.text(call.params, "auto_unpause_at") or None if paused else None,
        send_email_from_email_address=alias or box["email"],
    )
    if not paused:
        enter_step(call.state, contact, sequence["id"], 1, call.now)
    call.state.world.contacts.version += 1


SEQUENCES = (
    Operation(
        "emailer_campaigns_search",
        "POST",
        "/emailer_campaigns/search",
        "api/v1/emailer_campaigns/search",
        "emailer_campaigns_search",
        search,
        ("q_name", "page", "per_page"),
        also=("GET",),
    ),
    Operation(
        "emailer_campaigns_add_contact_ids",
        "POST",
        "/emailer_campaigns/{sequence_id}/add_contact_ids",
        "api/v1/emailer_campaigns/add_contact_ids",
        "emailer_campaigns_add_contact_ids",
        add_contact_ids,
        (
            "emailer_campaign_id", "contact_ids", "label_names", "send_email_from_email_account_id",
            "send_email_from_email_address", "sequence_no_email", "sequence_unverified_email",
            "sequence_job_change", "sequence_active_in_other_campaigns",
            "sequence_finished_in_other_campaigns", "sequence_same_company_in_same_campaign",
            "contacts_without_ownership_permission", "add_if_in_queue", "contact_verification_skipped",
            "user_id", "status", "auto_unpause_at",
        ),
    ),
)  # fmt: skip
