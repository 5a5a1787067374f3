"""JSON as it leaves: compact, in UTF-8, on one line."""

import json
from typing import Any

import orjson


def _read_again(value: Any) -> Any:
    if isinstance(value, orjson.Fragment):
        return json.loads(orjson.dumps(value))
    raise TypeError(f"{type(value).__name__} has no plain form")


_encoder = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False, default=_read_again)


def encode(value: Any) -> bytes:
    """Write plain values; what is no text at all, such as half a surrogate pair, is replaced."""
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError:
        return _encoder.encode(value).encode("utf-8", "replace")


def encoded(text: str) -> orjson.Fragment:
    """Give what is JSON already, to be put into an answer as it is."""
    return orjson.Fragment(text)
