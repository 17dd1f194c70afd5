"""Writes copies of the document, each with one change that breaks clients, and one that only grows."""

import copy
import json
import sys
from pathlib import Path

document, folder = json.loads(Path(sys.argv[1]).read_text()), Path(sys.argv[2])


def schema(changed, name):
    return changed["components"]["schemas"][name]


def without_path(changed):
    del changed["paths"]["/v1/tags"]


def without_field(changed):
    tag = schema(changed, "Tag")
    del tag["properties"]["color"]
    tag["required"].remove("color")


def with_required_field(changed):
    schema(changed, "ContactInput").setdefault("required", []).append("nickname")


def with_another_type(changed):
    schema(changed, "Tag")["properties"]["name"]["type"] = "integer"


def without_value(changed):
    schema(changed, "Tier")["enum"].pop()


def without_error(changed):
    del changed["paths"]["/v1/tags"]["post"]["responses"]["409"]


def with_value(changed):
    schema(changed, "Tier")["enum"].append("new")


BREAKS = [without_path, without_field, with_required_field, with_another_type, without_value, without_error]

for change in [*BREAKS, with_value]:
    changed = copy.deepcopy(document)
    change(changed)
    name = "grows" if change is with_value else f"breaks-{change.__name__}"
    (folder / f"{name}.json").write_text(json.dumps(changed))
