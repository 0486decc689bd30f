"""The search for secrets in what is committed finds what is planted, and nothing in this project."""

import base64
import secrets
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.security.audit import ROOT, history, secrets_in, told, tree

RANDOM = base64.b64encode(bytes(range(7, 250, 7))).decode()
PLANTED = [
    "-----BEGIN RSA " + "PRIVATE KEY-----", "AKIA" + "IOSFODNN7QWERTYU", "gh" + "p_" + "a1B2" * 9, "xo" + "xb-1234567890-abc",
    "AIza" + "Sy" + "B" * 33, "eyJ" + "hbGciOiJIUzI1NiJ9.eyJ" + "zdWIiOiIxMjM0In0.SflKxwRJSMeKKF2", f'api_key: "{RANDOM}"',
    f"WORKFLOW_HOST_KEY={RANDOM}", f'"access_token": "{RANDOM[:30]}"', "postgresql://" + "admin:hunter2hunter2@db.internal/x",
]  # fmt: skip


@pytest.mark.parametrize("line", PLANTED, ids=range(len(PLANTED)))
def test_a_planted_secret_is_found(line: str) -> None:
    """Known forms, and random text beside a word for it; the finding doesn't repeat it."""
    (found, *_) = secrets_in(f"x\n{line}", "file")
    assert found.line == 2
    assert line not in str(found)


@pytest.mark.parametrize(
    "line",
    ['api_key = "your-key-goes-here-please"', "token = self.tokens.newest(connection)", '"client_secret": "canary-client-secret"',
     "key: 5d41402abc4b2a76b9719d911017c592aaaaaaaaaaaa", "http://user:password@example.com/"],
)  # fmt: skip
def test_what_opens_nothing_is_let_through(line: str) -> None:
    """Words, code and what is plainly made up."""
    assert list(secrets_in(line, "file")) == []


def is_checkout() -> bool:
    return shutil.which("git") is not None and (ROOT / ".git").exists()


@pytest.mark.skipif(not is_checkout(), reason="not a checkout")
def test_nothing_under_version_control_holds_a_secret() -> None:
    """As it is now; `make audit` searches the history, too."""
    assert [str(found) for found in tree(ROOT)] == []


@pytest.mark.skipif(shutil.which("git") is None, reason="no git")
def test_what_was_taken_out_again_is_found(tmp_path: Path) -> None:
    """A secret that was committed once stays one, whatever the tree looks like now."""

    def git(*arguments: str) -> None:
        identity = ["-c", "user.name=x", "-c", "user.email=x@example.com"]
        subprocess.run(["git", "-C", str(tmp_path), *identity, *arguments], check=True, capture_output=True)

    git("init", "-q")
    file = tmp_path / "settings.py"
    for text in (f'API_KEY = "{secrets.token_urlsafe(40).replace("_", "a")}"\n', "API_KEY = None\n"):
        file.write_text(text)
        git("add", ".")
        git("commit", "-qm", "x")
    assert list(tree(tmp_path)) == []
    assert [found.kind for found in history(tmp_path)] == ["high entropy"]


class Answered:
    """What pip-audit would leave behind."""

    def __init__(self, code: int, out: str, err: str = "") -> None:
        self.returncode, self.stdout, self.stderr = code, out, err


@pytest.mark.parametrize(
    ("done", "word", "count"),
    [
        (Answered(1, "", "No module named pip_audit"), "NOT CHECKED, pip-audit is not installed", 0),
        (Answered(1, "", "requests.exceptions.ConnectionError"), "NOT CHECKED, the data", 0),
        (Answered(0, '{"dependencies": [{"name": "a", "skip_reason": "not found"}]}'), "NOT CHECKED, the data", 0),
        (Answered(0, '{"dependencies": [{"name": "a", "version": "1", "vulns": []}]}'), "of 1 of 1 packages: none", 0),
        (Answered(1, '{"dependencies": [{"name": "a", "vulns": [{"id": "CVE-1"}]}]}'), "a: CVE-1", 1),
    ],
)
def test_an_unchecked_audit_says_so(capsys: pytest.CaptureFixture[str], done: Answered, word: str, count: int) -> None:
    """Nothing found is told apart from nothing looked up."""
    assert told(done) == count
    assert word in capsys.readouterr().out
