"""Who may ask: the names that a server answers to, the pages of other origins, the token."""

import hmac
import ipaddress
import re
from collections.abc import Iterable
from urllib.parse import parse_qs, urlsplit

from rowwise.errors import InvalidArgumentError

# The names and addresses of this machine for itself.
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
# Bound to one of these, a server is reached by any address of the machine.
WILDCARDS = frozenset({"0.0.0.0", "::"})
# Of a token; a shorter one could be found by trying.
TOKEN_CHARACTERS = 16

_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::\d{1,5})?", re.IGNORECASE)
_TOKEN = re.compile(r"[A-Za-z0-9._~+/=-]+")


class Hosts:
    """The hosts that a request may name, whatever the port.

    A page of another site can let its own name point to this machine (DNS rebinding): then its
    requests get here, but name that site as their host.

    Args:
        bound: the address that the server listens on, if that is known.
        more: further names or addresses.

    Raises:
        InvalidArgumentError: one of ``more`` cannot be a host.
    """

    def __init__(self, bound: str | None = None, more: Iterable[str] = ()) -> None:
        # An address cannot be made to point elsewhere, so where all are listened on, all will do.
        self._any_address = bound in WILDCARDS
        self._names = set(LOOPBACK if bound is None else LOOPBACK | {bound.lower()})
        for given in more:
            name = host_of(given) or host_of(f"[{given}]")
            if name is None:
                raise InvalidArgumentError(
                    f"A host is a name or an address, such as words.example.org. Received: "
                    f"{given!r}."
                )
            self._names.add(name)
        # Most requests come with one of a few spellings, which are looked at once.
        self._known: dict[bytes, bool] = {}

    def allows(self, header: bytes) -> bool:
        """Whether a request may have this Host header."""
        known = self._known.get(header)
        if known is None:
            known = self._allows(host_of(header.decode("latin-1")))
            if len(self._known) < 64:
                self._known[header] = known
        return known

    def _allows(self, name: str | None) -> bool:
        return name is not None and (
            name in self._names or (self._any_address and is_address(name))
        )


def host_of(header: str) -> str | None:
    """The name or address in a Host header, in lower case and without port and brackets."""
    found = _HOST.fullmatch(header)
    return None if found is None else found[1].strip("[]").lower().removesuffix(".")


def is_address(name: str) -> bool:
    """Whether ``name`` is an address of IPv4 or IPv6."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def is_loopback(address: str) -> bool:
    """Whether an address is of this machine alone."""
    found = ipaddress.ip_address(address.partition("%")[0])
    mapped = getattr(found, "ipv4_mapped", None)
    return (found if mapped is None else mapped).is_loopback


def check_origins(origins: Iterable[str]) -> frozenset[str]:
    """Origins of pages, as browsers send them.

    Raises:
        InvalidArgumentError: one is not ``scheme://host`` or ``scheme://host:port``.
    """
    checked = set()
    for origin in origins:
        parts = urlsplit(origin) if isinstance(origin, str) else None
        if (
            parts is None
            or parts.scheme not in ("http", "https")
            or f"{parts.scheme}://{parts.netloc}" != origin
            or host_of(parts.netloc) is None
        ):
            raise InvalidArgumentError(
                "An origin is a scheme and a host, such as https://words.example.org or "
                f"http://localhost:3000, without a path. Received: {origin!r}."
            )
        checked.add(origin.lower())
    return frozenset(checked)


def check_token(token: str) -> str:
    """The token, if it can be one.

    Raises:
        InvalidArgumentError: it is too short, or holds what a header cannot.
    """
    if not isinstance(token, str) or len(token) < TOKEN_CHARACTERS or not _TOKEN.fullmatch(token):
        # The message does not show it: it may be nearly right, and messages get into logs.
        raise InvalidArgumentError(
            f"A token has at least {TOKEN_CHARACTERS} characters, letters, digits and any of "
            "._~+/=- among them. Received another one, which is not shown here."
        )
    return token


def has_token(token: str, authorization: bytes | None, path: str, query: bytes) -> bool:
    """Whether a request carries the token: in its header or, for the page, in its address."""
    scheme, _, sent = (authorization or b"").partition(b" ")
    if scheme.lower() == b"bearer" and _same(sent.strip(), token):
        return True
    if path != "/" or not query:
        return False
    return any(
        _same(value.encode("utf-8", "surrogatepass"), token)
        for value in parse_qs(query.decode("latin-1")).get("token", [])[:1]
    )


def _same(sent: bytes, token: str) -> bool:
    # In the same time wherever the first difference is, so that no time tells where.
    return hmac.compare_digest(sent, token.encode())
