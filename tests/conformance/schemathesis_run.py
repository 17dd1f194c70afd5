"""Starts a server in an empty folder, creates the records that the examples of the document name, and lets Schemathesis
compare what the server answers with what the document says. Arguments: the program of Schemathesis, and what to pass on.

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

DOCUMENT = json.loads((ROOT / "openapi/openapi.json").read_text())


class Caller:
    """Calls a server with the token of an account of its own."""

    def __init__(self, base):
        self.base, self.token = base, None

    def call(self, method, path, body=None):
        headers = {"Content-Type": "application/json"} if body is not None else {}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.base + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request) as reply:
                return reply.status, json.loads(reply.read() or b"null")
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read() or b"null")

    def register(self):
        body = {"email": "judge@example.com", "password": "lantern orbit mustard 27 quill", "name": "Judge"}
        status, account = self.call("POST", "/v1/auth/register", body)
        assert status == 201, account
        # A token that does not expire while this runs.
        self.token = account["access_token"]
        body = {"name": "judge", "scopes": DOCUMENT["components"]["schemas"]["ScopeInput"]["enum"]}
        status, token = self.call("POST", "/v1/tokens", body)
        assert status == 201, token
        self.token = token["token"]


def resolve(schema):
    while True:
        if "$ref" in schema:
            target = DOCUMENT
            for part in schema["$ref"].split("/")[1:]:
                target = target[part]
            schema = target
        elif "oneOf" in schema:
            schema = next(branch for branch in schema["oneOf"] if branch.get("type") != "null")
        else:
            return schema


def change_ids(value, schema, change, is_top=True):
    """The value with each id of another record replaced by what `change` makes of its kind and it."""
    schema = resolve(schema)
    if "x-entity" in schema:
        return value if value is None or schema.get("x-chosen") else change(schema["x-entity"], value)
    if isinstance(value, dict):
        below = lambda name: schema.get("properties", {}).get(name) or schema.get("additionalProperties")
        own = lambda name: is_top and name == "id" or not isinstance(below(name), dict)
        return {
            name: member if own(name) else change_ids(member, below(name), change, False)
            for name, member in value.items()
        }
    if isinstance(value, list) and "items" in schema:
        return [change_ids(item, schema["items"], change, False) for item in value]
    return value


class Seeds:
    def __init__(self, caller):
        self.caller, self.made, self.collections = caller, set(), {}
        for path, methods in DOCUMENT["paths"].items():
            for operation in methods.values():
                for parameter in map(resolve, operation.get("parameters", [])):
                    if path.endswith("/{id}") and parameter["in"] == "path":
                        self.collections[parameter["schema"].get("x-entity")] = path.removesuffix("/{id}")

    def named(self, media):
        found = []
        change_ids(media["example"], media["schema"], lambda entity, id: found.append((entity, id)))
        return found

    def make(self, entity, id):
        path = self.collections.get(entity)
        create = DOCUMENT["paths"].get(path, {}).get("post", {})
        media = create.get("requestBody", {}).get("content", {}).get("application/json")
        if (entity, id) in self.made or not media or "id" not in resolve(media["schema"])["properties"]:
            return
        self.made.add((entity, id))

        def other(kind, named):
            if (kind, named) == (entity, id):
                return None
            # What nothing refers to yet stays so for the example itself.
            named = f"{named[:24]}{0xd000 + len(self.made):012x}" if named[32:35] == "00b" else named
            self.make(kind, named)
            return named

        body = change_ids(media["example"], media["schema"], other) | {"id": id}
        if entity == "tag":
            body["name"] += f" {id[32:]}"
        status, answer = self.caller.call("POST", path, body)
        assert status in (201, 409), (entity, id, answer)

    def make_all(self):
        for methods in DOCUMENT["paths"].values():
            for operation in methods.values():
                media = operation.get("requestBody", {}).get("content", {}).get("application/json")
                for entity, id in self.named(media) if media else []:
                    self.make(entity, id)


def main():
    program, more = sys.argv[1], sys.argv[2:]
    with Server() as server:
        caller = Caller(server.base)
        caller.register()
        Seeds(caller).make_all()
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
