"""apollo-leads: its one function, for a company's decision makers and for one person, under both prefixes."""

import apollo_leads
from calling import Calls, facts

given, calls = facts(), Calls()
apollo_leads.SEARCH_DELAY = apollo_leads.ENRICH_DELAY = 0


def found(**asked: object) -> list[dict[str, object]]:
    contacts = apollo_leads.find_contacts(given["ids"]["company"], api_key=given["key"], **asked)
    if not contacts:
        raise LookupError("nobody was found")
    return contacts


for prefix in ("/api/v1", "/v1"):
    apollo_leads.BASE_URL = given["api_url"].replace("/api/v1", prefix)
    calls(f"{prefix} decision makers", lambda: found(top_n=2))
    calls(f"{prefix} one person", lambda: found(person=given["ids"]["name"]))
calls.print()
