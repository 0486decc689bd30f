"""Seeds what a team has done so far: mails, tasks, calls, notes, conversations, fields, schedules."""

from random import Random

from ..clock import offset_stamp, parsed, stamp
from ..world import activity_records as records
from ..world.enrolling import tell
from ..world.lists import add_list
from ..world.model import Record, World
from ..world.people_records import DAY, EPOCH

WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday")
TASK_TYPES = ("call", "outreach_manual_email", "action_item", "linkedin_step_connect")
PURPOSES = ("Prospecting", "Follow-up")
OUTCOMES = ("Connected - Positive", "Connected - Negative", "No Answer")
ACCOUNT_LISTS = ("Target accounts", "Book of business")
FIELDS = (
    ("Renewal owner", "contact", "string"), ("Notes for sales", "contact", "textarea"),
    ("Seats", "contact", "number"), ("Renewal date", "contact", "date"), ("Last demo", "contact", "datetime"),
    ("VIP", "contact", "boolean"), ("Segment", "contact", "picklist"), ("Tier", "account", "picklist"),
    ("Contract value", "account", "number"), ("Procurement route", "opportunity", "string"),
)  # fmt: skip
OPTIONS = {"Segment": ("Startup", "Mid-market", "Enterprise"), "Tier": ("Gold", "Silver")}
TASKS, CALLS, NOTES, CONVERSATIONS, DRAFTS = 60, 40, 60, 30, 4


def add_activity(world: World, rng: Random) -> None:
    """Everything of this module, in an order that is part of the seed."""
    _add_schedules(world)
    for name in ACCOUNT_LISTS:
        add_list(world, name, world.acting_admin["id"], EPOCH - 150 * DAY, "accounts")
    _fill_account_lists(world)
    _add_fields(world)
    _add_roles(world)
    _add_templates(world)
    _add_mails(world)
    contacts = [c for c in world.contacts.records.values() if c["account_id"]]
    world.call_purposes = {world.new_id("purpose"): name for name in PURPOSES}
    world.call_outcomes = {world.new_id("outcome"): name for name in OUTCOMES}
    if contacts:
        _add_tasks(world, rng, contacts)
        _add_calls(world, rng, contacts)
        _add_notes(world, rng, contacts)
        _add_conversations(world, rng, contacts)
        _add_drafts(world)


def _add_schedules(world: World) -> None:
    """The usual one, one that sends nothing and one for the weekend."""
    for name, days in (("Normal Business Hours", WEEK), ("Empty", ()), ("Weekend", ("saturday",))):
        own, default = world.new_id("schedule"), name.startswith("Normal")
        world.schedules[own] = records.schedule(
            own, name, "America/Los_Angeles", EPOCH - 400 * DAY, days=days, default=default
        )
    for sequence in world.sequences.values():
        sequence["emailer_schedule_id"] = next(iter(world.schedules))


def _fill_account_lists(world: World) -> None:
    lists = list(world.labels_of("accounts").values())
    for number, account in enumerate(list(world.accounts.values())):
        if number % 5 == 0:
            account["label_ids"] = [lists[number // 5 % len(lists)]["id"]]
            world.accounts.save(account)


def _add_fields(world: World) -> None:
    for name, modality, kind in FIELDS:
        own = world.new_id("field")
        options = [{"id": world.new_id("option"), "name": option} for option in OPTIONS.get(name, ())]
        length = 240 if kind in ("string", "textarea") else None
        world.fields[own] = records.custom_field(
            own, name, modality, kind, EPOCH - 250 * DAY, max_length=length, options=options
        )
    own, parent = world.new_id("field"), next(iter(world.fields))
    world.fields[own] = records.custom_field(
        own, "Renewal owner (synced)", "contact", "string", EPOCH - 250 * DAY, parent=f"contact.{parent}"
    )


def _add_roles(world: World) -> None:
    """The people of a deal: the first two contacts of its account."""
    types = [world.new_id("role_type") for _ in range(2)]
    for deal in world.deals.values():
        people = world.contacts.find("account_id", deal["account_id"] or "")[:2]
        deal["opportunity_contact_roles"] = [
            {
                "id": world.new_id("role"),
                "role": [_role(types[place], is_primary=place == 0)],
                "contact": {"id": contact["id"], "name": contact["name"]},
                "contact_id": contact["id"],
                "is_primary": place == 0,
                "created_at": deal["opportunity_created_at"],
                "updated_at": deal["opportunity_created_at"],
            }
            for place, contact in enumerate(people)
        ]


def _role(type_id: str, *, is_primary: bool) -> Record:
    """One role of a contact in a deal, as users of the API see it; Apollo's example shows a text."""
    return {
        "opportunity_contact_role_type_id": type_id,
        "crm_role_id": None,
        "is_primary": is_primary,
        "crm_id": None,
    }


def _add_templates(world: World) -> None:
    for own, touches in world.touches.items():
        owner, name = world.sequences[own]["user_id"], world.sequences[own]["name"]
        for touch in touches:
            body = f"<p>Hi {{{{first_name}}}}, a word about {name.lower()}.</p>"
            made = records.template(touch["emailer_template_id"], owner, name, body, EPOCH - 200 * DAY)
            world.templates[made["id"]] = made


def _add_mails(world: World) -> None:
    """One delivered mail for everybody in a sequence; some were opened, fewer answered."""
    for sequence_id, people in world.enrolled.items():
        for place, (contact_id, standing) in enumerate(list(people.items())):
            contact = world.contacts.records[contact_id]
            moment = max(EPOCH - 29 * DAY + place * 60, parsed(standing["added_at"]) + 60)
            made = sequence_mail(world, contact, sequence_id, 1, standing, moment)
            records.sent(made, moment)
            if place % 3 == 0:
                made["num_opens"] = 1 + place % 4
                world.opened[contact_id] = stamp(moment + DAY / 2)
            if standing["status"] == "finished":
                made |= {"replied": True, "reply_class": "willing_to_meet"}
                standing |= {"inactive_reason": "replied", "finished_at": stamp(moment + DAY)}
                tell(world, contact_id, sequence_id, "replied", moment + DAY, emailer_message_id=made["id"])
                tell(world, contact_id, sequence_id, "completed", moment + DAY, step_position=1, reason="replied")


def sequence_mail(
    world: World, contact: Record, sequence_id: str, position: int, standing: Record, moment: float
) -> Record:
    """The mail of one step of a sequence, scheduled."""
    box = next(box for box in world.mailboxes if box["id"] == standing["send_email_from_email_account_id"])
    step = world.steps[sequence_id][position - 1]
    touch = next((one for one in world.touches[sequence_id] if one["emailer_step_id"] == step["id"]), None)
    template = world.templates.get(touch["emailer_template_id"]) if touch else None
    subject, body = (template["subject"], template["body_html"]) if template else ("", "")
    made = records.message(
        world.new_id("message"), box, contact, subject=subject, body_html=body, moment=moment
    )  # fmt: skip
    made |= {
        "status": "scheduled",
        "type": "outreach_automatic_email",
        "emailer_campaign_id": sequence_id,
        "emailer_step_id": step["id"],
        "emailer_touch_id": touch["id"] if touch else None,
        "campaign_name": world.sequences[sequence_id]["name"],
        "campaign_position": position,
        "campaign_max_emails_per_day": None,
        "step_max_emails_per_day": None,
        "due_at": offset_stamp(moment),
    }
    world.messages[made["id"]] = made
    world.sequence_messages.setdefault(sequence_id, []).append(made)
    return made


def _add_tasks(world: World, rng: Random, contacts: list[Record]) -> None:
    for number in range(TASKS):
        contact, moment = rng.choice(contacts), EPOCH - (TASKS - number) * DAY
        due = offset_stamp(moment + rng.randrange(120) * DAY)
        made = records.task(
            world.new_id("task"), rng.choice(world.users)["id"], TASK_TYPES[number % len(TASK_TYPES)],
            due_at=due, creator_id=world.acting_admin["id"], moment=moment,
        )  # fmt: skip
        made |= {
            "priority": ("high", "medium", "low")[number % 3],
            "contact_id": contact["id"],
            "account_id": contact["account_id"],
            "person_id": contact["person_id"],
            "organization_id": contact["organization_id"],
            "title": f"Follow up with {contact['name']}",
        }
        if number % 4 == 0:
            made |= {"status": "completed", "completed_at": offset_stamp(moment + DAY)}
        world.tasks[made["id"]] = made


def _add_calls(world: World, rng: Random, contacts: list[Record]) -> None:
    outcomes, purposes = list(world.call_outcomes), list(world.call_purposes)
    for number in range(CALLS):
        contact, moment = rng.choice(contacts), EPOCH - (CALLS - number) * DAY / 2
        made = records.phone_call(world.new_id("call"), rng.choice(world.users)["id"], moment)
        answered = number % 3 != 0
        made |= {
            "contact_id": contact["id"],
            "account_id": contact["account_id"],
            "from_number": "+15555550101",
            "to_number": contact["sanitized_phone"] or "+15555550100",
            "status": "completed" if answered else "no-answer",
            "answered": answered,
            "duration": 30 * (number % 9) if answered else 0,
            "inbound": number % 7 == 0,
            "phone_call_outcome_id": outcomes[number % len(outcomes)] if answered else None,
            "phone_call_purpose_id": purposes[number % len(purposes)],
            "note_text": f"Call {number + 1}",
        }
        made["end_time"] = offset_stamp(moment + made["duration"])
        world.calls[made["id"]] = made


def _add_notes(world: World, rng: Random, contacts: list[Record]) -> None:
    deals = list(world.deals.values())
    for number in range(NOTES):
        contact, moment = rng.choice(contacts), EPOCH - (NOTES - number) * DAY / 2
        related: dict[str, str | None] = {"contact_id": contact["id"], "account_id": contact["account_id"]}
        if number % 6 == 5:
            related = {"opportunity_id": rng.choice(deals)["id"]}
        own = world.new_id("note")
        user = rng.choice(world.users)["id"]
        world.notes[own] = records.note(own, user, f"Note {number + 1}: call back.", moment, **related)


def _add_conversations(world: World, rng: Random, contacts: list[Record]) -> None:
    for number in range(CONVERSATIONS):
        contact, host = rng.choice(contacts), rng.choice(world.users)
        kind = "phone_call" if number % 2 else "video_conference"
        moment = EPOCH - (CONVERSATIONS - number) * 2 * DAY
        made = records.conversation(
            world.new_id("conversation"), host, f"Talk with {contact['name']}", kind, moment, insights=number % 3 != 2
        )
        made |= {
            "account_ids": [contact["account_id"]],
            "contact_ids": [contact["id"]],
            "organization_ids": [contact["organization_id"]] if contact["organization_id"] else [],
            "comment_count": number % 4,
        }
        deals = [deal for deal in world.deals.values() if deal["account_id"] == contact["account_id"]]
        made["opportunity_ids"] = [deal["id"] for deal in deals][:1]
        world.conversations[made["id"]] = made


def _add_drafts(world: World) -> None:
    """Drafts for the latest open tasks that ask for a mail."""
    boxes = {box["user_id"]: box for box in world.mailboxes if box["active"]}
    tasks = [task for task in world.tasks.values() if task["type"] == "outreach_manual_email"]
    for task in [one for one in tasks if one["status"] == "scheduled"][-DRAFTS:]:
        contact = world.contacts.records[task["contact_id"]]
        if contact["email"]:
            box = boxes.get(task["user_id"], world.mailboxes[0])
            subject = f"A word with {contact['organization_name']}"
            body = f"<p>Hi {contact['first_name']}, have you got ten minutes this week?</p>"
            draft = records.message(
                world.new_id("message"), box, contact, subject=subject, body_html=body, moment=EPOCH - DAY
            )
            world.messages[draft["id"]] = draft | {"outreach_task_id": task["id"]}
