"""Fetching files of vectors into a cache, by pooch; a broken download goes on where it broke."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

from rowwise.errors import DataFileError, InvalidArgumentError, MissingExtraError
from rowwise.text.progress import Progress
from rowwise.vectors import published

CACHE_VARIABLE = "ROWWISE_CACHE"
"""The environment variable that names the folder of the cache."""
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_TRIES = 3
_PIECE = 2**20
_TIMEOUT = 30
_PARTIAL, _MARK, _LOCK = ".part", ".part-of", ".lock"


def is_address(path: object) -> bool:
    """Whether this is the address of a file on the network."""
    return isinstance(path, str) and path.lower().startswith(("https://", "http://"))


def locate(
    path: str | os.PathLike[str],
    member: str | int | None,
    checksum: str | None,
    progress: Progress | None,
) -> tuple[str | os.PathLike[str], str | int | None]:
    """The file to read and its member: ``path`` itself, or what was fetched for it.

    Args:
        path: a file, an address, or the name of published vectors.
        member: as it was given.
        checksum: ``sha256:...`` of an address's file, or None.
        progress: is called with the bytes fetched and those of the whole file.

    Raises:
        DataFileError: the file cannot be fetched, or its checksum is another one; or there is
            none, and a well-known name is spelt nearly so.
        InvalidArgumentError: the address is not safe, or a checksum comes with a plain file.
        MissingExtraError: pooch is not installed.
    """
    if is_address(path):
        return fetch(str(path), checksum, progress), member
    if isinstance(path, str) and not os.path.exists(path):
        known = published.find(path)
        if known is not None:
            chosen = member if member is not None else known.member
            return fetch(known.address, checksum or known.checksum, progress), chosen
        if near := get_close_matches(path, published.names(), n=3, cutoff=0.8):
            raise DataFileError(
                f"There is no file of vectors at {path!r}, and no vectors are well known by this "
                f"name. Did you mean {' or '.join(map(repr, near))}?"
            )
    if checksum is not None:
        raise InvalidArgumentError(
            f"`checksum` goes with an address, and {str(path)!r} is a file. Leave it out."
        )
    return path, member


def cache_folder() -> Path:
    """Where fetched files are kept: ``$ROWWISE_CACHE``, or the system's folder for caches."""
    named = os.environ.get(CACHE_VARIABLE)
    return Path(named) if named else Path(_pooch().os_cache("rowwise"))


def fetch(address: str, checksum: str | None = None, progress: Progress | None = None) -> Path:
    """The file at an address, out of the cache or fetched into it.

    Args:
        address: ``https://...``; plain ``http`` only of this machine.
        checksum: ``sha256:...``, which the file must have, also when it comes out of the cache.
        progress: is called with the bytes fetched and those of the whole file.

    Raises:
        DataFileError: the file cannot be fetched, or its checksum is another one.
        InvalidArgumentError: the address is not safe.
        MissingExtraError: pooch is not installed.
    """
    if not _is_safe(address):
        raise InvalidArgumentError(
            f"Vectors are fetched by https only, so that nobody can change them on their way. "
            f"Received: {address!r}."
        )
    pooch, address = _pooch(), urlsplit(address).geturl()
    # Files of the same name at other addresses are other files.
    mark = hashlib.sha256(address.encode()).hexdigest()[:16]
    name = f"{mark}-{urlsplit(address).path.rsplit('/', 1)[-1] or 'vectors'}"
    folder = cache_folder()
    folder.mkdir(parents=True, exist_ok=True)
    pooch.get_logger().setLevel("WARNING")
    with _locked(folder / (name + _LOCK)):
        try:
            found = pooch.retrieve(
                address,
                known_hash=checksum,
                fname=name,
                path=folder,
                downloader=_Resuming(folder / name, progress),
            )
        except ValueError as error:  # pooch's word for another checksum
            if isinstance(error, DataFileError):
                raise
            raise DataFileError(
                f"What was fetched from {address!r} has another checksum than {checksum}. The file "
                "may have been changed on its way or by its publisher; it was thrown away."
            ) from error
    return Path(found)


def _is_safe(address: str) -> bool:
    """Whether nobody can change what comes from there on its way."""
    try:
        parts = urlsplit(address)
    except ValueError as error:  # brackets that are not closed, and the like
        raise InvalidArgumentError(f"{address!r} is no address ({error}).") from error
    return parts.scheme == "https" or parts.hostname in _LOOPBACK


def _refuse_unsafe_redirect(response: Any, **_: Any) -> None:
    """Raise DataFileError where a server sends on to an address that is not safe."""
    if response.is_redirect:
        following = urljoin(response.url, response.headers["location"])
        if not _is_safe(following):
            raise DataFileError(
                f"{response.url!r} sends on to {following!r}, and vectors are fetched by https "
                "only, so that nobody can change them on their way. Ask its publisher for another "
                "address."
            )


class _Resuming:
    """Fetches for pooch, and goes on with what an earlier try has left."""

    def __init__(self, target: Path, progress: Progress | None) -> None:
        self._partial = target.with_name(target.name + _PARTIAL)
        self._mark = target.with_name(target.name + _MARK)
        self._progress = progress

    def __call__(self, url: str, output_file: Any, pooch: Any, check_only: bool = False) -> None:
        """Fetch ``url`` to ``output_file``."""
        import requests
        import urllib3

        for attempt in range(1, _TRIES + 1):
            try:
                self._fetch(requests, url)
                break
            except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
                refused = getattr(getattr(error, "response", None), "status_code", None)
                if attempt == _TRIES or (refused is not None and refused < 500):
                    kept = self._partial.stat().st_size if self._partial.exists() else 0
                    hint = f" {kept:,} bytes are kept; try again to go on." if kept else ""
                    raise DataFileError(f"{url!r} cannot be fetched ({error}).{hint}") from error
        os.replace(self._partial, output_file)
        self._mark.unlink(missing_ok=True)

    def _fetch(self, requests: Any, url: str) -> None:
        done = self._partial.stat().st_size if self._partial.exists() else 0
        version = self._mark.read_text("utf-8") if done and self._mark.exists() else ""
        headers = {"Accept-Encoding": "identity"}  # the bytes themselves, which are counted
        if done and version:
            # Go on only if the file there is still the one that was begun.
            headers |= {"Range": f"bytes={done}-", "If-Range": version}
        with requests.get(
            url,
            headers=headers,
            stream=True,
            timeout=_TIMEOUT,
            hooks={"response": _refuse_unsafe_redirect},
        ) as response:
            going_on = response.status_code == requests.codes.partial_content
            if response.status_code == requests.codes.requested_range_not_satisfiable:
                self._partial.unlink()
                raise requests.ConnectionError("what was kept does not fit any more")
            response.raise_for_status()
            if going_on and not response.headers.get("Content-Range", "").startswith(
                f"bytes {done}-"
            ):
                self._partial.unlink()
                raise requests.ConnectionError("the server went on at another place")
            done = done if going_on else 0
            length = response.headers.get("Content-Length")
            total = done + int(length) if length and length.isdigit() else None
            self._mark.write_text(
                response.headers.get("ETag", "") or response.headers.get("Last-Modified", ""),
                encoding="utf-8",
            )
            with self._partial.open("ab" if going_on else "wb") as file:
                # Not `iter_content`, which loses the piece in which the connection breaks.
                while piece := response.raw.read1(_PIECE):
                    file.write(piece)
                    done += len(piece)
                    if self._progress is not None:
                        self._progress(done, total)
        if total is not None and done != total:
            raise requests.ConnectionError(f"{done:,} of {total:,} bytes came")


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Wait until no other process fetches the same file, where the system can tell."""
    with path.open("wb") as file:
        try:
            import fcntl
        except ImportError:  # Windows
            yield
            return
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _pooch() -> Any:
    try:
        import pooch
    except ImportError as error:
        raise MissingExtraError("Fetching vectors", "pooch", "download") from error
    return pooch
