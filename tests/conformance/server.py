"""Starts the server in an empty folder, for whatever judges it. As a program: runs a command, with the server's address in
WELLMET.

    python server.py COMMAND ...

The server is built before: `cargo build`. WELLMET_PROGRAM names another one. With JUDGED_DATABASE=postgres it has a PostgreSQL
of its own, whose programs are where the tests find them too, and else SQLite."""

import contextlib
import os
import shutil
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


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


class Postgres:
    """A cluster of its own, until the end of the `with` block. As root it runs as the user postgres."""

    def __enter__(self):
        installed = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
        found = shutil.which("initdb")
        if not found and not installed:
            sys.exit("there is no PostgreSQL")
        self.programs = installed[-1] if installed else Path(found).parent
        self.folder = tempfile.TemporaryDirectory()
        if os.geteuid() == 0:
            shutil.chown(self.folder.name, "postgres")
        port = free_port()
        self.run("initdb", "-D", "data", "-U", "wellmet", "-A", "trust", "--no-sync")
        options = f"-p {port} -k {self.folder.name} -c listen_addresses=127.0.0.1 -c fsync=off"
        self.run("pg_ctl", "-D", "data", "-l", "log", "-w", "-o", options, "start")
        try:
            self.run("createdb", "-h", "127.0.0.1", "-p", str(port), "-U", "wellmet", "wellmet")
        except BaseException:
            self.__exit__()
            raise
        self.url = f"postgres://wellmet@127.0.0.1:{port}/wellmet"
        return self

    def run(self, name, *arguments):
        as_postgres = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.geteuid() == 0 else []
        command = [*as_postgres, self.programs / name, *arguments]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=self.folder.name)

    def __exit__(self, *_):
        self.run("pg_ctl", "-D", "data", "-w", "-m", "immediate", "stop")
        self.folder.cleanup()


class Server:
    """A server with an empty database and without rate limits, until the end of the `with` block."""

    def __enter__(self):
        # `timeout` ends this program by SIGTERM: the server then ends too.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
        target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
        program = os.environ.get("WELLMET_PROGRAM", target / "debug/wellmet")
        self.base = f"http://127.0.0.1:{free_port()}"
        environment = {**os.environ, "BIND": self.base.removeprefix("http://"), "RATE_LIMITS": "off", "LOG": "warn"}
        with contextlib.ExitStack() as ending:
            if os.environ.get("JUDGED_DATABASE") == "postgres":
                environment["DATABASE_URL"] = ending.enter_context(Postgres()).url
            folder = ending.enter_context(tempfile.TemporaryDirectory())
            self.process = subprocess.Popen([program], cwd=folder, env=environment, stdout=subprocess.DEVNULL)
            ending.callback(self.stop)
            self.wait()
            self.ending = ending.pop_all()
        return self

    def wait(self):
        # In bounded time; a server that does not start is found by the first request.
        for _ in range(100):
            try:
                return urllib.request.urlopen(f"{self.base}/livez").close()
            except urllib.error.URLError:
                time.sleep(0.1)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)

    def __exit__(self, *_):
        self.ending.close()


if __name__ == "__main__":
    with Server() as server:
        sys.exit(subprocess.run(sys.argv[1:], env={**os.environ, "WELLMET": server.base}).returncode)
