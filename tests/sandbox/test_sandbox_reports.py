"""Conversations, exports, reports, usage, the assistant."""

import gzip
import json

import pytest

EMPTY = {
    "metrics": [], "group_by": [], "sorts": [], "filters": {}, "group_by_totals_selected": False,
    "pivot_group_by_totals_selected": False, "date_ranges": [{"modality": "all_time"}],
}  # fmt: skip


NO_USER = (
    "Unable to find user to send notification email to. "
    "Please provide an address for a valid user using the email parameter."
)


def metric(name, date="activity_datetime"):
    return {"value": name, "smart_datetime_reference": date, "smart_user_id_reference": "user_id"}


def report(client, *metrics, **more):
    return client.post("/reports/sync_report", **(EMPTY | {"metrics": list(metrics)} | more))["response"]


def talks(client):
    return client.sandbox.state.world.conversations


def test_conversation_search(shared):
    """num_fetch_result is the size; the total is told; nothing was said in it."""
    answer = shared.post("/conversations/search", num_fetch_result=7, page=2, conversation_type="phone_call")
    kinds = [one["conversation_type"] for one in talks(shared).values()]
    assert answer["pagination"]["total_entries"] == kinds.count("phone_call")
    assert (len(answer["conversations"]), answer["num_fetch_result"], answer["breadcrumbs"]) == (7, 7, {})
    assert "transcript" not in answer["conversations"][0]
    since = shared.post("/conversations/search", date_range={"start": "2026-08-20T00:00:00Z"})
    assert 0 < since["pagination"]["total_entries"] < len(kinds)


def test_insights_cost_a_credit(client):
    """With insights one credit and a transcript, without them neither; the key sets differ."""
    rich = next(own for own, one in talks(client).items() if one["state"] == "insights_generated")
    poor = next(own for own, one in talks(client).items() if one["state"] == "failed")
    first, second = client.get(f"/conversations/{rich}_share1"), client.get(f"/conversations/{poor}")
    assert (bool(first["transcript"]), second["transcript"]) == (True, [])
    assert set(second) < set(first)
    assert client.control("GET", "/ledger")["total"] == 1
    client.control("POST", "/credits", {"left": 0})
    poor_team = client.refusal("GET", f"/conversations/{rich}")
    assert poor_team == (422, {"error": "Insufficient credits. Please upgrade your plan."})
    unknown = client.refusal("GET", f"/conversations/{'a' * 24}")
    assert unknown == (404, {"error": "Conversation not found or access denied."})


def test_an_export(client):
    """An id at once, its file a little later behind a signed address, gzipped."""
    body = {"start_time": "2026-08-01", "end_time": "2026-08-30T12:00:00Z", "email": client.ids["users"][0]["email"]}
    answer = client.post("/conversations/export", **body)
    own = answer["export_id"]
    early = client.refusal("GET", f"/conversations/export/{own}")
    assert early == (404, {"error": "Export not found or access denied."})
    client.wait(2)
    url = client.get(f"/conversations/export/{own}")["redirect_url"]
    assert url.startswith("http://sandbox/_storage/")
    found = json.loads(gzip.decompress(client.send("GET", url).content))
    assert len(found) == sum("2026-08-01" <= one["start_time"] < "2026-08-30T12" for one in talks(client).values())
    assert client.send("GET", url.partition("?")[0]).status_code == 403
    assert client.api("POST", "/conversations/export", body).status_code == 429


@pytest.mark.parametrize(
    ("change", "status", "text"),
    [
        ({"start_time": "soon"}, 422, "start_time is not a valid ISO-8601 date."),
        ({"end_time": ""}, 422, "end_time is not a valid ISO-8601 date."),
        ({"end_time": "2026-07-01"}, 422, "start_time must be less than end_time."),
        ({"start_time": "2001-01-01", "end_time": "2001-01-02"}, 404,
         "Unable to find conversations within the given time range."),
        ({"email": "x@y.example"}, 404, NO_USER),
    ],
)  # fmt: skip
def test_export_refusals(shared, change, status, text):
    """The documented texts."""
    body = {"start_time": "2026-08-01", "end_time": "2026-08-30", "email": shared.ids["users"][0]["email"]} | change
    assert shared.refusal("POST", "/conversations/export", body) == (status, {"error": text})


@pytest.mark.parametrize("name", EMPTY)
def test_a_report_needs_seven_keys(shared, name):
    """Each of them, empty or not."""
    body = {key: value for key, value in EMPTY.items() if key != name}
    text = f"param is missing or the value is empty: {name}"
    assert shared.refusal("POST", "/reports/sync_report", body) == (400, {"error": text})


def test_reports_count_the_world(shared):
    """Flat, grouped with totals and pivoted reports agree with the records and with one another."""
    world = shared.sandbox.state.world
    sent = sum(mail["status"] == "completed" for mail in world.messages.values())
    flat = report(shared, metric("num_emails_sent"), metric("percent_emails_replied"))["table_response"]
    assert (flat["num_emails_sent"], flat["percent_emails_replied_denominator"]) == (sent, sent)
    grouped = report(
        shared, metric("num_phone_calls"), group_by=[{"name": "smart_user_id"}], group_by_totals_selected=True
    )
    buckets = grouped["table_response"]["smart_user_id"]["buckets"]
    total = grouped["group_by_total_response"]["smart_user_id"]["buckets"][0]
    assert sum(b["num_phone_calls"] for b in buckets) == total["num_phone_calls"] == len(world.calls)
    assert {b["readable_key"] for b in buckets} == {user["name"] for user in world.users}
    pivot = report(
        shared, metric("num_emails_sent"), group_by=[{"name": "smart_user_id"}],
        pivot_group_by=[{"name": "contact_stage_id"}],
    )["table_response"]["contact_stage_id"]["buckets"]  # fmt: skip
    inner = [row["num_emails_sent"] for bucket in pivot for row in bucket["smart_user_id"]["buckets"]]
    assert sum(inner) == sent
    months = report(shared, metric("num_contacts"), group_by=[{"name": "smart_datetime_month"}])
    keys = [b["key"] for b in months["table_response"]["smart_datetime_month"]["buckets"]]
    assert keys == sorted(keys)
    assert "2026-08-01" in keys


def test_report_windows_filters_and_references(shared):
    """Windows and filters choose, a wrong reference gives nothing, an unknown metric is refused."""
    name = metric("num_emails_sent")
    window = {"filters": {"smart_datetime_range": {"min": "2026-08-01", "max": "2026-08-31"}}}
    inside = report(shared, name, date_ranges=[{"modality": "custom_range"}], **window)
    assert inside["table_response"]["num_emails_sent"] > 0
    assert report(shared, name, date_ranges=[{"modality": "today"}])["table_response"] == {"num_emails_sent": 0}
    own = next(iter(shared.sandbox.state.world.sequence_messages))
    chosen = report(shared, name, filters={"emailer_campaign_ids": [own]})["table_response"]["num_emails_sent"]
    assert chosen == len(shared.sandbox.state.world.sequence_messages[own])
    assert report(shared, metric("num_emails_sent", "wrong"))["table_response"] == {"num_emails_sent": 0}
    body = EMPTY | {"metrics": [metric("num_miracles")]}
    assert shared.refusal("POST", "/reports/sync_report", body) == (400, {"error": "Invalid metric type"})


def test_five_reports_an_hour(client):
    """The sixth is throttled until the hour is over."""
    codes = [client.api("POST", "/reports/sync_report", EMPTY).status_code for _ in range(6)]
    assert codes == [200] * 5 + [429]


def test_credit_usage(client):
    """The ledger and both usage answers agree; pools outside of the plan have a limit of 0."""
    client.control("POST", "/credits", {"left": 100})
    client.post("/people/match", id=client.people()[0]["id"])
    answer = client.post("/usage_stats/credit_usage_stats")
    assert answer["credit_usage_stats"]["lead_credit"] == {"limit": 100, "consumed": 1, "left_over": 99}
    assert answer["credit_usage_stats"]["ai_credit"] == {"limit": 0, "consumed": 0, "left_over": 0}
    assert set(answer["current_credit_cycle"]) == {"start_date", "end_date"}
    profile = client.get("/users/api_profile?include_credit_usage=true")
    assert (profile["num_credits_remaining"], profile["total_unified_credits_used"]) == (99, 1)


def test_api_usage(client):
    """Keys are texts of arrays; the numbers are those of the headers; a new window starts at nothing."""
    client.post("/contacts/search")
    headers = client.api("POST", "/contacts/search", {}).headers
    key = '["api/v1/contacts", "search"]'
    windows = client.post("/usage_stats/api_usage_stats")[key]
    assert json.loads(key) == ["api/v1/contacts", "search"]
    assert windows["minute"] == {"limit": 200, "consumed": 2, "left_over": int(headers["x-minute-requests-left"])}
    client.wait(61)
    windows = client.post("/usage_stats/api_usage_stats")[key]
    assert (windows["minute"]["consumed"], windows["hour"]["consumed"]) == (0, 2)
    assert client.control("GET", "/usage")["operations"]["contacts_search"] == {"minute": 0, "hour": 2, "day": 2}


def test_the_assistant(client):
    """Started, polled, done, continued; always 200."""
    started = client.post("/agents/task", instruction="Count my deals")
    assert started == {"task_id": "t1", "status": "running", "next_action": "poll"}
    assert client.post("/agents/task", task_id="t1")["status"] == "running"
    client.wait(2)
    done = client.post("/agents/task", task_id="t1")
    assert (done["status"], done["latest_seq_num"], done["messages"][1]["role"]) == ("completed", 2, "assistant")
    assert client.post("/agents/task", task_id="t1", instruction="More")["status"] == "running"
    client.wait(2)
    assert client.post("/agents/task", task_id="t1")["latest_seq_num"] == 4
