"""Tasks, calls and notes."""

import pytest


def contact_of(client):
    return next(c for c in client.sandbox.state.world.contacts.records.values() if c["account_id"])


def task(client, **more):
    body = {"type": "call", "user_id": client.ids["acting_admin_id"], "contact_id": contact_of(client)["id"]}
    body |= {"status": "scheduled", "due_at": "2026-12-01T10:00:00"}
    return client.post("/tasks", **(body | more))["task"]


def test_create(client):
    """Medium, in GMT, with a title and the contact's account; a closed one has its time."""
    made = task(client)
    assert (made["priority"], made["due_at"]) == ("medium", "2026-12-01T10:00:00.000+00:00")
    assert made["title"] == f"Call: {contact_of(client)['name']}"
    assert (made["account_id"], made["contact"]["id"]) == (contact_of(client)["account_id"], contact_of(client)["id"])
    assert task(client, status="completed")["completed_at"] is not None
    for body in ({}, {"user_id": client.ids["acting_admin_id"]}):
        assert client.refusal("POST", "/tasks", body) == (422, {"error": "type and user can not be blank"})
    assert client.refusal("POST", "/tasks", {"type": "call"}) == (422, {"error": "Invalid user or creator id"})


def test_a_new_task_as_recorded(client):
    """Without a status it has none, what it isn't about has no key, and the team stands beside it."""
    answer = client.post("/tasks", type="call", user_id=client.ids["acting_admin_id"])
    assert (answer["task"]["status"], answer["task"]["created_from"]) == (None, "zp_ui")
    assert not {"contact", "account", "opportunity"} & set(answer["task"])
    assert answer["team"] == {"id": client.ids["team_id"], "tasks_finder_empty": False}


def test_undocumented_filters_of_tasks(client):
    """contact_ids, user_ids and task_type_cds narrow; rows carry their contact, a page 10 of them."""
    wanted = task(client, type="action_item", user_id=client.ids["users"][2]["id"])
    for name, key in (("contact_ids", "contact_id"), ("user_ids", "user_id"), ("task_type_cds", "type")):
        found = client.post("/tasks/search", **{name: [wanted[key]]}, per_page=100)["tasks"]
        assert wanted["id"] in [one["id"] for one in found]
        assert {one[key] for one in found} == {wanted[key]}
    rows = client.post("/tasks/search")["tasks"]
    assert (len(rows), rows[0]["contact"]["id"]) == (10, wanted["contact_id"])


def test_bulk_create(client):
    """One per contact, or one per object."""
    ids = list(client.sandbox.state.world.contacts.records)[:3]
    user = client.ids["acting_admin_id"]
    answer = client.post("/tasks/bulk_create", type="call", user_id=user, contact_ids=ids, due_at="2026-12-01")
    assert (answer["success"], [t["contact_id"] for t in answer["tasks"]]) == (True, ids)
    each = [{"type": "call", "user_id": user, "contact_id": ids[0], "note": "x"}]
    assert client.post("/tasks/bulk_create", tasks_attributes=each)["tasks"][0]["note"] == "x"


def test_an_update_resets_what_is_left_out(client):
    """Priority falls back to medium and the creator to the acting user, unless they are sent."""
    own = task(client, priority="high")["id"]
    other = client.ids["users"][1]["id"]
    kept = client.api("PATCH", f"/tasks/{own}", {"priority": "high", "creator_id": other, "title": "New"}).json()[
        "task"
    ]
    assert (kept["priority"], kept["creator_id"], kept["title"]) == ("high", other, "New")
    reset = client.api("PATCH", f"/tasks/{own}", {"note": "n"}).json()["task"]
    assert (reset["priority"], reset["creator_id"]) == ("medium", client.ids["acting_admin_id"])


def test_closing(client):
    """Complete gives task and contact, skip four fields; closed ones refuse, vanished ones say so with 200."""
    own = task(client)["id"]
    done = client.post(f"/tasks/{own}/complete", note="spoke")
    assert (done["task"]["status"], done["task"]["note"], done["contact"]["id"]) == (
        "completed", "spoke", contact_of(client)["id"],
    )  # fmt: skip
    again = {"error": "This task is already completed / skipped.", "allow_moving_to_next_task": True}
    for verb in ("complete", "skip"):
        assert client.refusal("POST", f"/tasks/{own}/{verb}") == (422, again)
    other = task(client)["id"]
    skipped = {"task": {"id": other, "status": "skipped", "note": None, "completed": False}}
    assert client.post(f"/tasks/{other}/skip") == skipped
    assert client.post(f"/tasks/{'a' * 24}/skip") == {"task": {"id": "a" * 24, "deleted": True}}


def test_a_closed_task_hardly_changes(client):
    """Only note, priority and contact; the rest is left as it was."""
    own = task(client)["id"]
    client.post(f"/tasks/{own}/complete")
    changed = client.api("PATCH", f"/tasks/{own}", {"title": "New", "note": "n", "priority_cd": "0"}).json()["task"]
    assert (changed["title"].startswith("Call:"), changed["note"], changed["priority"]) == (True, "n", "high")


def test_deleted_tasks(client):
    """Reading and writing have texts of their own."""
    own = task(client)["id"]
    client.control("POST", "/delete", {"kind": "task", "id": own})
    assert client.refusal("GET", f"/tasks/{own}")[1]["error"].startswith(
        "This task or emailer message has been deleted."
    )
    assert client.refusal("PATCH", f"/tasks/{own}", {})[1]["error"].startswith("This task has been deleted.")


def test_a_token_may_not_change_tasks_of_others(client):
    """Another user's task is 401, although the credential is fine."""
    own = task(client)["id"]
    token = client.sandbox.state.tokens._issue(("tasks_create",), client.ids["users"][1]["id"], 1)["access_token"]
    bearer = {"authorization": f"Bearer {token}"}
    reply = client.send("PATCH", f"/api/v1/tasks/{own}", json={"note": "x"}, headers=bearer)
    assert reply.status_code == 401
    assert reply.json()["error"].startswith("This task belongs to another user.")


def test_search(shared):
    """Sorted, counted by kind on request, with the many empty facets; sizes are refused in its own words."""
    answer = shared.post("/tasks/search", sort_by_field="task_due_at", per_page=100, open_factor_names=["task_types"])
    due = [t["due_at"] for t in answer["tasks"]]
    assert due == sorted(due)
    counts = {entry["value"]: entry["count"] for entry in answer["faceting"]["task_types_facets"]}
    assert sum(counts.values()) == answer["pipeline_total"] == answer["pagination"]["total_entries"]
    ranks = [t["priority"] for t in shared.post("/tasks/search", sort_by_field="task_priority", per_page=60)["tasks"]]
    assert (ranks[0], ranks[-1]) == ("high", "low")
    assert shared.get("/tasks/search", per_page=1)["pagination"]["per_page"] == 1
    assert shared.refusal("POST", "/tasks/search", {"per_page": 101}) == (422, {"error": "Per page not supported"})
    odd = shared.refusal("POST", "/tasks/search", {"open_factor_names": "task_types"})
    assert odd[1]["error"].startswith("Something's wrong with your API request.")


def test_calls(client):
    """Written with an underscore, read with a hyphen; the same identifier is the same call."""
    contact = contact_of(client)
    body = {"contact_id": contact["id"], "status": "no_answer", "call_identifier": "c-1", "logged": True}
    body |= {"start_time": "2026-11-01T10:00:00Z", "end_time": "2026-11-01T10:01:30Z", "note": "rang"}
    first = client.post("/phone_calls", **body)
    assert (first["phone_call"]["status"], first["phone_call"]["duration"]) == ("no-answer", 90)
    assert (first["contact"]["id"], first["team"]["phone_calls_finder_empty"]) == (contact["id"], False)
    again = client.post("/phone_calls", call_identifier="c-1", status="completed")
    assert again["phone_call"]["id"] == first["phone_call"]["id"]
    assert (again["phone_call"]["note_text"], again["phone_call"]["answered"]) == ("rang", True)
    user = client.ids["users"][1]["id"]
    own = first["phone_call"]["id"]
    put = client.api("PUT", f"/phone_calls/{own}?user_id[]={user}&duration=5").json()["phone_call"]
    assert (put["user_id"], put["duration"]) == (user, 5)
    found = client.get("/phone_calls/search", q_keywords="rang", per_page=1)
    assert [c["id"] for c in found["phone_calls"]] == [own]
    assert (found["pagination"]["page"], found["pagination"]["per_page"]) == ("1", "1")


@pytest.mark.parametrize(
    ("filters", "holds"),
    [
        ({"inbound": "incoming"}, lambda c: c["inbound"]),
        ({"duration": {"min": 60, "max": 120}}, lambda c: 60 <= c["duration"] <= 120),
        ({"date_range": {"min": "2026-08-25"}}, lambda c: c["start_time"] >= "2026-08-25"),
        ({"date_range": {"max": "2026-08-20"}}, lambda c: c["start_time"] < "2026-08-21"),
    ],
)
def test_call_filters(shared, filters, holds):
    """The total equals a count made without the filter code."""
    expected = sum(map(holds, shared.sandbox.state.world.calls.values()))
    assert shared.post("/phone_calls/search", **filters)["pagination"]["total_entries"] == expected > 0


def test_notes(shared):
    """By relation, sorted, sliced by skip and limit, without a total."""
    notes = shared.sandbox.state.world.notes.values()
    contact = next(n["contact_id"] for n in notes if n["contact_id"])
    every = shared.get("/notes", contact_id=contact)["notes"]
    assert [n["id"] for n in every] == [n["id"] for n in reversed(list(notes)) if n["contact_id"] == contact]
    ids = ",".join({n["contact_id"] for n in notes if n["contact_id"]})
    pages = [shared.get("/notes", contact_ids=ids, skip=skip, limit=20)["notes"] for skip in (0, 20, 40)]
    found = [n["id"] for page in pages for n in page]
    assert len(found) == len(set(found)) == sum(bool(n["contact_id"]) for n in notes)
    assert len(shared.get("/notes", contact_ids=ids)["notes"]) == 25


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("", "At least one argument is required"),
        ("contact_id=x&sort_direction=up", 'sort_direction must be "asc" or "desc"'),
        ("contact_id=x&sort_by_field=size", "sort_by_field must be one of: created_at, updated_at"),
    ],
)
def test_note_refusals(shared, query, text):
    """Arguments are refused with 400."""
    assert shared.refusal("GET", f"/notes?{query}") == (400, {"error": text})
