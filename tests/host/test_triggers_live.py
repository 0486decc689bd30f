"""Every declared trigger against the sandbox: what somebody does in Apollo becomes one event, about that record."""

from datetime import UTC, datetime

import httpx
import pytest

from apollo_component.apollo.plugin import plugin

from .following import Followed

pytestmark = pytest.mark.real
STEPS = "steps:\n  - {id: one, action: users_api_profile}\n"


class Team:
    """People who work in Apollo; each method does one thing there and tells about which record."""

    def __init__(self, sandbox):
        self.sandbox, self.key = sandbox, sandbox.facts["keys"]["master"]

    def api(self, method, path, **body):
        address = self.sandbox.facts["api_url"] + path
        reply = httpx.request(method, address, json=body or None, headers={"x-api-key": self.key})
        assert reply.status_code == 200, reply.text
        return reply.json()

    def control(self, path, **order):
        return self.sandbox.control("POST", path, order)

    def some(self, path, key):
        return self.api("POST", path, per_page=50)[key]

    def create(self, kind, **fields):
        return self.control("/create", kind=kind, fields=fields)["id"]

    def touch(self, kind, identity, **fields):
        self.control("/touch", kind=kind, id=identity, fields=fields)
        return identity

    def contact(self):
        return self.create("contact", first_name="Ida", last_name="Berg", email="ida@new.example")

    def changed_contact(self):
        return self.touch("contact", self.some("/contacts/search", "contacts")[20]["id"], title="Chief of Staff")

    def listed_contact(self):
        return self.touch("contact", self.contact(), label_names=["Newsletter"])

    def account(self):
        return self.create("account", name="Newcomer Ltd", domain="newcomer.example")

    def changed_account(self):
        return self.touch("account", self.some("/accounts/search", "accounts")[20]["id"], name="Renamed Ltd")

    def deal(self):
        return self.create("deal", name="A new deal")

    def moved_deal(self):
        deal = self.some("/opportunities/search", "opportunities")[0]
        stages = [stage["id"] for stage in self.api("GET", "/opportunity_stages")["opportunity_stages"]]
        other = next(stage for stage in stages if stage != deal["opportunity_stage_id"])
        return self.touch("deal", deal["id"], opportunity_stage_id=other)

    def dearer_deal(self):
        return self.touch("deal", self.some("/opportunities/search", "opportunities")[1]["id"], amount="77")

    def task(self):
        contact = self.some("/contacts/search", "contacts")[0]["id"]
        return self.create("task", contact_id=contact, status="scheduled", title="Due now")

    def call(self):
        user = self.api("GET", "/users/api_profile")["id"]
        contact = self.some("/contacts/search", "contacts")[0]["id"]
        return self.create(
            "call", contact_id=contact, user_ids=[user], start_time=datetime.now(UTC).isoformat(), status="completed"
        )

    def mail(self, kind):
        contacts = self.some("/contacts/search", "contacts")
        contact = next(one for one in contacts if one["email"] and not one["emailer_campaign_ids"])
        sequence = self.sandbox.control("GET", "/state")["sequences"]["Founder outreach"]
        box = self.api("GET", "/email_accounts")["email_accounts"][0]["id"]
        given = {"contact_ids": [contact["id"]], "send_email_from_email_account_id": box}
        self.api("POST", f"/emailer_campaigns/{sequence}/add_contact_ids", emailer_campaign_id=sequence, **given)
        done = self.control("/activity", contact_id=contact["id"], sequence_id=sequence, type=kind)
        return done["emailer_message_id"]

    def list_id(self):
        return next(label["id"] for label in self.api("GET", "/labels") if label["name"] == "Newsletter")


CASES = {
    "contact_created": Team.contact,
    "contact_updated": Team.changed_contact,
    "list_member_added": Team.listed_contact,
    "account_created": Team.account,
    "account_updated": Team.changed_account,
    "deal_created": Team.deal,
    "deal_stage_changed": Team.moved_deal,
    "deal_updated": Team.dearer_deal,
    "task_created": Team.task,
    "task_due": Team.task,
    "email_replied": lambda team: team.mail("replied"),
    "email_opened": lambda team: team.mail("opened"),
    "email_bounced": lambda team: team.mail("bounced"),
    "call_logged": Team.call,
}


def test_every_trigger_that_asks_is_tried():
    """No trigger is declared without having been seen to work."""
    assert set(CASES) == {item.id for item in plugin.manifest.triggers.values() if item.action}


@pytest.mark.parametrize("trigger", CASES)
def test_what_happens_is_one_event(live, sandbox, trigger):
    """Nothing that was there starts a run; one thing that happens starts one, with the record and its time."""
    team = Team(sandbox)
    filters = f", with: {{contact_label_ids: [{team.list_id()}]}}" if trigger == "list_member_added" else ""
    head = "name: follow\nconnections: {apollo: {connector: apollo, use: mine}}\n"
    follow = Followed(live, f"{head}trigger: {{on: {trigger}{filters}}}\n{STEPS}")
    first = follow.look()
    assert (first.began, first.started) == (True, 0)
    happened = CASES[trigger](team)
    for _ in range(2):
        follow.look()
    [run] = follow.runs()
    event = run.inputs["trigger"]
    assert event["id"] == event["record"]["id"] == happened
    assert bool(event["at"]) is bool(plugin.manifest.triggers[trigger].time)
    assert follow.row.error == {}
