"""A journey through the API with the client that openapi-python-client generates, as a program of yours makes it. Each step
asserts what the one before it has done. WELLMET is where the server listens; its database is empty."""

import datetime as dt
import os
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID, uuid4

from wellmet_client import AuthenticatedClient, Client
from wellmet_client import models as m
from wellmet_client.api.auth import register_user
from wellmet_client.api.capture import capture_person
from wellmet_client.api.changes import list_changes, revert_change
from wellmet_client.api.contacts import (
    create_contact,
    delete_contact,
    get_contact,
    list_contact_history,
    list_contacts,
    update_contact,
)
from wellmet_client.api.events import create_event, create_event_event_person, debrief_event, update_event
from wellmet_client.api.exchanges import list_reciprocity
from wellmet_client.api.feedback import create_feedback, update_feedback
from wellmet_client.api.follow_up_plans import list_built_in_follow_up_plans
from wellmet_client.api.follow_ups import complete_follow_up, create_contact_follow_up
from wellmet_client.api.goals import (
    create_goal,
    create_goal_key_result,
    create_goal_target,
    get_goal_progress,
    list_goals,
)
from wellmet_client.api.interactions import create_contact_interaction
from wellmet_client.api.introductions import create_introduction, update_introduction
from wellmet_client.api.me import get_me
from wellmet_client.api.needs import create_contact_need
from wellmet_client.api.posts import create_post
from wellmet_client.api.resources import create_resource, list_resource_audience, share_resource
from wellmet_client.api.review import get_review
from wellmet_client.api.search import search_records
from wellmet_client.api.today import get_today
from wellmet_client.api.tokens import create_token
from wellmet_client.types import Response

WELLMET = os.environ.get("WELLMET", "http://127.0.0.1:8080")
NOW = dt.datetime.now(dt.timezone.utc).replace(microsecond=0)
Model = TypeVar("Model")


def ok(response: Response[Any], kind: type[Model]) -> Model:
    """The record that an answer has. A problem, or a record of another kind, is raised."""
    assert isinstance(response.parsed, kind), f"{response.status_code}: {response.content!r}"
    return response.parsed


def problem(response: Response[Any], status: int, code: str) -> m.Problem:
    """The problem that an answer has, which is expected."""
    answer = ok(response, m.Problem)
    assert (response.status_code, answer.status, answer.code) == (status, status, code), answer
    return answer


def day(offset: int) -> dt.date:
    return NOW.date() + dt.timedelta(days=offset)


def hour(offset: int) -> dt.datetime:
    return NOW + dt.timedelta(hours=offset)


@dataclass
class Devices:
    """A phone with the session of a user, and a laptop with a token that has fewer scopes."""

    phone: AuthenticatedClient
    laptop: AuthenticatedClient


def sign_up() -> Devices:
    registration = m.RegistrationInput(
        email="ada@example.com", password="lantern orbit mustard 27 quill", name="Ada Lovelace"
    )
    account = ok(register_user.sync_detailed(client=Client(WELLMET), body=registration), m.LoggedIn)
    phone = AuthenticatedClient(WELLMET, account.access_token, raise_on_unexpected_status=True)
    assert ok(get_me.sync_detailed(client=phone), m.Me).user.email == "ada@example.com"

    scopes = [m.ScopeInput.CONTACTS_READ, m.ScopeInput.CONTACTS_WRITE]
    token = ok(create_token.sync_detailed(client=phone, body=m.TokenRequestInput("Laptop", scopes)), m.NewTokenOut)
    laptop = AuthenticatedClient(WELLMET, token.token, raise_on_unexpected_status=True)
    problem(list_goals.sync_detailed(client=laptop), 403, "insufficient_scope")
    return Devices(phone, laptop)


def keep_contacts(devices: Devices) -> UUID:
    phone, laptop = devices.phone, devices.laptop
    start = ok(list_changes.sync_detailed(client=laptop, limit=1000), m.ChangePage)
    assert not start.has_more

    # The phone chooses the id, and a key for the request: if the answer is lost, it sends the same again.
    contact_id, key = uuid4(), f"create {uuid4()}"
    emails = m.ContactInputEmails()
    emails["work"] = m.ContactEmailInput("grace@example.com")
    entered = m.ContactInput(
        id=contact_id,
        given_name="Grace",
        family_name="Hopper",
        nickname="Amazing Grace",
        emails=emails,
        tags=["navy"],
    )
    grace = ok(create_contact.sync_detailed(client=phone, body=entered, idempotency_key=key), m.Contact)
    assert (grace.id, grace.name) == (contact_id, "Grace Hopper")
    assert grace.created_at == grace.updated_at
    repeated = create_contact.sync_detailed(client=phone, body=entered, idempotency_key=key)
    assert repeated.headers["Idempotent-Replayed"] == "true"
    assert ok(repeated, m.Contact) == grace

    too_long = create_contact.sync_detailed(client=phone, body=m.ContactInput(given_name="G" * 1000))
    errors = problem(too_long, 422, "invalid").errors
    assert errors and (errors[0].pointer, errors[0].code) == ("#/given_name", "too_long")
    assert errors[0].params.max_ < 1000

    # Found by the beginning of a name, and in the list of a tag.
    found = ok(search_records.sync_detailed(client=laptop, q="hop"), m.SearchResult)
    assert [hit.record.contact and hit.record.contact.name for hit in found.items] == ["Grace Hopper"]
    listed = ok(list_contacts.sync_detailed(client=laptop, tag=["navy"], count=True), m.ContactPage)
    assert listed.total == 1 and listed.items[0].emails["work"].value == "grace@example.com"

    # Both devices read the same version. The edit of the second one is refused, and nothing is lost.
    on_phone = get_contact.sync_detailed(contact_id, client=phone)
    on_laptop = get_contact.sync_detailed(contact_id, client=laptop)
    edit = m.ContactPatch(headline="Rear admiral", tier=m.Tier.CORE)
    edited = update_contact.sync_detailed(contact_id, client=laptop, body=edit, if_match=on_laptop.headers["ETag"])
    assert ok(edited, m.Contact).tier is m.Tier.CORE
    edit = m.ContactPatch(headline="Computer scientist")
    late = update_contact.sync_detailed(contact_id, client=phone, body=edit, if_match=on_phone.headers["ETag"])
    problem(late, 412, "precondition_failed")
    assert late.headers["ETag"] == edited.headers["ETag"]

    # What has changed since the laptop looked last: the record as it is now, and who did it.
    changes = ok(list_changes.sync_detailed(client=laptop, since=start.next_cursor), m.ChangePage)
    change = [change for change in changes.items if change.entity == "contact"][-1]
    assert (change.id, change.op) == (contact_id, m.Op.UPDATED)
    assert "headline" in change.fields and change.actor.token_id is not None
    assert change.data and change.data.contact and change.data.contact.headline == "Rear admiral"

    # None clears a field; a field that is left out stays as it is.
    cleared = ok(update_contact.sync_detailed(contact_id, client=phone, body=m.ContactPatch(nickname=None)), m.Contact)
    assert (cleared.nickname, cleared.headline) == (None, "Rear admiral")

    # Any write can be undone by its number.
    deleted = delete_contact.sync_detailed(contact_id, client=phone)
    assert deleted.status_code == 204
    problem(get_contact.sync_detailed(contact_id, client=phone), 404, "not_found")
    history = ok(list_contact_history.sync_detailed(contact_id, client=phone), m.HistoryPage)
    write = int(deleted.headers["Wellmet-Write"])
    assert (history.items[0].op, history.items[0].write) == (m.Op.DELETED, write)
    undone = ok(revert_change.sync_detailed(write, client=phone), m.RevertResult)
    assert undone.left_alone == []
    restored = ok(get_contact.sync_detailed(contact_id, client=phone), m.Contact)
    assert restored.name == "Grace Hopper"

    # A server that is newer than this client may know more.
    newer = m.Contact.from_dict({**restored.to_dict(), "tier": "orbit", "zodiac": "Libra"})
    assert newer.tier is m.Tier.UNKNOWN_DEFAULT_OPEN_API
    return contact_id


def keep_in_touch(phone: AuthenticatedClient, contact_id: UUID) -> None:
    def next_contact_on() -> dt.date | None:
        include = [m.GetContactIncludeItem.ACTIVITY]
        activity = ok(get_contact.sync_detailed(contact_id, client=phone, include=include), m.Contact).activity
        assert isinstance(activity, m.ContactActivitySummary)
        return activity.next_contact_on

    # The tier `core` is every 30 days, counted from the last interaction.
    assert next_contact_on() == day(30)
    coffee = m.ContactInteractionInput(m.InteractionKind.COFFEE, occurred_on=day(-40))
    logged = ok(create_contact_interaction.sync_detailed(contact_id, client=phone, body=coffee), m.Interaction)
    assert (logged.status, logged.contact_ids) == (m.InteractionStatus.HAPPENED, [contact_id])
    assert next_contact_on() == day(-10)

    call = m.ContactFollowUpInput(
        "Call Grace",
        due_on=day(-2),
        channel=m.Channel.PHONE,
        recurrence=m.RecurrenceInput(every=1, unit=m.IntervalUnit.MONTH),
    )
    planned = ok(create_contact_follow_up.sync_detailed(contact_id, client=phone, body=call), m.FollowUp)
    before = ok(get_today.sync_detailed(client=phone), m.Today)
    assert [item.contact.id for item in before.contacts.items] == [contact_id]
    [due] = before.follow_ups.items
    assert (due.follow_up.id, due.reason.code) == (planned.id, m.TodayReasonCode.FOLLOW_UP_OVERDUE)
    assert due.reason.params.days == -2

    # Completing it logs the call in the same write, and creates the next occurrence.
    completion = m.FollowUpCompletionInput(outcome="All well", interaction=m.OptionalInteractionInput())
    completed = ok(complete_follow_up.sync_detailed(planned.id, client=phone, body=completion), m.FollowUpCompleted)
    assert completed.follow_up.status is m.FollowUpStatus.DONE
    assert completed.interaction and completed.interaction.kind is m.InteractionKind.CALL
    assert completed.next_ and completed.next_.due_on and completed.next_.due_on > day(0)
    assert next_contact_on() == day(30)
    after = ok(get_today.sync_detailed(client=phone), m.Today)
    assert (after.contacts.total, after.follow_ups.total) == (0, 0)


def pursue_goal(phone: AuthenticatedClient, contact_id: UUID) -> None:
    wish = m.GoalInput("Move into climate tech", started_on=day(-30), due_on=day(150))
    goal = ok(create_goal.sync_detailed(client=phone, body=wish), m.Goal)
    for key_result in [
        m.GoalKeyResultInput(target_value=4, title="Meet four people", metric=m.KeyResultMetric.PEOPLE_MET),
        m.GoalKeyResultInput(target_value=2, title="Two conferences", metric=m.KeyResultMetric.EVENTS_ATTENDED),
    ]:
        ok(create_goal_key_result.sync_detailed(goal.id, client=phone, body=key_result), m.KeyResult)
    somebody = m.GoalTargetInput(name="Mary Somerville", priority=5)
    target = ok(create_goal_target.sync_detailed(goal.id, client=phone, body=somebody), m.Target)
    assert target.stage is m.TargetStage.IDENTIFIED

    def progress() -> tuple[float | None, list[int | None]]:
        view = ok(get_goal_progress.sync_detailed(goal.id, client=phone), m.GoalProgress)
        return view.progress, [result.count for result in view.key_results]

    assert progress() == (0, [0, 0])

    conference = m.EventInput(
        "Climate Tech Summit",
        kind=m.EventKind.CONFERENCE,
        starts_at=hour(-2),
        ends_at=hour(6),
        time_zone="Europe/Berlin",
        participation=m.EventParticipation.ATTENDING,
        goal_ids=[goal.id],
    )
    event = ok(create_event.sync_detailed(client=phone, body=conference), m.Event)
    assert (event.starts_at, event.ends_at, event.goal_ids) == (hour(-2), hour(6), [goal.id])
    speaker = m.EventEventPersonInput(contact_id=target.contact_id, role=m.EventPersonRole.SPEAKER, priority=5)
    mary = ok(create_event_event_person.sync_detailed(event.id, client=phone, body=speaker), m.EventPerson)
    guest = m.EventEventPersonInput(contact_id=contact_id)
    grace = ok(create_event_event_person.sync_detailed(event.id, client=phone, body=guest), m.EventPerson)

    # Mary is recognized by her name, since she is at this event.
    capture = m.CaptureInput(m.CapturedPersonInput(name="Mary Somerville"), event_id=event.id, captured_at=hour(-1))
    captured = ok(capture_person.sync_detailed(client=phone, body=capture), m.CaptureResult)
    assert (captured.contact.id, captured.interaction.event_id) == (target.contact_id, event.id)
    assert captured.event_person and captured.event_person.id == mary.id
    assert captured.event_person.stage is m.EventPersonStage.MET

    there = m.EventPatch(participation=m.EventParticipation.ATTENDED)
    attended = ok(update_event.sync_detailed(event.id, client=phone, body=there), m.Event)
    assert attended.participation is m.EventParticipation.ATTENDED
    assert progress() == (0.375, [1, 1])

    # The debrief says whom else you met, and begins a plan of follow-ups. First without saving it.
    plans = ok(list_built_in_follow_up_plans.sync_detailed(client=phone), m.BuiltInPlans)
    [plan] = [plan for plan in plans.items if plan.name is m.BuiltInPlan.AFTER_EVENT]
    met = m.DebriefedPersonInput(event_person_id=grace.id, met=True, plan_id=plan.id)
    debrief = m.DebriefInput(rating=4, people=[met])
    rehearsed = ok(debrief_event.sync_detailed(event.id, client=phone, body=debrief, dry_run=True), m.EventDebriefed)
    assert rehearsed.dry_run and rehearsed.people[0].interaction_created
    assert progress() == (0.375, [1, 1])
    debriefed = ok(debrief_event.sync_detailed(event.id, client=phone, body=debrief), m.EventDebriefed)
    assert debriefed.event.debrief and debriefed.event.debrief.rating == 4
    assert debriefed.people[0].stage is m.EventPersonStage.MET and debriefed.people[0].plan_run_created
    assert progress() == (0.5, [2, 1])


def give_first(phone: AuthenticatedClient, contact_id: UUID) -> None:
    person = m.ContactInput(given_name="Kay", family_name="McNulty")
    kay = ok(create_contact.sync_detailed(client=phone, body=person), m.Contact)
    need = m.ContactNeedInput("energy storage", kind=m.NeedKind.NEED)
    ok(create_contact_need.sync_detailed(kay.id, client=phone, body=need), m.Need)

    # An introduction is made once both have agreed, and gives something to both.
    asked = m.IntroductionInput(
        contact_id, kay.id, status=m.IntroductionStatus.ASKED, consent_a=m.Consent.GIVEN
    )
    introduction = ok(create_introduction.sync_detailed(client=phone, body=asked), m.Introduction)
    early = m.IntroductionPatch(status=m.IntroductionStatus.MADE)
    problem(update_introduction.sync_detailed(introduction.id, client=phone, body=early), 409, "consent_missing")
    agreed = m.IntroductionPatch(status=m.IntroductionStatus.MADE, consent_b=m.Consent.GIVEN)
    made = ok(update_introduction.sync_detailed(introduction.id, client=phone, body=agreed), m.Introduction)
    assert (made.direction, made.made_on) == (m.IntroductionDirection.BY_ME, day(0))

    # The article suits Kay, who has not had it.
    useful = m.ResourceInput("Storage", topics=["energy storage"])
    article = ok(create_resource.sync_detailed(client=phone, body=useful), m.Resource)

    def audience() -> list[UUID]:
        page = ok(list_resource_audience.sync_detailed(article.id, client=phone), m.AudienceMemberPage)
        return [item.contact.id for item in page.items]

    assert audience() == [kay.id]
    share = m.ResourceShareInput([kay.id])
    shared = ok(share_resource.sync_detailed(article.id, client=phone, body=share), m.ResourceShared)
    assert (len(shared.exchanges), shared.interaction.contact_ids) == (1, [kay.id])
    assert audience() == []

    # Feedback that is reported back has been thanked for.
    topic = m.FeedbackInput(contact_id, "My portfolio")
    feedback = ok(create_feedback.sync_detailed(client=phone, body=topic), m.Feedback)

    def thanks_due() -> int:
        return len(ok(list_reciprocity.sync_detailed(client=phone, thanks_due=True), m.ReciprocityItemPage).items)

    assert thanks_due() == 1
    told = m.FeedbackPatch(status=m.FeedbackStatus.REPORTED_BACK, action="Cut it to three projects.")
    ok(update_feedback.sync_detailed(feedback.id, client=phone, body=told), m.Feedback)
    assert thanks_due() == 0

    post = m.PostInput(title="What heat pumps taught me", status=m.PostStatus.PUBLISHED, published_at=hour(-1))
    ok(create_post.sync_detailed(client=phone, body=post), m.Post)
    review = ok(get_review.sync_detailed(client=phone), m.Review)
    counts = review.counts
    assert (counts.introductions_made, counts.feedback_acted_on, counts.posts_published) == (1, 1, 1)
    assert (review.exchanges.given.count, review.exchanges.received.count) == (3, 1)
    assert [own.movement for own in review.goals] == [m.GoalMovement.MOVED]


if __name__ == "__main__":
    ours = sign_up()
    grace_hopper = keep_contacts(ours)
    keep_in_touch(ours.phone, grace_hopper)
    pursue_goal(ours.phone, grace_hopper)
    give_first(ours.phone, grace_hopper)
    print("The Python client has arrived.")
