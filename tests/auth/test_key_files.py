"""Which files with a key or secret are accepted, by owner, mode, mount and kind."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from types import SimpleNamespace

import pytest

from binance_usdm._auth import key_files
from binance_usdm._auth.key_files import read_key_file
from binance_usdm._secrets import Problem

pytestmark = pytest.mark.skipif(
    not hasattr(os, "geteuid"), reason="this system keeps rights elsewhere than in a file's mode"
)
READABLE, FOREIGN, LINK, WRITABLE = (
    "file is readable by other users; run `chmod 600 FILE`, or in a container mount it read-only",
    "file belongs to another user; run `chown` on it, or in a container mount it read-only",
    "file cannot be opened: it is a symbolic link; use the path of its target",
    "file can be changed by other users; mount it with mode 0444 or 0440",
)
ROOT, ME, OTHER = 0, 1000, 2000


def read_as(
    monkeypatch: pytest.MonkeyPatch,
    path: Path,
    user: int,
    owner: int,
    mode: int,
    is_read_only: bool = False,
) -> bytes | Problem:
    """Read a file as if this user met this owner and mode."""

    def fake_stat(descriptor: int) -> SimpleNamespace:
        assert stat.S_ISREG(os.stat(descriptor).st_mode)
        return SimpleNamespace(st_mode=stat.S_IFREG | mode, st_uid=owner)

    flags = os.ST_RDONLY | os.ST_NOSUID if is_read_only else os.ST_NOSUID
    monkeypatch.setattr(os, "geteuid", lambda: user)
    monkeypatch.setattr(os, "fstat", fake_stat)
    monkeypatch.setattr(os, "fstatvfs", lambda _: SimpleNamespace(f_flag=flags))
    content = read_key_file(path)
    monkeypatch.undo()
    return content


def make_file(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "canary").write_bytes(b"content")
    return folder / "canary"


@pytest.mark.promise("S7")
@pytest.mark.parametrize(
    ("user", "owner", "mode", "problem"),
    [
        (ME, ME, 0o600, None), (ME, ME, 0o400, None), (ROOT, ROOT, 0o600, None),
        (ME, ME, 0o640, READABLE), (ME, ME, 0o604, READABLE), (ME, ME, 0o444, READABLE),
        (ROOT, ROOT, 0o640, READABLE), (ROOT, ROOT, 0o444, READABLE),
        # root's file for the group of a service
        (ME, ROOT, 0o640, None), (ME, ROOT, 0o440, None),
        (ME, ROOT, 0o444, READABLE), (ME, ROOT, 0o660, READABLE), (ME, ROOT, 0o650, READABLE),
        (ME, ROOT, 0o641, READABLE), (ME, ROOT, 0o642, READABLE), (ME, ROOT, 0o644, READABLE),
        (ME, ROOT, 0o600, FOREIGN), (ME, OTHER, 0o600, FOREIGN), (ME, OTHER, 0o640, FOREIGN), (ME, OTHER, 0o444, FOREIGN),
        (ROOT, OTHER, 0o600, FOREIGN), (ROOT, OTHER, 0o440, FOREIGN),
    ],
)  # fmt: skip
def test_ordinary_file_is_private(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    user: int,
    owner: int,
    mode: int,
    problem: str | None,
) -> None:
    """A file in a home directory is its user's only, or root's and its group's."""
    content = read_as(monkeypatch, make_file(tmp_path), user, owner, mode)
    if problem is None:
        assert content == b"content"
    else:
        assert isinstance(content, Problem)
        assert content.startswith(problem)


@pytest.mark.promise("S7")
@pytest.mark.parametrize("place", ["read-only mount", "directory for secrets"])
@pytest.mark.parametrize("kind", ["file", "link", "link to a link"])
@pytest.mark.parametrize("user", [ROOT, ME])
@pytest.mark.parametrize(
    ("owner", "mode"),
    [(ROOT, 0o444), (ROOT, 0o440), (ROOT, 0o644), (OTHER, 0o440), (OTHER, 0o644), (ME, 0o400)],
)
def test_mounted_secret_is_accepted(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    place: str,
    kind: str,
    user: int,
    owner: int,
    mode: int,
) -> None:
    """A secret of Kubernetes or Docker is accepted as it is mounted."""
    path = make_file(tmp_path / "secrets")
    if kind == "link":
        path = path.with_name("link")
        path.symlink_to("canary")
    elif kind == "link to a link":
        # So Kubernetes replaces the files of a secret at once.
        (tmp_path / "secrets" / "..data").symlink_to(".")
        path = path.with_name("link")
        path.symlink_to("..data/canary")
    is_read_only = place == "read-only mount"
    if not is_read_only:
        directories = (f"{os.path.realpath(tmp_path)}/secrets/",)
        monkeypatch.setattr(key_files, "SECRET_DIRECTORIES", directories)
    assert read_as(monkeypatch, path, user, owner, mode, is_read_only) == b"content"


@pytest.mark.promise("S7")
@pytest.mark.parametrize("mode", [0o666, 0o664, 0o646, 0o622, 0o755, 0o777, 0o410, 0o401])
def test_mounted_secret_is_read_only(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, mode: int
) -> None:
    """A mounted file that group or others may change or execute is rejected."""
    path = make_file(tmp_path)
    assert read_as(monkeypatch, path, ME, ROOT, mode, is_read_only=True) == WRITABLE


@pytest.mark.promise("S7")
def test_link_out_of_secrets_is_rejected(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The directory for secrets counts by the resolved path, not by the given one."""
    path = make_file(tmp_path / "home")
    link = tmp_path / "secrets" / "link"
    link.parent.mkdir()
    link.symlink_to(path)
    directories = (f"{os.path.realpath(tmp_path)}/secrets/",)
    monkeypatch.setattr(key_files, "SECRET_DIRECTORIES", directories)
    assert read_as(monkeypatch, link, ME, ME, 0o600) == LINK
    monkeypatch.setattr(key_files, "SECRET_DIRECTORIES", directories)
    around = tmp_path / "secrets" / ".." / "home" / "canary"
    content = read_as(monkeypatch, around, ME, ME, 0o644)
    assert isinstance(content, Problem)
    assert content.startswith(READABLE)


def test_secret_directories_are_those_of_containers() -> None:
    """Docker mounts secrets at /run/secrets, which old images call /var/run/secrets."""
    assert key_files.SECRET_DIRECTORIES == ("/run/secrets/", "/var/run/secrets/")


def test_missing_access_is_explained(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A file that the process may not open is reported with what to do."""

    def denied(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", denied)
    content = read_key_file(make_file(tmp_path))
    assert isinstance(content, Problem)
    assert "cannot be opened: Permission denied; give this process's user access" in content
