"""Standard Webhooks: messages signed with a secret that both sides know, so that their receiver knows whom they are by.

Three headers sign a message: its id, the Unix second in which it was sent, and an HMAC-SHA256 of both and the body.
"""

import base64
import binascii
import hmac
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from kataven_core import CommandRefused, InvalidValue

TOLERANCE_S: Final = 300
"""How far a message's time may lie from the receiver's: longer, and it may be an old one that somebody has kept."""
_PREFIX: Final = "whsec_"
_MAX_SIGNATURES: Final = 16
"""So many are tried: a sender that changes its secret sends two."""
_SECOND = re.compile(r"[0-9]{1,12}", re.ASCII)


class BadSignature(CommandRefused):
    """A message that is not signed, not with this secret, or not now; nothing of it may be believed."""

    def __init__(self, message: str) -> None:
        super().__init__("bad_signature", message)


def key_of(secret: str) -> bytes:
    """Read a signing secret, ``whsec_`` and base64; ``InvalidValue`` where it is none, which never shows it."""
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):  # ValueError: a character beyond ASCII
        key = b""
    if not secret.startswith(_PREFIX) or not key:
        raise InvalidValue(
            "invalid_secret",
            "the secret is no signing secret: write whsec_ and base64, as `echo whsec_$(openssl rand -base64 24)` does",
        )
    return key


def signed(key: bytes, message_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """Give the headers that sign a message sent at ``at``."""
    second = str(int(at.timestamp()))
    return {
        "webhook-id": message_id,
        "webhook-timestamp": second,
        "webhook-signature": f"v1,{_signature(key, message_id, second, body)}",
    }


def verify(key: bytes, headers: Mapping[str, str], body: bytes, now: datetime) -> None:
    """Raise ``BadSignature`` unless one of the message's signatures is by this key, and its time is about ``now``."""
    given = {name.lower(): text for name, text in headers.items()}
    message_id, second, signatures = (given.get(f"webhook-{name}", "") for name in ("id", "timestamp", "signature"))
    if not (message_id and second and signatures):
        raise BadSignature("it is not signed: send webhook-id, webhook-timestamp and webhook-signature")
    if not _SECOND.fullmatch(second):
        raise BadSignature("webhook-timestamp is no time: send whole seconds since 1970")
    if abs(int(second) - now.timestamp()) > TOLERANCE_S:
        raise BadSignature(
            f"webhook-timestamp is more than {TOLERANCE_S // 60} minutes off: set the clock, sign each message anew"
        )
    right = _signature(key, message_id, second, body).encode()
    offered = [each.removeprefix("v1,") for each in signatures.split()[:_MAX_SIGNATURES] if each.startswith("v1,")]
    # All are compared, each in constant time: how long it takes says nothing about the right one.
    if True not in [hmac.compare_digest(right, each.encode(errors="surrogatepass")) for each in offered]:
        raise BadSignature("webhook-signature is by another secret, or of another body: use the secret of both sides")


def _signature(key: bytes, message_id: str, second: str, body: bytes) -> str:
    text = b".".join((message_id.encode(errors="surrogatepass"), second.encode(), body))
    return base64.b64encode(hmac.digest(key, text, "sha256")).decode()
