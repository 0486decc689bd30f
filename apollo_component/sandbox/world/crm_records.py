"""Wide records of a team's contacts, accounts, deals and lists: every documented field, mostly empty."""

import hashlib
from typing import Any

from ..clock import offset_stamp, stamp
from ..word_list import words

Record = dict[str, Any]

CONTACT_NULLS = words(
    """linkedin_url title contact_stage_id owner_id creator_id person_id organization_id
    godmode_apollo_creator headline intent_strength photo_url postal_code present_raw_address linkedin_uid
    street_address extrapolated_email_confidence salesforce_id
    salesforce_lead_id salesforce_contact_id salesforce_account_id crm_owner_id direct_dial_status
    direct_dial_enrichment_failed_at email_source account_id last_activity_date hubspot_vid hubspot_company_id
    crm_id sanitized_phone merged_crm_ids queued_for_crm_push suggested_from_rule_engine_config_id
    email_unsubscribed email_from_customer crm_record_url email_status_unavailable_reason twitter_url
    facebook_url github_url next_contact_id time_zone city state country account_phone_note person_deleted
    call_opted_out contact_job_change_event formatted_address"""
)
ACCOUNT_NULLS = words(
    """hubspot_id salesforce_id crm_owner_id parent_account_id linkedin_url crm_record_url raw_address
    street_address city state country postal_code twitter_url facebook_url godmode_apollo_creator
    suggested_from_rule_engine_config_id organization_headcount_six_month_growth
    organization_headcount_twelve_month_growth organization_headcount_twenty_four_month_growth
    last_activity_date intent_signal_account phone sanitized_phone creator_id market_cap organization_id
    account_stage_id owner_id intent_strength"""
)
DEAL_NULLS = words(
    """salesforce_owner_id amount closed_date account_id description stage_name opportunity_stage_id salesforce_id
    actual_close_date next_step next_step_date closed_lost_reason closed_won_reason deal_probability
    current_solutions deal_source manually_updated_probability manually_updated_forecast crm_id crm_record_url
    crm_owner_id probability opportunity_pipeline_id next_step_last_updated_at amount_in_team_currency
    owner_id is_closed is_won stage_updated_at forecast_category"""
)
CURRENCIES = {
    "USD": ("US Dollar", "$"),
    "EUR": ("Euro", "€"),
    "GBP": ("British Pound", "£"),
    "CAD": ("Canadian Dollar", "$"),
}


def blank_contact(own: str, team_id: str, source: str, moment: float) -> Record:
    """A contact with every field and no content."""
    return {
        **dict.fromkeys(CONTACT_NULLS),
        "id": own,
        "team_id": team_id,
        "first_name": None,
        "last_name": None,
        "name": "",
        "organization_name": None,
        "email": None,
        "email_status": "unavailable",
        "email_true_status": "unavailable",
        "updated_email_true_status": True,
        "source": source,
        "original_source": source,
        "source_display_name": "Created from API" if source == "api" else "Imported",
        "custom_field_errors": {},
        "email_needs_tickling": False,
        "contact_roles": [],
        "emailer_campaign_ids": [],
        "contact_campaign_statuses": [],
        "label_ids": [],
        "typed_custom_fields": {},
        "contact_emails": [],
        "phone_numbers": [],
        "contact_rule_config_statuses": [],
        "outbound_subscriptions": [],
        "has_pending_email_arcgate_request": False,
        "has_email_arcgate_request": False,
        "existence_level": "full",
        "show_intent": False,
        "free_domain": False,
        "is_likely_to_engage": False,
        "email_domain_catchall": False,
        "created_at": stamp(moment),
        "updated_at": stamp(moment),
    }


def contact_email(email: str, status: str, position: int = 0) -> Record:
    """One entry of a contact's `contact_emails`."""
    raw = email.lower().encode()
    return {
        "email": email,
        "email_md5": hashlib.md5(raw, usedforsecurity=False).hexdigest(),
        "email_sha256": hashlib.sha256(raw).hexdigest(),
        "email_status": status,
        "email_source": None,
        "extrapolated_email_confidence": None,
        "position": position,
        "email_from_customer": None,
        "free_domain": False,
        "source": "Apollo",
        "third_party_vendor_name": None,
        "vendor_validation_statuses": [],
        "email_needs_tickling": False,
        "email_true_status": status,
        "email_status_unavailable_reason": None,
    }


def set_email(contact: Record, email: str | None, status: str, true_status: str | None = None) -> None:
    """Gives a contact its address and the status that goes with it; `true_status` when that is another one."""
    contact |= {"email": email, "email_status": status, "email_true_status": true_status or status}
    contact["contact_emails"] = [contact_email(email, status)] if email else []


def blank_account(own: str, team_id: str, name: str, domain: str | None, moment: float) -> Record:
    """An account with every documented field."""
    return {
        **dict.fromkeys(ACCOUNT_NULLS),
        "id": own,
        "domain": domain,
        "name": name,
        "team_id": team_id,
        "label_ids": [],
        "source": "csv_import",
        "original_source": "csv_import",
        "source_display_name": "Imported from CSV",
        "created_at": stamp(moment),
        "updated_at": offset_stamp(moment + 86_400),
        "phone_status": "no_status",
        "account_playbook_statuses": [],
        "custom_field_errors": {},
        "account_rule_config_statuses": [],
        "existence_level": "full",
        "typed_custom_fields": {},
        "modality": "account",
        "contact_emailer_campaign_ids": [],
        "contact_campaign_status_tally": {},
        "num_contacts": 0,
        "show_intent": False,
        "has_intent_signal_account": False,
    }


def blank_deal(own: str, team_id: str, creator_id: str, name: str, moment: float) -> Record:
    """A deal with every recorded field and what is set without being sent; created_at isn't among them."""
    return {
        **dict.fromkeys(DEAL_NULLS),
        "id": own,
        "team_id": team_id,
        "name": name,
        "source": "api",
        "opportunity_created_at": stamp(moment),
        "last_activity_date": stamp(moment),
        "created_by_id": creator_id,
        "forecasted_revenue": 0,
        "exchange_rate_code": "USD",
        "exchange_rate_value": 1,
        "existence_level": "full",
        "typed_custom_fields": {},
        "opportunity_rule_config_statuses": [],
        "opportunity_contact_roles": [],
        "currency": currency("USD"),
    }


def currency(code: str) -> Record:
    name, symbol = CURRENCIES.get(code, (code, code))
    return {"name": name, "iso_code": code, "symbol": symbol}


def label(own: str, team_id: str, name: str, *, user_id: str, moment: float, modality: str = "contacts") -> Record:
    """A list, which the API calls a label."""
    return {
        "_id": own,
        "id": own,
        "key": own,
        "name": name,
        "modality": modality,
        "cached_count": 0,
        "team_id": team_id,
        "user_id": user_id,
        "book_of_business": None,
        "concurrency_locks": {},
        "need_cached_count_update": False,
        "rule_config_template_id": None,
        "created_at": stamp(moment),
        "updated_at": offset_stamp(moment),
    }
