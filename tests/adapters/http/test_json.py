import json

import pytest

from kataven_adapters.http.json import encode, encoded


def test_json_is_compact_and_in_utf8() -> None:
    assert encode({"a": [1, None, True], "b": "é📞"}) == '{"a":[1,null,true],"b":"é📞"}'.encode()


def test_what_is_no_text_is_replaced_and_what_ends_a_line_is_escaped() -> None:
    assert encode("a\ud800b") == b'"a?b"'
    assert encode("\r\n\0\x1f") == b'"\\r\\n\\u0000\\u001f"'
    assert json.loads(encode("\u2028\x7f")) == "\u2028\x7f"


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_a_number_that_json_does_not_know_is_null(number: float) -> None:
    assert encode([number]) == b"[null]"


def test_what_is_json_already_is_put_in_as_it_is() -> None:
    assert encode({"a": encoded('{"b" : 1}')}) == b'{"a":{"b" : 1}}'


def test_what_is_json_already_stands_beside_what_is_no_text() -> None:
    assert encode({"a": encoded('{"b" : 1}'), "c": "\ud800"}) == b'{"a":{"b":1},"c":"?"}'
    with pytest.raises(TypeError, match="object has no plain form"):
        encode(["\ud800", object()])
