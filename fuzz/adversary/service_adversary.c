/* SPDX-License-Identifier: ISC */
/* One service, chosen by the first byte, against a kernel and peers that say anything: refusals in
 * the middle of an operation, replies of the wrong shape, capabilities nobody asked for, time that
 * jumps. There is nothing to predict; what the service promises on its own must hold all the same:
 * its state is consistent after every turn, each call is answered at most once and in bounded work,
 * every request it makes is well formed. */
#include <string.h>

#include "abi/codec.h"
#include "abi/message_type.h"
#include "abi/messages/event.h"
#include "abi/messages/kernel.h"
#include "abi/text/generate.h"
#include "props/base/rows.h"
#include "props/stand_ins/adversary.h"
#include "fuzz/adversary/files.h"
#include "fuzz/harness.h"
#include "services/lib/service.h"
#include "services/crashd/crashd.h"
#include "services/deviced/deviced.h"
#include "services/drv_serial/drv_serial.h"
#include "services/irqd/irqd.h"
#include "services/loaderd/loaderd.h"
#include "services/logd/logd.h"
#include "services/memd/memd.h"
#include "services/named/named.h"
#include "services/pagerd/pagerd.h"
#include "services/procd/procd.h"
#include "services/seriald/seriald.h"
#include "services/timed/timed.h"
#include "services/vfsd/vfsd.h"
#include "services/vspaced/vspaced.h"

const char harness_name[] = "service_adversary";
MARKS(16, 6);

enum { TURN_LIMIT = 200, ID_LIMIT = 8, KNOWN_LIMIT = 16, LOG_RING = 8 };

/* The service of this input. The others' states lie unused in the same place. */
static union {
    struct memd memd;
    struct vspaced vspaced;
    struct pagerd pagerd;
    struct procd procd;
    struct named named;
    struct logd logd;
    struct timed timed;
    struct crashd crashd;
    struct deviced deviced;
    struct irqd irqd;
    struct drv_serial drv_serial;
    struct seriald seriald;
    struct loaderd loaderd;
    struct vfsd vfsd;
} state;

static struct memd_holding frame_table[PAGE_BYTES / sizeof(struct memd_holding)]; /* memd's */

/* vspaced's, of a machine of as many pages. */
enum {
    MACHINE_PAGES = 128,
    VSPACED_TABLE_BYTES = ROLE_TABLE_FIXED_VSPACED + MACHINE_PAGES * ROLE_TABLE_BYTES_VSPACED
};
static uint64_t vspaced_table[VSPACED_TABLE_BYTES / sizeof(uint64_t)];

static struct adversary_plan plan;

/* Numbers and badges that the service gave out: what later requests name. */
static struct {
    uint64_t numbers[KNOWN_LIMIT];
    uint64_t badges[KNOWN_LIMIT];
    unsigned number_count;
    unsigned badge_count;
} known;

static void learn(const struct message *message, bool honest)
{
    (void)honest;
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
        return plan.service == SERVICE_CRASHD ? ROLE_PHASE1_CRASH_CLIENT : ROLE_SERIALD;
    bool by_role = plan.service == SERVICE_NAMED || plan.service == SERVICE_LOGD ||
                   plan.service == SERVICE_TIMED || plan.service == SERVICE_DRV_SERIAL ||
                   plan.service == SERVICE_SERIALD || plan.service == SERVICE_LOADERD ||
                   plan.service == SERVICE_VFSD;
    if (by_role && (allowed & FROM_CLIENT) != 0)
        return 1 + choices_below(choices, ID_LIMIT);
    return 0;
}

/* Small ids, guarantees and addresses, so that requests meet what earlier ones made. */
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

static bool make_request(struct choices *choices, uint32_t endpoint_slot, struct message *message)
{
    static union {
        uint64_t aligned;
        uint8_t bytes[MESSAGE_BODY_BYTES_MAX];
    } body;
    (void)endpoint_slot;
    struct generator from = choices_generator(choices);
    from.hint = hint;
    const struct operation *operation = choose_operation_in(choices, plan.service);
    if (plan.service == SERVICE_PAGERD && choices_below(choices, 3) == 0)
        operation = operation_find(SERVICE_EVENT, OP_EVENT_FAULT);
    if (plan.service == SERVICE_LOADERD && choices_below(choices, 8) == 0)
        operation = operation_find(SERVICE_EVENT, OP_EVENT_PROCESS_ENDED);
    memset(&body, 0, sizeof body);
    generate_valid(&from, operation->request, body.bytes);
    if (plan.service == SERVICE_NAMED || plan.service == SERVICE_LOGD ||
        plan.service == SERVICE_LOADERD)
        name_briefly(choices, operation->id, body.bytes);
    if (plan.service == SERVICE_VFSD)
        adversary_path_briefly(choices, operation->id, body.bytes);
    generate_delivered(operation->request, body.bytes, message);
    message->header.request_id = choices_u8(choices);
    message->header.badge = draw_badge(choices, operation->allowed);
    return true;
}

/* A kernel that says of every slot what the service hopes for: untyped memory for memd, clients'
 * endpoints for named, vspaces for the others. */
static bool answer_query(struct choices *choices, uint32_t slot, struct message *message)
{
    struct kernel_query_local_cap_request query;
    (void)slot;
    if (plan.service == SERVICE_LOADERD)
        return adversary_answer_file(message);
    if (plan.service == SERVICE_VFSD)
        return adversary_answer_provider(choices, message);
    if (message->header.operation != OP_KERNEL_QUERY_LOCAL_CAP ||
        message_decode(&kernel_query_local_cap_request_type, message, &query) != STATUS_OK)
        return false;
    bool memory = plan.service == SERVICE_MEMD;
    struct kernel_query_local_cap_reply reply = {
        .slot = query.slot,
        .object_type = memory ? OBJECT_UNTYPED : OBJECT_VSPACE,
        .rights = memory ? RIGHT_CONTROL | RIGHT_TRANSFER : RIGHT_MAP | RIGHT_TRANSFER,
        .object = (uint32_t)choices_below(choices, ID_LIMIT),
        .generation = 1,
        .size_pages = 64};
    if (plan.service == SERVICE_NAMED) {
        reply.object_type = OBJECT_ENDPOINT;
        reply.rights = choices_below(choices, 4) == 0 ? 0 : NAMED_RIGHTS;
        reply.badge = 1 + choices_below(choices, ID_LIMIT);
    }
    return message_encode(&kernel_query_local_cap_reply_type, &reply, message) == STATUS_OK;
}

/* What of the state is wrong, or null. */
static const char *check(void)
{
    switch (plan.service) {
    case SERVICE_MEMD:
        return memd_check(&state.memd);
    case SERVICE_VSPACED:
        return vspaced_check(&state.vspaced);
    case SERVICE_PAGERD:
        return pagerd_check(&state.pagerd);
    case SERVICE_PROCD:
        return procd_check(&state.procd);
    case SERVICE_NAMED:
        return named_check(&state.named);
    case SERVICE_LOGD:
        return logd_check(&state.logd);
    case SERVICE_TIMED:
        return timed_check(&state.timed);
    case SERVICE_CRASHD:
        return crashd_check(&state.crashd);
    case SERVICE_DEVICED:
        return deviced_check(&state.deviced);
    case SERVICE_IRQD:
        return irqd_check(&state.irqd);
    case SERVICE_DRV_SERIAL:
        return drv_serial_check(&state.drv_serial);
    case SERVICE_SERIALD:
        return seriald_check(&state.seriald);
    case SERVICE_LOADERD:
        return loaderd_check(&state.loaderd);
    case SERVICE_VFSD:
        return vfsd_check(&state.vfsd);
    case SERVICE_RAMFSD: /* it calls nobody */
    case SERVICE_KERNEL:
    case SERVICE_EVENT:
    case SERVICE_STARTUP:
    case SERVICE_COUNT:
        break;
    }
    return NULL;
}

static void reset(void)
{
    switch (plan.service) {
    case SERVICE_MEMD:
        memset(&state.memd, 0, sizeof state.memd);
        break;
    case SERVICE_VSPACED:
        memset(&state.vspaced, 0, sizeof state.vspaced);
        break;
    case SERVICE_PAGERD:
        memset(&state.pagerd, 0, sizeof state.pagerd);
        break;
    case SERVICE_PROCD:
        memset(&state.procd, 0, sizeof state.procd);
        break;
    case SERVICE_NAMED:
        memset(&state.named, 0, sizeof state.named);
        break;
    case SERVICE_LOGD:
        memset(&state.logd, 0, sizeof state.logd);
        logd_init(&state.logd, LOG_RING);
        break;
    case SERVICE_TIMED:
        memset(&state.timed, 0, sizeof state.timed);
        break;
    case SERVICE_CRASHD:
        memset(&state.crashd, 0, sizeof state.crashd);
        break;
    case SERVICE_DEVICED:
        memset(&state.deviced, 0, sizeof state.deviced);
        break;
    case SERVICE_IRQD:
        memset(&state.irqd, 0, sizeof state.irqd);
        break;
    case SERVICE_DRV_SERIAL:
        memset(&state.drv_serial, 0, sizeof state.drv_serial);
        break;
    case SERVICE_SERIALD:
        memset(&state.seriald, 0, sizeof state.seriald);
        break;
    case SERVICE_LOADERD:
        memset(&state.loaderd, 0, sizeof state.loaderd);
        loaderd_init(&state.loaderd);
        break;
    case SERVICE_VFSD:
        memset(&state.vfsd, 0, sizeof state.vfsd);
        break;
    case SERVICE_RAMFSD: /* it calls nobody */
    case SERVICE_KERNEL:
    case SERVICE_EVENT:
    case SERVICE_STARTUP:
    case SERVICE_COUNT:
        break;
    }
}

/* memd's sources are what the envelope names; the kernel tells their sizes, or lies. */
static void start_memd(void)
{
    struct envelope envelope = {.role = ROLE_MEMD, .entry_count = 2, .memory_pages = MACHINE_PAGES};
    memset(frame_table, 0, sizeof frame_table);
    for (uint32_t i = 0; i < envelope.entry_count; i++)
        envelope.entries[i] = (struct envelope_entry){.slot = SLOT_UNTYPED_BASE + i,
                                                      .object_type = OBJECT_UNTYPED,
                                                      .rights = RIGHT_CONTROL | RIGHT_TRANSFER};
    digest_u64(memd_init(&state.memd, &envelope, frame_table));
}

/* Two mounts, whose providers are still to be found. */
static void start_vfsd(void)
{
    struct vfsd *vfsd = &state.vfsd;
    vfsd->mounts[0] =
        (struct vfsd_mount){.provider_role = ROLE_RAMFSD, .source_count = 3, .source = "ram"};
    vfsd->mounts[1] = (struct vfsd_mount){.provider_role = ROLE_FATD,
                                          .source_count = 3,
                                          .source = "ram",
                                          .path_count = 2,
                                          .path = "/b"};
    vfsd->mount_count = 2;
    vfsd->is_sealed = 1;
}

/* Its tables are long, so what was used of them is emptied at the end of each life. */
static void end_vspaced(void)
{
    struct vspaced *vspaced = &state.vspaced;
    size_t pages = vspaced->page_places.used_count;
    size_t regions = vspaced->region_places.used_count;
    memset(vspaced->regions, 0, regions * sizeof vspaced->regions[0]);
    memset(vspaced->region_nodes, 0, (regions + 1) * sizeof vspaced->region_nodes[0]);
    memset(vspaced->pages, 0, pages * sizeof vspaced->pages[0]);
    memset(vspaced->page_nodes, 0, (pages + 1) * sizeof vspaced->page_nodes[0]);
    memset(vspaced->pages_by_frame, 0, MACHINE_PAGES * sizeof vspaced->pages_by_frame[0]);
}

static enum status turn(uint64_t *now_ticks)
{
    struct receive_info info = {0};
    switch (plan.service) {
    case SERVICE_MEMD:
        return service_turn(&state.memd.caller, SLOT_SERVICE_ENDPOINT, DEADLINE_NEVER, memd_handle,
                            &state, &info);
    case SERVICE_VSPACED:
        return service_turn(&state.vspaced.caller, SLOT_SERVICE_ENDPOINT, DEADLINE_NEVER,
                            vspaced_handle, &state, &info);
    case SERVICE_PAGERD: {
        enum status status =
            service_turn(&state.pagerd.caller, SLOT_SERVICE_ENDPOINT,
                         pagerd_next_deadline(&state.pagerd), pagerd_handle, &state, &info);
        if (status != STATUS_NOT_FOUND)
            pagerd_tick(&state.pagerd, info.now_ticks);
        return status;
    }
    case SERVICE_PROCD:
        return procd_turn(&state.procd, now_ticks);
    case SERVICE_NAMED:
        return service_turn(&state.named.caller, SLOT_SERVICE_ENDPOINT, DEADLINE_NEVER,
                            named_handle, &state, &info);
    case SERVICE_LOGD:
        return service_turn(&state.logd.caller, SLOT_SERVICE_ENDPOINT, DEADLINE_NEVER, logd_handle,
                            &state, &info);
    case SERVICE_CRASHD:
        return service_turn(&state.crashd.caller, SLOT_SERVICE_ENDPOINT, DEADLINE_NEVER,
                            crashd_handle, &state, &info);
    case SERVICE_TIMED: {
        enum status status =
            service_turn(&state.timed.caller, SLOT_SERVICE_ENDPOINT,
                         timed_next_deadline(&state.timed), timed_handle, &state, &info);
        if (status != STATUS_NOT_FOUND)
            timed_tick(&state.timed, info.now_ticks);
        return status;
    }
    case SERVICE_SERIALD: {
        enum status status =
            service_turn(&state.seriald.caller, SLOT_SERVICE_ENDPOINT,
                         seriald_next_ticks(&state.seriald), seriald_handle, &state, &info);
        if (status != STATUS_NOT_FOUND)
            seriald_tick(&state.seriald, info.now_ticks);
        return status;
    }
    case SERVICE_DRV_SERIAL: {
        enum status status = service_turn(&state.drv_serial.caller, SLOT_SERVICE_ENDPOINT,
                                          drv_serial_next_ticks(&state.drv_serial),
                                          drv_serial_handle, &state, &info);
        if (status != STATUS_NOT_FOUND)
            drv_serial_tick(&state.drv_serial, info.now_ticks);
        return status;
    }
    case SERVICE_IRQD:
        return service_turn(&state.irqd.caller, SLOT_SERVICE_ENDPOINT, DEADLINE_NEVER, irqd_handle,
                            &state, &info);
    case SERVICE_DEVICED: {
        enum status status =
            service_turn(&state.deviced.caller, SLOT_SERVICE_ENDPOINT,
                         deviced_next_ticks(&state.deviced), deviced_handle, &state, &info);
        if (status != STATUS_NOT_FOUND)
            deviced_tick(&state.deviced, info.now_ticks);
        return status;
    }
    case SERVICE_LOADERD: {
        enum status status =
            service_turn(&state.loaderd.caller, SLOT_SERVICE_ENDPOINT,
                         loaderd_next_ticks(&state.loaderd), loaderd_handle, &state, &info);
        if (status != STATUS_NOT_FOUND)
            loaderd_tick(&state.loaderd, info.now_ticks);
        return status;
    }
    case SERVICE_VFSD:
        return service_turn(&state.vfsd.caller, SLOT_SERVICE_ENDPOINT, DEADLINE_NEVER, vfsd_handle,
                            &state, &info);
    case SERVICE_RAMFSD: /* it calls nobody */
    case SERVICE_KERNEL:
    case SERVICE_EVENT:
    case SERVICE_STARTUP:
    case SERVICE_COUNT:
        break;
    }
    return STATUS_NOT_FOUND;
}

static void digest_visit(void *context, uint64_t value)
{
    (void)context;
    digest_u64(value);
}

/* What the service believes at the end; procd's table shows in the messages that it sent. */
static void digest_state(void)
{
    uint64_t sum = 0;
    if (plan.service == SERVICE_MEMD)
        memd_visit_fields(&state.memd, digest_visit, NULL);
    else if (plan.service == SERVICE_VSPACED)
        vspaced_visit_fields(&state.vspaced, digest_visit, NULL);
    else if (plan.service == SERVICE_NAMED)
        named_visit_fields(&state.named, digest_visit, NULL);
    else if (plan.service == SERVICE_LOGD)
        logd_visit_fields(&state.logd, digest_visit, NULL);
    else if (plan.service == SERVICE_TIMED)
        timed_visit_fields(&state.timed, digest_visit, NULL);
    else if (plan.service == SERVICE_CRASHD)
        crashd_visit_fields(&state.crashd, digest_visit, NULL);
    else if (plan.service == SERVICE_DEVICED)
        deviced_visit_fields(&state.deviced, digest_visit, NULL);
    else if (plan.service == SERVICE_IRQD)
        irqd_visit_fields(&state.irqd, digest_visit, NULL);
    else if (plan.service == SERVICE_DRV_SERIAL)
        drv_serial_visit_fields(&state.drv_serial, digest_visit, NULL);
    else if (plan.service == SERVICE_SERIALD)
        seriald_visit_fields(&state.seriald, digest_visit, NULL);
    else if (plan.service == SERVICE_LOADERD)
        loaderd_visit_fields(&state.loaderd, digest_visit, NULL);
    else if (plan.service == SERVICE_VFSD || plan.service == SERVICE_PAGERD) {
        if (plan.service == SERVICE_VFSD)
            vfsd_visit_fields(&state.vfsd, digest_fold, &sum);
        else
            pagerd_visit_fields(&state.pagerd, digest_fold, &sum);
        digest_u64(sum);
    }
}

/* A service is named by its role. */
static enum service_id choose_service(struct choices *choices)
{
    static const uint32_t roles[] = {ROLE_MEMD,    ROLE_VSPACED, ROLE_PAGERD,     ROLE_PROCD,
                                     ROLE_NAMED,   ROLE_LOGD,    ROLE_TIMED,      ROLE_CRASHD,
                                     ROLE_DEVICED, ROLE_IRQD,    ROLE_DRV_SERIAL, ROLE_SERIALD,
                                     ROLE_LOADERD, ROLE_VFSD};
    static const enum service_id services[] = {[ROLE_MEMD] = SERVICE_MEMD,
                                               [ROLE_VSPACED] = SERVICE_VSPACED,
                                               [ROLE_PAGERD] = SERVICE_PAGERD,
                                               [ROLE_PROCD] = SERVICE_PROCD,
                                               [ROLE_NAMED] = SERVICE_NAMED,
                                               [ROLE_LOGD] = SERVICE_LOGD,
                                               [ROLE_TIMED] = SERVICE_TIMED,
                                               [ROLE_CRASHD] = SERVICE_CRASHD,
                                               [ROLE_DEVICED] = SERVICE_DEVICED,
                                               [ROLE_IRQD] = SERVICE_IRQD,
                                               [ROLE_DRV_SERIAL] = SERVICE_DRV_SERIAL,
                                               [ROLE_SERIALD] = SERVICE_SERIALD,
                                               [ROLE_LOADERD] = SERVICE_LOADERD,
                                               [ROLE_VFSD] = SERVICE_VFSD};
    return services[choose_listed(choices, roles, sizeof roles / sizeof roles[0])];
}

static void look(void)
{
    const char *wrong = check();
    if (wrong != NULL)
        TRACE("wrong after this turn: %s", wrong);
    PROPERTY(E9, wrong == NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size_bytes)
{
    struct choices choices = harness_begin(bytes, size_bytes);
    uint64_t now_ticks = 0;
    plan = (struct adversary_plan){.service = choose_service(&choices),
                                   .answer = answer_query,
                                   .request = make_request,
                                   .replied = learn};
    memset(&known, 0, sizeof known);
    adversary_begin(&choices, &plan);
    reset();
    if (plan.service == SERVICE_MEMD)
        start_memd();
    if (plan.service == SERVICE_VSPACED)
        vspaced_init(&state.vspaced, MACHINE_PAGES, vspaced_table);
    if (plan.service == SERVICE_VFSD)
        start_vfsd();
    for (unsigned i = 0; i < TURN_LIMIT; i++) {
        bool looks = oracle_step();
        enum status status = turn(&now_ticks);
        if (looks)
            look();
        digest_u64(status);
        if (status == STATUS_NOT_FOUND)
            break;
    }
    if (oracle_deferred())
        look();
    digest_u64(adversary_owed_count());
    digest_u64(adversary_counts().calls);
    digest_state();
    if (plan.service == SERVICE_VSPACED)
        end_vspaced();
    return 0;
}
