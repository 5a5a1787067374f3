"""Where the API is and who asks: from what the caller gives and from the environment."""

import re
from collections.abc import Mapping
from typing import Final, NamedTuple
from urllib.parse import urlsplit

import httpx

from .errors import KatavenError

DEFAULT_URL: Final = "http://127.0.0.1:8080"
PREFIX: Final = "/api/v1"
_ANY_PREFIX: Final = "/v1"
"""How every prefix of the API ends, the aliases' too."""
_WORD = re.compile(r"[\x21-\x7e]+")


class Access(NamedTuple):
    """``place`` is the server as messages name it, ``root`` the API's own address. Only ``headers`` hold the key."""

    place: str
    root: str
    headers: Mapping[str, str]

    def __repr__(self) -> str:
        return f"Access({self.root!r})"


def access(api_key: str | None, base_url: str | None, account_id: str | None, environment: Mapping[str, str]) -> Access:
    """Find out where to ask and as whom; ``KatavenError`` says what is missing or wrong."""
    key = (api_key or environment.get("KATAVEN_API_KEY") or "").strip()
    if not key:
        raise KatavenError("there is no API key: give api_key, or set KATAVEN_API_KEY in the environment")
    if not _WORD.fullmatch(key):
        raise KatavenError("the API key holds a character that no key has: copy it once more, as it was printed")
    headers = {"Authorization": f"Bearer {key}", "User-Agent": "kataven-client"}
    if account_id:
        if not _WORD.fullmatch(account_id):
            raise KatavenError(f"account_id is {account_id!r}: give the account's id, or leave it out")
        headers["X-Account-ID"] = account_id
    place, root = _root((base_url or environment.get("KATAVEN_BASE_URL") or DEFAULT_URL).strip())
    return Access(place, root, headers)


def _root(url: str) -> tuple[str, str]:
    """Give a server's address and the API's; one that already ends in a prefix of the API is taken as it is."""
    try:
        httpx.URL(url)  # it has the last word on what it takes
        parts = urlsplit(url)
        is_whole = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0 and _WORD.fullmatch(url)
    except (ValueError, httpx.InvalidURL):
        is_whole = parts = None
    if not is_whole or not parts:
        raise KatavenError("base_url is no address of a server: write one such as https://voice.example.com")
    if "@" in parts.netloc:
        raise KatavenError("base_url holds a user or a password: leave them out, the key is given as api_key")
    if parts.query or parts.fragment:
        raise KatavenError("base_url must end with its path: leave out what begins at ? or #")
    place, path = f"{parts.scheme}://{parts.netloc}", parts.path.rstrip("/")
    return place, place + path + ("" if path.endswith(_ANY_PREFIX) else PREFIX)
