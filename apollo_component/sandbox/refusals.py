"""Refusals nothing in the made-up world leads to: permissions, plan limits, busy servers, keys that ended.

A test orders one by name: `POST /_sandbox/faults {"operation": .., "kind": "refusal", "name": ..}`. The bodies are
documented, but for those of `ip_not_allowed`, `account_inactive`, `key_expired` and `no_api_access`: that they exist
since 2026-09-18 with `error_details` is documented, their statuses, texts and codes are made up.
"""

from .errors import AUTH_DOCS, UPGRADE, Refusal, details, inaccessible, unprocessable

LEARN = f"<a href='{UPGRADE}' target='_blank' style='color: #1991EB;'>Learn more about our paid plans"
NOT_OWNER = "You do not have permission to email Dana Reyes. You are not the owner of this contact or account."
NOT_YOURS = "This task belongs to another user. Your admin has disabled non-admin"

KEYS = {"label": "Manage your API keys", "url": "https://app.apollo.io/#/settings/integrations/api"}
IP = "API requests from this IP address are not allowed for your team."
INACTIVE = "The account behind this credential is not active."
EXPIRED = f"This API key has expired. See {AUTH_DOCS} for how to authenticate."
NO_API = "Your team does not have API access."


def _structured(status: int, code: str, text: str, **context: str) -> Refusal:
    return Refusal(status, {"error": text, "error_details": details(code, text, KEYS, **context)})


REFUSALS: dict[str, Refusal] = {
    "unknown_error": Refusal(
        422,
        {
            "status": "failed",
            "error_code": "UNKNOWN_ERROR",
            "error_message": "no implicit conversion of Symbol into Integer",
        },
    ),
    "obsolete_person": unprocessable("This is obsolete data."),
    "not_authorized": unprocessable("You are not authorized to view this page."),
    "bad_search": unprocessable(
        "Your search parameters are entered incorrectly. Did you try to edit the URL directly?"
    ),
    "contacts_not_created": Refusal(500, {"error": "An error occurred while creating contacts. Please try again."}),
    "accounts_not_created": Refusal(500, {"error": "An error occurred while creating accounts. Please try again."}),
    "paid_plans_only": Refusal(403, {"message": "This endpoint is only available to Apollo users on paid plans."}),
    "legacy_credits": Refusal(403, {"error": "This is not available on your credit plan."}),  # unverified text
    "no_lists": Refusal(
        403,
        {
            "error": "You do not have permission to access lists. Contact your admin to get access to "
            "Contacts & Accounts."
        },
    ),
    "no_tasks": Refusal(403, {"error": "You do not have permissions to access task functions."}),
    "no_conversations": Refusal(403, {"error": "Access denied."}),
    "no_sequences": unprocessable("You do not have the permission to create sequences."),
    "sequence_limit": unprocessable(f"Your plan is limited to 2 sequences. {LEARN}.</a> "),
    "step_limit": unprocessable(f"Your plan is limited to 5 sequence steps. {LEARN}</a>."),
    "ab_testing": unprocessable("Your current plan does not allow A/B Testing.", code="ab_testing_limit"),
    "sequence_busy": Refusal(429, {"error": "We are already processing the request for your sequence"}),
    "not_contact_owner": unprocessable(NOT_OWNER),
    "dnc_enforced": unprocessable(
        "Cannot be emailed under your team's DNC enforcement settings", error_code="DNC_ENFORCEMENT_BLOCKED"
    ),
    "foreign_mailbox": unprocessable("You do not have permission to send from this email account"),
    "foreign_email_task": unprocessable("You can not send this email. Email task is assigned to another user."),
    "sequence_mail_limit": unprocessable(
        "Failed to send as maximum # of emails for Example sequence to send per day for the sequence is low",
        error_code="SELLER_EMAIL_LIMIT_EXCEEDED",
    ),
    "foreign_task_complete": unprocessable(f"{NOT_YOURS} users from completing other people's tasks."),
    "foreign_task_skip": unprocessable(f"{NOT_YOURS}s from skipping other people's tasks."),
    "internal_fault": unprocessable("Something's wrong with your API request. undefined method `[]' for nil"),
    "report_inaccessible": Refusal(422, {"error_code": "API_INACCESSIBLE"}),
    # sources disagree whether a scope grants the deals of a contact
    "deals_of_contact": inaccessible("api/v1/contacts/opportunities", with_token=True),
    "ip_not_allowed": _structured(403, "AUTH.AUTHORIZATION.IP_NOT_ALLOWED", IP, ip_address="203.0.113.7"),
    "account_inactive": _structured(403, "AUTH.AUTHENTICATION.ACCOUNT_INACTIVE", INACTIVE),
    "key_expired": _structured(
        401, "AUTH.AUTHENTICATION.API_KEY_EXPIRED", EXPIRED, expired_at="2026-11-01T00:00:00.000Z"
    ),
    "no_api_access": _structured(403, "AUTH.AUTHORIZATION.API_ACCESS_DISABLED", NO_API),
}
