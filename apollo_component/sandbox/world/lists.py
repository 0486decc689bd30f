"""Lists of contacts, accounts and sequences, which the API calls labels."""

from ..clock import touch
from ..world import crm_records
from ..world.model import Record, World

MODALITIES = ("contacts", "accounts", "emailer_campaigns")


def add_list(world: World, name: str, user_id: str, moment: float, modality: str = "contacts") -> Record:
    """Makes a list."""
    own = world.new_id("label")
    made = crm_records.label(own, world.team_id, name, user_id=user_id, moment=moment, modality=modality)
    world.labels[own] = made
    return made


def lists_named(world: World, names: list[str], user_id: str, moment: float, modality: str) -> list[Record]:
    """The lists of these names; missing ones are made."""
    known = world.labels_of(modality)
    wanted = dict.fromkeys(name.strip() for name in names if name.strip())
    return [known.get(name) or add_list(world, name, user_id, moment, modality) for name in wanted]


def members(world: World, label: Record) -> list[Record]:
    """The records on a list."""
    if label["modality"] == "contacts":
        return world.contacts.find("label", label["id"])
    if label["modality"] == "accounts":
        return world.accounts.find("label", label["id"])
    return [record for record in world.sequences.values() if label["id"] in record["label_ids"]]


def counted(world: World, label: Record) -> Record:
    """A list with the number of its records as it is now."""
    label["cached_count"] = len(members(world, label))
    return label


def set_membership(world: World, record: Record, labels: list[str], moment: float) -> None:
    """Puts a contact or an account on exactly these lists; its time of change moves (unverified)."""
    record["label_ids"] = labels
    touch(record, moment)
    if record["id"] in world.contacts.records:
        world.contacts.save(record)
    else:
        world.accounts.save(record)
