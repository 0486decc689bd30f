"""The operations of the sandbox, as one table."""

from ..operation import Operation
from ..operations.accounts import ACCOUNTS
from ..operations.companies import COMPANIES
from ..operations.contacts import CONTACTS
from ..operations.deals import DEALS
from ..operations.mailboxes import MAILBOXES
from ..operations.people import PEOPLE
from ..operations.sequences import SEQUENCES
from ..operations.users import USERS

OPERATIONS: list[Operation] = [
    *PEOPLE, *COMPANIES, *CONTACTS, *ACCOUNTS, *DEALS, *SEQUENCES, *USERS, *MAILBOXES,
]  # fmt: skip

__all__ = ["OPERATIONS", "Operation"]
