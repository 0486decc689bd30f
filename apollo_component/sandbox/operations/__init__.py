"""The operations of the sandbox, as one table."""

from apollo_component.sandbox.operation import Operation
from apollo_component.sandbox.operations.accounts import ACCOUNTS
from apollo_component.sandbox.operations.companies import COMPANIES
from apollo_component.sandbox.operations.contacts import CONTACTS
from apollo_component.sandbox.operations.deals import DEALS
from apollo_component.sandbox.operations.mailboxes import MAILBOXES
from apollo_component.sandbox.operations.people import PEOPLE
from apollo_component.sandbox.operations.sequences import SEQUENCES
from apollo_component.sandbox.operations.users import USERS

OPERATIONS: list[Operation] = [
    *PEOPLE, *COMPANIES, *CONTACTS, *ACCOUNTS, *DEALS, *SEQUENCES, *USERS, *MAILBOXES,
]  # fmt: skip

__all__ = ["OPERATIONS", "Operation"]
