from __future__ import annotations

import pytest
from coldstart_layer import trace_header
from hypothesis import given
from hypothesis import strategies as st

ROOT = "1-5759e988-bd862e3fe1be46a994272793"
PARENT = "53995c3f42cd8ad8"


def test_a_header_as_lambda_sends_it() -> None:
    parsed = trace_header.parse(f"Root={ROOT};Parent={PARENT};Sampled=1;Lineage=a87bd80c:0")
    assert parsed.root == ROOT
    assert parsed.epoch == 0x5759E988
    assert parsed.parent == PARENT
    assert parsed.sampled is True


@pytest.mark.parametrize(
    ("header", "root", "parent", "sampled"),
    [
        (None, None, None, False),
        ("", None, None, False),
        (f"Root={ROOT}", ROOT, None, False),
        (f" Root={ROOT} ; Parent={PARENT} ; Sampled=0", ROOT, PARENT, False),
        (f"Sampled=?;Root={ROOT}", ROOT, None, False),
        ("Root=1-5759e988;Sampled=1", None, None, True),
        ("Root=2-5759e988-bd862e3fe1be46a994272793", None, None, False),
        ("Root=1-5759e98g-bd862e3fe1be46a994272793", None, None, False),
        ("Root=1-57 9e98 -bd862e3fe1be46a994272793", None, None, False),
        ("Root=1-+759e988-bd862e3fe1be46a994272793", None, None, False),
        ("Root=1-5759e988-bd862e3fe1be46a99427279", None, None, False),
        (f"Root={ROOT};Parent=53995c3f42cd8ad", ROOT, None, False),
        ("Root=1-٥٧٥٩٥٧٥٩-bd862e3fe1be46a994272793", None, None, False),
    ],
)
def test_malformed_parts_are_none(header, root, parent, sampled) -> None:
    parsed = trace_header.parse(header)
    assert (parsed.root, parsed.parent, parsed.sampled) == (root, parent, sampled)
    assert (parsed.epoch is None) == (root is None)


@given(st.text() | st.from_regex(r"(Root=1-[0-9a-f ]{8}-[0-9a-f]{24})?;?(Parent=.{16})?"))
def test_never_raises(header: str) -> None:
    parsed = trace_header.parse(header)
    if parsed.epoch is not None:
        assert 0 <= parsed.epoch < 2**32
