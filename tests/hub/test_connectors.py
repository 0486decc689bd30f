"""The pages of connectors, their actions and triggers, and their icons."""

import json
import re
from html import unescape
from pathlib import Path

import pytest

from apollo_component.contract.inputs import input_fields
from apollo_component.contract.schemas import schemas_at
from apollo_component.host.workflow.file import parse_workflow

from .pages import read

ROOT = Path(__file__).parent.parent.parent


@pytest.mark.full
def test_each_node_has_its_page(browser, host):
    """It names every input at every depth, what it costs and needs, and how to go on; no command's options."""
    manifest = host.registry.manifest("apollo")
    for action in manifest.actions.values():
        page = browser.get(f"/connectors/apollo/actions/{action.id}")
        assert page.status == 200, action.id
        assert action.title in page.text
        assert f'href="/try/apollo/{action.id}"' in page.html
        fields = input_fields(schemas_at(manifest.root), action.input)
        assert re.findall(r'"rowheader" class="depth-\d"><code>(\w+)<', page.html)[: len(fields)] == [
            f.path[-1] for f in fields
        ]
        for part in manifest.parts(action.id):
            assert (part.requires.key_endpoint or "") in page.text
        assert "--" not in page.text, action.id
    for trigger in manifest.triggers.values():
        page = browser.get(f"/connectors/apollo/triggers/{trigger.id}")
        assert page.status == 200, trigger.id
        assert "--" not in page.text, trigger.id


def test_a_node_page_tells_what_a_field_takes(browser):
    """Nested fields stand below their object with their choices and what is needed."""
    html = browser.get("/connectors/apollo/actions/people_bulk_match").html
    assert re.search(r'class="depth-1"><code>email</code>', html)
    text = browser.get("/connectors/apollo/actions/people_match").text
    assert "up to 1 credit; 8 more with reveal_phone_number" in text
    assert "Costs credits each time it runs." in text


def test_a_node_page_shows_a_record(browser, host):
    """The example of its record's schema, whole; where the schema gives none, there is none."""
    manifest = host.registry.manifest("apollo")
    records = {f"actions/{action.id}": action.output for action in manifest.actions.values()}
    records |= {f"triggers/{trigger.id}": manifest.record_of(trigger) for trigger in manifest.triggers.values()}
    shown = 0
    for path, record in records.items():
        given = schemas_at(manifest.root).schema(record).get("examples", [])[:1] if record else []
        found = read(browser.get(f"/connectors/apollo/{path}").html).all("pre", id="output-example")
        assert [json.loads(one.text) for one in found] == given, path
        shown += len(found)
    assert 0 < shown < len(records)


def test_a_step_can_be_pasted_into_a_workflow_file(browser, host):
    """The lines of each action make a valid step, those of each trigger a start with what it needs, in capitals."""
    manifests = host.registry.manifests
    filled = {"ACTION": "contacts_show", "    id:\n": "    contact_id:\n", "CONTACT_LABEL_IDS": f"[{'0' * 24}]"}

    def parsed(path, head):
        text = unescape(re.search(r'(?s)<pre id="step".*?>(.*?)</pre>', browser.get(path).html)[1])
        for word, value in filled.items():
            text = text.replace(word, value)
        return parse_workflow(f"name: pasted\nconnections: {{apollo: {{connector: apollo}}}}\n{head}{text}", manifests)

    for action in manifests["apollo"].actions:
        assert parsed(f"/connectors/apollo/actions/{action}", "steps:\n").steps[0].action.id == action
    for trigger in manifests["apollo"].triggers:
        assert parsed(f"/connectors/apollo/triggers/{trigger}", "").start.trigger.id == trigger


@pytest.mark.parametrize(
    "path", ["/connectors/none", "/connectors/apollo/actions/none", "/connectors/apollo/triggers/people_match"]
)
def test_what_isnt_there_is_told(browser, path):
    """As a page, with 404."""
    assert browser.get(path).status == 404


def test_a_connector_tells_how_to_link_it(browser, host):
    """Every step of every connection type, and the address that an app must know."""
    text = browser.get("/connectors/apollo").text
    for kind in host.registry.manifest("apollo").connection_types.values():
        assert kind.title in text
        assert all(step.title in text for step in kind.guide)
    assert "http://127.0.0.1:8765/callback" in text


def test_an_icon_can_do_nothing(browser, anyone):
    """It is a picture under a policy of its own; without a session it isn't given."""
    answer = browser.get("/connectors/apollo/icon").answer
    assert answer.headers["content-type"] == "image/svg+xml"
    assert answer.headers["content-security-policy"] == "default-src 'none'; style-src 'unsafe-inline'; sandbox"
    assert answer.content == (ROOT / "icon.svg").read_bytes()
    assert anyone.get("/connectors/apollo/icon").status == 303
