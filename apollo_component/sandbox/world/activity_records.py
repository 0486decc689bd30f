"""Wide records of what a team does: mails, tasks, calls, notes, conversations; every documented field."""

import re
from typing import Any

from ..clock import offset_stamp, stamp
from ..word_list import words

Record = dict[str, Any]

MESSAGE_NULLS = words(
    """provider_message_id due_at completed_at emailer_touch_id emailer_campaign_id emailer_step_id failed_at
    failure_reason provider_thread_id schedule_delayed_reason demoed not_sent_reason bounce spam_blocked
    tracking_disabled_reason due_at_source crm_id replied personalized_opener reply_class
    schedule_delayed_limit_reason schedule_delayed_reason_details sensitive_info_redacted unsubscribed"""
)
TASK_NULLS = words(
    """emailer_campaign_id completed_at note skipped_at answered contact_id person_id account_id organization_id
    subject salesforce_type playbook_id needs_playbook_autoprospecting salesforce_id hubspot_id opportunity_id
    rule_config_id completed_by_user_id call_script relevant_fields ai_variables_status"""
)
CALL_NULLS = words(
    """account_id contact_id voice_setting_id phone_call_outcome_id phone_call_purpose_id recording_url
    twilio_call_sid call_identifier agent_call_sid from_number to_number transcription_too_long
    twilio_recording_sid note outreach_task_id salesforce_id hubspot_id conference_id opportunity_id
    parallel_dial_item_id conversation_id"""
)


def message(own: str, box: Record, contact: Record, *, subject: str, body_html: str, moment: float) -> Record:
    """A mail to a contact, as a draft."""
    to = {"email": contact["email"], "raw_name": contact["name"], "recipient_type_cd": "to"}
    return {
        **dict.fromkeys(MESSAGE_NULLS),
        "id": own,
        "user_id": box["user_id"],
        "status": "drafted",
        "type": "outreach_manual_email",
        "time_zone": contact["time_zone"],
        "to_name": contact["name"],
        "attachment_ids": [],
        "enable_tracking": True,
        "click_tracking_enabled": True,
        "open_tracking_enabled": True,
        "contact_id": contact["id"],
        "account_id": contact["account_id"],
        "email_account_id": box["id"],
        "due_at_manually_changed": False,
        "async_sending": False,
        "needs_dynamic_assemble": False,
        "created_at": stamp(moment),
        "recipients": [{**to, "contact_id": contact["id"], "user_id": None}],
        "send_from": {"email": box["email"], "raw_name": "", "recipient_type_cd": None},
        "send_from_info": box["email"],
        "from_email": box["email"],
        "from_name": "",
        "to_email": contact["email"],
        "bcc_emails": [],
        "cc_emails": [],
        "subject": subject,
        "body_html": body_html,
        "body_text": plain(body_html),
        "body_html_loaded": True,
        "appendment_html": "",
        "appendment_html_loaded": True,
        "num_opens": 0,
        "num_clicks": 0,
        "emailer_message_events": [],
    }


def plain(html: str) -> str:
    """The text of a mail's HTML."""
    return re.sub(r"<[^>]*>", "", html).strip()


def sent(record: Record, moment: float) -> None:
    """Marks a mail as delivered."""
    record |= {"status": "completed", "completed_at": offset_stamp(moment), "due_at": offset_stamp(moment)}
    record["provider_message_id"] = f"<{record['id']}@mail.example>"
    record["async_sending"] = False


def task(own: str, user_id: str, kind: str, *, due_at: str, creator_id: str, moment: float) -> Record:
    """A scheduled task."""
    return {
        **dict.fromkeys(TASK_NULLS),
        "id": own,
        "user_id": user_id,
        "creator_id": creator_id,
        "type": kind,
        "priority": "medium",
        "status": "scheduled",
        "title": None,
        "due_at": due_at,
        "persona_ids": [],
        "created_from": "api",
        "playbook_step_ids": [],
        "starred_by_user_ids": [],
        "created_at": stamp(moment),
    }


def phone_call(own: str, user_id: str, moment: float) -> Record:
    """A call."""
    return {
        **dict.fromkeys(CALL_NULLS),
        "id": own,
        "user_id": user_id,
        "answered": False,
        "inbound": False,
        "created_at": stamp(moment),
        "start_time": offset_stamp(moment),
        "end_time": offset_stamp(moment),
        "duration": 0,
        "status": "completed",
        "logged": True,
        "need_recording_upload": False,
        "voicemail_dropped": False,
        "transcribed": False,
        "transcribing": False,
        "transcription_progress": 0,
        "note_text": "",
    }


def note(own: str, user_id: str, content: str, moment: float, **related: str | None) -> Record:
    """A note about a contact, an account or a deal; each relation is there alone and as a list."""
    names = ("contact", "account", "opportunity", "conversation")
    ones = {f"{name}_id": related.get(f"{name}_id") for name in names}
    return {
        "id": own,
        "user_id": user_id,
        "content": content,
        "created_at": stamp(moment),
        "updated_at": stamp(moment),
        **ones,
        **{f"{name}_ids": [ones[f"{name}_id"]] if ones[f"{name}_id"] else [] for name in names},
        "calendar_event_ids": [],
        "pinned_to_top": False,
        "system": False,
        "is_org_chart_note": False,
        "crm_notes": [],
    }


def conversation(own: str, host: Record, topic: str, kind: str, moment: float, *, insights: bool) -> Record:
    """A recorded conversation; one without insights failed and has no transcript."""
    return {
        "id": own,
        "topic": topic,
        "start_time": offset_stamp(moment),
        "duration": 1800 if insights else 0,
        "state": "insights_generated" if insights else "failed",
        "host": host["name"],
        "host_id": host["id"],
        "is_private": None,
        "pushed_to_crm": False,
        "account_ids": [],
        "contact_ids": [],
        "organization_ids": [],
        "label_id_names": [],
        "is_shared_conversation": False,
        "opportunity_ids": [],
        "comment_count": 0,
        "failure_code": None if insights else "no_recording",
        "conversation_type": kind,
        "is_clip": False,
        "created_at": stamp(moment),
    }


def schedule(own: str, name: str, zone: str, moment: float, *, days: tuple[str, ...], default: bool) -> Record:
    """When a sequence may send."""
    return {
        "id": own,
        "name": name,
        "default": default,
        "time_zone": zone,
        "schedule_hash": {day: [[8]] for day in days},
        "created_at": stamp(moment),
        "use_contacts_time_zone": True,
        "skip_holidays": True,
    }


def template(own: str, user_id: str, subject: str, body_html: str, moment: float) -> Record:
    """The content of an email step."""
    empty = words("name archived body_text folder_id creation_type prompt_template_id description highlights prompt_id")
    return {
        **dict.fromkeys(empty),
        "id": own,
        "user_id": user_id,
        "starred_by_user_ids": [],
        "subject": subject,
        "body_html": body_html,
        "created_at": stamp(moment),
        "global": False,
        "has_ai_variables": False,
        "label_ids": [],
    }


def custom_field(own: str, label: str, modality: str, kind: str, moment: float, **more: Any) -> Record:
    """A custom field as the sandbox keeps it; both listings are made from it."""
    return {
        "id": own,
        "label": label,
        "modality": modality,
        "type": kind,
        "created_at": stamp(moment),
        "max_length": None,
        "options": [],
        "parent": None,
        "field_group_id": None,
        **more,
    }
