"""JSON as it leaves: compact, in UTF-8, on one line."""

import json
from typing import Any

_encoder = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def encode(value: Any) -> bytes:
    """Write plain values; what is no text at all, such as half a surrogate pair, is replaced."""
    return _encoder.encode(value).encode("utf-8", "replace")
