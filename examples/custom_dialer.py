"""A dialer of one's own that speaks the HTTP line. Put your telephony into ``Dialer.talk``; as it is, no phone rings.

    export LINE_SECRET=whsec_bm9ib2R5J3MgcGhvbmUgcmluZ3MgYXQgYWxs
    python examples/custom_dialer.py --port 8161 --calls dialer.db
    kataven dial examples/contacts.csv --config kataven.toml

In kataven.toml stand, under [line], url = "http://127.0.0.1:8161" and secret = "env:LINE_SECRET".
"""

import argparse
import asyncio
import base64
import hmac
import json
import os
import sqlite3
import sys
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import aiohttp
from aiohttp import web

Call = dict[str, Any]
SHOWN = ("attempt_id", "call_id", "state", "outcome", "answered_at", "ended_at", "duration_s")


def now() -> str:
    """Give the time as the wire has it."""
    return datetime.now(UTC).isoformat()


class Dialer:
    """Every call that was ever asked for, in a file: what is not there was surely never placed."""

    def __init__(self, file: str, secret: str) -> None:
        self.key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
        if not self.key:
            raise ValueError("LINE_SECRET is not set: write whsec_ and base64, the same as the engine's")
        self.file = sqlite3.connect(file)
        self.file.execute("CREATE TABLE IF NOT EXISTS calls (attempt_id TEXT PRIMARY KEY, call TEXT)")
        self.calls: dict[str, Call] = {row[0]: json.loads(row[1]) for row in self.file.execute("SELECT * FROM calls")}
        self.talks: dict[str, asyncio.Task[None]] = {}
        self.reports: set[asyncio.Task[None]] = set()

    async def open(self, _: web.Application) -> None:
        """End what an earlier process has left: these calls died with it."""
        for call in [each for each in self.calls.values() if each["state"] != "ended"]:
            self.turn(call, "ended", outcome="answered" if call["answered_at"] else "failed")

    async def close(self, _: web.Application) -> None:
        """Hang up: a call does not outlive its process here."""
        for tasks in (self.talks.values(), self.reports):
            ending = list(tasks)
            for task in ending:
                task.cancel()
            await asyncio.gather(*ending, return_exceptions=True)

    def begin(self, asked: Call) -> Call:
        """Write the call down, then place it: after a crash in between nobody says that it never was."""
        call = {**dict.fromkeys(SHOWN), **asked, "call_id": asked["attempt_id"], "state": "ringing", "sequence": 0}
        self.calls[call["attempt_id"]] = call
        self.turn(call, "ringing")
        self.talks[call["attempt_id"]] = asyncio.create_task(self.talk(call))
        return call

    async def talk(self, call: Call) -> None:
        """Be the phone: yours dials ``to``, shows ``from``, and leads whoever picks up to ``route``."""
        try:
            async with asyncio.timeout(call["ring_timeout_s"]):
                await asyncio.sleep(0.2)
            if call["to"].endswith("9"):
                return self.turn(call, "ended", outcome="busy")
            self.turn(call, "answered", answered_at=now())
            async with asyncio.timeout(call["max_duration_s"]):
                await asyncio.sleep(0.5)
            self.turn(call, "ended", outcome="answered", duration_s=0.5)
        except TimeoutError:
            self.turn(call, "ended", outcome="answered" if call["answered_at"] else "no_answer")
        except asyncio.CancelledError:
            self.turn(call, "ended", outcome="answered" if call["answered_at"] else "cancelled")

    def turn(self, call: Call, state: str, **members: Any) -> None:
        """Write down what became of a call, then report it."""
        call.update(members, state=state, sequence=call["sequence"] + 1, ended_at=now() if state == "ended" else None)
        with self.file:
            self.file.execute("REPLACE INTO calls VALUES (?, ?)", (call["attempt_id"], json.dumps(call)))
        named = ("attempt_id", "sequence", "outcome", "duration_s")
        report = {"type": state, "at": now(), **{name: call[name] for name in named}}
        self.reports.add(task := asyncio.create_task(self.report(call["report_url"], report)))
        task.add_done_callback(self.reports.discard)

    async def report(self, url: str, report: Call) -> None:
        """Send it until it is durable there. What is lost with this process is no harm: the engine asks."""
        body = json.dumps({"reports": [report]}).encode()
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(5)) as http:
            for pause_s in (0.2, 0.5, 1, 2, 5, 10, 30):
                name, second = f"{report['attempt_id']}-{report['sequence']}", str(int(datetime.now(UTC).timestamp()))
                signature = hmac.digest(self.key, f"{name}.{second}.".encode() + body, sha256)
                headers = {"webhook-id": name, "webhook-timestamp": second}
                headers["webhook-signature"] = f"v1,{base64.b64encode(signature).decode()}"
                try:
                    async with http.post(url, data=body, headers=headers) as answer:
                        if answer.status < web.HTTPInternalServerError.status_code:
                            if not answer.ok:
                                print(f"a report was refused, {answer.status}: {await answer.text()}", file=sys.stderr)
                            return
                except (aiohttp.ClientError, TimeoutError):
                    pass
                await asyncio.sleep(pause_s)

    # What it is asked for.

    async def place(self, request: web.Request) -> web.Response:
        """Place a call; the same attempt is the same call, however often it is asked for.

        Here it is placed at once. A dialer that lets requests wait must not place one that is older than 10 s.
        """
        asked = await request.json()
        known = self.calls.get(asked["attempt_id"])
        call = known or self.begin(asked)
        return web.json_response({name: call[name] for name in SHOWN[:2]}, status=200 if known else 201)

    async def live(self, _: web.Request) -> web.Response:
        """Say which calls have not ended."""
        return web.json_response({"calls": [_shown(each) for each in self.calls.values() if each["state"] != "ended"]})

    async def look_up(self, request: web.Request) -> web.Response:
        """Say what became of a call."""
        return web.json_response(_shown(self._known(request)))

    async def hang_up(self, request: web.Request) -> web.Response:
        """End a call."""
        call = self._known(request)
        if call["state"] != "ended":
            self.talks[call["attempt_id"]].cancel()
        return web.Response(status=204)

    def _known(self, request: web.Request) -> Call:
        if request.match_info["attempt_id"] not in self.calls:
            raise web.HTTPNotFound(text="it was never placed")
        return self.calls[request.match_info["attempt_id"]]


def _shown(call: Call) -> Call:
    return {name: call[name] for name in SHOWN}


def main() -> None:
    """Serve until Ctrl-C."""
    parser = argparse.ArgumentParser(description="A dialer on which no phone rings.")
    parser.add_argument("--port", type=int, default=8161)
    parser.add_argument("--calls", default="dialer.db", help="the file that knows every call")
    arguments = parser.parse_args()
    try:
        dialer = Dialer(arguments.calls, os.environ.get("LINE_SECRET", ""))
    except (ValueError, sqlite3.Error) as error:
        parser.error(f"--calls {arguments.calls} can't be used, or LINE_SECRET is no secret: {error}")
    app = web.Application()
    app.on_startup.append(dialer.open)
    app.on_cleanup.append(dialer.close)
    app.router.add_post("/calls", dialer.place)
    app.router.add_get("/calls", dialer.live)
    app.router.add_get("/calls/{attempt_id}", dialer.look_up)
    app.router.add_delete("/calls/{attempt_id}", dialer.hang_up)
    try:
        web.run_app(app, host="127.0.0.1", port=arguments.port, access_log=None)
    except OSError as error:
        parser.error(f"--port {arguments.port} can't be listened at: {error.strerror}")


if __name__ == "__main__":
    main()
