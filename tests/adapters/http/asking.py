"""Asking a server for what the contract says: forms byte by byte, and campaigns in every status."""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

import httpx

import kataven_core as kc

from .conftest import ACME, Server, auth

BOUNDARY: Final = "b0undary"
PROBLEM: Final = {"Accept": "application/problem+json"}
CONTACTS: Final = b"phone_number,first_name\n+14155550100,Ada\n+14155550101,Bob\n"
GOOD: Final[dict[str, str | bytes]] = {
    "name": "March",
    "agent_id": "reminder",
    "phone_number_id": "office",
    "contacts": CONTACTS,
}
"""All that a form needs; the file comes last."""

Parts = Iterable[tuple[str, str | bytes]]


def part(name: str, value: str | bytes) -> bytes:
    """Write one part."""
    file = '; filename="contacts.csv"\r\nContent-Type: text/csv' if name == "contacts" else ""
    raw = value.encode() if isinstance(value, str) else value
    return f'Content-Disposition: form-data; name="{name}"{file}\r\n\r\n'.encode() + raw


def multipart(parts: Parts, boundary: str = BOUNDARY) -> bytes:
    """Write a form."""
    written = b"".join(f"--{boundary}\r\n".encode() + part(*each) + b"\r\n" for each in parts)
    return written + f"--{boundary}--\r\n".encode()


def of_form(boundary: str = BOUNDARY) -> dict[str, str]:
    """Give the header of a form."""
    return {"Content-Type": f"multipart/form-data; boundary={boundary}"}


def with_parts(**changed: str | bytes | None) -> list[tuple[str, str | bytes]]:
    """Give a good form with some parts changed, or left out where they are None; new ones stand before the file."""
    merged: dict[str, str | bytes | None] = {**GOOD, **changed}
    merged["contacts"] = merged.pop("contacts")  # to the end
    return [(name, value) for name, value in merged.items() if value is not None]


class Asking(NamedTuple):
    """One caller of one server."""

    http: httpx.AsyncClient
    server: Server
    headers: Mapping[str, str] = auth()

    async def get(self, path: str, /, **headers: str) -> httpx.Response:
        """Ask below the canonical prefix."""
        return await self.http.get(f"{self.server.base}/api/v1{path}", headers={**self.headers, **named(headers)})

    async def post(self, path: str, content: bytes = b"", /, **headers: str) -> httpx.Response:
        """Send below the canonical prefix."""
        url = f"{self.server.base}/api/v1{path}"
        return await self.http.post(url, headers={**self.headers, **named(headers)}, content=content)

    async def delete(self, path: str) -> httpx.Response:
        """Delete below the canonical prefix."""
        return await self.http.delete(f"{self.server.base}/api/v1{path}", headers=dict(self.headers))

    async def send(self, parts: Parts, *, boundary: str = BOUNDARY, **headers: str) -> httpx.Response:
        """Send a form."""
        return await self.post("/campaigns", multipart(parts, boundary), **{**of_form(boundary), **named(headers)})

    async def make(self, **changed: str | bytes | None) -> str:
        """Make a campaign; give its id."""
        answer = await self.send(with_parts(**changed))
        assert answer.status_code == 201, answer.text
        made: str = answer.json()["id"]
        return made

    async def operate(self, campaign: str, operation: str) -> httpx.Response:
        """Do something to a campaign."""
        path = f"/campaigns/{campaign}"
        return await (self.delete(path) if operation == "delete" else self.post(f"{path}/{operation}"))

    async def campaign(self, campaign: str) -> dict[str, Any]:
        """Read a campaign."""
        answer = await self.get(f"/campaigns/{campaign}")
        assert answer.status_code == 200, answer.text
        members: dict[str, Any] = answer.json()
        return members

    async def until(self, campaign: str, status: str) -> dict[str, Any]:
        """Wait until a campaign is in a status."""
        async with asyncio.timeout(10):
            while (members := await self.campaign(campaign))["status"] != status:  # noqa: ASYNC110 - the server says it
                await asyncio.sleep(0.01)
        return members

    async def made(self) -> list[str]:
        """Give the names of all campaigns, and hold that nothing is left of what did not become one."""
        campaigns = await self.server.engine.campaigns(ACME.id)
        return [each.name for each in campaigns]


def named(headers: Mapping[str, str]) -> dict[str, str]:
    """Give headers their dashes."""
    return {name.replace("_", "-"): value for name, value in headers.items()}


def wrong_fields(answer: httpx.Response) -> list[str]:
    """Give the fields that a refusal names."""
    assert answer.status_code == 400, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    return [each["field"] for each in answer.json()["errors"]]


def without(account: kc.Account, *agents: str) -> tuple[kc.Agent, ...]:
    """Give an account's agents but for some."""
    return tuple(each for each in account.agents if each.id not in agents)
