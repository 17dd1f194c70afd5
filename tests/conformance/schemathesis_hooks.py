"""What no schema can say of a request: which values only the server can make, and how long a request can be as a whole."""

from urllib.parse import urlencode

import schemathesis


@schemathesis.hook
def map_query(context, query):
    """Cursors are signed, so a made-up one is only ever refused, which `tests/api` covers."""
    return {name: value for name, value in (query or {}).items() if name not in ("cursor", "since")}


@schemathesis.hook
def filter_case(context, case):
    """A URL of more than 65,535 bytes is refused by the HTTP library, without a problem, as `openapi/errors.md` says. The
    parameters that may come many times can exceed that together, each of them as long as it may be."""
    return len(urlencode(case.query or {}, doseq=True)) < 65_000
