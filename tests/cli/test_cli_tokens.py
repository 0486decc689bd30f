"""The commands about tokens for the JSON API."""


def test_a_token_is_printed_once(cli):
    """Alone on stdout, for a script to keep; the list has its name and never the token, and a removed one is gone."""
    done = cli("tokens", "add", "Builder", "--days", "2")
    assert done.code == 0
    secret = done.out.strip()
    assert secret.startswith("wh_")
    assert secret not in done.err
    told = cli("tokens", "list", "--json")
    assert [(item["name"], item["used_at"]) for item in told.json] == [("Builder", None)]
    assert secret not in told.out
    assert cli("tokens", "remove", "Builder").code == 2
    assert cli("tokens", "remove", "Builder", "--yes").code == 0
    assert "no tokens yet" in cli("tokens", "list").out
    assert cli("tokens", "remove", "Builder", "--yes").code == 4


def test_a_name_is_used_once(cli):
    """A second token of a name is refused, and so is a time that is none."""
    assert cli("tokens", "add", "Builder").code == 0
    assert cli("tokens", "add", "Builder", "--json").error["problems"][0]["path"] == "name"
    assert cli("tokens", "add", "Other", "--days", "0", "--json").error["problems"][0]["path"] == "days"
