"""Image columns: a thumbnail in the row, the full image by its address."""

from io import BytesIO

import pytest
import requests
from PIL import Image

from connectors.emulator.storage.files import file_columns
from tests.connectors.emulator.client import Client
from tests.connectors.emulator.storage.files.pictures import encoded, png
from tests.web_api import error_of

pytestmark = pytest.mark.row(49)


def image(form: str, width: int, height: int) -> bytes:
    out = BytesIO()
    Image.new("L", (width, height)).save(out, form)
    return out.getvalue()


def put(crm: Client, contact: str, image: bytes, **headers: str) -> requests.Response:
    headers = {"Content-Type": "application/octet-stream", **headers}
    return crm.http.patch(f"{crm.url}contacts({contact})/entityimage", data=image, headers=headers, timeout=10)


SMALL = png(100, 144)
LARGE = png(600, 300)


def test_a_small_image_is_its_own_thumbnail(crm: Client) -> None:
    contact = crm.contact(entityimage=encoded(SMALL))
    row = crm.row(f"contacts({contact})")
    assert "entityimage" not in row
    assert row["entityimageid"] == contact
    assert isinstance(row["entityimage_timestamp"], int)
    assert row["entityimage_url"].startswith("/Image/download.aspx?Entity=contact&Attribute=entityimage")
    assert crm.row(f"contacts({contact})?$select=entityimage")["entityimage"] == encoded(SMALL)
    assert crm.get(f"contacts({contact})/entityimage/$value").content == SMALL
    assert crm.get(f"contacts({contact})/entityimage/$value?size=full").content == SMALL


@pytest.mark.parametrize("form", ["PNG", "JPEG", "BMP", "GIF"])
def test_a_large_image_shows_a_thumbnail_and_is_kept_in_full(crm: Client, form: str) -> None:
    contact = crm.contact()
    large = image(form, 600, 300)
    assert put(crm, contact, large).status_code == 204
    thumbnail = crm.get(f"contacts({contact})/entityimage/$value").content
    assert (Image.open(BytesIO(thumbnail)).size, thumbnail == large) == ((144, 72), False)
    assert crm.row(f"contacts({contact})?$select=entityimage")["entityimage"] == encoded(thumbnail)
    assert crm.get(f"contacts({contact})/entityimage/$value?size=full").content == large
    assert crm.rows("fileattachments") == [], "an image is no file of a file column"


def test_an_image_is_cleared_in_the_three_ways(crm: Client) -> None:
    contact = crm.contact(entityimage=encoded(LARGE))
    ways = (
        ("PATCH", f"contacts({contact})", {"entityimage": None}),
        ("PUT", f"contacts({contact})/entityimage", {"value": None}),
        ("DELETE", f"contacts({contact})/entityimage", None),
    )
    for method, path, body in ways:
        assert crm.send("PATCH", f"contacts({contact})", {"entityimage": encoded(LARGE)}).status_code == 204
        assert crm.get(f"contacts({contact})/entityimage/$value?size=full").content == LARGE
        assert crm.send(method, path, body).status_code == 204
        for address in ("$value", "$value?size=full"):
            assert crm.get(f"contacts({contact})/entityimage/{address}").status_code == 204
        row = crm.row(f"contacts({contact})")
        assert (row["entityimageid"], row["entityimage_url"], row["entityimage_timestamp"]) == (None, None, None)


def test_a_smaller_image_takes_the_place_of_a_larger_one(crm: Client) -> None:
    contact = crm.contact(entityimage=encoded(LARGE))
    crm.send("PATCH", f"contacts({contact})", {"entityimage": encoded(SMALL)})
    assert crm.get(f"contacts({contact})/entityimage/$value?size=full").content == SMALL


def test_what_is_no_image_is_refused(crm: Client) -> None:
    contact = crm.contact()
    assert error_of(crm.send("PATCH", f"contacts({contact})", {"entityimage": encoded(b"text")})) == (400, "0x80072553")
    assert error_of(put(crm, contact, b"text")) == (400, "0x80072553")
    assert crm.get(f"contacts({contact})/entityimage/$value").status_code == 204


def test_an_image_has_a_largest_size(crm: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(file_columns.MAX_KB, "image", 1)
    big = SMALL + bytes(1_024)
    contact = crm.contact()
    assert error_of(crm.send("PATCH", f"contacts({contact})", {"entityimage": encoded(big)})) == (400, "0x80044a02")
    assert error_of(put(crm, contact, big)) == (400, "0x80044a02")


def test_an_image_may_arrive_in_chunks(crm: Client) -> None:
    contact = crm.contact()
    location = put(crm, contact, b"", **{"x-ms-transfer-mode": "chunked"}).headers["Location"]
    for start, status in ((0, 206), (100, 204)):
        part = LARGE[start : start + 100] if start == 0 else LARGE[start:]
        headers = {"Content-Range": f"bytes {start}-{start + len(part) - 1}/{len(LARGE)}"}
        assert crm.http.patch(location, data=part, headers=headers, timeout=10).status_code == status
    assert crm.get(f"contacts({contact})/entityimage/$value?size=full").content == LARGE


def test_an_image_goes_with_its_row(crm: Client) -> None:
    contact = crm.contact(entityimage=encoded(LARGE))
    crm.send("DELETE", f"contacts({contact})")
    assert crm.emulator.emulator.tables.connection.execute("SELECT count(*) FROM _files").fetchone() == (0,)
