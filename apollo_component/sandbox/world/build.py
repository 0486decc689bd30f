"""Seeds a team: users, mailboxes, stages, lists, accounts, contacts, deals and sequences."""

from functools import lru_cache
from random import Random

from ..clock import offset_stamp, parsed, stamp
from ..ids import object_id
from ..world import crm_records, names, team_records
from ..world.directory import Directory
from ..world.enrolling import enroll
from ..world.lists import add_list
from ..world.model import Record, World
from ..world.people_records import DAY, EPOCH
from ..world.seed_activity import add_activity

HOUR = 3600.0
TEAM_DOMAIN = "sandboxteam.example"
CONTACTS, ACCOUNTS, DEALS = 1_000, 150, 40
USERS = (("Maya", "Lund", "Head of Revenue"), ("Theo", "Novak", "Sales Manager"), ("Ines", "Park", "SDR"))
CONTACT_STAGES = (
    "Cold", "Approaching", "Replied", "Interested", "Not Interested", "Unresponsive", "Do Not Contact",
    "Bad Data", "Changed Job",
)  # fmt: skip
ACCOUNT_STAGES = ("Cold", "Current Client", "Active Opportunity", "Dead Opportunity", "Do Not Prospect")
DEAL_STAGES = (
    ("Qualified", False, False), ("Demo", False, False), ("Proposal", False, False),
    ("Closed Won", True, True), ("Closed Lost", True, False),
)  # fmt: skip
SEQUENCES = (
    ("Founder outreach", True), ("Inbound follow-up", True), ("Event invitation", True), ("Win-back", True),
    ("Partner introduction", False), ("Product launch", True),
)  # fmt: skip
LISTS = ("Customers", "Conference 2026", "Newsletter", "Investors")


def build_world(seed: int, people: int) -> World:
    """The whole world of one seed; takes a fraction of a second even for 60,000 people."""
    world = World(seed, _directory(seed, people), object_id(seed, "team", 0))
    rng = Random(f"team/{seed}")
    _add_team(world)
    _add_accounts(world, rng)
    _add_contacts(world, rng)
    _add_deals(world, rng)
    _add_sequences(world)
    add_activity(world, Random(f"activity/{seed}"))
    return world


@lru_cache(maxsize=2)
def _directory(seed: int, people: int) -> Directory:
    """The database of a seed, kept for a reset: nothing ever changes it."""
    return Directory(seed, people)


def _add_team(world: World) -> None:
    for number, (first, last, title) in enumerate(USERS):
        moment = EPOCH - (900 - 100 * number) * DAY
        email = f"{first}.{last}@{TEAM_DOMAIN}".lower()
        person = team_records.user(
            world.new_id("user"), world.team_id, f"{first} {last}", title=title, email=email, moment=moment
        )
        box = team_records.mailbox(
            world.new_id("mailbox"), person["id"], email, moment, active=number != 2, default=number == 0
        )
        world.users.append(person)
        world.mailboxes.append(box)
    world.aggregate_mailbox_id = world.new_id("mailbox")
    world.pipeline_id = world.new_id("pipeline")
    world.contact_stages = [
        _stage(world, "contact_stage", name, place) | {"ignore_trigger_override": None, "category": "in_progress"}
        for place, name in enumerate(CONTACT_STAGES)
    ]
    world.account_stages = [
        _stage(world, "account_stage", name, place) | {"default_exclude_for_leadgen": False, "category": None}
        for place, name in enumerate(ACCOUNT_STAGES)
    ]
    world.deal_stages = [_deal_stage(world, place, *stage) for place, stage in enumerate(DEAL_STAGES)]
    for name in LISTS:
        add_list(world, name, world.acting_admin["id"], EPOCH - 200 * DAY)


def _stage(world: World, kind: str, name: str, place: int) -> Record:
    names = {"name": name, "display_name": name, "display_order": place}
    return {"id": world.new_id(kind), "team_id": world.team_id, **names, "is_meeting_set": None}


def _deal_stage(world: World, place: int, name: str, closed: bool, won: bool) -> Record:
    probability = 100 if won else 0 if closed else 10 + 30 * place
    kind = "Won" if won else "Lost" if closed else "Open"  # only Open is documented
    stage = _stage(world, "deal_stage", name, place)
    del stage["display_name"]
    return stage | {
        "is_closed": closed,
        "is_won": won,
        "forecast_category_cd": "Closed" if closed else "Pipeline",
        "probability": probability,
        "description": None,
        "salesforce_id": None,
        "opportunity_pipeline_id": world.pipeline_id,
        "is_editable": None,
        "type": kind,
    }


def _add_accounts(world: World, rng: Random) -> None:
    for company in world.directory.companies[: 2 * ACCOUNTS : 2]:
        moment = EPOCH - rng.randrange(1000) * DAY
        made = crm_records.blank_account(world.new_id("account"), world.team_id, company.name, company.domain, moment)
        made |= {
            "organization_id": company.id,
            "account_stage_id": rng.choice(world.account_stages)["id"],
            "owner_id": rng.choice(world.users)["id"],
            "creator_id": world.acting_admin["id"],
            "linkedin_url": company.linkedin_url,
            "street_address": "1 Example Street",
            "city": company.city.name,
            "state": company.city.state,
            "country": company.city.country,
            "phone": "+1 555-555-0100",
            "sanitized_phone": "+15555550100",
        }
        world.accounts.save(made)


def _add_contacts(world: World, rng: Random) -> None:
    account_of = {account["organization_id"]: account["id"] for account in world.accounts.values()}
    known = rng.sample(world.directory.people, min(CONTACTS * 6 // 10, len(world.directory.people) // 3))
    for number in range(CONTACTS):
        moment = EPOCH - (CONTACTS - number) * DAY / 3
        made = crm_records.blank_contact(world.new_id("contact"), world.team_id, "csv_import", moment)
        made |= {
            "owner_id": rng.choice(world.users)["id"],
            "creator_id": world.acting_admin["id"],
            "contact_stage_id": rng.choice(world.contact_stages)["id"],
            "updated_at": offset_stamp(moment + 2 * DAY),
            "label_ids": [rng.choice(list(world.labels))] if number % 4 == 0 else [],
        }
        if known and number % 5 < 3:
            person = known.pop()
            made |= {
                "first_name": person.first, "last_name": person.last, "name": person.name,
                "title": person.role.title, "headline": f"{person.role.title} at {person.company.name}",
                "person_id": person.id, "linkedin_url": person.linkedin_url,
                "organization_id": person.company.id, "organization_name": person.company.name,
                "account_id": account_of.get(person.company.id), "city": person.city.name,
                "state": person.city.state, "country": person.city.country, "time_zone": person.city.time_zone,
            }  # fmt: skip
            crm_records.set_email(made, person.email, person.email_status)
        else:
            _fill_stranger(made, number, rng)
        world.contacts.save(made)
    _count_contacts(world)


def _fill_stranger(contact: Record, number: int, rng: Random) -> None:
    """A contact of whom the world knows no person: typed in or imported by the team."""
    first, last = rng.choice(names.FIRST_NAMES), rng.choice(names.LAST_NAMES)
    contact |= {
        "first_name": first,
        "last_name": last,
        "name": f"{first} {last}",
        "title": rng.choice(rng.choice(names.ROLES)).title,
        "organization_name": f"Client {number % 60}",
    }
    email = f"{first}.{last}.{number}@client{number % 60}.example".lower() if number % 12 else None
    status = "unavailable" if email is None else ("unverified" if number % 10 == 3 else "verified")
    crm_records.set_email(contact, email, status)


def _count_contacts(world: World) -> None:
    for own, account in world.accounts.items():
        account["num_contacts"] = len(world.contacts.ids("account_id", own))
    for own, label in world.labels.items():
        label["cached_count"] = len(world.contacts.ids("label", own))


def _add_deals(world: World, rng: Random) -> None:
    accounts = list(world.accounts.values())
    for number in range(DEALS):
        account, stage = rng.choice(accounts), rng.choice(world.deal_stages)
        moment = EPOCH - rng.randrange(300) * DAY
        made = crm_records.blank_deal(
            world.new_id("deal"), world.team_id, world.acting_admin["id"], f"{account['name']} deal", moment
        )
        amount = rng.randrange(5, 400) * 500
        made |= {
            "owner_id": rng.choice(world.users)["id"],
            "account_id": account["id"],
            "amount": str(amount) if number % 9 == 4 else amount,
            "amount_in_team_currency": amount,
            "opportunity_stage_id": stage["id"],
            "opportunity_pipeline_id": world.pipeline_id,
            "stage_name": stage["name"],
            "is_closed": stage["is_closed"],
            "is_won": stage["is_won"],
            "stage_updated_at": offset_stamp(moment),
            "closed_date": offset_stamp(EPOCH + rng.randrange(120) * DAY),
        }
        world.deals[made["id"]] = made


def _add_sequences(world: World) -> None:
    owner = world.acting_admin["id"]
    for number, (name, active) in enumerate(SEQUENCES):
        own, moment = world.new_id("sequence"), EPOCH - (300 - number * 20) * DAY
        world.sequences[own] = team_records.campaign(own, owner, name, moment, active=active, loaded=number % 3 != 2)
        steps = [team_records.step(world.new_id("step"), own, place, "auto_email") for place in (1, 2)]
        world.steps[own] = steps
        world.touches[own] = [
            team_records.touch(world.new_id("touch"), entry["id"], kind)
            for entry, kind in zip(steps, ("new_thread", "reply"), strict=True)
        ]
        world.enrolled[own] = {}
    others = [own for own, record in world.sequences.items() if record["active"]][1:]
    mailable = [c for c in world.contacts.records.values() if c["email_status"] == "verified"][::7]
    for number, contact in enumerate(mailable):
        finished = number // len(others) % 4 == 3
        more = {"status": "finished", "finished_at": stamp(EPOCH)} if finished else {}
        chosen = others[number % len(others)]
        moment = max(EPOCH - 30 * DAY, parsed(contact["created_at"]) + HOUR)
        enroll(world, contact, chosen, world.mailboxes[0], adder=owner, moment=moment, **more)
