/* SPDX-License-Identifier: ISC */
/* probed's whole list over a bus that answers anything: functions where the input puts them, bridges
 * that lead anywhere, and, where the input says so, something at every other place as well. named and
 * logd refuse some of their calls, and the kernel one read. Each register is read at most once (E8);
 * the lines that logd took are the model's (D4). */
#include <string.h>

#include "abi/codec.h"
#include "abi/roles.h"
#include "abi/slots.h"
#include "fuzz/harness.h"
#include "props/models/model_probed.h"
#include "props/stand_ins/stand_in_kernel.h"
#include "services/lib/call_logd.h"
#include "services/lib/call_named.h"
#include "services/probed/probed.h"

const char harness_name[] = "probed_bus";
MARKS(12, 0);

enum { PLACE_LIMIT = 48, READ_KINDS = 4, REGISTERS = 256 * 32 * 8 * READ_KINDS };

/* A function that the input put somewhere. */
struct place {
    uint32_t address; /* bus << 8 | device << 3 | function */
    uint32_t registers[READ_KINDS];
};

static struct {
    uint32_t place_count;
    struct place places[PLACE_LIMIT];
    uint64_t noise;       /* 0: nothing at all other places */
    uint32_t noise_buses; /* so many buses have it */
    uint64_t refusals;    /* a bit for each of 64 calls of named and logd, in turn */
    uint32_t call_count;
    uint32_t taken_count;
    uint64_t read_count;
    uint8_t was_read[REGISTERS / 8];
} around;

static struct probed probed;
static struct model_probed model;

/* --- the bus --- */

static uint32_t kind_of(uint32_t offset_bytes)
{
    static const uint32_t offsets[READ_KINDS] = {PCI_OFFSET_ID, PCI_OFFSET_CLASS, PCI_OFFSET_HEADER,
                                                 PCI_OFFSET_BUSES};
    for (uint32_t i = 0; i < READ_KINDS; i++)
        if (offsets[i] == offset_bytes)
            return i;
    return READ_KINDS;
}

static uint32_t bus_read(uint32_t bus, uint32_t device, uint32_t function, uint32_t offset_bytes)
{
    uint32_t address = bus << 8 | device << 3 | function;
    uint32_t kind = kind_of(offset_bytes);
    PROPERTY(D4, "register", kind != READ_KINDS);
    for (uint32_t i = 0; i < around.place_count; i++)
        if (around.places[i].address == address)
            return around.places[i].registers[kind];
    if (around.noise == 0 || bus >= around.noise_buses)
        return UINT32_MAX;
    uint64_t value = stand_in_mix(around.noise ^ ((uint64_t)address << 8 | kind));
    if (kind == 1 && value % 4 == 0)
        return 0x06040000;
    if (kind == 2 && value % 4 != 0)
        return 0x00810000;
    if (kind == 3 && value % 16 != 0)
        return (uint32_t)(value >> 16 & 0x1F00);
    return (uint32_t)value;
}

static uint32_t pci_read(uint32_t bus, uint32_t device, uint32_t function, uint32_t offset_bytes)
{
    uint32_t number =
        (bus << 8 | device << 3 | function) * READ_KINDS + kind_of(offset_bytes) % READ_KINDS;
    PROPERTY(E8, "once", (around.was_read[number / 8] >> number % 8 & 1) == 0);
    around.was_read[number / 8] |= (uint8_t)(1u << number % 8);
    around.read_count++;
    return bus_read(bus, device, function, offset_bytes);
}

/* --- named and logd --- */

static bool refuses(uint32_t call)
{
    return (around.refusals >> call % 64 & 1) != 0;
}

static enum status answer_with(struct stand_in_call *call, const struct message_type *type,
                               const void *body)
{
    if (call->operation == NULL)
        return message_encode(type, body, call->message);
    memcpy(call->reply, body, type->max_bytes);
    return STATUS_OK;
}

/* A line that is taken is the next one of the model's that was not lost. */
static enum status append(struct stand_in_call *call)
{
    static const struct logd_append_reply reply = {.record_id = 1};
    struct logd_append_request request;
    char text[MODEL_PROBED_LINE_BYTES] = {0};
    PROPERTY_EQUAL(E10, message_decode(&logd_append_request_type, call->message, &request),
                   STATUS_OK);
    HARNESS(request.count < sizeof text);
    memcpy(text, request.text, request.count);
    PROPERTY(D4, "line",
             around.taken_count < model.line_count &&
                 strcmp(text, model.lines[around.taken_count]) == 0);
    around.taken_count++;
    digest_bytes(text, request.count);
    return answer_with(call, &logd_append_reply_type, &reply);
}

static enum status answer(struct stand_in_call *call)
{
    struct named_lookup_reply found = {.service_slot = 1};
    bool refused = refuses(around.call_count++);
    if (call->through.object == ROLE_LOGD)
        return refused ? STATUS_PEER_DIED : append(call);
    PROPERTY_EQUAL(E10, call->message->header.operation, OP_NAMED_LOOKUP);
    if (refused)
        return STATUS_NOT_FOUND;
    call->caps[0] = stand_in_cap_to(OBJECT_ENDPOINT, ROLE_LOGD);
    call->caps[0].rights = RIGHT_SEND;
    call->caps[0].badge = ROLE_PROBED;
    return answer_with(call, &named_lookup_reply_type, &found);
}

/* What the refusals leave of the model's lines: one is lost when it, or the finding before it, is
 * refused. */
static void lose_lines(void)
{
    uint32_t kept = 0;
    uint32_t call = 0;
    bool found = false;
    for (uint32_t i = 0; i < model.line_count; i++) {
        if (!found && refuses(call++))
            continue;
        found = !refuses(call++);
        if (found && kept != i)
            memcpy(model.lines[kept], model.lines[i], sizeof model.lines[i]);
        kept += found;
    }
    model.line_count = kept;
}

/* --- one input --- */

static bool may_fail(const struct stand_in_call *call)
{
    return call->operation != NULL && call->operation->service == SERVICE_KERNEL &&
           call->operation->id == OP_KERNEL_READ_PCI_CONFIG_DWORD;
}

static const struct stand_in_peers peers = {
    .strict = true, .pci_read = pci_read, .may_fail = may_fail, .answer = answer};

static void place_put(struct choices *choices, struct place *place)
{
    static const uint32_t buses[] = {0, 0, 0, 1, 2, 255};
    uint64_t which = choices_below(choices, 8);
    uint32_t bus = which < 6 ? buses[which] : choices_u8(choices);
    bool bridge = choices_below(choices, 3) == 0;
    bool multiple = choices_flag(choices);
    uint32_t behind =
        choices_below(choices, 4) == 0 ? choices_u8(choices) : (uint32_t)choices_below(choices, 4);
    place->address = bus << 8 | (uint32_t)choices_below(choices, 4) << 3 |
                     (uint32_t)choices_below(choices, choices_flag(choices) ? 8 : 1);
    place->registers[0] = choices_u32(choices);
    place->registers[1] = bridge ? 0x06040000 : choices_u32(choices);
    place->registers[2] = (multiple ? 0x800000u : 0) | (bridge ? 0x10000u : 0);
    place->registers[3] = behind << 8 | bus;
    if (choices_below(choices, 8) == 0)
        place->registers[choices_below(choices, READ_KINDS)] = choices_u32(choices);
}

static uint64_t draw(struct choices *choices)
{
    memset(&around, 0, sizeof around);
    uint64_t how = choices_below(choices, 8);
    if (how == 0) {
        around.noise_buses = 1 + choices_u8(choices) % 4;
        around.noise = choices_u64(choices) | 1;
    }
    if (how == 1 || how == 2)
        around.refusals = choices_u64(choices);
    uint64_t granted = how == 3 ? choices_u16(choices) % 2048 : UINT64_MAX;
    while (!choices_empty(choices) && around.place_count < PLACE_LIMIT)
        place_put(choices, &around.places[around.place_count++]);
    return granted;
}

static void mark(void)
{
    MARK_IF("probed: nothing is there", model.function_count == 0);
    MARK_IF("probed: functions behind a bridge", probed.walk.known[0] > 1);
    MARK_IF("probed: more than are listed", model.function_count > PROBED_LINES_MAX);
    MARK_IF("probed: a read is refused", model.unreadable);
    MARK_IF("probed: lines are lost", around.refusals != 0 && model.line_count != 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size_bytes)
{
    struct choices choices = harness_begin(bytes, size_bytes);
    uint64_t granted = draw(&choices);
    memset(&probed, 0, sizeof probed);
    stand_in_begin(&peers);
    stand_in_put(SLOT_SELF, stand_in_cap_to(OBJECT_KERNEL_SELF, 0));
    stand_in_put(SLOT_PEER_NAMED, stand_in_cap_to(OBJECT_ENDPOINT, ROLE_NAMED));
    stand_in_put(SLOT_KERNEL_PCI_CONFIG_ENDPOINT, stand_in_cap_to(OBJECT_KERNEL_PCI_CONFIG, 0));
    if (granted != UINT64_MAX)
        stand_in_fail((struct stand_in_failure){
            .after_calls = granted, .times = 1, .status = STATUS_INTERNAL});
    model_probed_walk(&model, granted, bus_read);
    lose_lines();
    stand_in_message_begin();
    enum status status = probed_list(&probed);
    PROPERTY_EQUAL(D4, "status", status, model.unreadable ? STATUS_INTERNAL : STATUS_OK);
    PROPERTY_EQUAL(D4, "reads", around.read_count, granted - model.reads_left);
    PROPERTY_EQUAL(D4, "functions", probed.function_count, model.function_count);
    PROPERTY_EQUAL(D4, "lines", around.taken_count, model.line_count);
    digest_u64(around.read_count);
    digest_u64(status);
    mark();
    return 0;
}
