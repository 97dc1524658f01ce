"""Read files with a key or secret, and check who else can access them."""

from __future__ import annotations

import os
import stat
from typing import Final

from binance_usdm._secrets import Problem

MAX_KEY_FILE_BYTES: Final = 64 * 1024
SECRET_DIRECTORIES = ("/run/secrets/", "/var/run/secrets/")
"""Where Docker and Kubernetes mount secrets."""
# The resolved path must not become a symbolic link, the open must not wait for the writer of a
# pipe, and a terminal must not become the controlling one. Windows has none of these flags. `open`
# adds O_CLOEXEC.
_OPEN_FLAGS = sum(getattr(os, flag, 0) for flag in ("O_NOFOLLOW", "O_NONBLOCK", "O_NOCTTY"))
_IN_CONTAINER = ", or in a container mount it read-only or pass its content in a variable"


def read_key_file(path: str | os.PathLike[str]) -> bytes | Problem:
    """Return the content of a key file, at most one byte more than a key may have, or a problem.

    On POSIX it must be a regular file of one of these kinds:

    - The user's file, without access for group and others.
    - A file of root that its group may read, for a process of another user.
    - A file on a read-only mount or under `/run/secrets` or `/var/run/secrets`, of any owner, that
      group and others can only read. It may be a symbolic link. So Kubernetes and Docker mount
      secrets.
    """
    is_link = os.path.islink(path)
    try:
        target = os.path.realpath(path)
        with open(target, "rb", buffering=0, opener=_open_descriptor) as file:
            # The open file is checked, so the path may change without any effect.
            problem = _access_problem(file.fileno(), target, is_link)
            return file.read(MAX_KEY_FILE_BYTES + 1) if problem is None else problem
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a valid path"
        if isinstance(error, PermissionError):
            reason += "; give this process's user access, such as with fsGroup in Kubernetes"
    if is_link:
        reason += "; it is a symbolic link"
    return Problem(f"file cannot be opened: {reason}")


def _open_descriptor(path: str, flags: int) -> int:
    return os.open(path, flags | _OPEN_FLAGS)


def _access_problem(descriptor: int, path: str, is_link: bool) -> Problem | None:
    """Return why a key must not be in this file. Windows keeps access rights elsewhere."""
    file_stat = os.fstat(descriptor)
    if not stat.S_ISREG(file_stat.st_mode):
        return Problem("file is not a regular file")
    if not hasattr(os, "geteuid"):
        return None
    forbidden_mode = 0o077
    is_read_only = os.fstatvfs(descriptor).f_flag & os.ST_RDONLY
    if is_read_only or path.startswith(SECRET_DIRECTORIES):
        # The process cannot change such a file, which is for its container only.
        forbidden_mode = 0o033
    elif is_link:
        return Problem("file cannot be opened: it is a symbolic link; use the path of its target")
    elif file_stat.st_uid != os.geteuid():
        if file_stat.st_uid != 0 or not file_stat.st_mode & stat.S_IRGRP:
            return Problem(f"file belongs to another user; run `chown` on it{_IN_CONTAINER}")
        forbidden_mode = 0o037
    if file_stat.st_mode & forbidden_mode == 0:
        return None
    if forbidden_mode == 0o033:
        return Problem("file can be changed by other users; mount it with mode 0444 or 0440")
    return Problem(f"file is readable by other users; run `chmod 600 FILE`{_IN_CONTAINER}")
