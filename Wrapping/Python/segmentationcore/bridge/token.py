"""The bearer token: a file that only its owner can read, and a comparison that takes equal time.

The server makes a new token for every run and writes it to a file created with mode 0600; a client
that can read the file may connect. The file is never overwritten: whoever finds one from an earlier
run decides whether that run is over.
"""

from __future__ import annotations

import contextlib
import hmac
import os
import secrets
import stat
import tempfile
from pathlib import Path

TOKEN_BYTES = 32
_LONGEST = 1024


class TokenError(Exception):
    """A token file that cannot be made, read or trusted."""


def runtime_directory() -> Path:
    """The folder for token files: private to this user, made if needed.

    ``$XDG_RUNTIME_DIR/segmentationcore`` where the system gives users such a folder, otherwise
    ``segmentationcore-<user id>`` in the temporary folder. One that others could have prepared
    (another owner, a link, or open to the group) is refused.
    """
    base = os.environ.get("XDG_RUNTIME_DIR")
    if base and Path(base).is_dir():
        folder = Path(base) / "segmentationcore"
    else:
        user = str(os.getuid()) if hasattr(os, "getuid") else os.environ.get("USERNAME", "user")
        folder = Path(tempfile.gettempdir()) / f"segmentationcore-{user}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        status = folder.lstat()
    except OSError as error:
        raise TokenError(f"cannot make the token folder {folder}: {error.strerror}") from error
    if not stat.S_ISDIR(status.st_mode):
        raise TokenError(f"{folder} is not a folder; remove it or name a token file elsewhere")
    if os.name == "posix" and (status.st_uid != os.getuid() or status.st_mode & 0o077):
        raise TokenError(
            f"{folder} belongs to user {status.st_uid} with mode "
            f"{stat.S_IMODE(status.st_mode):04o}; expected user {os.getuid()} and mode 0700"
        )
    return folder


def default_token_file(port: int) -> Path:
    """Where the token of the bridge on ``port`` is kept unless told otherwise."""
    return runtime_directory() / f"bridge-{port}.token"


def new_token() -> str:
    """A fresh token of 256 random bits as URL-safe text."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def write_token(path: str | os.PathLike[str], token: str) -> None:
    """Write ``token`` to a new file with mode 0600. An existing file is an error, never reused."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
    try:
        descriptor = os.open(path, flags, 0o600)
    except FileExistsError:
        raise TokenError(
            f"token file {path} exists; another bridge may be using it. If none is running, "
            "remove the file"
        ) from None
    except OSError as error:
        raise TokenError(f"cannot create token file {path}: {error.strerror}") from error
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            # The umask can only have taken bits away; this gives the owner's back.
            if hasattr(os, "fchmod"):
                os.fchmod(file.fileno(), 0o600)
            file.write(token + "\n")
    except OSError as error:
        remove_token(path)
        raise TokenError(f"cannot write token file {path}: {error.strerror}") from error


def read_token(path: str | os.PathLike[str]) -> str:
    """The token in ``path``. A file that others can read or write is refused."""
    try:
        with open(path, encoding="ascii") as file:
            status = os.fstat(file.fileno())
            token = file.read(_LONGEST + 1).strip()
    except OSError as error:
        raise TokenError(f"cannot read token file {path}: {error.strerror}") from error
    except UnicodeDecodeError:
        raise TokenError(f"token file {path} is not ASCII text") from None
    if os.name == "posix" and status.st_mode & 0o077:
        raise TokenError(
            f"token file {path} has mode {stat.S_IMODE(status.st_mode):04o}, so others may know "
            "the token; expected 0600"
        )
    if not 16 <= len(token) <= _LONGEST or not token.isprintable():
        raise TokenError(f"token file {path} does not hold one line of 16 to {_LONGEST} characters")
    return token


def remove_token(path: str | os.PathLike[str]) -> None:
    """Remove the token file; one that is gone already is fine."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)


def matches(expected: str, given: object) -> bool:
    """Whether ``given`` is the token, in time that does not depend on where they differ."""
    if not isinstance(given, str):
        return False
    return hmac.compare_digest(
        expected.encode("utf-8"), given.encode("utf-8", errors="surrogatepass")
    )
