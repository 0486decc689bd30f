"""Sequences: made, rewritten, switched, with contacts on their way through; the feed; what recipients do."""

import pytest

STEP = {
    "type": "auto_email", "wait_time": 1, "wait_mode": "hour",
    "emailer_touches": [{"type": "new_thread", "status": "approved",
                         "emailer_template": {"subject": "Hi", "body_html": "<p>Hello</p>"}}],
}  # fmt: skip


def make(client, *steps, **more):
    return client.post("/sequences", name="Mine", emailer_steps=list(steps or (STEP, STEP)), **more)["emailer_campaign"]


def mailable(client):
    """A contact that is in no sequence and may be mailed."""
    records = client.sandbox.state.world.contacts.records.values()
    free = (c for c in records if c["email_status"] == "verified" and not c["contact_campaign_statuses"])
    return next(free)["id"]


def add(client, own, contact, **more):
    body = {
        "emailer_campaign_id": own,
        "contact_ids": [contact],
        "send_email_from_email_account_id": client.ids["mailbox_id"],
    }
    answer = client.post(f"/emailer_campaigns/{own}/add_contact_ids", **body, **more)
    assert answer["skipped_contact_ids"] == {}


def standing(client, contact):
    return client.get(f"/contacts/{contact}")["contact"]["contact_campaign_statuses"][-1]


def feed(client, contact, **more):
    return client.post("/emailer_campaigns/activity_feed", contact_id=contact, **more)["events"]


def test_create(client):
    """Restricted, owned by the acting user, statistics loading, with steps, mails and templates."""
    answer = client.post("/sequences", name="Mine", user_id=client.ids["users"][1]["id"], emailer_steps=[STEP])
    made = answer["emailer_campaign"]
    assert (made["user_id"], made["num_steps"], made["active"]) == (client.ids["acting_admin_id"], 1, False)
    assert (made["unique_scheduled"], made["sharing_permission"]["visibility"]) == ("loading", "restricted")
    assert [t["body_html"] for t in answer["emailer_templates"]] == ["<p>Hello</p>"]
    assert answer["emailer_touches"][0]["emailer_step_id"] == answer["emailer_steps"][0]["id"]
    found = client.post("/emailer_campaigns/search", q_name="mine")["emailer_campaigns"]
    assert [one["id"] for one in found] == [made["id"]]


def test_create_refusals(shared):
    """An empty schedule, a step without a wait and an approved mail without content."""
    bare = {"type": "auto_email", "wait_time": 1, "emailer_touches": [{"status": "approved"}]}
    for body, text in (
        ({"emailer_schedule_id": shared.ids["schedules"]["Empty"]}, "The schedule you are trying to attach"),
        ({"emailer_steps": [{"type": "call"}]}, "Wait time must not be empty"),
        ({"emailer_steps": [bare]}, "Please make sure your template has content before turning it on."),
    ):
        status, answer = shared.refusal("POST", "/sequences", body)
        assert (status, answer["error"].startswith(text)) == (422, True)


def test_update_replaces_the_steps(client):
    """Known ids stay, what is left out is gone, new ones come; the answer is flat; both verbs work."""
    own = make(client)["id"]
    first = client.sandbox.state.world.steps[own][0]["id"]
    steps = [{"id": first, "wait_time": 9}, {"type": "call", "wait_time": 0, "wait_mode": "day"}]
    answer = client.api("PUT", f"/sequences/{own}", {"name": "Renamed", "emailer_steps": steps}).json()
    assert (answer["name"], answer["num_steps"], answer["emailer_campaign"]["name"]) == ("Renamed", 2, "Renamed")
    assert [(s["id"] == first, s["wait_time"], s["step_type"]) for s in answer["steps"]] == [
        (True, 9, "auto_email"),
        (False, 0, "call"),
    ]
    assert len(answer["emailer_touches"]) == 1
    user = client.ids["users"][1]["id"]
    share = {"visibility": "everyone", "access_type": "can_edit"}
    again = client.api("PATCH", f"/sequences/{own}", {"user_id": user, "sharing_permission": share}).json()
    assert (again["emailer_campaign"]["user_id"], again["num_steps"]) == (user, 2)
    assert again["emailer_campaign"]["sharing_permission"]["access_type"] == "can_edit"
    assert client.refusal("PUT", f"/sequences/{'a' * 24}", {}) == (404, {"error": "Record not found."})


def test_on_and_off(client):
    """A sequence needs a step and a mail to be turned on; repeating it is refused, either way."""
    empty = client.post("/sequences", name="Empty")["emailer_campaign"]["id"]
    needs = "Please make sure you have added at least 1 step before turning on the sequence."
    assert client.refusal("POST", f"/emailer_campaigns/{empty}/approve") == (422, {"error": needs})
    own = make(client)["id"]
    answer = client.post(f"/emailer_campaigns/{own}/approve")
    assert (answer["emailer_campaign"]["active"], len(answer["emailer_steps"])) == (True, 2)
    assert client.refusal("POST", f"/emailer_campaigns/{own}/approve")[1] == {
        "error": "The sequence is already active."
    }
    assert client.post(f"/emailer_campaigns/{own}/abort")["emailer_campaign"]["active"] is False
    assert client.refusal("POST", f"/emailer_campaigns/{own}/abort")[1] == {
        "error": "The sequence is already inactive."
    }


def test_a_contact_goes_through(client):
    """Enrolled, mailed step by step by the clock, finished; messages, counts, the feed and the contact agree."""
    own, contact = make(client)["id"], mailable(client)
    client.post(f"/emailer_campaigns/{own}/approve")
    add(client, own, contact)
    assert standing(client, contact)["current_step_position"] == 1
    client.wait(3600)
    assert standing(client, contact)["current_step_position"] == 2
    sent = client.get("/emailer_messages/search", **{"emailer_campaign_ids[]": own})["emailer_messages"]
    assert sorted(mail["status"] for mail in sent) == ["completed", "scheduled"]
    client.wait(3600)
    assert standing(client, contact)["status"] == "finished"
    assert [event["type"] for event in feed(client, contact)] == ["completed", "enrolled"]
    counts = client.post("/emailer_campaigns/search", q_name="mine")["emailer_campaigns"][0]["contact_statuses"]
    assert (counts["finished"], counts["active"]) == (1, 0)


def test_off_pauses_and_on_resumes(client):
    """Contacts of a sequence that is turned off wait for it."""
    own, contact = make(client)["id"], mailable(client)
    add(client, own, contact)
    assert (standing(client, contact)["status"], standing(client, contact)["inactive_reason"]) == (
        "paused",
        "Sequence inactive",
    )
    client.post(f"/emailer_campaigns/{own}/approve")
    assert standing(client, contact)["status"] == "active"
    client.post(f"/emailer_campaigns/{own}/abort")
    client.wait(7200)
    assert standing(client, contact)["status"] == "paused"
    assert [event["type"] for event in feed(client, contact)] == ["paused", "resumed", "enrolled"]


def test_a_step_with_a_task(client):
    """A call step makes a task; completing it lets the contact go on."""
    own, contact = make(client, {"type": "call", "wait_time": 0, "wait_mode": "day"}, STEP)["id"], mailable(client)
    client.post(f"/emailer_campaigns/{own}/approve")
    add(client, own, contact)
    (task,) = [t for t in client.sandbox.state.world.tasks.values() if t["emailer_campaign_id"] == own]
    assert (task["type"], task["contact_id"]) == ("call", contact)
    client.post(f"/tasks/{task['id']}/complete")
    assert standing(client, contact)["current_step_position"] == 2


@pytest.mark.parametrize(
    ("mode", "status", "event"),
    [("mark_as_finished", "finished", "completed"), ("stop", "paused", "paused"), ("remove", None, "removed")],
)
def test_taking_contacts_out(client, mode, status, event):
    """Finished, stopped or gone; the answer's counts are still loading, as documented."""
    own, contact = client.ids["sequences"]["Founder outreach"], mailable(client)
    add(client, own, contact)
    answer = client.post(
        "/emailer_campaigns/remove_or_stop_contact_ids", emailer_campaign_ids=[own], contact_ids=[contact], mode=mode
    )
    assert (answer["num_contacts"], answer["contact_statuses"]["active"]) == (1, "loading")
    left = client.get(f"/contacts/{contact}")["contact"]["contact_campaign_statuses"]
    assert [one["status"] for one in left] == ([status] if status else [])
    assert feed(client, contact)[0]["type"] == event
    client.wait(40 * 3600)
    assert feed(client, contact)[0]["type"] == event


def test_a_deleted_contact_does_not_stop_a_sequence(client):
    """Switching a sequence passes over people who are no longer there."""
    own, contact = client.ids["sequences"]["Founder outreach"], mailable(client)
    add(client, own, contact)
    client.control("POST", "/contacts/delete", {"id": contact})
    for verb in ("abort", "approve", "archive"):
        client.post(f"/emailer_campaigns/{own}/{verb}")
    client.wait(40 * 3600)
    assert client.get("/contact_stages")


def test_archive(client):
    """Archived, deleted, everybody finished, and no longer found."""
    own, contact = client.ids["sequences"]["Founder outreach"], mailable(client)
    add(client, own, contact)
    answer = client.post(f"/emailer_campaigns/{own}/archive")["emailer_campaign"]
    assert answer == {"id": own, "active": False, "archived": True, "deleted": True}
    assert standing(client, contact)["status"] == "finished"
    assert client.post("/emailer_campaigns/search", q_name="founder")["emailer_campaigns"] == []


def test_the_feed(shared):
    """Newest first, sizes brought into 1 to 50, an unknown sequence empty, an unknown contact 404."""
    world = shared.sandbox.state.world
    contact = next(own for own, events in world.events.items() if len(events) > 2)
    events = feed(shared, contact)
    assert [e["occurred_at"] for e in events] == sorted((e["occurred_at"] for e in events), reverse=True)
    assert len(feed(shared, contact, per_page=0)) == 1
    assert len(feed(shared, contact, per_page=999)) == len(events)
    assert feed(shared, contact, sequence_id="a" * 24) == []
    assert "reason" not in next(event for event in events if event["type"] == "enrolled")
    body = {"contact_id": "a" * 24}
    assert shared.refusal("POST", "/emailer_campaigns/activity_feed", body) == (404, {"error": "Contact not found"})


@pytest.mark.parametrize(
    ("kind", "status", "stat"),
    [("opened", "active", "opened"), ("clicked", "active", "clicked"), ("replied", "finished", "opened"),
     ("bounced", "failed", "bounced"), ("unsubscribed", "active", "unsubscribed")],
)  # fmt: skip
def test_what_recipients_do(client, kind, status, stat):
    """On a test's order: the mail, the standing, the statistics and the contact's time of change follow."""
    own, contact = client.ids["sequences"]["Founder outreach"], mailable(client)
    add(client, own, contact)
    before = client.get(f"/contacts/{contact}")["contact"]["updated_at"]
    client.wait(5)
    done = client.control("POST", "/activity", {"contact_id": contact, "sequence_id": own, "type": kind})
    assert done["status"] == status
    found = client.get("/emailer_messages/search", **{"emailer_message_stats[]": stat})["emailer_messages"]
    assert done["emailer_message_id"] in [mail["id"] for mail in found]
    after = client.get(f"/contacts/{contact}")["contact"]
    assert after["updated_at"] > before
    campaign = client.post("/emailer_campaigns/search", q_name="founder")["emailer_campaigns"][0]
    assert campaign[f"unique_{kind}"] == 1
    if kind == "replied":
        assert [e["type"] for e in feed(client, contact)][:2] == ["completed", "replied"]
        assert feed(client, contact)[1]["emailer_message_id"] == done["emailer_message_id"]


def test_sorting_by_the_last_opened_mail(client):
    """Whoever opened last comes first."""
    own, contact = client.ids["sequences"]["Founder outreach"], mailable(client)
    add(client, own, contact)
    client.control("POST", "/activity", {"contact_id": contact, "sequence_id": own, "type": "opened"})
    newest = client.post("/contacts/search", sort_by_field="contact_email_last_opened_at", per_page=1)["contacts"][0]
    assert newest["id"] == contact


def test_an_activity_nobody_can_have_is_400(client):
    """A contact outside of the sequence, or a type that is none."""
    own, contact = client.ids["sequences"]["Founder outreach"], mailable(client)
    order = {"contact_id": contact, "sequence_id": own, "type": "replied"}
    assert client.send("POST", "/_sandbox/activity", json=order).status_code == 400
    add(client, own, contact)
    assert client.send("POST", "/_sandbox/activity", json=order | {"type": "danced"}).status_code == 400
