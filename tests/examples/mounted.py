"""A host with the API under /voice, asked as its users would ask it."""

import asyncio
from pathlib import Path

import httpx

CONTACTS = Path(__file__).parents[2] / "examples" / "contacts.csv"
KEY = {"Authorization": "Bearer sk_live_acme_example"}


async def dial_to_the_end(host: str) -> dict[str, int]:
    """Create, start and follow a campaign; give its last snapshot."""
    async with httpx.AsyncClient(base_url=f"{host}/voice/api/v1", headers=KEY, timeout=30, trust_env=False) as http:
        form = {"name": "March", "agent_id": "reminder", "phone_number_id": "office"}
        answer = await http.post("/campaigns", data=form, files={"contacts": CONTACTS.read_bytes()})
        assert answer.status_code == 201, answer.text
        assert answer.headers["Location"] == f"/voice/api/v1/campaigns/{answer.json()['id']}"
        campaign = f"/campaigns/{answer.json()['id']}"
        assert (await http.get(campaign)).json()["status"] == "draft"
        assert (await http.post(f"{campaign}/start")).json()["status"] == "running"
        async with asyncio.timeout(60):
            while (shown := (await http.get(campaign)).json())["status"] != "completed":  # noqa: ASYNC110 - the server says it
                await asyncio.sleep(0.02)
        assert shown["completed_at"]
        counts = {
            status: (await http.get(f"{campaign}/contacts", params={"status": status})).json()["total"]
            for status in ("completed", "failed", "pending", "in_progress", "cancelled", "suppressed")
        }
        assert (await http.get("/campaigns", headers={"Authorization": "Bearer sk_live_acme_wrong"})).status_code == 401
        return counts


async def host_and_api_answer(host: str, greeting: str) -> None:
    """Hold that the host's own route, and what the API shows to all, are there."""
    async with httpx.AsyncClient(base_url=host, trust_env=False) as http:
        assert greeting in (await http.get("/")).text
        assert (await http.get("/voice/readyz")).text == "ready\n"
        assert "/voice" in str((await http.get("/voice/openapi.json")).json()["servers"])
        assert (await http.get("/api/v1/campaigns", headers=KEY)).status_code == 404, "it is under /voice alone"
