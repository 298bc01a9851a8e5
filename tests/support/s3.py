"""Two servers that speak S3: Moto's, in Python and in memory, and SeaweedFS, a real one."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx2
from pyarrow import fs

from infra.processes import dying_with_this_process, stop
from tests.support.waiting import wait_for

KEY = "the-key"
SECRET = "the+secret/of=it"
BUCKET = "bucket"


class S3Server:
    """A server with a bucket, which can be taken away and brought back.

    Attributes:
        port: of 127.0.0.1, the same when it is started again.
    """

    def __init__(self, command: list[str], port: int, folder: Path) -> None:
        """Start nothing yet.

        Args:
            command: that runs it.
            port: where it then listens.
            folder: for its log.
        """
        self.port = port
        self._command = command
        self._log = folder / "server.log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def uri(self) -> str:
        """Of a place in the bucket, for `BACKPROP_ARTIFACTS_URI`."""
        keys = "the-key:the%2Bsecret%2Fof%3Dit"
        return f"s3://{keys}@{BUCKET}/some/prefix?endpoint_override=127.0.0.1:{self.port}&scheme=http"

    @property
    def filesystem(self) -> fs.S3FileSystem:
        """All that the server has."""
        return fs.S3FileSystem(
            access_key=KEY,
            secret_key=SECRET,
            endpoint_override=f"127.0.0.1:{self.port}",
            scheme="http",
            allow_bucket_creation=True,
        )

    def keys(self) -> list[str]:
        """Of all objects below the prefix."""
        selector = fs.FileSelector(f"{BUCKET}/some/prefix", recursive=True, allow_not_found=True)
        found = self.filesystem.get_file_info(selector)
        return [info.path.removeprefix(f"{BUCKET}/some/prefix/") for info in found if info.is_file]

    def start(self) -> None:
        """Start it, or start it again, and wait until it takes objects."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                env=os.environ | {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                preexec_fn=dying_with_this_process(),
            )
        try:
            wait_for("S3", self._takes_our_keys, 60)
        except AssertionError as error:
            error.add_note(self._log.read_text(errors="replace")[-5_000:])
            raise

    def stop(self) -> None:
        """Kill it: SeaweedFS takes seconds to end when it is asked."""
        if self._process is not None:
            self._process.kill()
            stop(self._process)

    @contextmanager
    def silent(self) -> Iterator[None]:
        """Inside, it takes connections and answers nothing."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)

    def _takes_our_keys(self) -> bool:
        """Whether it has started and knows who we are: SeaweedFS listens before it has read its keys."""
        try:
            httpx2.get(f"http://127.0.0.1:{self.port}/", timeout=5, trust_env=False)
            self.filesystem.create_dir(BUCKET)
            with self.filesystem.open_output_stream(f"{BUCKET}/started") as stream:
                stream.write(b"yes")
        except (httpx2.TransportError, OSError):
            return False
        return True


def moto(folder: Path) -> S3Server:
    """Moto's server, with its log in an existing folder."""
    port = _free_ports(1)[0]
    command = [sys.executable, "-m", "moto.server", "--host", "127.0.0.1", "--port", str(port)]
    return S3Server(command, port, folder)


def seaweedfs(folder: Path) -> S3Server:
    """SeaweedFS with its data in an existing folder, on free ports of this machine only."""
    master, volume, filer, admin, s3 = _free_ports(5)
    options = {
        "dir": folder,
        "ip": "127.0.0.1",
        "ip.bind": "127.0.0.1",
        "master.port": master,
        "volume.port": volume,
        "filer.port": filer,
        "admin.port": admin,
        "s3.port": s3,
        "s3.port.iceberg": 0,
        "s3.port.lance": 0,
        "s3.autoCreateBucket": "false",
        "admin.ui": "false",
        "webdav": "false",
    }
    program = str(Path(sys.executable).parent / "weed")
    return S3Server([program, "mini", *(f"-{name}={value}" for name, value in options.items())], s3, folder)


def _free_ports(number: int) -> list[int]:
    """Ports that are free, and for SeaweedFS also those 10,000 above.

    None is of those that Linux gives to connections: one that is free now would not be when the server starts again.
    """
    ports: list[int] = []
    for port in random.sample(range(11_000, 22_000), 1_000):
        with socket.socket() as one, socket.socket() as other, suppress(OSError):
            one.bind(("127.0.0.1", port))
            other.bind(("127.0.0.1", port + 10_000))
            ports.append(port)
        if len(ports) == number:
            return ports
    raise AssertionError("there are no free ports")
