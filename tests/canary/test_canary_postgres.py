"""The same tour with PostgreSQL: no secret in a dump of it, in the logs of either side, or in what is shown."""

import os

import pytest

from tests.canary.scanner import Scanner
from tests.canary.tour import Tour, _environment, temporary_files_in
from tests.fuzz.corpus import sandbox

pytestmark = [pytest.mark.real, pytest.mark.full]
PARTS = ("keys", "oauth", "runs", "refreshes", "flows", "imports")


@pytest.fixture(scope="module")
def evidence(registered, tmp_path_factory, postgres):
    """The tour on PostgreSQL, done."""
    url = postgres.database()
    with sandbox("--seed", "77001") as facts:
        tour = Tour(tmp_path_factory.mktemp("tour"), facts, os.environ["PYTHONPATH"], url)
        urls = {"APOLLO_API_URL": facts["api_url"], "APOLLO_OAUTH_URL": facts["oauth_url"]}
        with _environment(**urls), temporary_files_in(tour.temporary):
            tour.here(*PARTS)
    tour.secrets = {name: secret for name, secret in tour.secrets.items() if secret}
    yield tour
    postgres.drop(url)


@pytest.fixture
def dump(evidence, postgres):
    """The whole database as text: schemas, rows of ours and of the engine."""

    def take() -> bytes:
        return postgres.tool("pg_dump", "--inserts", "--dbname", evidence.database).stdout

    return take


def names(found) -> list[str]:
    return sorted({f"{finding.secret} behind {'/'.join(finding.layers) or 'nothing'}" for finding in found})


def test_the_tour_went_everywhere(evidence):
    """Links, runs, refreshes and workflows happened here as they do on SQLite."""
    wanted = {"link key good": "ok", "finish": "ok", "run good": "ok", "run oauth": "ok", "refresh": "ok",
              "revoked": "ReauthorizationError", "workflow good": "ok", "workflow resumed": "ok", "import good": "ok"}  # fmt: skip
    assert {label: evidence.outcomes.get(label) for label in wanted} == wanted
    assert len(evidence.secrets) > 20


def test_no_secret_in_a_dump_of_the_database(evidence, dump):
    """Every row of every table, ours and the engine's, as pg_dump writes it: no secret behind three encodings."""
    text = dump()
    for table in (b"host_connections", b"host_journal", b"operation_outputs", b"workflow_status"):
        assert b"INSERT INTO" in text
        assert table in text, table
    assert names(Scanner(evidence.secrets).scan(text, "dump")) == []


def test_a_secret_planted_in_a_table_is_found(evidence, dump, postgres):
    """A secret in one field of one row, as text or as bytes, would have been seen."""
    scanner = Scanner({"key master": evidence.secrets["key master"]})
    name = evidence.database.partition("@/")[2].partition("?")[0]
    postgres.execute("CREATE TABLE planted (value bytea, note text)", name)
    try:
        secret = evidence.secrets["key master"]
        for value, note in ((secret[3:17].encode(), ""), (b"", f"x {secret[5:]}")):
            postgres.execute("DELETE FROM planted", name)
            postgres.execute(f"INSERT INTO planted VALUES ('\\x{value.hex()}', '{note}')", name)
            assert names(scanner.scan(dump(), "dump"))
    finally:
        postgres.execute("DROP TABLE planted", name)


def test_no_secret_in_what_is_shown_or_logged(evidence):
    """Neither in any message, repr or output, nor in a log at DEBUG: ours and the driver's."""
    scanner, seen = Scanner(evidence.secrets), set()
    logs = [file.read_bytes() for file in evidence.logs.iterdir()]
    assert sum(map(len, logs)) > 100_000
    texts = [*evidence.texts.values(), *evidence.outputs.values(), *logs]
    assert names(finding for text in texts for finding in scanner.lines(text, "text", seen)) == []
