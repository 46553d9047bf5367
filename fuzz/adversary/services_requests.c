/* SPDX-License-Identifier: ISC */
/* What services are asked by those who lie to them, and what an honest kernel says of slots: requests
 * of the service's own rows, with senders that may ask, numbers that it gave out, and names that
 * earlier ones used. */
#include <string.h>

#include "abi/codec.h"
#include "abi/messages/deviced.h"
#include "abi/messages/event.h"
#include "abi/messages/kernel.h"
#include "abi/messages/loaderd.h"
#include "abi/messages/logd.h"
#include "abi/messages/memd.h"
#include "abi/messages/named.h"
#include "abi/messages/pagerd.h"
#include "abi/messages/procd.h"
#include "abi/messages/ramfsd.h"
#include "abi/messages/timed.h"
#include "abi/messages/vspaced.h"
#include "abi/text/generate.h"
#include "fuzz/adversary/files.h"
#include "fuzz/adversary/services.h"
#include "abi/roles.h"
#include "props/base/rows.h"
#include "services/named/named.h"
#include "services/probed/walk.h"
#include "services/ramfsd/ramfsd.h"

enum { ID_LIMIT = 8, KNOWN_LIMIT = 16 };

static enum service_id service;

/* The honest beginning of a life. */
static struct {
    bool is_open;   /* it goes on */
    bool was_open;  /* what comes after it is drawn with that in mind */
    uint32_t space; /* of the last that vspaced registered */
    unsigned step;
    uint64_t process_id;   /* of the last that procd made */
    uint64_t client_badge; /* of a process that procd made last; 0: none */
    uint32_t port_value;
} prelude;

/* Numbers and badges that the service gave out: what later requests name. */
static struct {
    uint64_t numbers[KNOWN_LIMIT];
    uint64_t badges[KNOWN_LIMIT];
    unsigned number_count;
    unsigned badge_count;
} known;

void services_learn(const struct message *message, bool honest)
{
    (void)honest;
    if (message->header.operation == OP_PROCD_CREATE_STAGED_PROCESS)
        memcpy(&prelude.process_id, message->body, sizeof prelude.process_id);
    if (message->header.operation == OP_VSPACED_REGISTER_VSPACE)
        memcpy(&prelude.space, message->body, sizeof prelude.space);
    for (unsigned at = 0; at + 4 <= message->header.body_bytes && at < 32; at += 4) {
        uint32_t number;
        memcpy(&number, message->body + at, sizeof number);
        if (number != 0)
            known.numbers[known.number_count++ % KNOWN_LIMIT] = number;
    }
    for (unsigned i = 0; i < message->header.cap_count; i++)
        if ((message->caps[i].flags & TRANSFER_SET_BADGE) != 0)
            known.badges[known.badge_count++ % KNOWN_LIMIT] = message->caps[i].badge;
}

static uint64_t draw_known(struct choices *choices, const uint64_t *values, unsigned count)
{
    unsigned limit = count < KNOWN_LIMIT ? count : KNOWN_LIMIT;
    return limit == 0 ? choices_below(choices, ID_LIMIT) : values[choices_below(choices, limit)];
}

/* A badge that may ask for the operation, mostly. */
static uint64_t draw_badge(struct choices *choices, uint32_t allowed)
{
    if (prelude.client_badge != 0 && (allowed & FROM_CLIENT) != 0 && choices_flag(choices))
        return prelude.client_badge;
    if (choices_below(choices, 8) == 7)
        return choices_below(choices, ID_LIMIT);
    if ((allowed & FROM_KERNEL) != 0)
        return BADGE_KERNEL;
    if ((allowed & FROM_ACCOUNT) != 0)
        return draw_known(choices, known.badges, known.badge_count);
    if ((allowed & FROM_PAGERD) != 0)
        return ROLE_PAGERD;
    if ((allowed & FROM_PROCD) != 0)
        return ROLE_PROCD;
    if ((allowed & FROM_INSPECTOR) != 0 && (allowed & FROM_ADMIN) == 0)
        return (1 + choices_below(choices, ID_LIMIT)) << 16 | ROLE_CONSOLE; /* of a process */
    if ((allowed & FROM_READER) != 0)
        return service == SERVICE_CRASHD ? ROLE_PHASE1_CRASH_CLIENT : ROLE_SERIALD;
    bool by_role = service == SERVICE_NAMED || service == SERVICE_LOGD ||
                   service == SERVICE_TIMED || service == SERVICE_DRV_SERIAL ||
                   service == SERVICE_SERIALD || service == SERVICE_LOADERD ||
                   service == SERVICE_VFSD || service == SERVICE_RAMFSD;
    if (by_role && (allowed & FROM_CLIENT) != 0)
        return 1 + choices_below(choices, ID_LIMIT);
    return 0;
}

/* Small ids, guarantees and addresses, so that requests meet what earlier ones made. */
enum { SPACE_VA = 0x400000 };

/* What the beginning has made is what is asked about, mostly; deadlines are near, and what ends is
 * somebody. */
static void suit(struct choices *choices, uint16_t operation, void *body)
{
    struct event_fault_request *fault = body;
    struct timed_wait_until_request *wait = body;
    struct event_process_terminated_request *end = body;
    struct vspaced_map_anonymous_request *map = body;
    if (!prelude.was_open || choices_below(choices, 4) == 3)
        return;
    if (operation == OP_EVENT_FAULT) {
        fault->token = 1;
        fault->va = SPACE_VA + choices_below(choices, 32) * PAGE_BYTES;
        fault->access = (uint32_t)choices_below(choices, 2);
        fault->present = 0;
    } else if (operation == OP_EVENT_PROCESS_TERMINATED) {
        end->token = 1 + choices_below(choices, 4);
    } else if (operation == OP_TIMED_WAIT_UNTIL) {
        wait->deadline_ticks = choices_below(choices, 4096);
    } else if (operation == OP_VSPACED_MAP_ANONYMOUS) {
        map->vspace_cap_slot = prelude.space;
        map->va = SPACE_VA + choices_below(choices, 32) * PAGE_BYTES;
    }
}

static bool hint(void *context, const struct message_type *type, const struct message_field *field,
                 uint64_t *value)
{
    bool opens = type == &memd_open_account_request_type;
    if (opens && strcmp(field->name, "limit_pages") != 0)
        *value = field->low + choices_below(context, ID_LIMIT);
    else if (field->kind == FIELD_PAGE)
        *value = (16 + choices_below(context, 64)) * PAGE_BYTES;
    else if (field->kind == FIELD_RANGE && field->high >= UINT16_MAX)
        *value = choices_flag(context) ? field->low + choices_below(context, ID_LIMIT)
                                       : draw_known(context, known.numbers, known.number_count);
    else
        return false;
    return true;
}

/* Names of one letter, for the same reason, and lines. */
static void name_briefly(struct choices *choices, uint16_t operation, void *body)
{
    struct logd_append_request *append = body;
    uint8_t name = (uint8_t)('a' + choices_below(choices, 4));
    struct named_seed_entry_request *seed = body;
    struct named_register_service_request *registers = body;
    struct named_lookup_request *lookup = body;
    struct loaderd_launch_path_request *launch = body;
    if (operation == OP_NAMED_SEED_ENTRY) {
        seed->count = 1;
        seed->name[0] = name;
    } else if (operation == OP_NAMED_REGISTER) {
        registers->count = 1;
        registers->name[0] = name;
    } else if (operation == OP_NAMED_LOOKUP) {
        lookup->count = 1;
        lookup->name[0] = name;
    } else if (operation == OP_LOGD_APPEND) {
        append->count = 1;
        append->text[0] = name;
    } else if (operation == OP_LOADERD_LAUNCH_PATH) {
        memset(launch, 0, sizeof *launch);
        launch->path_count = launch->count = 2;
        launch->bytes[0] = '/';
        launch->bytes[1] = name;
    }
}

/* The root, or what it gave out. */
static uint64_t draw_node(struct choices *choices)
{
    bool is_root = choices_below(choices, 4) < 2;
    return is_root ? UINT64_C(1) << RAMFSD_PLACE_BITS | RAMFSD_ROOT_PLACE
                   : draw_known(choices, known.numbers, known.number_count);
}

bool services_request(struct choices *choices, uint32_t endpoint_slot, struct message *message)
{
    static union {
        uint64_t aligned;
        uint8_t bytes[MESSAGE_BODY_BYTES_MAX];
    } body;
    (void)endpoint_slot;
    struct generator from = choices_generator(choices);
    from.hint = hint;
    const struct operation *operation = service == SERVICE_COUNT
                                            ? choose_operation(choices)
                                            : choose_operation_in(choices, service);
    if (service == SERVICE_PAGERD && choices_below(choices, 3) == 0)
        operation = operation_find(SERVICE_EVENT, OP_EVENT_FAULT);
    if (service == SERVICE_LOADERD && choices_below(choices, 8) == 0)
        operation = operation_find(SERVICE_EVENT, OP_EVENT_PROCESS_ENDED);
    if (prelude.was_open && service == SERVICE_PROCD && choices_below(choices, 16) == 15)
        operation = operation_find(SERVICE_EVENT, OP_EVENT_PROCESS_TERMINATED);
    memset(&body, 0, sizeof body);
    generate_valid(&from, operation->request, body.bytes);
    if (service == SERVICE_NAMED || service == SERVICE_LOGD || service == SERVICE_LOADERD)
        name_briefly(choices, operation->id, body.bytes);
    if (service == SERVICE_VFSD)
        adversary_path_briefly(choices, operation->id, body.bytes);
    if (service == SERVICE_RAMFSD)
        adversary_node_briefly(choices, operation->id, draw_node(choices), draw_node(choices),
                               body.bytes);
    suit(choices, operation->id, body.bytes);
    generate_delivered(operation->request, body.bytes, message);
    message->header.request_id = choices_u8(choices);
    message->header.badge = draw_badge(choices, operation->allowed);
    return true;
}

/* As many frames as are asked for. */
static bool answer_frames(struct message *message)
{
    struct memd_alloc_frames_request request;
    struct memd_alloc_frames_reply reply = {0};
    if (message_decode(&memd_alloc_frames_request_type, message, &request) != STATUS_OK)
        return false;
    reply.count = request.count;
    for (uint32_t i = 0; i < request.count; i++)
        reply.frame_ids[i] = reply.frame_slots[i] = 1 + i;
    uint64_t request_id = message->header.request_id;
    generate_delivered(&memd_alloc_frames_reply_type, &reply, message);
    message->header.request_id = request_id;
    return true;
}

/* A small machine: a device with several functions, and two bridges, of which the second leads back. */
static uint32_t pci_register(const struct kernel_read_pci_config_dword_request *request)
{
    static const struct {
        uint32_t bus, device, function, id, class, header, buses;
    } places[] = {{0, 0, 0, 0x12378086, 0x06000000, 0, 0},
                  {0, 1, 0, 0x70008086, 0x06010000, 0x800000, 0},
                  {0, 1, 3, 0x71138086, 0x06800000, 0, 0},
                  {0, 2, 0, 0x00011B36, 0x06040000, 0x10000, 0x010100},
                  {1, 0, 0, 0x100E8086, 0x02000000, 0, 0},
                  {1, 31, 0, 0x00011B36, 0x06040000, 0x10000, 0x000001}};
    for (unsigned i = 0; i < sizeof places / sizeof places[0]; i++) {
        if (places[i].bus != request->bus || places[i].device != request->device ||
            places[i].function != request->function)
            continue;
        return request->offset_bytes == PCI_OFFSET_ID       ? places[i].id
               : request->offset_bytes == PCI_OFFSET_CLASS  ? places[i].class
               : request->offset_bytes == PCI_OFFSET_HEADER ? places[i].header
                                                            : places[i].buses;
    }
    return UINT32_MAX;
}

static bool answer_pci(struct message *message)
{
    struct kernel_read_pci_config_dword_request request;
    if (message_decode(&kernel_read_pci_config_dword_request_type, message, &request) != STATUS_OK)
        return false;
    struct kernel_read_pci_config_dword_reply reply = {.value = pci_register(&request)};
    return message_encode(&kernel_read_pci_config_dword_reply_type, &reply, message) == STATUS_OK;
}

/* A kernel that says of every slot what the service hopes for: untyped memory for memd, clients'
 * endpoints for named, vspaces for the others. */
bool services_answer(struct choices *choices, uint32_t slot, struct message *message)
{
    struct kernel_query_local_cap_request query;
    (void)slot;
    if (prelude.was_open && message->header.operation == OP_MEMD_ALLOC_FRAMES)
        return answer_frames(message);
    if (service == SERVICE_LOADERD)
        return adversary_answer_file(message);
    if (service == SERVICE_VFSD)
        return adversary_answer_provider(choices, message);
    if (message->header.operation == OP_KERNEL_READ_PCI_CONFIG_DWORD)
        return answer_pci(message);
    if (message->header.operation != OP_KERNEL_QUERY_LOCAL_CAP ||
        message_decode(&kernel_query_local_cap_request_type, message, &query) != STATUS_OK)
        return false;
    bool memory = service == SERVICE_MEMD;
    struct kernel_query_local_cap_reply reply = {
        .slot = query.slot,
        .object_type = memory ? OBJECT_UNTYPED : OBJECT_VSPACE,
        .rights = memory ? RIGHT_CONTROL | RIGHT_TRANSFER : RIGHT_MAP | RIGHT_TRANSFER,
        .object = (uint32_t)choices_below(choices, ID_LIMIT),
        .generation = 1,
        .size_pages = 64};
    if (service == SERVICE_NAMED) {
        reply.object_type = OBJECT_ENDPOINT;
        reply.rights = choices_below(choices, 4) == 0 ? 0 : NAMED_RIGHTS;
        reply.badge = 1 + choices_below(choices, ID_LIMIT);
    }
    return message_encode(&kernel_query_local_cap_reply_type, &reply, message) == STATUS_OK;
}

/* --- an honest beginning ---------------------------------------------------------------------- */

void services_requests_begin(enum service_id id, bool with_prelude)
{
    service = id;
    memset(&known, 0, sizeof known);
    memset(&prelude, 0, sizeof prelude);
    prelude.is_open = prelude.was_open = with_prelude;
}

static void deliver(const struct message_type *type, const void *body, struct message *message)
{
    generate_delivered(type, body, message);
    message->header.request_id = prelude.step;
}

/* Each of the foundation is made and started, and then bound, and after that a client. False: that is
 * all. */
static bool procd_step(struct message *message)
{
    static const uint32_t roles[] = {ROLE_MEMD, ROLE_VSPACED, ROLE_PAGERD, ROLE_LOADERD};
    enum { ROLES = sizeof roles / sizeof roles[0], BINDS = 2 * (ROLES - 1) };
    unsigned step = prelude.step++;
    if (step == BINDS) {
        struct procd_update_foundation_endpoints_request bind = {.memd_slot = 1, .pagerd_slot = 1};
        deliver(&procd_update_foundation_endpoints_request_type, &bind, message);
        return true;
    }
    step -= step > BINDS;
    if (step < 2 * ROLES && step % 2 == 0) {
        struct procd_create_staged_process_request make = {.role = roles[step / 2],
                                                           .image_bytes = PAGE_BYTES};
        deliver(&procd_create_staged_process_request_type, &make, message);
    } else if (step < 2 * ROLES) {
        struct procd_start_staged_process_request run = {.process_id = prelude.process_id};
        deliver(&procd_start_staged_process_request_type, &run, message);
    } else {
        prelude.client_badge = prelude.process_id << 16 | ROLE_LOADERD;
        return false;
    }
    return true;
}

/* A driver is seeded, and its launch begins. */
static bool deviced_step(struct message *message)
{
    static const struct deviced_seal_request seal;
    struct deviced_seed_binding_request seed = {
        .role = ROLE_DRV_SERIAL, .image_bytes = PAGE_BYTES, .ready_ticks = 1000, .named_slot = 1};
    struct deviced_start_driver_request run = {.role = ROLE_DRV_SERIAL};
    switch (prelude.step++) {
    case 0:
        deliver(&deviced_seed_binding_request_type, &seed, message);
        return true;
    case 1:
        deliver(&deviced_seal_request_type, &seal, message);
        return true;
    case 2:
        deliver(&deviced_start_driver_request_type, &run, message);
        return true;
    default:
        return false;
    }
}

/* An entry that a service may register itself for, and a client may look up. */
static bool named_step(struct message *message)
{
    static const struct named_seal_request seal;
    struct named_seed_entry_request seed = {
        .service_role = 2, .client_role = 1, .rights = RIGHT_SEND, .count = 1, .name = "a"};
    unsigned step = prelude.step++;
    if (step == 0)
        deliver(&named_seed_entry_request_type, &seed, message);
    else if (step == 1)
        deliver(&named_seal_request_type, &seal, message);
    return step < 2;
}

static bool vspaced_step(struct message *message)
{
    struct vspaced_register_vspace_request space = {
        .vspace_slot = 1, .account_slot = 1, .region_limit = 16};
    if (prelude.step++ != 0)
        return false;
    deliver(&vspaced_register_vspace_request_type, &space, message);
    message->header.badge = ROLE_PAGERD;
    return true;
}

/* A process with code of its image, and memory. */
static bool pagerd_step(struct message *message)
{
    struct pagerd_register_process_request process = {.token = 1,
                                                      .vspace_slot = 1,
                                                      .account_slot = 1,
                                                      .image_bytes = 2 * PAGE_BYTES,
                                                      .page_limit = 16,
                                                      .region_limit = 48,
                                                      .area_count = 2,
                                                      .areas = {{.kind = AREA_SEGMENT,
                                                                 .rights = RIGHT_READ | RIGHT_WRITE,
                                                                 .va = SPACE_VA,
                                                                 .memory_bytes = 4 * PAGE_BYTES,
                                                                 .file_bytes = PAGE_BYTES + 100},
                                                                {.kind = AREA_WINDOW,
                                                                 .rights = RIGHT_READ | RIGHT_WRITE,
                                                                 .va = SPACE_VA + 16 * PAGE_BYTES,
                                                                 .memory_bytes = 16 * PAGE_BYTES}}};
    if (prelude.step++ != 0)
        return false;
    deliver(&pagerd_register_process_request_type, &process, message);
    return true;
}

/* The next request; false: that was all. */
static bool prelude_step(struct message *message)
{
    if (service == SERVICE_PROCD)
        return procd_step(message);
    if (service == SERVICE_DEVICED)
        return deviced_step(message);
    if (service == SERVICE_NAMED)
        return named_step(message);
    if (service == SERVICE_VSPACED)
        return vspaced_step(message);
    return service == SERVICE_PAGERD && pagerd_step(message);
}

bool services_prelude_receive(uint32_t slot, struct message *message)
{
    if (prelude.is_open && slot != SLOT_SERVICE_ENDPOINT) {
        message->header.version = 0;
        return true;
    }
    if (prelude.is_open)
        prelude.is_open = prelude_step(message);
    return prelude.is_open;
}

bool services_prelude_call(struct message *message)
{
    if (prelude.is_open)
        services_answer_plainly(message);
    return prelude.is_open;
}

/* The image that procd reads: a page of code, and one that is its stack. */
static void answer_image(struct message *message)
{
    static const uint64_t words[] = {UINT64_C(0x00010102464C457F),
                                     0,
                                     UINT64_C(0x1003E0002),
                                     0x400000,
                                     64,
                                     0,
                                     UINT64_C(0x38004000000000),
                                     3,
                                     UINT64_C(0x500000001),
                                     0,
                                     0x400000,
                                     0x400000,
                                     1000,
                                     1000,
                                     PAGE_BYTES,
                                     UINT64_C(0x600000001),
                                     0,
                                     0x600000,
                                     0x600000,
                                     0,
                                     PAGE_BYTES,
                                     PAGE_BYTES,
                                     0,
                                     0,
                                     0x600000,
                                     0x600000,
                                     0,
                                     PAGE_BYTES,
                                     16};
    struct kernel_frame_read_request request;
    static struct kernel_frame_read_reply reply;
    HARNESS(message_decode(&kernel_frame_read_request_type, message, &request) == STATUS_OK);
    memset(&reply, 0, sizeof reply);
    reply.count = request.count;
    if (request.offset_bytes == 0 && request.count >= sizeof words) {
        memcpy(reply.bytes, words, sizeof words);
        uint32_t stack[] = {0x6474E551, 6}; /* PT_GNU_STACK, readable and writable */
        memcpy(reply.bytes + 64 + 2 * 56, stack, sizeof stack);
    }
    HARNESS(message_encode(&kernel_frame_read_reply_type, &reply, message) == STATUS_OK);
}

void services_answer_plainly(struct message *message)
{
    static union {
        uint64_t aligned;
        uint8_t bytes[MESSAGE_BODY_BYTES_MAX];
    } body;
    struct choices none = choices_over(NULL, 0);
    struct generator from = choices_generator(&none);
    uint64_t request_id = message->header.request_id;
    uint32_t window_slot = message->header.window_slot;
    uint16_t id = message->header.operation;
    const struct operation *row = NULL;
    for (unsigned i = 0; i < operation_count && row == NULL; i++)
        row = operation_table[i].id == id ? &operation_table[i] : NULL;
    HARNESS(row != NULL);
    if (id == OP_KERNEL_IOPORT_WRITE8)
        prelude.port_value = ((const struct kernel_ioport_write8_request *)message->body)->value;
    if (id == OP_KERNEL_FRAME_READ) {
        answer_image(message);
    } else if ((id != OP_KERNEL_QUERY_LOCAL_CAP && id != OP_KERNEL_READ_PCI_CONFIG_DWORD) ||
               !services_answer(&none, 0, message)) {
        memset(&body, 0, sizeof body);
        generate_valid(&from, row->reply, body.bytes);
        generate_delivered(row->reply, body.bytes, message);
    }
    if (id == OP_KERNEL_IOPORT_READ8) /* a register that keeps what is written */
        memcpy(message->body, &prelude.port_value, sizeof prelude.port_value);
    message->header.request_id = request_id;
    for (uint32_t i = 0; i < message->header.cap_count; i++) {
        uint32_t slot = window_slot + i;
        memcpy(message->body + message->caps[i].field_offset, &slot, sizeof slot);
    }
}
