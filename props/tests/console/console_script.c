/* SPDX-License-Identifier: ISC */
/* The seam of the console's tests: whoever stands behind it does what the script says, and compares. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "abi/codec.h"
#include "abi/messages.h"
#include "abi/text/generate.h"
#include "props/base/message_page.h"
#include "props/base/testing.h"
#include "props/tests/console/console_test.h"
#include "services/console/console.h"

enum { TEXT_BYTES = 4096, ROW_BYTES = 512, CALL_TAKES_TICKS = 3, SECOND = 1000 };

static struct {
    const char *name;
    const char *const *steps;
    unsigned at;
    bool failed; /* what follows the first step that differs says nothing */
    uint64_t now_ticks;
    uint64_t told_ticks;   /* the last clock that the console was told */
    char typed[ROW_BYTES]; /* the row of the prompt that is still to be shown */
    char row[ROW_BYTES];
    size_t row_count;
    const struct operation *asked;                                /* last */
    uint64_t body[MESSAGE_BODY_BYTES_MAX / sizeof(uint64_t) + 1]; /* of its reply */
    uint64_t repeats;                                             /* how often it comes again */
    uint64_t repeated_rows;                                       /* that are still to be shown */
    bool shows_repeated;
    char grows[32];
    const char *line_answer;
    uint32_t line_calls;
} script;

/* --- steps -------------------------------------------------------------------------------------------- */

static const char *step(void)
{
    return script.failed || script.steps[script.at] == NULL ? "" : script.steps[script.at];
}

static bool step_is(const char *lead)
{
    return strncmp(step(), lead, strlen(lead)) == 0;
}

/* The step is what came, or the rest of the talk is not looked at any more. */
static bool check(bool holds, const char *came)
{
    if (script.failed)
        return false;
    expect_of(script.name, *step() != 0 ? step() : "nothing more comes", holds);
    if (!holds)
        printf("       came: %s\n", came);
    script.failed = !holds;
    script.at += holds;
    return holds;
}

/* What holds besides of every step. */
static void rule(bool holds, const char *what)
{
    if (script.failed || holds)
        return;
    expect_of(script.name, what, false);
    printf("       at: %s\n", step());
    script.failed = true;
}

static bool status_named(const char *text, enum status *status)
{
    for (unsigned i = 0; i < STATUS_COUNT; i++) {
        *status = (enum status)i;
        if (strcmp(text, status_name(i)) == 0)
            return true;
    }
    return false;
}

/* --- fields ------------------------------------------------------------------------------------------ */

static uint64_t number_at(const uint8_t *at, unsigned width_bytes)
{
    uint64_t number = 0;
    memcpy(&number, at, width_bytes); /* little-endian, as every machine here */
    return number;
}

/* Appends the field at `at`, unless it is zero or counts the bytes behind it. */
static size_t field_print(const struct message_field *field, const uint8_t *at, uint64_t count,
                          char *text, size_t limit)
{
    bool counts = field[1].kind == FIELD_BYTES;
    if (field->kind == FIELD_BYTES)
        return (size_t)snprintf(text, limit, " %s='%.*s'", field->name, (int)count,
                                (const char *)at);
    uint64_t number = number_at(at, field->width_bytes);
    if (strcmp(field->name, "deadline_ticks") == 0)
        number -= script.now_ticks;
    if (number == 0 || counts)
        return 0;
    return (size_t)snprintf(text, limit, " %s=%" PRIu64, field->name, number);
}

static void request_print(const struct operation *operation, const struct message *message,
                          char *text)
{
    const uint8_t *at = message->body;
    size_t used =
        (size_t)snprintf(text, TEXT_BYTES, "%s.%s", operation->service_name, operation->name);
    uint64_t number = 0;
    for (const struct message_field *field = operation->request_fields; field->kind != FIELD_END;
         field++) {
        used += field_print(field, at, number, text + used, TEXT_BYTES - used);
        if (field->kind == FIELD_BYTES)
            break;
        number = number_at(at, field->width_bytes);
        at += (size_t)field->width_bytes * field->entry_count;
    }
    if (message->header.window_count != 0)
        snprintf(text + used, TEXT_BYTES - used, " window=%" PRIu32, message->header.window_slot);
}

/* The field of that name, and where it lies in the reply; null: there is none. */
static const struct message_field *reply_field(const struct operation *operation, const char *name,
                                               size_t name_count, uint8_t **at)
{
    *at = (uint8_t *)script.body;
    for (const struct message_field *field = operation->reply_fields; field->kind != FIELD_END;
         field++) {
        if (strlen(field->name) == name_count && memcmp(field->name, name, name_count) == 0)
            return field;
        *at += (size_t)field->width_bytes * field->entry_count;
    }
    return NULL;
}

/* One `name=value` of an answer; what follows it. */
static const char *reply_put(const struct operation *operation, const char *text)
{
    uint8_t *at;
    size_t name_count = strcspn(text, "=");
    const struct message_field *field = reply_field(operation, text, name_count, &at);
    if (field == NULL || text[name_count] != '=') {
        rule(false, "the script's answer has a field that the reply has not");
        return "";
    }
    text += name_count + 1;
    if (*text == '\'') {
        const char *end = strrchr(text + 1, '\'');
        uint32_t count = (uint32_t)(end - text) - 1;
        memcpy(at, text + 1, count);
        memcpy(at - sizeof count, &count, sizeof count);
        return end + 1;
    }
    char *behind;
    uint64_t number = strtoull(text, &behind, 10);
    memcpy(at, &number, field->width_bytes);
    return behind;
}

/* --- answers ------------------------------------------------------------------------------------------- */

/* A reply, its capabilities in the caller's window. */
static void deliver(const struct operation *operation, void *body, struct message *message)
{
    struct message_header asked = message->header;
    uint8_t *at = body;
    uint32_t slot = asked.window_slot;
    for (const struct message_field *field = operation->reply_fields; field->kind != FIELD_END;
         field++) {
        if (field->kind == FIELD_CAP) {
            memcpy(at, &slot, sizeof slot);
            slot++;
        }
        at += (size_t)field->width_bytes * field->entry_count;
    }
    rule(slot - asked.window_slot == asked.window_count,
         "a window for as much as the reply brings");
    generate_delivered(operation->reply, body, message);
    message->header.request_id = asked.request_id;
    rule(message_allowed(operation->reply, message), "the script's answer is none");
}

static enum status answer(const char *text, const struct operation *operation,
                          struct message *message, uint64_t deadline_ticks)
{
    enum status status = STATUS_OK;
    if (*text == '!') {
        rule(status_named(text + 1, &status), "the script has a status that is none");
        if (status == STATUS_TIMED_OUT)
            script.now_ticks = deadline_ticks;
        return status;
    }
    if (strcmp(text, "nonsense") == 0) {
        message->header.body_bytes = MESSAGE_BODY_BYTES_MAX;
        message->header.cap_count = 0;
        return STATUS_OK;
    }
    bool is_status = status_named(text, &status);
    if (status != STATUS_OK && is_status) {
        message_refuse(message, status);
        return STATUS_OK;
    }
    memset(script.body, 0, sizeof script.body);
    for (const char *at = is_status ? "" : text; *at != 0; at += *at == ' ')
        at = reply_put(operation, at);
    deliver(operation, script.body, message);
    return STATUS_OK;
}

/* The call before once more. */
static enum status answer_again(struct message *message)
{
    uint8_t *at;
    const struct message_field *field =
        reply_field(script.asked, script.grows, strlen(script.grows), &at);
    if (field != NULL) {
        uint64_t number = number_at(at, field->width_bytes) + 1;
        memcpy(at, &number, field->width_bytes);
    }
    deliver(script.asked, script.body, message);
    script.repeats--;
    script.repeated_rows += script.shows_repeated;
    return STATUS_OK;
}

/* The step says that the last call comes again. */
static void repeat(void)
{
    char shows[2] = "";
    rule(sscanf(step(), "* %" SCNu64 " %31s %1s", &script.repeats, script.grows, shows) >= 2,
         "the script has a step that is none");
    script.shows_repeated = shows[0] == '|';
    script.at++;
}

static enum status answer_step(const struct operation *operation, struct message *message,
                               uint64_t deadline_ticks)
{
    static char came[TEXT_BYTES];
    const char *wanted = step();
    const char *arrow = strstr(wanted, " -> ");
    request_print(operation, message, came);
    size_t count = arrow == NULL ? 0 : (size_t)(arrow - wanted);
    if (!check(count == strlen(came) && memcmp(came, wanted, count) == 0, came)) {
        message_refuse(message, STATUS_NOT_FOUND);
        return STATUS_OK;
    }
    script.asked = operation;
    return answer(arrow + strlen(" -> "), operation, message, deadline_ticks);
}

/* --- the line ------------------------------------------------------------------------------------------- */

static void row_shown(const char *row)
{
    if (script.typed[0] != 0) {
        rule(strcmp(row, script.typed) == 0, "the prompt and what was typed stand there");
        script.typed[0] = 0;
    } else if (script.repeated_rows != 0) {
        script.repeated_rows--;
    } else {
        check(step_is("| ") && strcmp(step() + 2, row) == 0, row);
    }
}

static enum status line_write(const struct operation *operation, struct message *message)
{
    struct seriald_write_request request;
    if (message_decode(operation->request, message, &request) != STATUS_OK)
        abort();
    for (uint32_t i = 0; i < request.count; i++) {
        if (request.bytes[i] != '\n' && script.row_count < ROW_BYTES - 1)
            script.row[script.row_count++] = (char)request.bytes[i];
        if (request.bytes[i] != '\n')
            continue;
        bool returned = script.row_count != 0 && script.row[script.row_count - 1] == '\r';
        rule(returned, "a row ends with CR and LF");
        script.row[script.row_count - returned] = 0;
        script.row_count = 0;
        row_shown(script.row);
    }
    struct seriald_write_reply reply = {.taken_count = request.count};
    deliver(operation, &reply, message);
    return STATUS_OK;
}

/* What the next step types. */
static enum status line_read(const struct operation *operation, struct message *message)
{
    struct seriald_read_request request;
    struct seriald_read_reply reply = {.count = 0};
    if (message_decode(operation->request, message, &request) != STATUS_OK)
        abort();
    rule(request.wait_ticks == 60 * SECOND, "a minute is waited for the next line");
    rule(script.repeats == 0 && script.repeated_rows == 0, "all of it is asked for and shown");
    rule(step_is("$ "), "another line is read for");
    const char *typed = step_is("$ ") ? step() + 2 : "\025exit"; /* when the talk has gone astray */
    script.at += step_is("$ ");
    reply.count = (uint32_t)snprintf((char *)reply.bytes, sizeof reply.bytes, "%s\r", typed);
    snprintf(script.typed, sizeof script.typed, "basalt> %s", typed);
    deliver(operation, &reply, message);
    return STATUS_OK;
}

/* --- the seam ------------------------------------------------------------------------------------------- */

/* Where each service is called (abi/slots.h). */
static uint32_t slot_of(enum service_id service)
{
    switch ((unsigned)service) {
    case SERVICE_KERNEL:
        return SLOT_SELF;
    case SERVICE_MEMD:
        return SLOT_PEER_MEMD;
    case SERVICE_PROCD:
        return SLOT_PEER_PROCD;
    case SERVICE_NAMED:
        return SLOT_PEER_NAMED;
    case SERVICE_LOGD:
        return SLOT_PEER_LOGD;
    case SERVICE_CRASHD:
        return SLOT_PEER_CRASHD;
    case SERVICE_TIMED:
        return SLOT_PEER_TIMED;
    case SERVICE_SERIALD:
        return SLOT_PEER_SERIALD;
    case SERVICE_VFSD:
        return SLOT_PEER_VFSD;
    case SERVICE_LOADERD:
        return SLOT_PEER_LOADERD;
    default:
        return SLOT_NULL;
    }
}

/* A minute for an answer, and what the call itself waits; five seconds for named, by the last clock. */
static uint64_t deadline_of(const struct operation *operation, const struct message *message)
{
    if (operation->service == SERVICE_KERNEL)
        return DEADLINE_NEVER;
    if (operation->service == SERVICE_NAMED)
        return script.told_ticks + 5 * SECOND;
    uint64_t waits = 0;
    if (operation->id == OP_SERIALD_READ)
        waits = number_at(message->body, sizeof waits);
    if (operation->id == OP_PROCD_WAIT_PROCESS_EVENT || operation->id == OP_LOADERD_WAIT_PROGRAM)
        waits = SECOND / 5;
    return script.now_ticks + 60 * SECOND + waits;
}

enum status sys_call(uint32_t slot, struct message *message, uint64_t deadline_ticks)
{
    const struct operation *operation = NULL;
    enum status status;
    for (unsigned i = 0; i < operation_count; i++)
        operation =
            operation_table[i].id == message->header.operation ? &operation_table[i] : operation;
    if (start_answer(message))
        return STATUS_OK;
    rule(operation != NULL && slot == slot_of(operation->service), "each call goes to its service");
    if (operation == NULL)
        return STATUS_INVALID_ARGUMENT;
    rule(deadline_ticks == deadline_of(operation, message), "P12: the deadline of the call");
    bool is_scripted = strncmp(step(), "seriald.", 8) == 0 || operation->service != SERVICE_SERIALD;
    bool writes =
        operation->id == OP_SERIALD_WRITE && (!step_is("seriald.write") || script.typed[0] != 0);
    if (step_is("* ") && operation == script.asked)
        repeat();
    if (script.repeats != 0 && operation == script.asked) {
        status = answer_again(message);
    } else if (is_scripted && !writes) {
        status = answer_step(operation, message, deadline_ticks);
    } else {
        script.line_calls++;
        if (*script.line_answer != 0)
            status = answer(script.line_answer, operation, message, deadline_ticks);
        else
            status = writes ? line_write(operation, message) : line_read(operation, message);
    }
    script.now_ticks += CALL_TAKES_TICKS;
    message_page_used(message);
    return status;
}

/* Nobody calls the console once it talks. It listens for the clock, or for a pause of 20 ticks. */
enum status sys_recv(uint32_t slot, struct message *message, uint64_t deadline_ticks,
                     struct receive_info *info)
{
    rule(slot == SLOT_SERVICE_ENDPOINT, "it listens at its own endpoint");
    *info = (struct receive_info){.now_ticks = script.now_ticks, .endpoint_slot = slot};
    if (deadline_ticks == DEADLINE_NEVER) {
        script.told_ticks = script.now_ticks;
        return start_receive(message, info);
    }
    bool polls = deadline_ticks == DEADLINE_POLL;
    rule(polls || deadline_ticks == script.now_ticks + 20, "a pause is 20 ticks");
    if (!polls)
        script.now_ticks = deadline_ticks;
    script.told_ticks = info->now_ticks = script.now_ticks;
    return polls ? STATUS_RETRY : STATUS_TIMED_OUT;
}

enum status sys_reply(uint32_t reply_slot, struct message *message)
{
    rule(reply_slot == SLOT_REPLY_BASE, "whoever called is answered");
    return start_replied(message) ? STATUS_OK : STATUS_NOT_FOUND;
}

/* --- a talk --------------------------------------------------------------------------------------------- */

void talk_line_answer(const char *text)
{
    script.line_answer = text;
}

uint32_t talk_line_calls(void)
{
    return script.line_calls;
}

/* How every talk begins: what is in the slots of those that are found by name is dropped, and they are
 * found (services/console/console.h). */
static const char *const beginning[] = {
    "kernel.drop_local_cap slot=28 -> NOT_FOUND", "named.lookup name='seriald' window=28 -> OK",
    "kernel.drop_local_cap slot=24 -> NOT_FOUND", "named.lookup name='timed' window=24 -> OK",
    "kernel.drop_local_cap slot=22 -> NOT_FOUND", "named.lookup name='logd' window=22 -> OK",
    "kernel.drop_local_cap slot=23 -> NOT_FOUND", "named.lookup name='crashd' window=23 -> OK",
    "kernel.drop_local_cap slot=29 -> OK",        "named.lookup name='vfsd' window=29 -> NOT_FOUND",
};

void talk_begin(const char *name, const char *const *steps)
{
    static const char *all[256];
    const char *line_answer = script.line_answer == NULL ? "" : script.line_answer;
    unsigned count = sizeof beginning / sizeof beginning[0];
    memcpy(all, beginning, sizeof beginning);
    if (*line_answer == 0)
        all[count++] = "| Basalt; help lists what can be asked for";
    while (*steps != NULL)
        all[count++] = *steps++;
    if (strncmp(steps[-1], "ends ", 5) != 0) {
        all[count++] = "$ exit";
        all[count++] = "| the console ends";
        all[count++] = "ends OK";
    }
    all[count] = NULL;
    memset(&script, 0, sizeof script);
    script.name = name;
    script.steps = all;
    script.line_answer = line_answer;
    script.now_ticks = SECOND;
}

void talk_end(enum status status)
{
    check(step_is("ends ") && strcmp(step() + 5, status_name(status)) == 0, status_name(status));
}

void talk(const char *name, const char *const *steps)
{
    static struct console console;
    memset(&console, 0, sizeof console);
    start_offer(&console.offer);
    talk_begin(name, steps);
    talk_end(console_talk(&console));
}
