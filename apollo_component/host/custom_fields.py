"""A workspace's own fields as inputs: people write names, the service gets ids, and nothing wrong is sent.

Where an input schema says `x-fields`, the keys of that map may be names of the fields that an option source lists,
and values of pick lists the names of their options. A map whose keys are all ids is sent as it is, without a look-up.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from ..contract.actions import Action
from ..contract.errors import InputError, Problem
from ..contract.inputs import InputField, changed, input_fields
from ..contract.located import PathParts
from ..contract.manifest import Manifest, OptionSource
from ..contract.models import Choice
from ..contract.schemas import schemas_at
from .calls import Call
from .field_values import FieldMap, schema_of
from .options import Options


class CustomFields:
    def __init__(self, options: Options) -> None:
        self.options, self.registry, self.connections = options, options.registry, options.connections

    def prepared(self, call: Call) -> Call:
        """The call with ids in the place of names. Raises InputError, and what a look-up raises."""
        if not any(isinstance(value, Mapping | list) for value in call.input.values()):
            return call  # no map can be in it, so the store need not be asked
        return replace(call, input=self.resolved(call.connection, call.action, call.input))

    def resolved(self, connection: str, action: Action, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """The input with ids in the place of names; the fields are looked up only where there are names."""
        found: Any = values
        problems: list[Problem] = []
        for field, source in self._maps(self._manifest(connection), action):
            is_id = id_form(source)
            if names_in(values, field, is_id):
                known = FieldMap(tuple(self.options.every(connection, source.id)), is_id, problems)
                found = changed(found, field.path, known.resolved)
        if problems:
            raise InputError("The input was refused; nothing was sent.", problems)
        return dict(found)

    def known(self, connection: str, action: Action) -> dict[str, tuple[Choice, ...]]:
        """The workspace's fields for each such map of an action, by the map's dotted name."""
        maps = self._maps(self._manifest(connection), action)
        return {field.name: tuple(self.options.every(connection, source.id)) for field, source in maps}

    def schemas(self, connection: str, action: Action) -> dict[str, dict[str, Any]]:
        """The same as JSON Schemas: for each map, an object whose properties are the fields by their ids."""
        return {
            name: {"type": "object", "properties": {field.value: schema_of(field) for field in fields}}
            for name, fields in self.known(connection, action).items()
        }

    def _maps(self, manifest: Manifest, action: Action) -> Iterator[tuple[InputField, OptionSource]]:
        return maps(manifest, self.options.fields(manifest, action.input))

    def _manifest(self, connection: str) -> Manifest:
        return self.registry.manifest(self.connections.get(connection).connector)


def maps(manifest: Manifest, fields: Iterable[InputField]) -> Iterator[tuple[InputField, OptionSource]]:
    """The inputs that are maps of a workspace's own fields, each with the source that lists those."""
    for field in fields:
        if field.fields:
            yield field, manifest.option_sources[field.fields]


def look_ups(manifest: Manifest, action: Action, values: Any) -> list[tuple[str, str]]:
    """The maps of an input in which there are names, by their dotted names, each with the id of the action that lists
    the fields. Asks nobody."""
    fields = input_fields(schemas_at(manifest.root), action.input)
    return [
        (field.name, source.action)
        for field, source in maps(manifest, fields)
        if names_in(values, field, id_form(source))
    ]


def id_form(source: OptionSource) -> Callable[[str], object]:
    """Tells what needs no look-up; without a declared form everything does."""
    return re.compile(source.ids or "(?!)").fullmatch


def names_in(values: Any, field: InputField, is_id: Callable[[str], object]) -> list[str]:
    """The keys of a map of fields that aren't ids, wherever in the input it stands."""
    found: list[str] = []

    def note(_at: PathParts, here: Any) -> Any:
        found.extend(key for key in here if not is_id(key)) if isinstance(here, Mapping) else None
        return here

    changed(values, field.path, note)
    return found
