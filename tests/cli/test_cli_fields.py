"""What is said of a field."""

import pytest

from apollo_component.host.field_words import about


@pytest.mark.parametrize(
    ("schema", "text"),
    [
        ({"title": "From", "minimum": 0}, "From. At least 0."),
        ({"description": "Keys, at most 1,000.", "maxItems": 1000}, "Keys, at most 1,000."),
        ({"description": "0 to 23.", "minimum": 0, "maximum": 23}, "0 to 23."),
        ({"description": "A credit for every 25.", "maximum": 25}, "A credit for every 25. At most 25."),
        ({"description": "Exactly one entry.", "maxItems": 1}, "Exactly one entry."),
        ({"description": "The field.", "maxItems": 1}, "The field. At most 1 item."),
        ({"description": "Names.", "maxItems": 2000}, "Names. At most 2,000 items."),
        ({"title": "Name"}, "Name"),
    ],
)
def test_limits_are_told_once(schema, text):
    """Sentences are joined as such, and a limit that the description tells isn't repeated."""
    assert about(schema) == text
