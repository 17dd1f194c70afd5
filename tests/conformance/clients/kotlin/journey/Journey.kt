// A journey through the API with the client that OpenAPI Generator makes for Kotlin, as an Android app makes it. Each step
// checks what the one before it has done. WELLMET is where the server listens; its database is empty.

import java.time.LocalDate
import java.time.OffsetDateTime
import java.time.ZoneOffset
import java.time.temporal.ChronoUnit
import java.util.UUID
import okhttp3.MediaType.Companion.toMediaType
import okhttp3.Request
import okhttp3.RequestBody.Companion.toRequestBody
import wellmet.client.apis.*
import wellmet.client.infrastructure.ApiClient
import wellmet.client.infrastructure.ApiResponse
import wellmet.client.infrastructure.ClientError
import wellmet.client.infrastructure.Serializer
import wellmet.client.infrastructure.Success
import wellmet.client.models.*

val base = System.getenv("WELLMET") ?: "http://127.0.0.1:8080"
val now: OffsetDateTime = OffsetDateTime.now(ZoneOffset.UTC).truncatedTo(ChronoUnit.SECONDS)

fun day(offset: Long): LocalDate = now.toLocalDate().plusDays(offset)

fun hour(offset: Long): OffsetDateTime = now.plusHours(offset)

/** A device, or a script, with a token of its own. */
class Device(val token: String) {
    private fun <Api : ApiClient> own(api: Api) = api.also { it.accessTokenProvider = { token } }

    val me = own(MeApi(base))
    val tokens = own(TokensApi(base))
    val contacts = own(ContactsApi(base))
    val changes = own(ChangesApi(base))
    val search = own(SearchApi(base))
    val interactions = own(InteractionsApi(base))
    val followUps = own(FollowUpsApi(base))
    val plans = own(FollowUpPlansApi(base))
    val today = own(TodayApi(base))
    val review = own(ReviewApi(base))
    val needs = own(NeedsApi(base))
    val exchanges = own(ExchangesApi(base))
    val introductions = own(IntroductionsApi(base))
    val feedback = own(FeedbackApi(base))
    val resources = own(ResourcesApi(base))
    val posts = own(PostsApi(base))
    val goals = own(GoalsApi(base))
    val events = own(EventsApi(base))
    val capture = own(CaptureApi(base))
}

fun expect(holds: Boolean, what: () -> Any?) = check(holds) { "not as expected: ${what()}" }

fun <Value> expectEqual(actual: Value, expected: Value) = expect(actual == expected) { "$actual instead of $expected" }

/** The record that an answer has. */
fun <Body : Any> ApiResponse<Body?>.record(): Body {
    expect(this is Success) { "$statusCode ${(this as? ClientError)?.body}" }
    return (this as Success).data!!
}

/** The problem that an answer has, which is expected. */
fun ApiResponse<*>.problem(status: Int, code: String): Problem {
    expectEqual(statusCode, status)
    val problem = Serializer.moshi.adapter(Problem::class.java).fromJson((this as ClientError).body as String)!!
    expectEqual(problem.code, code)
    return problem
}

fun ApiResponse<*>.header(name: String): String = headers.getValue(name.lowercase()).single()

/** The session of a user on a phone, and a token with fewer scopes on a laptop. */
fun signUp(): Pair<Device, Device> {
    val registration = RegistrationInput("ada@example.com", "Ada Lovelace", "lantern orbit mustard 27 quill")
    val phone = Device(AuthApi(base).registerUser(registration).accessToken)
    expectEqual(phone.me.getMe().user.email, "ada@example.com")

    val request = TokenRequestInput("Laptop", listOf(ScopeInput.CONTACTS_READ, ScopeInput.CONTACTS_WRITE))
    val laptop = Device(phone.tokens.createToken(request).token)
    val goal = GoalInput("Not for this token")
    laptop.goals.createGoalWithHttpInfo(goal, null).problem(403, "insufficient_scope")
    return phone to laptop
}

/** Clears a field of a contact with null. */
fun clear(device: Device, id: UUID, field: String) {
    val patch = "{\"$field\": null}".toRequestBody("application/merge-patch+json".toMediaType())
    val request = Request.Builder().url("$base/v1/contacts/$id").patch(patch)
        .header("Authorization", "Bearer ${device.token}").build()
    ApiClient.defaultClient.newCall(request).execute().use { expectEqual(it.code, 200) }
}

fun keepContacts(phone: Device, laptop: Device): UUID {
    val start = laptop.changes.listChanges(limit = 1000)
    expect(!start.hasMore) { start }

    // The phone chooses the id, and a key for the request: if the answer is lost, it sends the same again.
    val id = UUID.randomUUID()
    val entered = ContactInput(
        id = id,
        givenName = "Grace",
        familyName = "Hopper",
        nickname = "Amazing Grace",
        emails = mapOf("work" to ContactEmailInput("grace@example.com")),
        tags = listOf("navy"),
    )
    val created = phone.contacts.createContactWithHttpInfo(entered, "create $id")
    expectEqual(created.record().id to created.record().name, id to "Grace Hopper")
    val repeated = phone.contacts.createContactWithHttpInfo(entered, "create $id")
    expectEqual(repeated.header("Idempotent-Replayed"), "true")
    expectEqual(repeated.record(), created.record())

    val tooLong = phone.contacts.createContactWithHttpInfo(ContactInput(givenName = "G".repeat(1000)), null)
    val field = tooLong.problem(422, "invalid").errors!!.single()
    expectEqual(field.pointer to field.code, "#/given_name" to "too_long")
    expectEqual(field.params.max, 200.0)

    // Found by the beginning of a name, and in the list of a tag.
    expectEqual(laptop.search.searchRecords("hop").items.map { it.record.contact?.name }, listOf("Grace Hopper"))
    val listed = laptop.contacts.listContacts(tag = listOf("navy"), count = true)
    expectEqual(listed.total to listed.items[0].emails["work"]?.value, 1L to "grace@example.com")

    // Both devices read the same version. The edit of the second one is refused, and nothing is lost.
    val onPhone = phone.contacts.getContactWithHttpInfo(id, null, null).header("ETag")
    val onLaptop = laptop.contacts.getContactWithHttpInfo(id, null, null).header("ETag")
    val edit = ContactPatch(headline = "Rear admiral", tier = Tier.core)
    val edited = laptop.contacts.updateContactWithHttpInfo(id, edit, null, onLaptop)
    expectEqual(edited.record().tier, Tier.core)
    val late = phone.contacts.updateContactWithHttpInfo(id, ContactPatch(headline = "Computer scientist"), null, onPhone)
    late.problem(412, "precondition_failed")
    expectEqual(late.header("ETag"), edited.header("ETag"))

    // What has changed since the laptop looked last: the record as it is now, and who did it.
    val change = laptop.changes.listChanges(since = start.nextCursor).items.last { it.entity == "contact" }
    expectEqual(change.id to change.op, id to Op.updated)
    expect("headline" in change.fields && change.actor.tokenId != null) { change }
    expectEqual(change.`data`?.contact?.headline, "Rear admiral")

    // The models of this client leave out null, so a patch with null is written by hand. An empty text clears one too.
    clear(phone, id, "tier")
    val cleared = phone.contacts.updateContactWithHttpInfo(id, ContactPatch(nickname = ""), null, null)
    with(cleared.record()) { expectEqual(Triple(tier, nickname, headline), Triple(null, null, "Rear admiral")) }
    val without = ContactInput(givenName = "Grace", familyName = "Hopper", tier = Tier.core)
    val replaced = phone.contacts.replaceContact(id, without, ifMatch = cleared.header("ETag"))
    expectEqual(Triple(replaced.headline, replaced.tags, replaced.emails), Triple(null, listOf(), mapOf()))

    // Any write can be undone by its number.
    val deleted = phone.contacts.deleteContactWithHttpInfo(id, null, null, null)
    expectEqual(deleted.statusCode, 204)
    phone.contacts.getContactWithHttpInfo(id, null, null).problem(404, "not_found")
    val last = phone.contacts.listContactHistory(id).items.first()
    val write = deleted.header("Wellmet-Write").toLong()
    expectEqual(last.op to last.write, Op.deleted to write)
    expectEqual(phone.changes.revertChange(write).leftAlone, listOf())
    val restored = phone.contacts.getContact(id)
    expectEqual(restored, replaced.copy(updatedAt = restored.updatedAt, version = restored.version))

    // A server that is newer than this client may know more.
    val json = Serializer.moshi.adapter(Contact::class.java)
    val newer = json.toJson(restored).replace("\"tier\":\"core\"", "\"tier\":\"orbit\",\"zodiac\":\"Libra\"")
    expectEqual(json.fromJson(newer), restored.copy(tier = Tier.unknown_default_open_api))
    return id
}

fun keepInTouch(phone: Device, contact: UUID) {
    fun nextContactOn(): LocalDate? {
        val include = listOf(ContactsApi.IncludeGetContact.activity)
        return phone.contacts.getContact(contact, include).activity?.nextContactOn
    }

    // The tier `core` is every 30 days, counted from the last interaction.
    expectEqual(nextContactOn(), day(30))
    val coffee = ContactInteractionInput(InteractionKind.coffee, occurredOn = day(-40))
    val logged = phone.interactions.createContactInteraction(contact, coffee)
    expectEqual(logged.status to logged.contactIds, InteractionStatus.happened to listOf(contact))
    expectEqual(nextContactOn(), day(-10))

    val call = ContactFollowUpInput(
        "Call Grace",
        dueOn = day(-2),
        channel = Channel.phone,
        recurrence = RecurrenceInput(every = 1, unit = IntervalUnit.month),
    )
    val planned = phone.followUps.createContactFollowUp(contact, call)
    val before = phone.today.getToday()
    expectEqual(before.contacts.items.map { it.contact.id }, listOf(contact))
    val due = before.followUps.items.single()
    expectEqual(due.followUp.id to due.reason.code, planned.id to TodayReasonCode.follow_up_overdue)
    expectEqual(due.reason.params.days, -2L)

    // Completing it logs the call in the same write, and creates the next occurrence.
    val completion = FollowUpCompletionInput(outcome = "All well", interaction = OptionalInteractionInput())
    val completed = phone.followUps.completeFollowUp(planned.id, followUpCompletionInput = completion)
    expectEqual(completed.followUp.status to completed.interaction?.kind, FollowUpStatus.done to InteractionKind.call)
    expect(completed.next?.dueOn?.isAfter(day(0)) == true) { completed }
    expectEqual(nextContactOn(), day(30))
    val after = phone.today.getToday()
    expectEqual(after.contacts.total to after.followUps.total, 0L to 0L)
}

fun pursueGoal(phone: Device, contact: UUID) {
    val goal = phone.goals.createGoal(GoalInput("Move into climate tech", startedOn = day(-30), dueOn = day(150)))
    phone.goals.createGoalKeyResult(goal.id, GoalKeyResultInput(4.0, "Meet four people", metric = KeyResultMetric.people_met))
    phone.goals.createGoalKeyResult(goal.id, GoalKeyResultInput(2.0, "Two events", metric = KeyResultMetric.events_attended))
    val target = phone.goals.createGoalTarget(goal.id, GoalTargetInput(name = "Mary Somerville", priority = 5))
    expectEqual(target.stage, TargetStage.identified)
    fun progress(): Pair<Double?, List<Long?>> {
        val view = phone.goals.getGoalProgress(goal.id)
        return view.progress to view.keyResults.map { it.count }
    }
    expectEqual(progress(), 0.0 to listOf(0L, 0L))

    val conference = EventInput(
        "Climate Tech Summit",
        kind = EventKind.conference,
        startsAt = hour(-2),
        endsAt = hour(6),
        timeZone = "Europe/Berlin",
        participation = EventParticipation.attending,
        goalIds = listOf(goal.id),
    )
    val event = phone.events.createEvent(conference)
    expectEqual(event.startsAt?.toInstant() to event.goalIds, hour(-2).toInstant() to listOf(goal.id))
    val speaker = EventEventPersonInput(contactId = target.contactId, role = EventPersonRole.speaker, priority = 5)
    val mary = phone.events.createEventEventPerson(event.id, speaker)
    val grace = phone.events.createEventEventPerson(event.id, EventEventPersonInput(contactId = contact))

    // Mary is recognized by her name, since she is at this event.
    val met = CaptureInput(CapturedPersonInput(name = "Mary Somerville"), eventId = event.id, capturedAt = hour(-1))
    val captured = phone.capture.capturePerson(met)
    expectEqual(captured.contact.id to captured.interaction.eventId, target.contactId to event.id)
    expectEqual(captured.eventPerson?.id to captured.eventPerson?.stage, mary.id to EventPersonStage.met)

    val attended = phone.events.updateEvent(event.id, EventPatch(participation = EventParticipation.attended))
    expectEqual(attended.participation, EventParticipation.attended)
    expectEqual(progress(), 0.375 to listOf(1L, 1L))

    // The debrief says whom else you met, and begins a plan of follow-ups. First without saving it.
    val plan = phone.plans.listBuiltInFollowUpPlans().items.single { it.name == BuiltInPlan.after_event }
    val debrief = DebriefInput(rating = 4, people = listOf(DebriefedPersonInput(grace.id, true, planId = plan.id)))
    val rehearsed = phone.events.debriefEvent(event.id, dryRun = true, debriefInput = debrief)
    expect(rehearsed.dryRun && rehearsed.people.single().interactionCreated) { rehearsed }
    expectEqual(progress(), 0.375 to listOf(1L, 1L))
    val debriefed = phone.events.debriefEvent(event.id, debriefInput = debrief)
    expectEqual(debriefed.event.debrief?.rating, 4)
    val person = debriefed.people.single()
    expectEqual(person.stage to person.planRunCreated, EventPersonStage.met to true)
    expectEqual(progress(), 0.5 to listOf(2L, 1L))
}

fun giveFirst(phone: Device, contact: UUID) {
    val kay = phone.contacts.createContact(ContactInput(givenName = "Kay", familyName = "McNulty")).id
    phone.needs.createContactNeed(kay, ContactNeedInput("energy storage", kind = NeedKind.need))

    // An introduction is made once both have agreed, and gives something to both.
    val asked = IntroductionInput(contact, kay, status = IntroductionStatus.asked, consentA = Consent.given)
    val id = phone.introductions.createIntroduction(asked).id
    val early = IntroductionPatch(status = IntroductionStatus.made)
    phone.introductions.updateIntroductionWithHttpInfo(id, early, null, null).problem(409, "consent_missing")
    val agreed = IntroductionPatch(status = IntroductionStatus.made, consentB = Consent.given)
    val made = phone.introductions.updateIntroduction(id, agreed)
    expectEqual(made.direction to made.madeOn, IntroductionDirection.by_me to day(0))

    // The article suits Kay, who has not had it.
    val article = phone.resources.createResource(ResourceInput("Storage", topics = listOf("energy storage"))).id
    fun audience() = phone.resources.listResourceAudience(article).items.map { it.contact.id }
    expectEqual(audience(), listOf(kay))
    val shared = phone.resources.shareResource(article, ResourceShareInput(listOf(kay)))
    expectEqual(shared.exchanges.size to shared.interaction.contactIds, 1 to listOf(kay))
    expectEqual(audience(), listOf())

    // Feedback that is reported back has been thanked for.
    val feedback = phone.feedback.createFeedback(FeedbackInput(contact, "My portfolio")).id
    fun thanksDue() = phone.exchanges.listReciprocity(thanksDue = true).items.size
    expectEqual(thanksDue(), 1)
    val told = FeedbackPatch(status = FeedbackStatus.reported_back, action = "Cut it to three projects.")
    phone.feedback.updateFeedback(feedback, told)
    expectEqual(thanksDue(), 0)

    phone.posts.createPost(PostInput(title = "Heat pumps", status = PostStatus.published, publishedAt = hour(-1)))
    val review = phone.review.getReview()
    val counts = review.counts
    expectEqual(listOf(counts.introductionsMade, counts.feedbackActedOn, counts.postsPublished), listOf(1L, 1L, 1L))
    expectEqual(review.exchanges.given.count to review.exchanges.received.count, 3L to 1L)
    expectEqual(review.goals.map { it.movement }, listOf(GoalMovement.moved))
}

fun main() {
    val (phone, laptop) = signUp()
    val contact = keepContacts(phone, laptop)
    keepInTouch(phone, contact)
    pursueGoal(phone, contact)
    giveFirst(phone, contact)
    println("The Kotlin client has arrived.")
}
