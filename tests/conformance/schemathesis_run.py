"""Starts a server in an empty folder, sends it the request examples of the document as they stand, which creates the records
that they name, and lets Schemathesis compare what the server answers with what the document says. Arguments: the program of
Schemathesis, and what to pass on.

The program is built before, as `server.py` says."""

import json
import os
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


def main():
    program, more = sys.argv[1], sys.argv[2:]
    with Server() as server:
        caller = Caller(server.base)
        caller.send_examples()
        caller.take_lasting_token()
        hooks = Path(__file__).with_name("schemathesis_hooks.py")
        command = [program, "run", f"{server.base}/v1/openapi.json", "--header", f"Authorization: Bearer {caller.token}"]
        command += ["--checks", "all", "--generation-allow-x00", "false", "--no-color"]
        # Its order is not that of the document: what one operation deletes, another does not find. That every example is
        # carried out as it stands is tested in `tests/api/examples.rs`.
        command += ["--exclude-checks", "positive_data_acceptance"]
        command += [word for name in ENDS for word in ("--exclude-operation-id", name)]
        environment = {**os.environ, "SCHEMATHESIS_HOOKS": str(hooks)}
        return subprocess.run(command + more, env=environment).returncode


sys.exit(main())
