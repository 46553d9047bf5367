/* SPDX-License-Identifier: ISC */
/* The console: its line editor and its parser against models, and the whole shell against services that
 * answer anything. What is typed comes from the input in all three. The editor's model reads the bytes as
 * a text with tokens instead of one after the other, and a terminal stands by that shows what was echoed
 * (Y1). The shell ends, shows nothing that is not printable, and leaves nothing in its window (Y2). */
#include <stdio.h>
#include <string.h>

#include "abi/codec.h"
#include "abi/message_type.h"
#include "abi/messages.h"
#include "abi/roles.h"
#include "fuzz/harness.h"
#include "props/stand_ins/adversary.h"
#include "services/console/console.h"

const char harness_name[] = "console_talk";
MARKS(12, 0);

/* --- the terminal ----------------------------------------------------------------------------- */

enum { TERMINAL_COLUMNS = 400 };

static struct {
    char row[TERMINAL_COLUMNS];
    unsigned column;
    bool returned; /* CR came, LF did not */
} terminal;

static void check_shown(char byte)
{
    PROPERTY(Y2, byte == '\r' || byte == '\n' || byte == '\b' || byte == 7 ||
                     (byte >= ' ' && byte <= '~'));
}

static void terminal_show(char byte)
{
    check_shown(byte);
    PROPERTY(Y2, "row", byte != '\n' || terminal.returned);
    terminal.returned = byte == '\r';
    if (byte == '\r') {
        terminal.column = 0;
    } else if (byte == '\n') {
        memset(terminal.row, ' ', sizeof terminal.row);
    } else if (byte == '\b') {
        PROPERTY(Y1, "column", terminal.column != 0);
        terminal.column--;
    } else if (byte != 7) {
        PROPERTY(Y2, "width", terminal.column < TERMINAL_COLUMNS);
        terminal.row[terminal.column++] = byte;
    }
}

static void terminal_reset(void)
{
    memset(&terminal, 0, sizeof terminal);
    memset(terminal.row, ' ', sizeof terminal.row);
}

/* --- the line --------------------------------------------------------------------------------- */

enum token {
    TOKEN_NOTHING,
    TOKEN_TEXT,
    TOKEN_ERASE,
    TOKEN_KILL,
    TOKEN_END,
    TOKEN_STOP,
    TOKEN_LEAVE
};

/* How many bytes a sequence after ESC has, ESC included. */
static size_t escape_bytes(const uint8_t *bytes, size_t count)
{
    size_t at = 1;
    if (at == count || bytes[at] < ' ')
        return at;
    bool has_more = bytes[at] == '[' || bytes[at] == 'O';
    at++;
    while (has_more && at < count && bytes[at] >= ' ') {
        if (bytes[at++] >= '@')
            break;
    }
    return at;
}

/* The next token and how long it is. */
static enum token token_next(const uint8_t *bytes, size_t count, size_t *length)
{
    *length = 1;
    switch (bytes[0]) {
    case '\r':
        *length = count > 1 && bytes[1] == '\n' ? 2 : 1;
        return TOKEN_END;
    case '\n':
        return TOKEN_END;
    case 3:
        return TOKEN_STOP;
    case 4:
        return TOKEN_LEAVE;
    case 8:
    case 127:
        return TOKEN_ERASE;
    case 21:
        return TOKEN_KILL;
    case 27:
        *length = escape_bytes(bytes, count);
        return TOKEN_NOTHING;
    default:
        return bytes[0] >= ' ' && bytes[0] < 127 ? TOKEN_TEXT : TOKEN_NOTHING;
    }
}

static struct {
    char text[CONSOLE_LINE_BYTES_MAX];
    unsigned count;
} expected;

/* What the token does to the line, and what comes of it. */
static enum console_event expect_token(enum token token, uint8_t byte)
{
    unsigned count = expected.count;
    if (token == TOKEN_TEXT && count < CONSOLE_LINE_BYTES_MAX)
        expected.text[expected.count++] = (char)byte;
    if (token == TOKEN_ERASE && count != 0)
        expected.count--;
    if (token == TOKEN_KILL || token == TOKEN_STOP)
        expected.count = 0;
    if (token == TOKEN_END)
        return CONSOLE_DONE;
    if (token == TOKEN_LEAVE && count == 0)
        return CONSOLE_LEFT;
    return token == TOKEN_STOP ? CONSOLE_STOPPED : CONSOLE_TYPING;
}

/* All bytes of a token, which come to one event at most. */
static enum console_event type_token(struct console_line *line, const uint8_t *bytes, size_t length)
{
    enum console_event event = CONSOLE_TYPING;
    for (size_t i = 0; i < length; i++) {
        struct console_echo echo;
        enum console_event next = console_line_take(line, bytes[i], &echo);
        PROPERTY(Y1, "one-event", next == CONSOLE_TYPING || event == CONSOLE_TYPING);
        event = next == CONSOLE_TYPING ? event : next;
        for (uint32_t j = 0; j < echo.count; j++)
            terminal_show(echo.bytes[j]);
    }
    return event;
}

static void type_all(const uint8_t *bytes, size_t count)
{
    struct console_line line = {0};
    size_t length;
    expected.count = 0;
    terminal_reset();
    for (size_t at = 0; at < count; at += length) {
        enum token token = token_next(&bytes[at], count - at, &length);
        enum console_event wanted = expect_token(token, bytes[at]);
        PROPERTY_EQUAL(Y1, "event", type_token(&line, &bytes[at], length), wanted);
        mark_triple("console line", token, 0, wanted);
        MARK_IF("console: the line is full", line.count == CONSOLE_LINE_BYTES_MAX);
        if (wanted != CONSOLE_DONE && wanted != CONSOLE_STOPPED)
            PROPERTY(Y1, "shown",
                     terminal.column == expected.count &&
                         memcmp(terminal.row, expected.text, expected.count) == 0);
        PROPERTY_EQUAL(Y1, "count", line.count, expected.count);
        PROPERTY(Y1, "text", memcmp(line.text, expected.text, expected.count) == 0);
        if (wanted == CONSOLE_DONE) {
            console_line_clear(&line);
            expected.count = 0;
        }
    }
    digest_u64(line.count);
}

/* --- commands --------------------------------------------------------------------------------- */

/* Which words a command takes: of a name and a number, 0: none, 1: it may, 2: it must. */
static const struct {
    const char *name;
    unsigned word, number;
} known[] = {{"help", 0, 0},     {"ps", 0, 0},  {"memory", 0, 0}, {"log", 0, 0},  {"crashes", 0, 0},
             {"programs", 0, 0}, {"run", 2, 1}, {"start", 2, 1},  {"stop", 0, 2}, {"graph", 1, 0},
             {"uptime", 0, 0},   {"ls", 1, 0},  {"cat", 2, 0},    {"exit", 0, 0}};
enum { KNOWN_COUNT = sizeof known / sizeof known[0] };

/* Some words behind a command: what the parser makes of it follows from how many there are. */
static void parse_known(struct choices *choices)
{
    char text[128];
    unsigned which = (unsigned)choices_below(choices, KNOWN_COUNT);
    bool has_word = choices_flag(choices), has_number = choices_flag(choices);
    bool is_hex = choices_flag(choices), is_odd = choices_below(choices, 4) == 1;
    uint64_t number = choices_u64(choices);
    unsigned too_large = (unsigned)choices_below(choices, 4);
    bool by_sum = too_large == 1;            /* the first that is too large, by its last digit */
    bool is_long = by_sum || too_large == 2; /* or one digit more than there is room for */
    char digits[32];
    if (is_long) {
        number = by_sum ? UINT64_MAX / 10 : number | UINT64_C(1) << 63;
        is_hex = is_hex && !by_sum;
        is_odd = true;
    }
    snprintf(digits, sizeof digits, is_hex ? "0x%llx" : "%llu", (unsigned long long)number);
    int count = snprintf(text, sizeof text, "  %s%s%s%s%s", known[which].name,
                         has_word ? "   name" : "", has_number ? " " : "", has_number ? digits : "",
                         is_odd && has_number ? (by_sum    ? "9 "
                                                 : is_long ? "0 "
                                                           : "z ")
                                              : " ");
    struct console_command command;
    enum console_mistake mistake = console_command_parse(text, (uint32_t)count, &command);
    PROPERTY_EQUAL(Y1, "command", command.id, which + 1);
    unsigned words = has_word + has_number;
    bool takes_word = known[which].word != 0, takes_number = known[which].number != 0;
    enum console_mistake wanted = CONSOLE_FINE;
    if (words < (known[which].word == 2) + (unsigned)(known[which].number == 2))
        wanted = CONSOLE_MISSING;
    else if (takes_number && words > takes_word &&
             (is_odd || !has_number || (has_word && !takes_word)))
        wanted = CONSOLE_NO_NUMBER;
    else if (words > (unsigned)takes_word + takes_number)
        wanted = CONSOLE_TOO_MANY;
    PROPERTY_EQUAL(Y1, "mistake", mistake, wanted);
    mark_triple("console command", which, 0, mistake);
    MARK_IF("console: a number is too large", by_sum && mistake == CONSOLE_NO_NUMBER);
    MARK_IF("console: a number has a digit too many",
            is_long && !by_sum && mistake == CONSOLE_NO_NUMBER);
    bool is_last = has_number && takes_number && words == (unsigned)takes_word + 1u;
    if (mistake == CONSOLE_FINE && is_last)
        PROPERTY_EQUAL(Y1, "number", command.number, number);
}

static void parse_any(const uint8_t *bytes, size_t count)
{
    struct console_command command;
    enum console_mistake mistake =
        console_command_parse((const char *)bytes, (uint32_t)count, &command);
    bool inside = command.word_count == 0 ||
                  (command.word >= (const char *)bytes &&
                   command.word + command.word_count <= (const char *)bytes + count);
    PROPERTY(Y1, "inside", inside && command.id < CONSOLE_COMMAND_COUNT);
    digest_u64(mistake);
}

/* --- the shell -------------------------------------------------------------------------------- */

static struct console console;
static struct {
    uint64_t now_ticks;
    uint64_t shown;  /* bytes */
    uint32_t place;  /* that was asked for last */
    bool typed;      /* a whole line that is known, since the prompt */
    uint16_t wanted; /* the operation that is to be asked for first then; 0: none, or it was */
} around;

static bool reply_with(const struct message_type *type, const void *reply, struct message *message)
{
    return message_encode(type, reply, message) == STATUS_OK;
}

static bool refuse(struct message *message, enum status status)
{
    message_refuse(message, status);
    return true;
}

enum { ARGUMENT_COUNT = 7 };
static const char *const typed_arguments[ARGUMENT_COUNT] = {
    "", " idle", " phase0-exit 7", " 9", " procd", " nobody", " /bin/hello"};

/* What a command asks for first, by what is typed behind it; 0: it asks nobody but who shows its answer. */
static const uint16_t asks_first[KNOWN_COUNT][ARGUMENT_COUNT] = {
    {0}, /* help */
    {OP_PROCD_LIST_PROCESSES},
    {OP_MEMD_QUERY_MEMORY},
    {OP_LOGD_READ},
    {OP_CRASHD_READ},
    {0}, /* programs */
    {0, OP_PROCD_SPAWN_SERVICE, OP_PROCD_SPAWN_SERVICE, 0, 0, 0, OP_LOADERD_LAUNCH_PATH}, /* run */
    {0, OP_PROCD_SPAWN_SERVICE, OP_PROCD_SPAWN_SERVICE, 0, 0, 0,
     OP_LOADERD_LAUNCH_PATH}, /* start */
    {0, 0, 0, OP_PROCD_STOP_PROCESS},
    {OP_PROCD_LIST_PROCESSES, OP_PROCD_LIST_PROCESSES, 0, OP_PROCD_LIST_PROCESSES,
     OP_PROCD_LIST_PROCESSES, OP_PROCD_LIST_PROCESSES, OP_PROCD_LIST_PROCESSES},
    {OP_TIMED_NOW_MONOTONIC},
    {OP_VFSD_OPEN, OP_VFSD_OPEN, 0, OP_VFSD_OPEN, OP_VFSD_OPEN, OP_VFSD_OPEN, OP_VFSD_OPEN},
    {0, OP_VFSD_OPEN, 0, OP_VFSD_OPEN, OP_VFSD_OPEN, OP_VFSD_OPEN, OP_VFSD_OPEN},
};

/* At the prompt, with nothing typed before; whoever types while something runs is not heard. */
static void typed(unsigned command, unsigned argument, const struct message *message)
{
    struct seriald_read_request request;
    if (message_decode(&seriald_read_request_type, message, &request) != STATUS_OK ||
        request.wait_ticks != CONSOLE_IDLE_TICKS || console.line.count != 0 ||
        console.line.escape != 0)
        return;
    around.typed = true;
    around.wanted = asks_first[command][argument];
}

/* A byte, or a whole line. When the input is over, whoever types leaves. */
static bool answer_read(struct choices *choices, struct message *message)
{
    struct seriald_read_reply reply = {.count = 1 + (uint32_t)choices_below(choices, 8)};
    if (choices_empty(choices)) {
        static const char last[] = "\x15"
                                   "exit\r";
        reply.count = sizeof last - 1;
        memcpy(reply.bytes, last, reply.count);
        return reply_with(&seriald_read_reply_type, &reply, message);
    }
    uint8_t first = choices_u8(choices);
    if (first >= 128) {
        unsigned command = first % (KNOWN_COUNT - 1);
        unsigned argument = (unsigned)choices_below(choices, ARGUMENT_COUNT);
        int count = snprintf((char *)reply.bytes, sizeof reply.bytes, "%s%s\r", known[command].name,
                             typed_arguments[argument]);
        typed(command, argument, message);
        reply.count = (uint32_t)count;
    } else {
        reply.bytes[0] = first;
        for (uint32_t i = 1; i < reply.count; i++)
            reply.bytes[i] = choices_u8(choices);
    }
    return reply_with(&seriald_read_reply_type, &reply, message);
}

static bool answer_write(struct choices *choices, struct message *message)
{
    struct seriald_write_request request;
    if (message_decode(&seriald_write_request_type, message, &request) != STATUS_OK)
        return false;
    static const char unanswered[] = "uptime: TIMED_OUT";
    MARK_IF("console: timed did not answer",
            request.count >= sizeof unanswered - 1 &&
                memcmp(request.bytes, unanswered, sizeof unanswered - 1) == 0);
    uint32_t taken = request.count;
    if (choices_below(choices, 8) == 7)
        taken = (uint32_t)choices_below(choices, request.count + UINT64_C(1));
    for (uint32_t i = 0; i < taken; i++)
        check_shown(
            (char)request.bytes[i]); /* what a liar took nobody knows: no terminal follows */
    around.shown += taken;
    struct seriald_write_reply reply = {.taken_count = taken};
    return reply_with(&seriald_write_reply_type, &reply, message);
}

static bool answer_clock(struct message *message)
{
    struct timed_now_monotonic_reply reply = {++around.now_ticks};
    return reply_with(&timed_now_monotonic_reply_type, &reply, message);
}

/* Of a line that is known the first call is the stated one, of which nothing is left at the next prompt. */
static void asked_first(const struct message *message)
{
    uint16_t operation = message->header.operation;
    if (operation == OP_SERIALD_WRITE || operation == OP_NAMED_LOOKUP ||
        operation == OP_KERNEL_DROP_LOCAL_CAP || !around.typed)
        return;
    if (operation != OP_SERIALD_READ)
        PROPERTY_EQUAL(Y1, "asks", operation, around.wanted);
    else
        PROPERTY_EQUAL(Y1, "asks", 0, around.wanted);
    around.wanted = 0;
    around.typed = false;
}

/* A list begins at 0 and goes forward, whoever answered before. */
static void asked(const struct message *message)
{
    struct procd_list_processes_request request;
    asked_first(message);
    if (message->header.operation != OP_PROCD_LIST_PROCESSES ||
        message_decode(&procd_list_processes_request_type, message, &request) != STATUS_OK)
        return;
    PROPERTY(Y2, "forward", request.place == 0 || request.place > around.place);
    around.place = request.place;
}

static bool answer_processes(struct choices *choices, struct message *message)
{
    struct procd_list_processes_request request;
    (void)message_decode(&procd_list_processes_request_type, message, &request);
    bool goes_back = choices_below(choices, 16) == 9;
    struct procd_list_processes_reply reply = {
        .process_id = 1 + choices_below(choices, 64),
        .place = goes_back ? 1 : request.place + 1,
        .role = (uint32_t)choices_below(choices, 300) + 1,
        .state = (uint32_t)choices_below(choices, PROCESS_STATE_LAST + 1),
        .reason = (uint32_t)choices_below(choices, END_REASON_LAST + 1),
    };
    return request.place > 6 ? refuse(message, STATUS_NOT_FOUND)
                             : reply_with(&procd_list_processes_reply_type, &reply, message);
}

static bool answer_slot(struct choices *choices, struct message *message)
{
    struct procd_read_slot_request request;
    (void)message_decode(&procd_read_slot_request_type, message, &request);
    struct procd_read_slot_reply reply = {
        .slot = request.slot + (uint32_t)choices_below(choices, 40),
        .object_type = (uint32_t)choices_below(choices, OBJECT_TYPE_LIMIT),
        .rights = choices_u8(choices),
        .object_role = (uint32_t)choices_below(choices, 300),
        .badge = choices_u16(choices),
    };
    if (reply.object_type == OBJECT_NONE || reply.slot >= SLOT_LIMIT)
        reply = (struct procd_read_slot_reply){
            .slot = request.slot < SLOT_DYNAMIC_BASE ? SLOT_DYNAMIC_BASE : SLOT_LIMIT};
    return reply_with(&procd_read_slot_reply_type, &reply, message);
}

static bool answer_accounts(struct choices *choices, struct message *message)
{
    struct memd_list_accounts_request request;
    (void)message_decode(&memd_list_accounts_request_type, message, &request);
    struct memd_list_accounts_reply reply = {.key = request.key + 1 + choices_below(choices, 8),
                                             .tree_pages = choices_u16(choices)};
    return request.key > 32 ? refuse(message, STATUS_NOT_FOUND)
                            : reply_with(&memd_list_accounts_reply_type, &reply, message);
}

static bool answer_log(struct choices *choices, struct message *message)
{
    struct logd_read_request request;
    (void)message_decode(&logd_read_request_type, message, &request);
    struct logd_read_reply reply = {.record_id = request.cursor,
                                    .ticks = choices_u16(choices),
                                    .role = 1 + (uint32_t)choices_below(choices, 300),
                                    .count =
                                        1 + (uint32_t)choices_below(choices, LOG_LINE_BYTES_MAX)};
    memset(reply.text, choices_u8(choices), reply.count); /* printable or not */
    return request.cursor > 5 ? refuse(message, STATUS_NOT_FOUND)
                              : reply_with(&logd_read_reply_type, &reply, message);
}

static bool answer_end(struct choices *choices, struct message *message)
{
    struct procd_wait_process_event_reply reply = {
        .process_id = 9,
        .reason = 1 + (uint32_t)choices_below(choices, END_REASON_LAST),
        .code = choices_u8(choices),
        .fault_va = choices_u8(choices)};
    return choices_flag(choices)
               ? refuse(message, STATUS_TIMED_OUT)
               : reply_with(&procd_wait_process_event_reply_type, &reply, message);
}

/* A list goes forward here as well. */
static bool answer_entry(struct choices *choices, struct message *message)
{
    struct vfsd_readdir_request request;
    (void)message_decode(&vfsd_readdir_request_type, message, &request);
    struct vfsd_readdir_reply reply = {
        .file_id = request.cursor > 6 ? 0 : 1 + choices_below(choices, 64),
        .next_cursor = request.cursor + (choices_below(choices, 16) != 9),
        .kind = (uint32_t)choices_below(choices, FILE_KIND_LAST + 1),
        .count = (uint32_t)choices_below(choices, 64),
    };
    memset(reply.name, choices_u8(choices), reply.count);
    return reply_with(&vfsd_readdir_reply_type, &reply, message);
}

static bool answer_text(struct choices *choices, struct message *message)
{
    struct vfsd_read_request request;
    struct vfsd_read_reply reply;
    (void)message_decode(&vfsd_read_request_type, message, &request);
    memset(&reply, 0, sizeof reply);
    reply.count = request.offset_bytes > 4000
                      ? 0
                      : (uint32_t)choices_below(choices, FILE_TRANSFER_BYTES_MAX + 1);
    memset(reply.bytes, choices_u8(choices), reply.count);
    if (reply.count != 0)
        reply.bytes[choices_below(choices, reply.count)] = '\n';
    return reply_with(&vfsd_read_reply_type, &reply, message);
}

static bool answer_program(struct choices *choices, struct message *message)
{
    struct loaderd_wait_program_reply reply = {
        .process_id = 9,
        .reason = 1 + (uint32_t)choices_below(choices, END_REASON_LAST),
        .code = choices_u8(choices),
        .fault_va = choices_u8(choices)};
    return choices_flag(choices) ? refuse(message, STATUS_TIMED_OUT)
                                 : reply_with(&loaderd_wait_program_reply_type, &reply, message);
}

static bool answer_launch(struct choices *choices, struct message *message)
{
    struct loaderd_launch_path_reply reply = {.process_id = 9};
    return choices_flag(choices) ? refuse(message, STATUS_REQUIRE_DYNAMIC)
                                 : reply_with(&loaderd_launch_path_reply_type, &reply, message);
}

static bool answer_open(struct message *message)
{
    static const struct vfsd_open_reply reply = {.handle = 5, .file_id = 1};
    return reply_with(&vfsd_open_reply_type, &reply, message);
}

/* Of files: both vfsd and loaderd, by the operation. */
static bool answer_of_files(struct choices *choices, struct message *message)
{
    switch (message->header.operation) {
    case OP_VFSD_OPEN:
        return answer_open(message);
    case OP_VFSD_READDIR:
        return answer_entry(choices, message);
    case OP_VFSD_READ:
        return answer_text(choices, message);
    case OP_LOADERD_LAUNCH_PATH:
        return answer_launch(choices, message);
    case OP_LOADERD_WAIT_PROGRAM:
        return answer_program(choices, message);
    default:
        return false;
    }
}

/* What services that work would say. */
static bool answer(struct choices *choices, uint32_t slot, struct message *message)
{
    mark_triple("console asks", 0, message->header.operation, STATUS_OK);
    switch (message->header.operation) {
    case OP_SERIALD_READ:
        return slot == SLOT_PEER_SERIALD && answer_read(choices, message);
    case OP_SERIALD_WRITE:
        return slot == SLOT_PEER_SERIALD && answer_write(choices, message);
    case OP_TIMED_NOW_MONOTONIC:
        return answer_clock(message);
    case OP_PROCD_LIST_PROCESSES:
        return answer_processes(choices, message);
    case OP_PROCD_READ_SLOT:
        return answer_slot(choices, message);
    case OP_MEMD_LIST_ACCOUNTS:
        return answer_accounts(choices, message);
    case OP_LOGD_READ:
        return answer_log(choices, message);
    case OP_PROCD_WAIT_PROCESS_EVENT:
        return answer_end(choices, message);
    default:
        return answer_of_files(choices, message);
    }
}

static void talk(struct choices *choices)
{
    static const struct adversary_plan plan = {
        .service = SERVICE_STARTUP, .answer = answer, .asked = asked, .is_client = true};
    memset(&console, 0, sizeof console);
    memset(&around, 0, sizeof around);
    terminal_reset();
    console.offer.count = 2;
    console.offer.modules[0] = (struct startup_module){.role = ROLE_PHASE0_EXIT, .image_bytes = 1};
    console.offer.modules[1] = (struct startup_module){.role = ROLE_CONSOLE_IDLE, .image_bytes = 1};
    adversary_begin(choices, &plan);
    enum status status = console_talk(&console);
    PROPERTY(Y2, "ends", console.leaves || status != STATUS_OK);
    MARK_IF("console: left", console.leaves);
    MARK_IF("console: the line was lost", status != STATUS_OK);
    digest_u64(status);
    digest_u64(around.shown);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size_bytes)
{
    uint8_t typed[256];
    struct choices choices = harness_begin(bytes, size_bytes);
    size_t count = choices_below(&choices, sizeof typed);
    for (size_t i = 0; i < count; i++)
        typed[i] = choices_u8(&choices);
    type_all(typed, count);
    parse_any(typed, count);
    parse_known(&choices);
    talk(&choices);
    return 0;
}
