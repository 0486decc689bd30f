"""Single mails: draft, send, status, content, search."""

import pytest

BODY = {"subject": "Hello", "body_html": "<p>Hi <b>you</b></p>"}


def contact_of(client):
    return next(c for c in client.sandbox.state.world.contacts.records.values() if c["email"])


def draft(client, **more):
    return client.post("/emailer_messages", contact_id=contact_of(client)["id"], **BODY, **more)["emailer_message"]


def status(client, own):
    return client.post("/emailer_messages/email_send_status", id=own)


def test_from_draft_to_content(client):
    """Drafted, queued, on its way, delivered by the clock; only then it can be read and found as delivered."""
    made = draft(client)
    assert (made["status"], made["body_text"], made["to_email"]) == ("drafted", "Hi you", contact_of(client)["email"])
    own = made["id"]
    assert client.post("/emailer_messages/get_content", ids=[own]) == {"emailer_messages": []}
    assert client.post(f"/emailer_messages/{own}/send_now")["emailer_message"]["status"] == "scheduled"
    waiting = status(client, own)
    assert (waiting["status"], waiting["retry_after_seconds"]) == ("scheduled", 10)
    client.wait(2)
    done = status(client, own)
    assert (done["status"], done["message"]) == ("completed", "Email delivered successfully.")
    (content,) = client.post("/emailer_messages/get_content", ids=[own, "a" * 24])["emailer_messages"]
    assert (content["body"], content["body_format"]) == ("Hi you", "plain")
    html = client.post("/emailer_messages/get_content", ids=[own], body_format="html")["emailer_messages"][0]
    assert html["body"] == BODY["body_html"]
    found = client.get("/emailer_messages/search", **{"emailer_message_stats[]": "delivered", "per_page": 1})
    assert [mail["id"] for mail in found["emailer_messages"]] == [own]
    assert "pagination" not in found
    activities = client.get(f"/emailer_messages/{own}/activities")
    assert activities["activities"][0]["emailer_message_id"] == own == activities["emailer_message"]["id"]


def test_sending_twice(client):
    """While it is on its way and when it is there are two refusals; so are a deleted mail and an unknown one."""
    own = draft(client)["id"]
    client.post(f"/emailer_messages/{own}/send_now")
    path = f"/emailer_messages/{own}/send_now"
    assert client.refusal("POST", path)[1]["error"].startswith("This email is currently being sent already!")
    client.wait(2)
    assert client.refusal("POST", path) == (422, {"error": "This email has already been sent!"})
    client.control("POST", "/delete", {"kind": "email", "id": own})
    gone = "This email has already been deleted. Please refresh the page."
    assert client.refusal("POST", path) == (422, {"error": gone})
    unknown = client.refusal("POST", f"/emailer_messages/{'a' * 24}/send_now")
    assert unknown == (422, {"error": "Could not find message to send."})


def test_a_disconnected_mailbox_fails(client):
    """Queued like any other, then failed with its reason."""
    own = draft(client)["id"]
    client.sandbox.state.world.messages[own]["email_account_id"] = client.ids["inactive_mailbox_id"]
    client.post(f"/emailer_messages/{own}/send_now")
    client.wait(2)
    failed = status(client, own)
    assert (failed["status"], failed["not_sent_reason"]) == ("failed", "no_active_email_account")
    found = client.get("/emailer_messages/search", **{"not_sent_reason_cds[]": "no_active_email_account"})
    assert [mail["id"] for mail in found["emailer_messages"]] == [own]


def test_the_daily_limit(client):
    """Fifty mails of one mailbox in a day; a day later it goes on."""
    client.control("POST", "/quotas", {"default": [None] * 3})
    for _ in range(50):
        client.post(f"/emailer_messages/{draft(client)['id']}/send_now")
    own = draft(client)["id"]
    code, answer = client.refusal("POST", f"/emailer_messages/{own}/send_now")
    assert (code, answer["error_code"]) == (422, "SEND_NOW_LIMIT_EXCEEDED")
    client.wait(86400 + 5)
    client.post(f"/emailer_messages/{own}/send_now")


def test_drafts_of_tasks_and_replies(client):
    """A task's draft is written over; a reply needs no contact."""
    user = client.ids["acting_admin_id"]
    task = client.post("/tasks", type="outreach_manual_email", user_id=user, contact_id=contact_of(client)["id"])[
        "task"
    ]
    first = draft(client, outreach_task_id=task["id"])
    answer = client.post(
        "/emailer_messages", contact_id=contact_of(client)["id"], subject="Again", outreach_task_id=task["id"]
    )
    assert (answer["emailer_message"]["id"], answer["emailer_message"]["subject"]) == (first["id"], "Again")
    assert answer["task"]["id"] == task["id"]
    reply = client.post("/emailer_messages", in_response_to_emailer_message_id=first["id"])["emailer_message"]
    assert reply["contact_id"] == contact_of(client)["id"]


@pytest.mark.parametrize(
    ("method", "path", "body", "answer"),
    [
        ("POST", "", {"contact_id": "a" * 24}, (422, {"error": "Contact does not exist"})),
        ("POST", "/get_content", {}, (422, {"error": "Missing required parameter: ids"})),
        ("POST", "/email_send_status", {}, (422, {"error": "Missing required parameter: id"})),
        ("POST", "/email_send_status", {"id": "a" * 24}, (404, {"error": "Email message not found"})),
        ("GET", f"/{'a' * 24}/activities", None, (422, {"error": "Could not find message."})),
        ("GET", "/search?page=501&per_page=100", None,
         (422, {"error": "Invalid parameter passed in. Page * per page number is over threshold."})),
        ("GET", "/search?per_page=0", None, (422, {"error": "An error occurred. Per page cannot be 0."})),
    ],
)  # fmt: skip
def test_refusals(shared, method, path, body, answer):
    """The documented texts."""
    assert shared.refusal(method, f"/emailer_messages{path}", body) == answer


def test_recipients_are_checked(client):
    """One wrong address and nothing is saved; copies are listed."""
    body = {"contact_id": contact_of(client)["id"], "recipients": [{"email": "person@"}]}
    wrong = client.refusal("POST", "/emailer_messages", body)
    assert wrong[1] == {"error": 'ERROR! Email is NOT SAVED. Invalid recipient emails: ["person@"]'}
    made = draft(client, recipients=[{"email": "boss@x.example", "recipient_type_cd": "cc"}])
    assert made["cc_emails"] == ["boss@x.example"]


def test_search_filters(shared):
    """Sequences, what is not theirs, dates and words."""
    world = shared.sandbox.state.world
    own = next(own for own, mails in world.sequence_messages.items() if mails)
    mine = shared.get("/emailer_messages/search", **{"emailer_campaign_ids[]": own, "per_page": 100})
    assert {mail["emailer_campaign_id"] for mail in mine["emailer_messages"]} == {own}
    assert {step["emailer_campaign_id"] for step in mine["emailer_steps"]} == {own}
    rest = shared.get("/emailer_messages/search", **{"not_emailer_campaign_ids[]": own, "per_page": 100})
    assert own not in {mail["emailer_campaign_id"] for mail in rest["emailer_messages"]}
    days = [mail["completed_at"][:10] for mail in world.messages.values() if mail["completed_at"]]
    for name, wanted in (
        ("min", [day >= "2026-08-10" for day in days]),
        ("max", [day <= "2026-08-10" for day in days]),
    ):
        dates = {"emailer_message_date_range": {name: "2026-08-10"}}
        found = shared.control("POST", "/count?operation=emailer_messages_search", dates)["count"]
        assert 0 < found == sum(wanted) < len(world.messages)
