"""Reads a calendar from standard input with an independent parser (PyPI `icalendar`), checks what RFC 5545, RFC 7986 and
the documentation promise of every feed and every entry, and prints the entries as JSON for the test to compare.

Fails with a sentence for whatever does not hold."""

import datetime
import json
import sys

import icalendar
from dateutil.rrule import rrulestr

RAW = sys.stdin.buffer.read()


def text_of(value):
    return None if value is None else str(value)


def when(value):
    """A day as `2026-03-02`, an instant as `2026-03-02T09:00:00Z`."""
    if value is None:
        return None
    if isinstance(value, datetime.datetime):
        assert value.utcoffset() == datetime.timedelta(0), f"{value} is not in UTC"
        return value.strftime("%Y-%m-%dT%H:%M:%SZ")
    return value.isoformat()


def occurrences(entry):
    """The first three days from 2027 on of what recurs."""
    rule = entry.get("RRULE")
    if rule is None:
        return None
    start = datetime.datetime.combine(entry.decoded("DTSTART"), datetime.time())
    dates = rrulestr(rule.to_ical().decode(), dtstart=start)
    assert start in dates, f"{entry['UID']} does not start with an occurrence of its rule"
    found = dates.xafter(datetime.datetime(2026, 12, 31), count=3)
    return [date.date().isoformat() for date in found]


def check_lines():
    assert RAW.endswith(b"END:VCALENDAR\r\n"), "it does not end with END:VCALENDAR"
    for line in RAW.split(b"\r\n"):
        assert b"\n" not in line and b"\r" not in line, f"a line does not end with CRLF: {line}"
        assert len(line) <= 75, f"a line has more than 75 octets: {line}"
        line.decode("utf-8")


def check_calendar(calendar):
    assert not calendar.errors, calendar.errors
    expected = {
        "VERSION": "2.0",
        "CALSCALE": "GREGORIAN",
        "METHOD": "PUBLISH",
        "X-PUBLISHED-TTL": "PT1H",
    }
    for name, value in expected.items():
        assert str(calendar[name]) == value, f"{name} is {calendar[name]}"
    assert calendar["PRODID"], "there is no PRODID"
    # The parser does not know the type of an X- property, and leaves its value as it is written.
    written = str(calendar["X-WR-CALNAME"]).encode()
    assert calendar["NAME"].to_ical() == written, f"{calendar['NAME']!r} differs from {written!r}"
    interval = calendar["REFRESH-INTERVAL"]
    assert interval.params["VALUE"] == "DURATION", "REFRESH-INTERVAL is no duration"
    assert b"REFRESH-INTERVAL;VALUE=DURATION:PT1H\r\n" in RAW, "REFRESH-INTERVAL is not one hour"


def check_entry(entry):
    assert entry.name in ("VEVENT", "VTODO"), f"there is a {entry.name}"
    assert not entry.errors, entry.errors
    once = ["UID", "DTSTAMP", "LAST-MODIFIED", "SEQUENCE", "SUMMARY", "URL", "CATEGORIES", "STATUS"]
    once.append("DTSTART" if entry.name == "VEVENT" else "DUE")
    for name in once:
        assert name in entry, f"{entry} has no {name}"
        assert not isinstance(entry[name], list), f"{entry} has {name} more than once"
    for name in ("DTSTAMP", "LAST-MODIFIED"):
        when(entry.decoded(name))
    assert int(entry["SEQUENCE"]) >= 0, f"SEQUENCE is {entry['SEQUENCE']}"
    allowed = {
        "VEVENT": {"TENTATIVE", "CONFIRMED", "CANCELLED"},
        "VTODO": {"NEEDS-ACTION", "COMPLETED", "IN-PROCESS", "CANCELLED"},
    }
    assert str(entry["STATUS"]) in allowed[entry.name], f"STATUS is {entry['STATUS']}"
    assert str(entry["URL"]).startswith(("http://", "https://")), f"URL is {entry['URL']}"


def shown(entry):
    return {
        "kind": entry.name,
        "uid": str(entry["UID"]),
        "summary": str(entry["SUMMARY"]),
        "categories": [str(category) for category in entry["CATEGORIES"].cats],
        "status": str(entry["STATUS"]),
        "sequence": int(entry["SEQUENCE"]),
        "url": str(entry["URL"]),
        "starts": when(entry.decoded("DTSTART", None)),
        "ends": when(entry.decoded("DTEND", None)),
        "due": when(entry.decoded("DUE", None)),
        "completed": when(entry.decoded("COMPLETED", None)),
        "priority": entry.get("PRIORITY") and int(entry["PRIORITY"]),
        "location": text_of(entry.get("LOCATION")),
        "description": text_of(entry.get("DESCRIPTION")),
        "occurs": occurrences(entry),
    }


def main():
    check_lines()
    calendar = icalendar.Calendar.from_ical(RAW)
    check_calendar(calendar)
    for entry in calendar.subcomponents:
        check_entry(entry)
    uids = [str(entry["UID"]) for entry in calendar.subcomponents]
    assert len(uids) == len(set(uids)), "two entries have the same UID"
    entries = [shown(entry) for entry in calendar.subcomponents]
    print(json.dumps({"name": str(calendar["NAME"]), "entries": entries}))


main()
