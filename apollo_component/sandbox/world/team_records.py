"""Wide records of users, mailboxes and sequences."""

from typing import Any

from ..clock import offset_stamp, stamp
from ..word_list import words

Record = dict[str, Any]

USER_NULLS = words(
    """credit_limit direct_dial_credit_limit export_credit_limit ai_credit_limit salesforce_account salesforce_id
    default_account_overview_layout_id default_contact_overview_layout_id bridge_phone_number
    bridge_incoming_phone_number salesforce_instance_url disable_email_linking sync_salesforce_id sync_crm_id
    zp_is_super_analytics_user crm_requested_to_integrate notification_last_read_at request_email_change_to
    self_identified_persona conversation_is_private crm_email linked_salesforce linked_crm_name
    enable_one_click_unsubscribe typed_custom_fields default_cockpit_layout default_person_overview_layout_id
    default_organization_overview_layout_id default_opportunity_overview_layout_id
    zp_contact_id
    enable_gmail_desktop_notifications apple_user_id chrome_extension_used_at cookie_consent_data
    main_emailer_campaign_id parent_user_id parent_user_source"""
)
USER_FALSE = words(
    """deleted password_needs_reset bridge_calls bridge_incoming_calls record_calls email_oauth_signin_only
    has_invited_user has_uploaded_csv connected_to_slack linked_hubspot linked_salesloft has_conference_account
    should_include_unsubscribe_link chrome_extension_downloaded has_used_enrichment has_hidden_onboarding
    daily_data_request_email data_request_emails daily_task_email free_data_credits_email dismiss_new_team_suggestion
    show_deals_detail_page_updates_modal linked_zoom_conference_account linked_bot_conference_account
    chrome_extension_auto_match_salesforce_opportunity chrome_extension_gmail_enable_email_tools
    enable_desktop_notifications chrome_extension_gmail_enable_crm_sidebar
    show_chrome_extension_buying_intent_promo default_use_local_numbers
    default_chrome_extension_log_email_send_to_salesforce default_chrome_extension_log_email_send_to_hubspot
    default_chrome_extension_enable_reminders added_contact_to_sequence has_approved_emailer_campaign"""
)
USER_LISTS = words(
    """triggered_referral_campaigns subteam_ids prospect_territory_ids
    toggled_on_territory_ids linked_bot_conference_account_platforms chrome_extension_enabled_features
    chrome_extension_exclude_from_websites"""
)
MAILBOX_NULLS = words(
    """nylas_provider sendgrid_api_user mailgun_domains nylas_api_version revoked_at inactive_reason
    sendgrid_api_key_v3 is_opted_in_mailwarming mailwarming_eta mailwarming_subject_token true_warmup_status
    true_warmup_approximate_end_date true_warmup_last_throttled_at needs_reauth_at unlink_error_code"""
)
CAMPAIGN_NULLS = words(
    """max_emails_per_day same_account_reply_policy_cd create_task_if_email_open email_open_trigger_task_threshold
    days_to_wait_before_mark_as_response sequence_by_exact_daytime last_used_at sequence_ruleset_id folder_id
    same_account_reply_delay_days num_contacts_email_status_extrapolated prioritized_by_user description
    auto_pause_bounce_rate auto_paused_at auto_pause_warning_level content_center_type
    ignore_apollo_global_email_bounce_list"""
)
CAMPAIGN_COUNTS = words(
    """unique_scheduled unique_delivered unique_bounced unique_opened unique_hard_bounced unique_spam_blocked
    unique_replied unique_demoed unique_clicked unique_unsubscribed unique_opened_unfiltered
    unique_clicked_unfiltered unique_delivered_open_tracked unique_delivered_click_tracked"""
)
CAMPAIGN_RATES = words(
    """bounce_rate hard_bounce_rate open_rate click_rate reply_rate spam_block_rate opt_out_rate
    demo_rate"""
)


def user(own: str, team_id: str, name: str, *, title: str, email: str, moment: float) -> Record:
    """One user of the team."""
    first, _, last = name.partition(" ")
    return {
        **dict.fromkeys(USER_NULLS),
        **dict.fromkeys(USER_FALSE, False),
        **{name: [] for name in USER_LISTS},
        "id": own,
        "team_id": team_id,
        "first_name": first,
        "last_name": last,
        "name": name,
        "title": title,
        "email": email,
        "created_at": stamp(moment),
        "notification_last_created_at": offset_stamp(moment + 86_400),
        "current_email_verified": True,
        "enable_click_tracking": True,
        "enable_open_tracking": True,
        "territory_is_active": True,
        **{name: {} for name in ("assistant_setting", "credits_awarded_for", "excluded_csv_columns")},
        "onboarding_use_cases": {},
        "current_onboarding_step": "done",
        "default_home_overview_layout_id": own[::-1],
        "permission_set_id": team_id[::-1],
        "referral_code": own[:8],
        "opt_out_html_template": "Not interested? <%Unsubscribe%>",
        "apollo_everywhere_search_count": 0,
        "chrome_extension_everywhere_icon_horizontal_position": "right",
        "chrome_extension_everywhere_icon_vertical_position_in_vh": 50,
        "fields_fully_loaded": True,
    }


def mailbox(own: str, user_id: str, email: str, moment: float, *, active: bool, default: bool) -> Record:
    """One linked mailbox."""
    return {
        **dict.fromkeys(MAILBOX_NULLS),
        "aliases": [email],
        "id": own,
        "user_id": user_id,
        "email": email,
        "type": "gmail",
        "active": active,
        "default": default,
        "seconds_delay_between_emails": 600,
        "provider_display_name": "Gmail",
        "last_synced_at": offset_stamp(moment + 86_400 * 90),
        "email_sending_policy_cd": "default",
        "signature_edit_disabled": False,
        "revoked_at": None if active else offset_stamp(moment + 86_400 * 60),
        "inactive_reason": None if active else "disconnected",
        "created_at": stamp(moment),
        "email_daily_threshold": 50,
        "deliverability_score": {"deliverability_score": 91, "email_account_id": own, "user_id": user_id},
        "max_outbound_emails_per_hour": "6" if default else 6,
        "limits_editable": True,
        "mailwarming_max": 40,
        "mailwarming_score": 0,
        "mailwarming_score_banner": "",
        "mailwarming_status": "disabled",
        "mailwarming_on_weekdays_only": False,
        "mailwarming_to_send_daily": 0,
        "mailwarming_to_send_incrementor": 0,
        "true_warmup_enabled": False,
        "true_warmup_daily_limit": 0,
        "true_warmup_progress": 0,
        "true_warmup_enable_thresholds": False,
        "true_warmup_thresholds": {},
        "active_campaigns_count": 2 if active else 0,
        "nudge_user_to_send_mails": False,
        "signature_html": "",
        "fields_fully_loaded": True,
    }


def campaign(own: str, user_id: str, name: str, moment: float, *, active: bool, loaded: bool) -> Record:
    """One sequence; statistics that are not loaded yet are the text "loading"."""
    return {
        **dict.fromkeys(CAMPAIGN_NULLS),
        **dict.fromkeys(CAMPAIGN_COUNTS, 0 if loaded else "loading"),
        **dict.fromkeys(CAMPAIGN_RATES, 0 if loaded else "loading"),
        "id": own,
        "name": name,
        "active": active,
        "archived": False,
        "deleted": False,
        "created_at": stamp(moment),
        "user_id": user_id,
        "emailer_schedule_id": own[::-1],
        "excluded_account_stage_ids": [],
        "excluded_contact_stage_ids": [],
        "contact_email_event_to_stage_mapping": {},
        "label_ids": [],
        "mark_finished_if_click": False,
        "mark_finished_if_reply": True,
        "mark_finished_if_interested": True,
        "mark_paused_if_ooo": True,
        "starred_by_user_ids": [],
        "is_performing_poorly": False,
        "remind_ab_test_results": False,
        **{name: [] for name in ("ab_test_step_ids", "allowed_send_from_domains", "dmp_ids", "product_profile_ids")},
        "object_owner_id": user_id,
        "project_workspace_context": {},
        "status_reason": "",
        "auto_pause_enabled": False,
        "auto_pause_config": {
            "evaluation_window_days": 7,
            "min_volume": 50,
            "warning_threshold_pct": 3,
            "auto_pause_threshold_pct": 5,
        },
        "creation_type": "new",
        "num_steps": 2,
        "loaded_stats": loaded,
        "cc_emails": "",
        "bcc_emails": "",
        "underperforming_touches_count": 0,
        "sharing_permission": {
            "visibility": "everyone",
            "access_type": "can_view",
            "object_type": "EmailerCampaign",
            "object_id": own,
            "is_owner": True,
            "owner_id": user_id,
            "sharing_accesses": [],
        },
    }


def step(own: str, campaign_id: str, position: int, kind: str) -> Record:
    """One step of a sequence."""
    return {
        "id": own,
        "emailer_campaign_id": campaign_id,
        "position": position,
        "type": kind,
        "wait_time": 3 if position > 1 else 30,
        "wait_mode": "day" if position > 1 else "hour",
        "priority": "medium",
        "note": None,
        "note_text": "",
        "exact_datetime": None,
        "max_emails_per_day": None,
        "auto_skip_in_x_days": None,
        "outcomes": [],
        "ab_test_details": {},
        "counts": {},
    }


def touch(own: str, step_id: str, kind: str) -> Record:
    """The message of an email step."""
    return {
        "id": own,
        "emailer_step_id": step_id,
        "emailer_template_id": own[::-1],
        "type": kind,
        "status": "approved",
        "include_signature": True,
        "has_personalized_opener": None,
        "template_type": None,
        "generation_options": [],
        "generation_tone": {},
        "product_profile_ids": [],
    }


def enrollment(own: str, campaign_id: str, box: Record, adder_id: str, moment: float, **more: Any) -> Record:
    """How one contact stands in one sequence."""
    return {
        "id": own,
        "emailer_campaign_id": campaign_id,
        "send_email_from_user_id": box["user_id"],
        "inactive_reason": None,
        "status": "active",
        "added_at": offset_stamp(moment),
        "added_by_user_id": adder_id,
        "finished_at": None,
        "paused_at": None,
        "auto_unpause_at": None,
        "send_email_from_email_address": box["email"],
        "send_email_from_email_account_id": box["id"],
        "manually_set_unpause": None,
        "failure_reason": None,
        "current_step_id": None,
        "in_response_to_emailer_message_id": None,
        "cc_emails": None,
        "bcc_emails": None,
        "to_emails": None,
        "current_step_position": None,
        **more,
    }
