"""A workflow that is enabled, and looks for what starts it when a test says so."""

from apollo_component.host.workflow.engine import prepared
from apollo_component.host.workflow.file import parse_workflow
from apollo_component.host.workflow.subscriptions import Subscriptions
from apollo_component.host.workflow.sweeps import Sweeps


class Followed:
    def __init__(self, host, text, since=None):
        self.host, self.subscriptions = host, Subscriptions(host.store, host.clock)
        self.workflow = parse_workflow(text, host.registry.manifests)
        self.enable(since)
        self.sweeps = Sweeps(host, self.subscriptions)

    def enable(self, since=None):
        stored = prepared(self.host, self.workflow, {}, {})
        self.id, _ = self.subscriptions.enable(self.workflow, stored, None, since)

    @property
    def row(self):
        return self.subscriptions.get(self.id)

    def look(self):
        return self.sweeps.look(self.row, self.workflow)

    def runs(self):
        return self.host.runs.started_by_subscriptions(10_000)
