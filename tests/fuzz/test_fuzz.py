"""The fuzzers for a few seconds; `make fuzz` runs them at full size."""

from pathlib import Path

import pytest

from apollo_component.connector.replies import error_for
from apollo_component.contract.errors import RejectedError
from apollo_component.contract.models import Reply
from tests.fuzz.__main__ import run
from tests.fuzz.mutator import Mutator, written
from tests.fuzz.watching import BrokenError, Watched

SEED = "quick"


@pytest.mark.real
@pytest.mark.parametrize(("kind", "count"), [("replies", 15_000), ("fragments", 800), ("whole", 48)])
def test_only_typed_errors_in_bounded_time_and_memory(kind: str, count: int, tmp_path: Path) -> None:
    """Whatever is done to an answer, a manifest or a workflow file: it is read, or refused by an error of the contract
    that shows no secret the answer repeats."""
    watched = run(kind, count, SEED, tmp_path)
    assert watched.outcomes.total() == count
    assert watched.outcomes["read"] > count // 50
    assert len(watched.outcomes) > (8 if kind == "replies" else 1)


def watched(folder: Path, **more: object) -> Watched:
    return Watched("x", "1/2", folder, seconds=0.2, megabytes=1000, secrets={"key": "s3cr3t-of-24-characters!"}, **more)


@pytest.mark.parametrize(
    "shown", ["s3cr3t-of-24-characters!", "cr3t-of-24-c", "S3CR3T-OF-24-CHAR", "czNjcjN0LW9mLTI0LWNoYXJhY3RlcnMh"]
)
def test_a_planted_secret_is_found(tmp_path: Path, shown: str) -> None:
    """An error that shows a secret, or 12 characters of it, or its base64, ends the run."""
    found = watched(tmp_path)

    def leak() -> None:
        raise error_for(Reply(422, {}, written({"error": f"You sent {shown}"})), None, ())

    found.one(1, b"", leak)
    with pytest.raises(BrokenError, match="errors show key"):
        found.finish()


def test_hidden_by_the_reader_it_is_not_found(tmp_path: Path) -> None:
    """The same answer, read with what the request carried, shows nothing of it."""
    found = watched(tmp_path)

    def hidden() -> None:
        body = written({"error": "You sent s3cr3t-of-24-characters! and CR3T-OF-24-C czNjcjN0LW9mLTI0LWNoYXJhY3RlcnMh"})
        raise error_for(Reply(422, {}, body), None, (), ["s3cr3t-of-24-characters!"])

    found.one(1, b"", hidden)
    found.finish()
    assert found.outcomes == {"RejectedError": 1}


@pytest.mark.parametrize("error", [ValueError("x"), RecursionError(), MemoryError(), AssertionError(), SystemExit(1)])
def test_any_other_error_ends_the_run(tmp_path: Path, error: BaseException) -> None:
    """What is no error of the contract is told with the seed, and its input is kept."""

    def fail() -> None:
        raise error

    with pytest.raises(BrokenError, match=r"seed 1/2, input 7: .*x-1-2-7\.input"):
        watched(tmp_path).one(7, b"the input", fail)
    assert (tmp_path / "x-1-2-7.input").read_bytes() == b"the input"


def test_a_slow_input_ends_the_run(tmp_path: Path) -> None:
    """An input that takes too much of the processor is a failure."""

    def slow() -> None:
        sum(range(30_000_000))
        raise RejectedError("x")

    with pytest.raises(BrokenError, match="of the processor"):
        watched(tmp_path).one(1, b"", slow)


def test_the_same_seed_gives_the_same_inputs() -> None:
    """A failure can be had again."""
    made = [[Mutator(seed).raw(b'{"a": [1, 2, 3]}' * 9) for _ in range(9)] for seed in ("a", "a", "b")]
    assert made[0] == made[1] != made[2]


def test_what_the_fuzzers_found_stays_mended(tmp_path: Path) -> None:
    """Names of files that no file can have, and unknown parts beside the known ones, are problems like all others."""
    from apollo_component.contract.errors import ManifestError
    from apollo_component.contract.loading import load_file

    text = (Path(__file__).parents[2] / "connector.yaml").read_text("utf-8")
    (tmp_path / "schemas").symlink_to(Path(__file__).parents[2] / "schemas")
    broken = text.replace("output: schemas/", f"output: schemas/{'x' * 300}/", 1) + "\nusage_more:\n"
    broken = broken.replace("\nusage:\n", "\nusage:\n  unknown:\n", 1)
    (tmp_path / "connector.yaml").write_text(broken, "utf-8")
    with pytest.raises(ManifestError) as caught:
        load_file(tmp_path / "connector.yaml")
    said = str(caught.value)
    assert "at most 200 characters" in said
    assert "usage.unknown" in said
