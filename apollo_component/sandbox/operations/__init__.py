"""The operations of the sandbox, as one table."""

from ..operation import Operation
from ..operations.account_changes import ACCOUNT_CHANGES
from ..operations.accounts import ACCOUNTS
from ..operations.agents import AGENTS
from ..operations.calls import CALLS
from ..operations.companies import COMPANIES
from ..operations.company_search import COMPANY_SEARCH
from ..operations.contact_bulk import CONTACT_BULK
from ..operations.contacts import CONTACTS
from ..operations.conversations import CONVERSATIONS
from ..operations.deals import DEALS
from ..operations.email_search import EMAIL_SEARCH
from ..operations.emails import EMAILS
from ..operations.fields import FIELDS
from ..operations.labels import LABELS
from ..operations.mailboxes import MAILBOXES
from ..operations.notes import NOTES
from ..operations.people import PEOPLE
from ..operations.reports import REPORTS
from ..operations.schedules import SCHEDULES
from ..operations.sequence_states import SEQUENCE_STATES
from ..operations.sequence_writes import SEQUENCE_WRITES
from ..operations.sequences import SEQUENCES
from ..operations.task_search import TASK_SEARCH
from ..operations.tasks import TASKS
from ..operations.usage import USAGE
from ..operations.users import USERS
from ..operations.validations import VALIDATIONS
from ..operations.webhook_results import WEBHOOK_RESULTS

OPERATIONS: list[Operation] = [
    *PEOPLE, *COMPANIES, *COMPANY_SEARCH, *WEBHOOK_RESULTS, *VALIDATIONS, *CONTACTS, *CONTACT_BULK, *ACCOUNTS,
    *ACCOUNT_CHANGES, *DEALS, *SEQUENCES, *SEQUENCE_WRITES, *SEQUENCE_STATES, *SCHEDULES, *EMAILS, *EMAIL_SEARCH,
    *TASKS, *TASK_SEARCH, *CALLS, *LABELS, *FIELDS, *NOTES, *USERS, *MAILBOXES, *CONVERSATIONS, *REPORTS, *USAGE,
    *AGENTS,
]  # fmt: skip

__all__ = ["OPERATIONS", "Operation"]
