"""The words of a layer: what a builder wrote, without values of arguments and variables."""

from __future__ import annotations

import pytest

from app.pages.images.layers import layer_command, layer_rows, made_by
from backend.types.images import Layer

MASK = "••••••••"


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("/bin/sh -c echo a", "RUN echo a"),
        ("RUN /bin/sh -c echo a # buildkit", "RUN echo a"),
        ('/bin/sh -c #(nop)  CMD ["sh"]', 'CMD ["sh"]'),
        ("|2 A=CANARY B=with CANARY /bin/sh -c echo $A", "RUN echo $A"),
        ("RUN |2 A=CANARY B=with CANARY /bin/sh -c echo $A # buildkit", "RUN echo $A"),
        ("|1 A=/bin/sh /bin/sh -c echo $A", "RUN echo $A"),
        ("|2 A=x /bin/sh -c CANARY B=CANARY /bin/sh -c echo $A", "RUN echo $A"),
        ("|1 A=CANARY\nCANARY /bin/bash -o pipefail -c echo $A | cat", "RUN /bin/bash -o pipefail -c echo $A | cat"),
        ("|1 A= /bin/sh -c A=b c", "RUN A=b c"),
        ("RUN |1 A=CANARY prog --quick # buildkit", f"RUN {MASK}"),
        ("|3 A=CANARY /bin/sh -c echo CANARY", f"RUN {MASK}"),
        ("|1 A=CANARY /usr/local/bin/bash -e -u -c echo $A", "RUN /usr/local/bin/bash -e -u -c echo $A"),
        ("ENV PASSWORD=CANARY", f"ENV PASSWORD={MASK}"),
        ("ENV PASSWORD=CANARY CANARY=CANARY", f"ENV PASSWORD={MASK}"),
        ("/bin/sh -c #(nop)  ENV PASSWORD=CANARY CANARY", f"ENV PASSWORD={MASK}"),
        ("/bin/sh -c #(nop) ARG TOKEN=CANARY", f"ARG TOKEN={MASK}"),
        ("ARG TOKEN=CANARY", f"ARG TOKEN={MASK}"),
        ("ENV PASSWORD CANARY", f"ENV PASSWORD={MASK}"),
        ("ARG TOKEN", "ARG TOKEN"),
        ("/bin/sh -c #(nop) ARG TOKEN", "ARG TOKEN"),
        ("COPY a b # buildkit", "COPY a b"),
        ("", "No command is known"),
    ],
)
def test_a_layer_is_told_without_values(words: str, shown: str) -> None:
    layer = Layer(created_by=words)
    assert layer_command(layer) == shown
    (group,) = layer_rows((layer,), 0)
    cell = group.rows[0].cells[1]
    assert "CANARY" not in cell.text + cell.tooltip + cell.spoken
    assert made_by(layer) == cell.tooltip


def test_the_tooltip_keeps_what_is_no_value() -> None:
    assert made_by(Layer(created_by="|1 A=b /bin/sh -c a\n  b")) == f"|1 {MASK} /bin/sh -c a\n  b"


@pytest.mark.parametrize("words", ["/" * 200_000, "pwsh " * 50_000, "/sh " * 50_000, "-c" * 100_000, "A=" * 100_000])
def test_a_layer_that_wants_to_take_long_does_not(words: str) -> None:
    assert made_by(Layer(created_by=f"|1 A={words}")) == f"|1 {MASK}"
    many = f"|{'9' * 5000} A=b"
    assert made_by(Layer(created_by=many)) == many
