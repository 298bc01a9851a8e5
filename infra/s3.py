"""An S3 that is named by a URI, and how long we wait for one that does not answer."""

from __future__ import annotations

from urllib.parse import parse_qsl, unquote, urlsplit

from pyarrow import fs

ATTEMPTS = 3
"""Attempts. A request is made so often until the server counts as away. One that falls silent is given up after 3
seconds."""

OPTIONS = frozenset({"region", "scheme", "endpoint_override", "tls_ca_file_path"})
"""The query of the URI may have these options. They are named as in `pyarrow.fs.S3FileSystem`."""


def s3_filesystem(uri: str) -> tuple[fs.S3FileSystem, str]:
    """The file system of ``s3://[key:secret@]bucket/prefix[?option=value&…]``, and ``bucket/prefix``.

    `pyarrow.fs.FileSystem.from_uri` reads the same URIs, but waits 100 seconds for a server that does not answer.
    Where the URI names no key, Arrow looks for one in the usual places (``AWS_ACCESS_KEY_ID`` and others).

    Raises:
        ValueError: this is no such URI.
        OSError: it names neither a region nor a server, and Amazon cannot be asked where the bucket is.
    """
    parts = urlsplit(uri)
    bucket = parts.hostname
    if parts.scheme != "s3" or not bucket or parts.port is not None or parts.fragment:
        raise ValueError("an S3 URI is s3://bucket/prefix")
    options = dict(parse_qsl(parts.query, strict_parsing=bool(parts.query)))
    if unknown := sorted(set(options) - OPTIONS):
        raise ValueError(f"an S3 URI has no option {unknown[0]!r}, only {', '.join(sorted(OPTIONS))}")
    if "region" not in options and "endpoint_override" not in options:
        options["region"] = fs.resolve_s3_region(bucket)
    filesystem = fs.S3FileSystem(
        access_key=_decoded(parts.username),
        secret_key=_decoded(parts.password),
        retry_strategy=fs.AwsStandardS3RetryStrategy(max_attempts=ATTEMPTS),
        allow_delayed_open=True,  # so that a small file is one request, not three
        **options,
    )
    return filesystem, f"{bucket}{unquote(parts.path)}".rstrip("/")


def _decoded(part: str | None) -> str | None:
    return None if part is None else unquote(part)
