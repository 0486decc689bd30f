"""What can be sent on, and what can't."""

import pytest

from apollo_component.cli.workflows import _resumed
from apollo_component.contract.errors import InputError
from apollo_component.host.runs import FAILED


def test_a_run_of_a_single_action_can_not_be_resumed(host):
    """It is refused in words that say so; a workflow's run that failed goes on."""
    action, workflow = (host.runs.create(kind, "x", inputs={"a": 1}).id for kind in ("action", "workflow"))
    for run in (action, workflow):
        host.runs.update(run, FAILED)
    with pytest.raises(InputError, match="only workflow runs can be resumed"):
        _resumed(host, action, None)
    assert _resumed(host, workflow, None) == workflow
