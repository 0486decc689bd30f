"""Creates that can't be repeated: a lost one is looked up instead."""

from typing import Any

import pytest

pytestmark = [pytest.mark.chaos, pytest.mark.full]


@pytest.mark.parametrize("point", ["before_send", "after_reply"])
def test_a_lost_create_is_found_instead_of_repeated(trial: Any, undisturbed: Any, point: str) -> None:
    """Without de-duplication by the service, a create whose answer was lost is looked up and never sent again."""
    text = trial.workflow.read_text()
    trial.workflow = trial.folder / "creates.yaml"
    trial.workflow.write_text(text.replace("      run_dedupe: true\n", "").replace("concurrency: 3", "concurrency: 1"))
    victim = trial.victim(point=point, item="contacts:13")
    run = victim.run_id()
    victim.died()
    trial.note_death(run)
    if point == "after_reply":
        again = trial.victim(run, point="after_found", item="contacts:13")
        again.died()
        trial.note_death(run)
    process = trial.resume(run)
    if point == "before_send":
        assert process.popen.wait(60) == 7, process.told()
        [doubt] = trial.command("runs", "show", run).finish()["in_doubt"]
        assert doubt["item"] == "13"
        assert doubt["outcome"] == "sent, answer lost, not repeated"
    else:
        assert process.finish()["status"] == "done"
    assert max(trial.sent(run)[f"contacts:{n}"] for n in range(len(undisturbed.emails))) == 1


@pytest.mark.parametrize("point", ["before_send", "after_reply", "after_record", "after_save"])
def test_a_composed_create_is_made_once_wherever_it_is_killed(trial: Any, point: str) -> None:
    """Find or create: killed before, while and after it creates, the run goes on with the recorded part, looks a lost
    one up, and makes no contact twice."""
    text = trial.workflow.read_text()
    trial.workflow = trial.folder / "composed.yaml"
    text = text.replace("      run_dedupe: true\n", "").replace("contacts_create", "contacts_find_or_create")
    trial.workflow.write_text(text.replace("concurrency: 3", "concurrency: 1"))
    victim = trial.victim(point=point, item="contacts:4" if point == "after_save" else "contacts:4:create")
    run = victim.run_id()
    victim.died()
    trial.note_death(run)
    process = trial.resume(run)
    if point == "before_send":
        assert process.popen.wait(60) == 7, process.told()
    else:
        assert process.finish()["status"] == "done"
        outcomes = [record["outcome"] for record in trial.records(run, "contacts")]
        assert outcomes[4] == "created"
    sent = trial.sent(run)
    assert max(count for item, count in sent.items() if item.startswith("contacts:")) == 1
