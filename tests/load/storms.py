#!/usr/bin/env python3
"""Storms: see README.md in this folder. Exits with 1 if any of them failed."""
import contextlib, http.client, json, os, pathlib, shutil, signal, socket, subprocess, sys, tempfile, threading, time, uuid

PASSWORD = "correct horse battery staple 47"
PG_BIN = os.environ.get("PG_BIN") or next(iter(sorted(map(str, pathlib.Path("/usr/lib/postgresql").glob("*/bin")), reverse=True)), "")
FAILURES = []


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def claim(storm, holds, text):
    print(f"{'ok  ' if holds else 'FAIL'} {storm}: {text}", flush=True)
    if not holds:
        FAILURES.append(storm)


class Postgres:
    """A cluster of its own, as the user postgres where this runs as root."""

    def __init__(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="wellmet-storm-", dir="/tmp"))
        self.port = free_port()
        if os.geteuid() == 0:
            shutil.chown(self.dir, "postgres")
        self.run(f"{PG_BIN}/initdb", "-D", str(self.dir / "data"), "-U", "wellmet", "-A", "trust")
        self.start()
        self.run(f"{PG_BIN}/createdb", "-h", "127.0.0.1", "-p", str(self.port), "-U", "wellmet", "wellmet")
        self.url = f"postgres://wellmet@127.0.0.1:{self.port}/wellmet"

    def run(self, *command):
        prefix = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.geteuid() == 0 else []
        subprocess.run([*prefix, *command], check=True, stdout=subprocess.DEVNULL, cwd=self.dir)

    def start(self):
        options = f"-p {self.port} -k {self.dir} -c listen_addresses=127.0.0.1"
        self.run(f"{PG_BIN}/pg_ctl", "-D", str(self.dir / "data"), "-l", str(self.dir / "log"), "-w", "-o", options, "start")

    def stop(self, mode="immediate"):
        self.run(f"{PG_BIN}/pg_ctl", "-D", str(self.dir / "data"), "-w", "-m", mode, "stop")

    def signal(self, name):
        postmaster = int((self.dir / "data" / "postmaster.pid").read_text().splitlines()[0])
        children = pathlib.Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
        for process in [postmaster, *map(int, children)]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, name)

    def remove(self):
        with contextlib.suppress(subprocess.CalledProcessError):
            self.stop()
        shutil.rmtree(self.dir, ignore_errors=True)


class Server:
    def __init__(self, binary, postgres):
        self.binary, self.postgres = str(pathlib.Path(binary).resolve()), postgres
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="wellmet-storm-"))
        self.port = free_port()
        self.env = dict(PATH=os.environ["PATH"], BIND=f"127.0.0.1:{self.port}", RATE_LIMITS="off", LOG="warn")
        if postgres:
            self.env["DATABASE_URL"] = postgres.url
        self.start()
        self.email = f"{uuid.uuid4()}@example.com"
        status, answer = self.call("POST", "/v1/auth/register", {"email": self.email, "password": PASSWORD, "name": "Ada"})
        assert status == 201, answer
        made = self.call("POST", "/v1/tokens", {"name": "storm", "scopes": ["contacts:read", "contacts:write"]}, answer["access_token"])
        self.token = made[1]["token"]

    def start(self):
        log = open(self.dir / "log", "a")
        self.process = subprocess.Popen([self.binary], cwd=self.dir, env=self.env, stdout=log, stderr=log)
        for _ in range(600):
            with contextlib.suppress(OSError):
                if self.call("GET", "/readyz")[0] == 200:
                    return
            time.sleep(0.05)
        raise SystemExit((self.dir / "log").read_text())

    def call(self, method, path, body=None, token=None, headers=None, timeout=120):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        headers = {"Content-Type": "application/json", **(headers or {})}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        try:
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            data = answer.read()
        finally:
            connection.close()
        try:
            return answer.status, json.loads(data) if data else None
        except ValueError:
            return answer.status, None

    def memory(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmRSS"))

    def stop(self):
        self.process.terminate()
        self.process.wait(60)
        shutil.rmtree(self.dir, ignore_errors=True)

    def contacts(self):
        """The ids of all contacts."""
        found, cursor = set(), ""
        while True:
            status, page = self.call("GET", f"/v1/contacts?known=any&limit=200{cursor}", token=self.token)
            assert status == 200, page
            found |= {item["id"] for item in page["items"]}
            if not page["next_cursor"]:
                return found
            cursor = f"&cursor={page['next_cursor']}"


class Peak:
    """The most memory that the server has while this is entered."""

    def __init__(self, server):
        self.server, self.peak, self.ended = server, 0, threading.Event()

    def __enter__(self):
        self.thread = threading.Thread(target=self.watch)
        self.thread.start()
        return self

    def watch(self):
        while not self.ended.wait(0.02):
            self.peak = max(self.peak, self.server.memory())

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()


def parallel(count, work):
    """Runs `work(number)` on so many threads; what each returned, or the exception that ended it."""
    results = [None] * count

    def run(number):
        try:
            results[number] = work(number)
        except Exception as error:  # a storm tells of it
            results[number] = error

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    return results


def logins(server):
    credentials = {"email": server.email, "password": PASSWORD}
    before, statuses = server.memory(), set()
    with Peak(server) as peak:
        for _ in range(5):
            answers = parallel(60, lambda _: server.call("POST", "/v1/auth/login", credentials))
            statuses |= {answer[0] if isinstance(answer, tuple) else repr(answer) for answer in answers}
    time.sleep(2)
    after = server.memory()
    claim("logins", statuses <= {200, 503}, f"answered {sorted(map(str, statuses))}")
    claim("logins", after <= 1.5 * before, f"memory {before:.0f} MB before, {peak.peak:.0f} at the peak, {after:.0f} after")


def passwords(server):
    crafted = ("4@8({[<3691!|1710$5+7%2" * 12)[:256]
    slowest, ended = [0.0], threading.Event()

    def watch():
        while not ended.wait(0.05):
            began = time.time()
            server.call("GET", "/livez")
            slowest[0] = max(slowest[0], time.time() - began)

    watcher = threading.Thread(target=watch)
    watcher.start()
    answers = parallel(59, lambda n: server.call("POST", "/v1/auth/register", {"email": f"{uuid.uuid4()}@example.com", "password": crafted, "name": "A"}))
    ended.set()
    watcher.join()
    statuses = {answer[0] if isinstance(answer, tuple) else repr(answer) for answer in answers}
    claim("passwords", statuses <= {201, 422, 503}, f"answered {sorted(map(str, statuses))}")
    claim("passwords", slowest[0] < 1, f"the slowest /livez meanwhile took {slowest[0]:.2f} s")


def unread(server):
    requests = b"GET /v1/openapi.json HTTP/1.1\r\nHost: x\r\n\r\n" * 16
    before, sockets = server.memory(), []
    with Peak(server) as peak:
        for _ in range(1500):
            with contextlib.suppress(OSError):
                s = socket.create_connection(("127.0.0.1", server.port), 10)
                s.sendall(requests)
                sockets.append(s)
        time.sleep(5)
        status = server.call("GET", "/livez")[0]
    [s.close() for s in sockets]
    # It is given back within ten seconds.
    time.sleep(15)
    after = server.memory()
    claim("unread", status == 200, f"{len(sockets)} connections, and /livez answers {status}")
    claim("unread", peak.peak < 400 and after <= 1.5 * before, f"memory {before:.0f} MB before, {peak.peak:.0f} at the peak, {after:.0f} after")


def garbage(server):
    lines = lambda: (server.dir / "log").read_text().count("\n")
    before = lines()

    def send(_):
        for _ in range(1000):
            with contextlib.suppress(OSError):
                with socket.create_connection(("127.0.0.1", server.port), 10) as s:
                    s.sendall(b"\x16\x03\x01 no HTTP\r\n\r\n")
                    s.recv(1024)

    parallel(20, send)
    claim("garbage", lines() - before <= 100, f"{lines() - before} lines in the log for 20,000 requests that are no HTTP")


class Writers:
    """Clients that write and read until they are told to stop; each notes what was acknowledged."""

    def __init__(self, server, count):
        self.server, self.ended = server, threading.Event()
        self.acknowledged, self.statuses, self.longest, self.lock = set(), {}, 0.0, threading.Lock()
        self.threads = [threading.Thread(target=self.work) for _ in range(count)]
        [thread.start() for thread in self.threads]

    def work(self):
        while not self.ended.is_set():
            made, began = str(uuid.uuid4()), time.time()
            try:
                status, _ = self.server.call("POST", "/v1/contacts", {"id": made, "given_name": "Grace"}, self.server.token, {"Idempotency-Key": made})
                self.note(status, began, made if status == 201 else None)
                began = time.time()
                self.note(self.server.call("GET", "/v1/contacts?limit=5", token=self.server.token)[0], began)
            except (OSError, http.client.HTTPException):
                self.note("no answer", began)
                time.sleep(0.05)

    def note(self, status, began, made=None):
        with self.lock:
            self.statuses[status] = self.statuses.get(status, 0) + 1
            self.longest = max(self.longest, time.time() - began)
            if made:
                self.acknowledged.add(made)

    def stop(self):
        self.ended.set()
        [thread.join() for thread in self.threads]


def audit(storm, server, writers):
    lost = writers.acknowledged - server.contacts()
    claim(storm, not lost, f"{len(writers.acknowledged)} acknowledged writes, {len(lost)} lost; answers {writers.statuses}; the longest took {writers.longest:.1f} s")


def killed(server):
    writers = Writers(server, 8)
    for _ in range(20):
        time.sleep(0.7)
        server.process.send_signal(signal.SIGKILL)
        server.process.wait()
        server.start()
    writers.stop()
    audit("killed", server, writers)
    server.process.terminate()
    server.process.wait(60)
    checked = subprocess.run([server.binary, "check"], cwd=server.dir, env=server.env, capture_output=True, text=True)
    claim("killed", checked.returncode == 0, f"wellmet check: {(checked.stdout + checked.stderr).strip()}")
    server.start()


def paused(server):
    writers = Writers(server, 40)
    time.sleep(2)
    server.postgres.signal(signal.SIGSTOP)
    time.sleep(25)
    server.postgres.signal(signal.SIGCONT)
    time.sleep(5)
    writers.stop()
    claim("paused", writers.longest < 25 and set(writers.statuses) <= {200, 201, 503}, f"the longest answer took {writers.longest:.1f} s")
    audit("paused", server, writers)


def restarted(server):
    writers = Writers(server, 20)
    for _ in range(3):
        time.sleep(2)
        server.postgres.stop("immediate")
        time.sleep(2)
        server.postgres.start()
    time.sleep(3)
    writers.stop()
    claim("restarted", set(writers.statuses) <= {200, 201, 503}, f"answers {writers.statuses}")
    audit("restarted", server, writers)


def main():
    arguments = [argument for argument in sys.argv[1:] if argument != "--postgres"]
    if not arguments:
        sys.exit(__doc__)
    postgres = Postgres() if "--postgres" in sys.argv else None
    storms = [logins, passwords, unread, garbage, killed] + ([paused, restarted] if postgres else [])
    chosen = [storm for storm in storms if len(arguments) == 1 or storm.__name__ in arguments[1:]]
    try:
        for storm in chosen:
            server = Server(arguments[0], postgres)
            try:
                storm(server)
            finally:
                server.stop()
    finally:
        if postgres:
            postgres.remove()
    sys.exit(1 if FAILURES else 0)


if __name__ == "__main__":
    main()
