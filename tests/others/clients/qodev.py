"""qodev-apollo-api: every method of the client, whose authors compared it with the live API."""

import asyncio
import inspect
from typing import Any, Self

from calling import Calls, facts
from qodev_apollo_api import ApolloClient

given, calls = facts(), Calls()
ids = given["ids"]


class Client(ApolloClient):
    """The client has no parameter for the address."""

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        self._client.base_url = given["api_url"]
        return self


ARGUMENTS: dict[str, tuple[tuple[Any, ...], dict[str, Any]]] = {
    "search_contacts": ((), {"limit": 5, "q_keywords": "a"}),
    "get_contact": ((ids["contact"],), {}),
    "create_contact": ((), {"first_name": "Dana", "last_name": "Reyes", "email": "dana@client.example"}),
    "update_contact": ((ids["contact"],), {"title": "Head of Sales"}),
    "find_contact_by_linkedin_url": ((ids["linkedin_url"],), {}),
    "search_accounts": ((), {"limit": 5}),
    "get_account": ((ids["account"],), {}),
    "search_deals": ((), {"limit": 5, "q_opportunity_name": "a"}),
    "get_deal": ((ids["deal"],), {}),
    "create_deal": (("50 seats",), {"amount": "25000"}),
    "update_opportunity": ((ids["deal"],), {"amount": "30000"}),
    "get_pipeline": ((ids["pipeline"],), {}),
    "list_pipeline_stages": ((ids["pipeline"],), {}),
    "update_opportunity_roles": ((ids["deal"], [{"contact_id": ids["contact"]}]), {}),
    "enrich_organization": ((ids["domain"],), {}),
    "enrich_person": ((ids["email"],), {}),
    "search_people": ((), {"person_seniorities": ["vp"], "per_page": 5}),
    "search_notes": ((), {"contact_ids": [ids["contact"]]}),
    "get_note": ((ids["note"],), {}),
    "create_note": (("Wants **an offer**.",), {"contact_ids": [ids["contact"]]}),
    "delete_note": ((ids["note"],), {}),
    "search_calls": ((), {"limit": 5}),
    "search_tasks": ((), {"limit": 5, "user_ids": [ids["user"]], "task_type_cds": ["call"]}),
    "search_emails": ((), {"limit": 5}),
    "create_task": (([ids["contact"]], "Call"), {"user_id": ids["user"]}),
    "create_linkedin_connect_request": ((ids["contact"],), {"user_id": ids["user"]}),
    "complete_task": ((ids["task"],), {"note": "Done."}),
    "get_task": ((ids["task"],), {}),
    "create_email_task": (([ids["contact"]], "Write"), {"user_id": ids["user"]}),
    "create_linkedin_connect_task": ((ids["contact"], "Connect", "Hello"), {"user_id": ids["user"]}),
    "create_linkedin_message_task": ((ids["contact"], "Write", "Hello"), {"user_id": ids["user"]}),
    "skip_tasks": (([ids["task"]],), {}),
    "update_task": ((ids["task"],), {"priority": "high"}),
    "update_emailer_message": ((ids["message"],), {"subject": "Hello", "body_html": "<p>Hello</p>"}),
    "send_email_task": ((ids["message"],), {}),
    "list_contact_tasks": ((ids["contact"],), {}),
    "get_conversation": ((ids["conversation"],), {}),
    "list_account_jobs": ((ids["account"],), {}),
}
GIVES = {"find_contact_by_linkedin_url": ids["contact"]}
"""What a call has to return."""


async def main() -> None:
    async with Client(given["key"]) as apollo:
        for name, method in inspect.getmembers(apollo, inspect.iscoroutinefunction):
            if name.startswith("_"):
                continue
            positional, named = ARGUMENTS.get(name, ((), {}))
            try:
                result = await method(*positional, **named)
                assert name not in GIVES or result == GIVES[name], f"it gave {result!r}"
            except Exception as error:
                calls.failed(name, error)
            else:
                calls.outcomes[name] = ""


asyncio.run(main())
calls.print()
