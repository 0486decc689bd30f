"""One key: what it seals opens in one place only, unchanged."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apollo_component.contract.errors import StoreError
from apollo_component.host.sealing import Key, key_id_of

PLACE = ("c1", "oauth2", "credential", 3, "demo", "a1")
KEY = Key(b"k" * 32)
SEALED = KEY.seal(b"canary", *PLACE)
SECOND = bytes.fromhex(
    "77683263613262316565371364add815ff7ecc8acfec54ec6948354b3cceb40a8edfed38eb1180cb9e4eee9cdd"
)  # sealed once, to be opened by every later version
FIRST = bytes.fromhex(
    "77683163613262316565372d939df5191d389ccd49b6512ad033cfc88de0a5bd7ffada3889072020a69cc9bf60"
)  # sealed by the first version, for the first four parts
PARTS = st.one_of(st.integers(0, 9), st.text(max_size=3))


def test_a_sealed_value_opens_at_its_own_place():
    """What was sealed comes back unchanged for the same place, and its bytes don't show it."""
    assert KEY.open(SEALED, *PLACE) == b"canary"
    assert b"canary" not in SEALED
    assert KEY.seal(b"canary", *PLACE) != SEALED
    assert key_id_of(SEALED) == KEY.id


def said(caught):
    """The whole of what a person is told."""
    return caught.value.message, caught.value.hint


def test_what_is_stored_opens_for_ever():
    """A value that was sealed before, and the id and the proof of a key that databases hold, are the same in every
    later version."""
    assert KEY.open(SECOND, *PLACE) == b"canary"
    assert KEY.id == "ca2b1ee7"
    assert KEY.check_value == "4b00490acdc5a70dfde885d78a814ae7f687c155e9a9c4d6a397a4c8fb89e538"


def test_two_seals_never_share_a_nonce():
    """Each sealed value has 12 random bytes of its own behind its header, as AES-GCM wants them."""
    sealed = [KEY.seal(b"", *PLACE) for _ in range(50)]
    assert {len(value) for value in sealed} == {len(KEY.header) + 12 + 16}
    assert len({value[len(KEY.header) :][:12] for value in sealed}) == 50


def test_only_the_key_that_a_database_was_made_with_proves_it():
    """A key proves its own check value, and neither another key's nor a part of its own."""
    assert KEY.proves(KEY.check_value)
    for other in (Key.new().check_value, KEY.check_value[:-1], "", "ä"):
        assert not KEY.proves(other)


def test_a_refused_value_says_what_to_do_and_nothing_of_its_making():
    """The words name the danger and the way out; what the cipher said isn't shown behind them."""
    with pytest.raises(StoreError) as caught:
        KEY.open(SEALED, "elsewhere")
    assert said(caught) == (
        "A stored secret was changed or moved from another record, so it is not used.",
        "Link the account again, and find out who can write to the database.",
    )
    assert caught.value.__suppress_context__


@given(st.lists(PARTS, min_size=1, max_size=7).map(tuple))
def test_a_value_moved_elsewhere_is_refused(place):
    """Whatever part of the place differs (row, type, field, version, connector, app), the value doesn't open."""
    with pytest.raises(StoreError, match="changed or moved"):
        KEY.open(SEALED, *place)


@pytest.mark.parametrize("number", range(len(PLACE)))
@pytest.mark.parametrize("other", ["", "x", 4, "c1\0oauth2"])
def test_every_part_of_the_place_counts(number, other):
    """A single part that differs is enough."""
    with pytest.raises(StoreError, match="changed or moved"):
        KEY.open(SEALED, *PLACE[:number], other, *PLACE[number + 1 :])


@given(st.lists(PARTS, max_size=5).map(tuple), st.lists(PARTS, max_size=5).map(tuple))
def test_two_places_are_never_taken_for_one(one, other):
    """Texts with separators in them can't make one place look like another."""
    sealed = KEY.seal(b"x", *one)
    if [str(part) for part in one] == [str(part) for part in other]:
        assert KEY.open(sealed, *other) == b"x"
    else:
        with pytest.raises(StoreError):
            KEY.open(sealed, *other)


@given(st.integers(0, len(SEALED) * 8 - 1))
def test_a_changed_bit_is_refused(position):
    """No bit of a sealed value can be changed unnoticed, the format's and the key id's included."""
    broken = bytearray(SEALED)
    broken[position // 8] ^= 1 << position % 8
    with pytest.raises(StoreError):
        opened(bytes(broken))


@pytest.mark.parametrize("length", range(0, len(SEALED), 3))
def test_a_shortened_value_is_refused(length):
    """However much of a sealed value is missing, it is an error of the store."""
    with pytest.raises(StoreError):
        opened(SEALED[:length])


def opened(sealed):
    """As the vault does it: the key that the value names, then the value."""
    if key_id_of(sealed) != KEY.id:
        raise StoreError("another key")
    return KEY.open(sealed, *PLACE)


def test_the_first_format_is_still_read_where_it_was_bound():
    """What the first version sealed opens for the four parts it was bound to, and for no others."""
    assert KEY.open(FIRST, *PLACE) == b"canary"
    for place in (("c2", *PLACE[1:]), (*PLACE[:3], 4, *PLACE[4:])):
        with pytest.raises(StoreError, match="changed or moved"):
            KEY.open(FIRST, *place)
    assert KEY.seal(b"canary", *PLACE)[:3] == b"wh2"


@pytest.mark.parametrize("secret", [SEALED, FIRST], ids=["second", "first"])
def test_a_value_relabelled_as_another_format_is_refused(secret):
    """The format is bound too: no value can be made one of the format that binds less."""
    other = (b"wh1" if secret is SEALED else b"wh2") + secret[3:]
    with pytest.raises(StoreError, match="changed or moved"):
        KEY.open(other, *PLACE)


@pytest.mark.parametrize("begin", [b"", b"wh3ca2b1ee7", b"wh1\x1b[2Jabcd", b"WH1ca2b1ee7"])
def test_a_value_of_no_known_format_is_refused_without_repeating_it(begin):
    """What a key id isn't never comes into the words of an error."""
    with pytest.raises(StoreError) as caught:
        key_id_of(begin + b"rest")
    assert said(caught) == ("A stored secret has an unknown format.", "Link the account again.")


def test_a_key_is_written_and_read_but_never_shown():
    """A key's text is base64 of its 32 bytes; its repr shows nothing of it."""
    assert Key.parsed(KEY.text(), "here") == KEY
    assert base64.b64decode(KEY.text()) == b"k" * 32
    assert "kkk" not in repr(KEY)
    assert KEY.text() not in repr(KEY)
    assert len({Key.new().id for _ in range(5)}) == 5


@pytest.mark.parametrize("text", ["", "short", KEY.text()[:-1], KEY.text() + "AAAA", "ä" * 44, "!" * 44])
def test_a_text_that_is_no_key_is_refused_without_showing_it(text):
    """Anything but base64 of 32 bytes is refused, named by where it stands."""
    with pytest.raises(StoreError) as caught:
        Key.parsed(text, "HERE")
    assert said(caught) == ("HERE is not a key: base64 of exactly 32 bytes is expected.", "Put the right key back.")
