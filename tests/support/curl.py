"""As much of curl as the README's tour uses, for machines that have none."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import httpx2


def main() -> None:
    """Do one request; exit with 22 if the answer is an error, as curl does with -f."""
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("-s", action="store_true")
    parser.add_argument("-f", action="store_true")
    for option in ("-F", "-H"):
        parser.add_argument(option, action="append", default=[])
    for option in ("-d", "-o"):
        parser.add_argument(option)
    options = parser.parse_args()
    form = dict(part.split("=", 1) for part in options.F)
    uploads = {name: Path(value[1:]).read_bytes() for name, value in form.items() if value.startswith("@")}
    response = httpx2.request(
        "POST" if form or options.d else "GET",
        options.url,
        headers=dict(header.split(": ", 1) for header in options.H),
        content=options.d,
        data={name: value for name, value in form.items() if name not in uploads} or None,
        files={name: (Path(form[name]).name, content) for name, content in uploads.items()} or None,
        timeout=30,
        trust_env=False,
    )
    if options.f and response.is_error:
        sys.exit(22)
    if options.o:
        Path(options.o).write_bytes(response.content)
    else:
        sys.stdout.buffer.write(response.content)


if __name__ == "__main__":
    main()
