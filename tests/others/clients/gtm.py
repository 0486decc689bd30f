"""gtm-apollo: every method of the client that Stainless generated from Apollo's OpenAPI document, answers validated."""

from apollo import ApolloSDK
from calling import Calls, facts

given, calls = facts(), Calls()
ids = given["ids"]
apollo = ApolloSDK(api_key=given["key"], base_url=given["api_url"], max_retries=0, _strict_response_validation=True)
person, contact, account, deal, user = (ids[name] for name in ("person", "contact", "account", "deal", "user"))
due = "2026-12-10T10:00:00Z"

calls("account_stages.list", apollo.account_stages.list)
calls("contact_stages.list", apollo.contact_stages.list)
calls("opportunity_stages.list", apollo.opportunity_stages.list)
calls("email_accounts.list", apollo.email_accounts.list)
calls("labels.list", apollo.labels.list)
calls("typed_custom_fields.list", apollo.typed_custom_fields.list)
calls("fields.list", lambda: apollo.fields.list(source="custom"))
calls("fields.create", lambda: apollo.fields.create(label="Renewal", modality="contact", type="string"))
calls("usage_stats.api_usage_stats", apollo.usage_stats.api_usage_stats)
calls("users.search", lambda: apollo.users.search(page=1, per_page=5))

calls("people.search", lambda: apollo.people.search(person_titles=["ceo"], person_seniorities=["vp"], per_page=5))
calls("people.enrichment", lambda: apollo.people.enrichment(id=person))
calls("people.bulk_enrichment", lambda: apollo.people.bulk_enrichment(details=[{"id": person}]))
calls("organizations.search", lambda: apollo.organizations.search(q_organization_name="Quill", per_page=5))
calls("organizations.enrich", lambda: apollo.organizations.enrich(domain=ids["domain"]))
calls("organizations.bulk_enrich", lambda: apollo.organizations.bulk_enrich(domains=[ids["domain"]]))
calls("organizations.retrieve", lambda: apollo.organizations.retrieve(ids["organization"]))
calls("organizations.job_postings", lambda: apollo.organizations.job_postings(ids["organization"]))
calls("news_articles.search", lambda: apollo.news_articles.search(organization_ids=[ids["organization"]]))

calls("contacts.search", lambda: apollo.contacts.search(q_keywords="a", per_page=5, sort_by_field="contact_created_at"))
calls("contacts.retrieve", lambda: apollo.contacts.retrieve(contact))
calls(
    "contacts.create", lambda: apollo.contacts.create(first_name="Dana", last_name="Reyes", email="dana@client.example")
)
calls("contacts.update", lambda: apollo.contacts.update(contact, title="Head of Sales"))
calls(
    "contacts.bulk_create", lambda: apollo.contacts.bulk_create(contacts=[{"first_name": "Sam", "last_name": "Ortiz"}])
)
calls("contacts.bulk_update", lambda: apollo.contacts.bulk_update(contact_ids=[contact], title="Head of Sales"))
calls("contacts.update_owners", lambda: apollo.contacts.update_owners(contact_ids=[contact], owner_id=user))
calls(
    "contacts.update_stages",
    lambda: apollo.contacts.update_stages(contact_ids=[contact], contact_stage_id=ids["contact_stage"]),
)
calls("accounts.search", lambda: apollo.accounts.search(per_page=5))
calls("accounts.retrieve", lambda: apollo.accounts.retrieve(account))
calls("accounts.create", lambda: apollo.accounts.create(name="Client Corp", domain="client.example"))
calls("accounts.update", lambda: apollo.accounts.update(account, phone="+1 555-555-0100"))
calls(
    "accounts.bulk_create", lambda: apollo.accounts.bulk_create(accounts=[{"name": "Other", "domain": "other.example"}])
)
calls("accounts.bulk_update", lambda: apollo.accounts.bulk_update(account_ids=[account], owner_id=user))
calls("accounts.update_owners", lambda: apollo.accounts.update_owners(account_ids=[account], owner_id=user))
calls("opportunities.list", lambda: apollo.opportunities.list(per_page=5, sort_by_field="amount"))
calls("opportunities.retrieve", lambda: apollo.opportunities.retrieve(deal))
calls("opportunities.create", lambda: apollo.opportunities.create(name="50 seats", amount="25000", account_id=account))
calls("opportunities.update", lambda: apollo.opportunities.update(deal, amount="30000"))

calls("emailer_campaigns.search", lambda: apollo.emailer_campaigns.search(per_page=5))
calls(
    "emailer_campaigns.add_contacts",
    lambda: apollo.emailer_campaigns.add_contacts(
        ids["sequence"],
        emailer_campaign_id=ids["sequence"],
        contact_ids=[contact],
        send_email_from_email_account_id=ids["mailbox"],
    ),
)
calls(
    "emailer_campaigns.update_contact_status",
    lambda: apollo.emailer_campaigns.update_contact_status(
        contact_ids=[contact], emailer_campaign_ids=[ids["sequence"]], mode="remove"
    ),
)
calls("emailer_campaigns.deactivate", lambda: apollo.emailer_campaigns.deactivate(ids["sequence"]))
calls("emailer_campaigns.activate", lambda: apollo.emailer_campaigns.activate(ids["sequence"]))
calls("emailer_campaigns.archive", lambda: apollo.emailer_campaigns.archive(ids["sequence"]))
calls("emailer_messages.search", lambda: apollo.emailer_messages.search(per_page=5))
calls("emailer_messages.activities", lambda: apollo.emailer_messages.activities(ids["message"]))

task = {"due_at": due, "status": "scheduled", "type": "call", "user_id": user}
calls("tasks.create", lambda: apollo.tasks.create(contact_id=contact, **task))
calls("tasks.bulk_create", lambda: apollo.tasks.bulk_create(contact_ids=[contact], **task))
calls("tasks.search", lambda: apollo.tasks.search(per_page=5))
calls("notes.list", lambda: apollo.notes.list(contact_id=contact, limit=5))
calls("phone_calls.search", lambda: apollo.phone_calls.search(per_page=5))
calls("phone_calls.create", lambda: apollo.phone_calls.create(contact_id=contact, duration=60, status="completed"))
calls("phone_calls.update", lambda: apollo.phone_calls.update(ids["call"], note="Wants an offer."))
calls.print()
