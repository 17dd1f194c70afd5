"""Starts the server in an empty folder, for whatever judges it. As a program: runs a command, with the server's address in
WELLMET.

    python server.py COMMAND ...

The server is built before: `cargo build`. WELLMET_PROGRAM names another one."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


class Server:
    """A server with an empty database and without rate limits, until the end of the `with` block."""

    def __enter__(self):
        # `timeout` ends this program by SIGTERM: the server then ends too.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
        target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
        program = os.environ.get("WELLMET_PROGRAM", target / "debug/wellmet")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.base = f"http://127.0.0.1:{free.getsockname()[1]}"
        environment = {**os.environ, "BIND": self.base.removeprefix("http://"), "RATE_LIMITS": "off", "LOG": "warn"}
        self.folder = tempfile.TemporaryDirectory()
        self.process = subprocess.Popen([program], cwd=self.folder.name, env=environment, stdout=subprocess.DEVNULL)
        self.wait()
        return self

    def wait(self):
        # In bounded time; a server that does not start is found by the first request.
        for _ in range(100):
            try:
                return urllib.request.urlopen(f"{self.base}/livez").close()
            except urllib.error.URLError:
                time.sleep(0.1)

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)
        self.folder.cleanup()


if __name__ == "__main__":
    with Server() as server:
        sys.exit(subprocess.run(sys.argv[1:], env={**os.environ, "WELLMET": server.base}).returncode)
