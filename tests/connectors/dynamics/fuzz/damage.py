"""What may happen to bytes on the way: cut, spliced, repeated, flipped."""

from hypothesis import strategies as st


@st.composite
def mutated(draw: st.DrawFn, bodies: list[bytes]) -> bytes:
    """A body of the corpus after one to four accidents."""
    body = draw(st.sampled_from(bodies))
    for _ in range(draw(st.integers(1, 4))):
        kind = draw(st.sampled_from(["cut", "remove", "repeat", "splice", "flip", "insert", "digits"]))
        start, end = sorted((draw(st.integers(0, len(body))), draw(st.integers(0, len(body)))))
        if kind == "cut":
            body = body[:end]
        elif kind == "remove":
            body = body[:start] + body[end:]
        elif kind == "repeat":
            body = body[:end] + body[start:end] + body[end:]
        elif kind == "splice":
            other = draw(st.sampled_from(bodies))
            body = body[:start] + other[draw(st.integers(0, len(other))) :]
        elif kind == "insert":
            body = body[:start] + draw(st.binary(max_size=12)) + body[start:]
        elif kind == "digits":
            body = (
                body[:start]
                + body[start:end].translate(bytes.maketrans(b"0123456789", draw(st.permutations(b"0123456789").map(bytes))))
                + body[end:]
            )
        elif start < len(body):
            body = body[:start] + bytes([body[start] ^ draw(st.integers(1, 255))]) + body[start + 1 :]
    return body
