"""A team's own records and the indexes that writes keep up to date."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from ..ids import object_id
from ..world.directory import Directory

Record = dict[str, Any]


class ContactBook:
    """The team's contacts, found by id, address, person, account or name with company."""

    def __init__(self) -> None:
        self.records: dict[str, Record] = {}
        self.words: dict[str, str] = {}
        self.deleted: set[str] = set()
        self.version = 0
        self._index: dict[tuple[str, ...], dict[str, None]] = {}
        self._keys: dict[str, list[tuple[str, ...]]] = {}

    def save(self, record: Record) -> None:
        """Stores a new or changed contact under everything it can be found by."""
        own = record["id"]
        self._forget(own)
        self.records[own] = record
        self._keys[own] = keys = list(contact_keys(record))
        for key in keys:
            self._index.setdefault(key, {})[own] = None
        self.words[own] = contact_words(record)
        self.version += 1

    def delete(self, own: str) -> bool:
        """Takes a contact out; updates of it are refused from now on."""
        self._forget(own)
        self.words.pop(own, None)
        self.version += 1
        if self.records.pop(own, None) is None:
            return False
        self.deleted.add(own)
        return True

    def ids(self, *key: str) -> list[str]:
        """Ids under one key such as ("email", address), the oldest first."""
        return list(self._index.get(key, ()))

    def find(self, *key: str) -> list[Record]:
        return [self.records[own] for own in self.ids(*key)]

    def _forget(self, own: str) -> None:
        for key in self._keys.pop(own, ()):
            held = self._index.get(key, {})
            held.pop(own, None)
            if not held:
                self._index.pop(key, None)


def contact_keys(record: Record) -> Iterable[tuple[str, ...]]:
    """Everything a contact can be found by."""
    emails = {record["email"], *(entry["email"] for entry in record["contact_emails"])}
    yield from (("email", email.lower()) for email in emails if email)
    for name in ("person_id", "account_id", "salesforce_id", "hubspot_vid", "crm_id"):
        if record[name]:
            yield (name, str(record[name]))
    yield from (("label", label) for label in record["label_ids"])
    if record["name"] and record["organization_name"]:
        yield ("name", record["name"].lower(), record["organization_name"].lower())


def contact_words(record: Record) -> str:
    """What a keyword search of contacts looks at."""
    names = ("name", "title", "organization_name", "email")
    return " ".join(str(record[name]).lower() for name in names if record[name])


class AccountBook(dict[str, Record]):
    """The team's accounts by id, with an index of what a new account may be the same as."""

    def __init__(self) -> None:
        super().__init__()
        self.deleted: set[str] = set()
        self._index: dict[tuple[str, str], dict[str, None]] = {}
        self._keys: dict[str, list[tuple[str, str]]] = {}

    def save(self, record: Record) -> None:
        """Stores a new or changed account under everything it can be found by."""
        own = record["id"]
        self._forget(own)
        self[own] = record
        self._keys[own] = keys = list(account_keys(record))
        for key in keys:
            self._index.setdefault(key, {})[own] = None

    def remove(self, own: str) -> bool:
        self._forget(own)
        if self.pop(own, None) is None:
            return False
        self.deleted.add(own)
        return True

    def find(self, *key: str) -> list[Record]:
        """Accounts under one key such as ("domain", name), the oldest first."""
        return [self[own] for own in self._index.get((key[0], key[1]), ())]

    def _forget(self, own: str) -> None:
        for key in self._keys.pop(own, ()):
            self._index.get(key, {}).pop(own, None)


def account_keys(record: Record) -> Iterable[tuple[str, str]]:
    """Everything an account can be found by."""
    yield from (("label", label) for label in record["label_ids"])
    for name in ("organization_id", "domain", "name"):
        if record[name]:
            yield (name, str(record[name]).lower())
    crm = (record["salesforce_id"], record["hubspot_id"], *(record.get("merged_crm_ids") or ()))
    yield from (("crm", str(own).lower()) for own in crm if own)


@dataclass
class World:
    """Everything the sandbox knows, except credentials and what was spent."""

    seed: int
    directory: Directory
    team_id: str
    users: list[Record] = field(default_factory=list)
    mailboxes: list[Record] = field(default_factory=list)
    aggregate_mailbox_id: str = ""
    contact_stages: list[Record] = field(default_factory=list)
    account_stages: list[Record] = field(default_factory=list)
    deal_stages: list[Record] = field(default_factory=list)
    pipeline_id: str = ""
    labels: dict[str, Record] = field(default_factory=dict)
    contacts: ContactBook = field(default_factory=ContactBook)
    accounts: AccountBook = field(default_factory=AccountBook)
    deals: dict[str, Record] = field(default_factory=dict)
    sequences: dict[str, Record] = field(default_factory=dict)
    steps: dict[str, list[Record]] = field(default_factory=dict)
    touches: dict[str, list[Record]] = field(default_factory=dict)
    enrolled: dict[str, dict[str, Record]] = field(default_factory=dict)
    reveals: dict[str, Record] = field(default_factory=dict)
    templates: dict[str, Record] = field(default_factory=dict)
    schedules: dict[str, Record] = field(default_factory=dict)
    messages: dict[str, Record] = field(default_factory=dict)
    sequence_messages: dict[str, list[Record]] = field(default_factory=dict)
    events: dict[str, list[Record]] = field(default_factory=dict)
    tasks: dict[str, Record] = field(default_factory=dict)
    calls: dict[str, Record] = field(default_factory=dict)
    notes: dict[str, Record] = field(default_factory=dict)
    fields: dict[str, Record] = field(default_factory=dict)
    conversations: dict[str, Record] = field(default_factory=dict)
    exports: dict[str, Record] = field(default_factory=dict)
    jobs: dict[str, Record] = field(default_factory=dict)
    agent_tasks: dict[str, Record] = field(default_factory=dict)
    call_purposes: dict[str, str] = field(default_factory=dict)
    call_outcomes: dict[str, str] = field(default_factory=dict)
    opened: dict[str, str] = field(default_factory=dict)  # when a contact last opened a mail
    clicked: dict[str, str] = field(default_factory=dict)
    deleted: set[str] = field(default_factory=set)  # ids of tasks, deals and mails somebody deleted
    born: dict[str, float] = field(default_factory=dict)  # when records were made while the sandbox runs
    made: Counter[str] = field(default_factory=Counter)

    def new_id(self, kind: str) -> str:
        """The id of the next record of a kind."""
        self.made[kind] += 1
        return object_id(self.seed, kind, self.made[kind])

    @property
    def acting_admin(self) -> Record:
        """The longest-standing active admin: the user every API key acts as."""
        return self.users[0]

    def user(self, own: str) -> Record:
        return next(user for user in self.users if user["id"] == own)

    def fresh_id(self, kind: str, moment: float) -> str:
        """The id of a record made while the sandbox runs: its age matters to searches."""
        own = self.new_id(kind)
        self.born[own] = moment
        return own

    def labels_of(self, modality: str) -> dict[str, Record]:
        """The lists of one kind of record, by name."""
        return {label["name"]: label for label in self.labels.values() if label["modality"] == modality}

    def is_user(self, own: str) -> bool:
        return any(user["id"] == own for user in self.users)

    def campaign_statuses(self, sequence_id: str) -> Counter[str]:
        """How many contacts of a sequence are active, paused, finished or failed."""
        return Counter(status["status"] for status in self.enrolled[sequence_id].values())
