"""The OAuth scopes that open operations of the REST API, as Apollo's documentation names them."""

from .word_list import words

ADDED_SCOPES = ("read_user_profile", "app_scopes")
RETIRED_SCOPES = ("mixed_people_search",)  # of the retired people search; the official client still asks for it

REST_SCOPES = words(
    """account_bulk_create account_owners_update account_read account_stages_list account_stages_update
    account_update account_write accounts_search agent_task api_usage_stats_read contact_owners_update
    contact_read contact_stages_list contact_stages_update contact_update contact_write
    contacts_bulk_create contacts_bulk_update contacts_search conversations_export
    conversations_find_export conversations_search conversations_show credit_usage_stats_read
    custom_field_write custom_fields_list email_accounts_list emailer_campaigns_abort
    emailer_campaigns_activity_feed emailer_campaigns_add_contact_ids emailer_campaigns_approve
    emailer_campaigns_archive emailer_campaigns_create emailer_campaigns_remove_or_stop_contact_ids
    emailer_campaigns_search emailer_campaigns_update emailer_messages_create
    emailer_messages_email_send_status emailer_messages_get_content emailer_messages_search
    emailer_messages_send_now emailer_schedules_list lists_add_entities lists_create
    lists_remove_entities lists_update mixed_companies_search mixed_people_api_search notes_list
    opportunities_list opportunity_read opportunity_stages_list opportunity_update opportunity_write
    organization_read organizations_bulk_enrich organizations_enrich organizations_job_posting
    organizations_news_articles people_bulk_match people_match person_read phone_call_search
    phone_call_update phone_call_write report_sync tags_list tasks_create tasks_list users_list
    webhook_result_read"""
)
