from __future__ import annotations

import pytest

from ganlab.files import read_mapping


def test_a_mapping_is_read(tmp_path):
    path = tmp_path / "record.json"
    path.write_text('{"pid": 7, "host": "hügel"}', encoding="utf-8")
    assert read_mapping(path) == {"pid": 7, "host": "hügel"}


@pytest.mark.parametrize("content", [None, b"", b'{"pid": ', b"[1, 2]", b"\xff\xfe"])
def test_what_cannot_be_read_as_one_is_empty(tmp_path, content):
    path = tmp_path / "record.json"
    if content is not None:
        path.write_bytes(content)
    assert read_mapping(path) == {}
