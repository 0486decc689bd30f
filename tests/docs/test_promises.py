"""Every promise of the documents is kept by a test that `make test` runs (tests/promises.py, tests/promises.yaml)."""

import re

import pytest

from tests import promises
from tests.chaos.faults.table import load
from tests.promises import DOCUMENTS, Place, Promise, fault_promises, threats

FULL = """
import pytest


@pytest.mark.full
def test_slow(): ...


@pytest.mark.parametrize("how", [1, pytest.param(2, id="long", marks=pytest.mark.full), pytest.param(3, id="short")])
def test_either(how): ...


class TestMany:
    pytestmark = [pytest.mark.real, pytest.mark.full]

    def test_inside(self): ...


def test_fast(): ...
"""
PLACE = Place("docs/repeats.md", "The promise", "It is so.")


@pytest.fixture
def written(tmp_path):
    """Writes a file of tests below a folder of its own; its name as the map has it."""

    def write(text):
        (tmp_path / "tests").mkdir()
        (tmp_path / "tests/test_one.py").write_text(text)
        return "tests/test_one.py"

    return write


def test_every_promise_is_mapped_or_excused():
    """A new section or sentence needs its tests or a reason, and the map names nothing that no document says."""
    new, gone = promises.unaccounted()
    assert not new, f"add to tests/promises.yaml, or under `not promises` with a reason:\n{promises.lines(new)}"
    assert not gone, f"take out of tests/promises.yaml:\n{promises.lines(gone)}"
    assert promises.twice() == []


def test_every_promise_names_tests_that_there_are():
    """A test that was renamed or removed is missed here, in the map and in docs/security.md."""
    assert "\n".join(promises.without_test(promises.promises())) == ""


def test_every_promise_has_a_quick_test():
    """What only `make test-all` tries may be broken for a day before anybody sees it."""
    assert "\n".join(promises.without_quick_test(promises.promises())) == ""


def test_every_threat_has_what_is_done_and_a_test():
    """Three cells each, and the last one names nothing but tests."""
    found = threats()
    assert len(found) > 30
    assert [row[0] for row in found if len(row) != 3 or not all(row)] == []
    assert [row[0] for row in found if ", ".join(promises.tests_in(row[2])) != row[2]] == []


def test_every_fault_and_outcome_is_a_promise():
    """The rows of docs/faults.md are listed with the cells that keep them, one of which `make test` tries."""
    found = fault_promises()
    table = load()
    cells = {*table.cells(chaos=False), *table.cells(chaos=True)}
    assert {(row.fault, work) for row in found for work in row.works} == cells
    assert all(table.faults[row.fault].cells[work] == row.outcome for row in found for work in row.works)
    assert len(found) == len({row[:2] for row in found}) > 100
    quick = table.chosen()
    assert [row for row in found if not any((row.fault, work) in quick for work in row.works)] == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_sentence_more_is_noticed(document):
    """In prose, as an item of a list and as a row of a table; what is code, a picture or a comment isn't read."""
    text = (promises.ROOT / document).read_text("utf-8")
    more = """
## New

**So it is.** A first one. `A` second
one ([link](x.md)).

- **An item.** More of it.
- Another item, which
  goes on. And on.

| Head | What |
| --- | --- |
| `row` | told |

| A picture |
| --- |
| ![of it](hub/x.webp) |

<!-- A remark. -->

```python
code = "A sentence."
```
"""
    found = [place for place in promises.read(document, text + more) if place not in promises.read(document)]
    assert [(place.section, place.text) for place in found] == [
        ("New: So it is", "A first one."),
        ("New: So it is", "`A` second one (link)."),
        ("New", "An item."),
        ("New", "Another item, which goes on."),
        ("New", "`row`"),
    ]


def test_what_is_to_be_added_can_be_pasted():
    """The lines are keys of the map as they stand, however they have to be quoted."""
    places = [PLACE, PLACE._replace(text='"Again": means `so`'), Place("docs/hub.md", "Pages: Linking", "Yes.")]
    written = promises.yaml.safe_load(promises.lines(places))
    found = [
        Place(document, section, text)
        for document, sections in written.items()
        for section, texts in sections.items()
        for text in texts
    ]
    assert found == places


@pytest.mark.parametrize(
    ("test", "is_full"),
    [("test_slow", True), ("test_fast", False), ("test_either", False), ("test_either[long]", True),
     ("test_either[short]", False), ("TestMany::test_inside", True)],
)  # fmt: skip
def test_a_test_of_the_second_tier_is_known(written, tmp_path, test, is_full):
    """By the mark of the function, its class, or the one id that is named."""
    name = f"{written(FULL)}::{test}"
    assert promises.exists(name, tmp_path)
    assert promises.is_full(name, tmp_path) is is_full


@pytest.mark.parametrize("mark", ["pytest.mark.full", "[pytest.mark.real, pytest.mark.full]", "(pytest.mark.full,)"])
def test_a_module_of_the_second_tier_is_known(written, tmp_path, mark):
    """A single mark, a list and a tuple."""
    name = written(f"import pytest\n\npytestmark = {mark}\n\n\nasync def test_fast(): ...\n")
    assert promises.is_full(f"{name}::test_fast", tmp_path)


def test_a_promise_that_lost_its_quick_test_is_told(written, tmp_path):
    """By its document, section and words; one quick test is enough."""
    name = written(FULL)
    lost = Promise(PLACE, (f"{name}::test_slow",))
    kept = Promise(PLACE, (f"{name}::test_slow", f"{name}::test_fast"))
    [told] = promises.without_quick_test([kept, lost], tmp_path)
    assert re.search(r"docs/repeats.md, The promise: It is so.\n.*only tests/test_one.py::test_slow", told)


def test_a_name_that_no_test_has_is_told(written, tmp_path):
    """A missing file, a missing test, a function that is no test, and a promise without any."""
    name = written("def helper(): ...\n")
    wrong = (f"{name}::test_gone", f"{name}::helper", "tests/test_nowhere.py::test_a")
    told = promises.without_test([Promise(PLACE, wrong), Promise(PLACE, ())], tmp_path)
    assert len(told) == 4
    assert told[0].endswith("names no test")
