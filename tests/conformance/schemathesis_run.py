"""Starts a server in an empty folder, sends it the request examples of the document as they stand, which creates the records
that they name, and lets Schemathesis compare what the server answers with what the document says. Arguments: the program of
Schemathesis, its phases, and what else to pass on. With `--one-kind` and a collection such as `organizations`, what all kinds
of record have alike is judged for that kind only.

The program is built before, as `server.py` says."""

import json
import os
import re
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

from server import ROOT, Server

# These end what the judge calls with: its account, its password and its token.
ENDS = ["delete_me", "change_password", "delete_token"]

# These cannot work as they stand: two carry a token that only the server can make, and this server sends no e-mails.
REFUSED = ["refresh_session", "confirm_password_reset", "request_password_reset"]

# How many tags the stateful phase gets at once.
TAGS_TOGETHER = 4

DOCUMENT = json.loads((ROOT / "openapi/openapi.json").read_text())


def resolve(value):
    while "$ref" in value:
        target = DOCUMENT
        for part in value["$ref"].split("/")[1:]:
            target = target[part]
        value = target
    return value


class Caller:
    """Calls a server with the token of an account of its own."""

    def __init__(self, base):
        self.base, self.token = base, None

    def call(self, method, path, body, headers):
        headers = {"Content-Type": "application/json", **headers}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        request = urllib.request.Request(self.base + path, json.dumps(body).encode(), headers, method=method.upper())
        try:
            with urllib.request.urlopen(request) as reply:
                return reply.status, json.loads(reply.read() or b"null")
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read() or b"null")

    def send_examples(self):
        """Every request example, in the order of the document. The first one creates the account."""
        for path, methods in DOCUMENT["paths"].items():
            for method, operation in methods.items():
                media = operation.get("requestBody", {}).get("content", {}).get("application/json")
                if media and operation["operationId"] not in ENDS + REFUSED:
                    self.send_examples_of(method, path, operation, media)

    def send_examples_of(self, method, path, operation, media):
        headers = {"If-Match": "*"} if method == "put" else {}
        for parameter in map(resolve, operation.get("parameters", [])):
            if parameter["in"] == "path":
                path = path.replace(f"{{{parameter['name']}}}", str(parameter["example"]))
        examples = [one["value"] for one in media["examples"].values()] if "examples" in media else [media["example"]]
        for body in examples:
            status, answer = self.call(method, path, body, headers)
            assert status < 400, (method, path, answer)
            if operation["operationId"] == "register_user":
                self.token = answer["access_token"]

    def take_lasting_token(self):
        """An access token would expire while this runs."""
        body = {"name": "judge", "scopes": DOCUMENT["components"]["schemas"]["ScopeInput"]["enum"]}
        status, token = self.call("post", "/v1/tokens", body, {})
        assert status == 201, token
        self.token = token["token"]


class Judge:
    """Schemathesis, with the token of a caller."""

    def __init__(self, program, server, token):
        here = Path(__file__).parent
        self.command = [program, "--config-file", here / "schemathesis.toml", "run", f"{server}/v1/openapi.json"]
        self.command += ["--header", f"Authorization: Bearer {token}"]
        self.command += ["--generation-allow-x00", "false", "--no-color"]
        self.command += [word for name in ENDS for word in ("--exclude-operation-id", name)]
        self.environment = {**os.environ, "SCHEMATHESIS_HOOKS": str(here / "schemathesis_hooks.py")}

    def finds_faults(self, *options):
        """Runs Schemathesis. True if it reports a failure, or sends no request at all."""
        run = subprocess.Popen([*self.command, *options], env=self.environment, stdout=subprocess.PIPE, text=True)
        is_sent = False
        for line in run.stdout:
            print(line, end="", flush=True)
            is_sent |= re.search(r"\d+ (passed|failed)", line) is not None
        if not is_sent:
            print("FAILED: Schemathesis sent no requests")
        return run.wait() != 0 or not is_sent


def alike(kept):
    """The paths under which all kinds of record are listed, created, read, edited, deleted and restored alike, of all kinds but
    one: a regular expression."""
    collections = [path.split("/")[2] for path in DOCUMENT["paths"] if path.endswith("/restore")]
    names = "|".join(name for name in collections if name != kept)
    return rf"^/v1/([^/]+/\{{\w+\}}/)?({names})(/\{{\w+\}}(/(history|restore))?)?$"


def runs(phases, more):
    """The options of each run. Of all operations at once, the stateful phase (in Schemathesis 4.32) generates no sequence that
    satisfies it, says so in one line, and passes. So it gets a few tags at a time, and links between these groups are not
    followed."""
    others = [phase for phase in phases if phase != "stateful"]
    runs = [["--phases", ",".join(others)]] if others else []
    if "stateful" in phases:
        tags = [["--include-tag", tag["name"]] for tag in DOCUMENT["tags"]]
        groups = [sum(tags[start : start + TAGS_TOGETHER], []) for start in range(0, len(tags), TAGS_TOGETHER)]
        runs += [["--phases", "stateful", *group] for group in ([[]] if "--include-tag" in more else groups)]
    return runs


def main():
    program, phases, more = sys.argv[1], sys.argv[2].split(","), sys.argv[3:]
    if "--one-kind" in more:
        at = more.index("--one-kind")
        more[at : at + 2] = ["--exclude-path-regex", alike(more[at + 1])]
    with Server() as server:
        caller = Caller(server.base)
        caller.send_examples()
        caller.take_lasting_token()
        judge = Judge(program, server.base, caller.token)
        return sum(judge.finds_faults(*run, *more) for run in runs(phases, more))


sys.exit(main())
