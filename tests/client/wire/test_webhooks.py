"""Addresses of webhooks: what has been checked is what is sent."""

from __future__ import annotations

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backprop_client.wire.webhooks import LONGEST_URL, normal_address


@pytest.mark.parametrize(
    ("url", "normal"),
    [
        ("https://EXAMPLE.org", "https://example.org/"),
        ("https://example.org:443/a?b=c", "https://example.org/a?b=c"),
        ("http://exämple.org/ü", "http://xn--exmple-cua.org/%C3%BC"),
        ("http://0x7f.1/", "http://127.0.0.1/"),
        ("http://2130706433/", "http://127.0.0.1/"),
        ("http://１２７.0.0.1/", "http://127.0.0.1/"),
        ("http://[::FFFF:127.0.0.1]:8/", "http://[::ffff:7f00:1]:8/"),
        ("http:/example.org/../a", "http://example.org/a"),
        ("http://example.org./", "http://example.org./"),
    ],
)
def test_an_address_is_written_in_one_way(url: str, normal: str) -> None:
    assert normal_address(url) == normal == normal_address(normal)


@pytest.mark.parametrize(
    "url",
    [
        " http://example.org/",
        "http://example.org/ ",
        "http://example.org/a b",
        "http://localhost\\@example.org/",
        "http:\\\\example.org\\",
        "http://example.org/\n",
        "http://example.org/\t",
        "http://example.org/\x00",
        "http://exam\u00adple.org/",
        "http://example.org/\u2028",
        "http://user@example.org/",
        "http://:secret@example.org/",
        "http://example.org/#",
        "http://a..b/",
        "http://.example.org/",
        "http://./",
        f"http://{'a' * 64}.org/",
        f"http://{'a.' * 127}org/",
        "http://fe80::1/",
        "http://[fe80::1%25eth0]/",
        "http://example.org:65536/",
        pytest.param(f"https://example.org/{'ü' * (LONGEST_URL // 2)}", id="longer in ASCII"),
    ],
)
def test_what_is_read_in_several_ways_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"has (a|more)|valid URL"):
        normal_address(url)


_PIECES = ("a", ".", "@", ":", "/", "\\", "?", "#", "[", "]", "%", "%40", "%2e", "1", "8", "ä")


@given(
    st.sampled_from(["http://", "https://", "http:", "//"]),
    st.one_of(st.lists(st.sampled_from(_PIECES)).map("".join), st.text()),
)
def test_who_sends_reads_what_was_checked(scheme: str, rest: str) -> None:
    try:
        normal = normal_address(scheme + rest)
    except ValueError:
        return
    sent = httpx2.URL(normal)
    assert str(sent) == normal == normal_address(normal)
    assert sent.scheme in ("http", "https")
    assert not sent.userinfo
    assert normal.startswith(f"{sent.scheme}://{sent.netloc.decode()}/")
