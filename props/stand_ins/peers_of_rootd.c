/* SPDX-License-Identifier: ISC */
/* What stands before rootd when everybody keeps their contract. Checks what rootd asks where the
 * real ones would: a grant after START, a second UPDATE, an envelope that names more than was
 * installed are refused here too. */
#include "props/stand_ins/peers_of_rootd.h"

#include <stdlib.h>
#include <string.h>

#include "abi/formats/boot_image.h"
#include "abi/formats/boot_name.h"
#include "abi/codec.h"
#include "abi/formats/cursor.h"
#include "services/probes/expectations.h"

/* --- image and handoff -------------------------------------------------------------------- */

/* A program of one code page and STAGE_WRITABLE_PAGES writable ones. */
static void write_elf(uint8_t *bytes)
{
    enum { ENTRY_VA = 0x400080, CODE_VA = 0x400000, DATA_VA = 0x600000 };
    static const uint8_t ident[16] = {0x7F, 'E', 'L', 'F', 2, 1, 1};
    struct writer writer = writer_over(bytes, PAGE_BYTES);
    write_bytes(&writer, ident, sizeof ident);
    write_u16(&writer, 2);  /* ET_EXEC */
    write_u16(&writer, 62); /* x86-64 */
    write_u32(&writer, 1);
    write_u64(&writer, ENTRY_VA);
    write_u64(&writer, ELF_HEADER_BYTES);
    write_u64(&writer, 0);
    write_u32(&writer, 0);
    write_u16(&writer, ELF_HEADER_BYTES);
    write_u16(&writer, ELF_PROGRAM_HEADER_BYTES);
    write_u16(&writer, 2);
    write_zero(&writer, 6);
    for (unsigned i = 0; i < 2; i++) {
        write_u32(&writer, 1);              /* PT_LOAD */
        write_u32(&writer, i == 0 ? 5 : 6); /* R-X, RW- */
        write_u64(&writer, i * PAGE_BYTES);
        write_u64(&writer, i == 0 ? CODE_VA : DATA_VA);
        write_u64(&writer, i == 0 ? CODE_VA : DATA_VA);
        write_u64(&writer, i == 0 ? PAGE_BYTES : 16);
        write_u64(&writer, i == 0 ? PAGE_BYTES : STAGE_WRITABLE_PAGES * PAGE_BYTES);
        write_u64(&writer, PAGE_BYTES);
    }
}

static void add_module(struct stage *stage, uint32_t role_id)
{
    const struct role *role = role_find(role_id);
    struct handoff_module *module = &stage->handoff.modules[stage->handoff.module_count];
    struct boot_config_entry *entry = &stage->config.entries[stage->config.entry_count];
    uint64_t page = STAGE_CONFIG_PAGES + STAGE_MODULE_PAGES * (stage->handoff.module_count - 1);
    (void)boot_name_set(module->name, role->image);
    (void)boot_name_set(entry->module, role->image);
    module->kind = BOOT_SECTION_EXECUTABLE;
    module->offset_bytes = page * PAGE_BYTES;
    module->size_bytes = PAGE_BYTES + 16;
    write_elf(stage->image + module->offset_bytes);
    entry->role = role_id;
    entry->launch_kind = BOOTCFG_LAUNCH_KIND_ROOTD_DIRECT;
    entry->flags = BOOT_ENTRY_REQUIRED;
    entry->ready_ticks = 100 + role_id;
    stage->handoff.module_count++;
    stage->config.entry_count++;
}

static void describe(struct stage *stage, uint32_t profile)
{
    struct handoff *handoff = &stage->handoff;
    *handoff = (struct handoff){.root_endpoint_slot = SLOT_SERVICE_ENDPOINT,
                                .image_slot = SLOT_IMAGE,
                                .image_bytes = sizeof stage->image,
                                .page_count = 1 << 20,
                                .untyped_count = 2};
    handoff->untyped[0] = (struct handoff_untyped){SLOT_UNTYPED_BASE, 10000};
    handoff->untyped[1] = (struct handoff_untyped){SLOT_UNTYPED_BASE + 1, STAGE_POOL_PAGES};
    handoff->free_pages = 10000 + STAGE_POOL_PAGES;
    handoff->module_count = 1;
    (void)boot_name_set(handoff->modules[0].name, BOOT_CONFIG_MODULE_NAME);
    handoff->modules[0].kind = BOOT_SECTION_BOOT_CONFIG;
    stage->config.validation_profile = profile;
    for (unsigned i = 0; i < FOUNDATION_COUNT; i++)
        add_module(stage, foundation_roles[i]);
    for (unsigned i = 0; i < helper_count(profile); i++)
        add_module(stage, helper_roles[i]);
}

bool stage_encode(struct stage *stage)
{
    static uint8_t config[BOOT_CONFIG_BYTES_MAX];
    static uint8_t handoff[HANDOFF_BYTES_MAX];
    size_t config_size;
    size_t handoff_size;
    if (boot_config_encode(&stage->config, config, sizeof config, &config_size) != STATUS_OK)
        return false;
    stage->handoff.modules[0].size_bytes = config_size;
    if (handoff_encode(&stage->handoff, handoff, sizeof handoff, &handoff_size) != STATUS_OK)
        return false;
    memset(stage->image, 0, STAGE_CONFIG_PAGES * PAGE_BYTES);
    memcpy(stage->image, config, config_size);
    memcpy(stage->handoff_bytes, handoff, handoff_size);
    stage->handoff_size = handoff_size;
    return true;
}

/* --- rootd's cspace ----------------------------------------------------------------------- */

struct stage_cap *stage_find(struct stage *stage, uint32_t slot)
{
    for (unsigned i = 0; i < stage->cap_count; i++) {
        if (stage->caps[i].slot == slot)
            return &stage->caps[i];
    }
    return NULL;
}

void stage_hold(struct stage *stage, struct stage_cap cap)
{
    if (stage->cap_count == STAGE_CAP_LIMIT)
        abort(); /* rootd never holds that many: it is checked slot by slot */
    stage->caps[stage->cap_count++] = cap;
}

static void drop(struct stage *stage, struct stage_cap *cap)
{
    *cap = stage->caps[--stage->cap_count];
}

void stage_boot(struct stage *stage, uint32_t profile)
{
    memset(stage, 0, sizeof *stage);
    describe(stage, profile);
    if (!stage_encode(stage))
        abort();
    for (unsigned i = 0; i < boot_cap_count; i++)
        stage_hold(stage, (struct stage_cap){.slot = boot_caps[i].slot,
                                             .object_type = boot_caps[i].object_type,
                                             .rights = boot_caps[i].rights});
    stage->now_ticks = 7;
}

unsigned stage_live_count(const struct stage *stage)
{
    unsigned count = 0;
    for (unsigned i = 0; i < stage->child_count; i++)
        count += stage->children[i].life == STAGE_LIFE_STAGED ||
                 stage->children[i].life == STAGE_LIFE_RUNNING;
    return count;
}

bool stage_logged(const struct stage *stage, const char *text)
{
    return strstr(stage->log, text) != NULL;
}

/* --- replies ------------------------------------------------------------------------------ */

static enum status refuse(struct message *message, enum status status)
{
    message_refuse(message, status);
    return STATUS_OK;
}

static enum status reply(const struct message_type *type, const void *body, struct message *message)
{
    if (message_encode(type, body, message) != STATUS_OK)
        abort();
    return STATUS_OK;
}

static enum status done(const struct message_type *type, struct message *message)
{
    uint64_t nothing = 0;
    return reply(type, &nothing, message);
}

/* Puts capability i of a reply into the window and says so in its descriptor. */
static void deliver(struct stage *stage, struct message *message, unsigned i, uint32_t slot,
                    uint32_t type, uint64_t object)
{
    message->caps[i].object_type = (uint8_t)type;
    stage_hold(stage, (struct stage_cap){.slot = slot,
                                         .object_type = type,
                                         .rights = message->caps[i].rights,
                                         .object = object});
}

/* --- kernel control ----------------------------------------------------------------------- */

static enum status query(struct stage *stage, struct message *message)
{
    struct kernel_query_local_cap_request request;
    const struct stage_cap *found = NULL;
    if (message_decode(&kernel_query_local_cap_request_type, message, &request) != STATUS_OK)
        return refuse(message, STATUS_INVALID_ARGUMENT);
    for (unsigned i = 0; i < stage->cap_count; i++) {
        const struct stage_cap *cap = &stage->caps[i];
        bool fits =
            request.mode == QUERY_NEXT ? cap->slot >= request.slot : cap->slot == request.slot;
        if (fits && (found == NULL || cap->slot < found->slot))
            found = cap;
    }
    if (found == NULL)
        return refuse(message, STATUS_NOT_FOUND);
    struct kernel_query_local_cap_reply held = {.slot = found->slot,
                                                .object_type = found->object_type,
                                                .rights = found->rights,
                                                .badge = found->badge};
    return reply(&kernel_query_local_cap_reply_type, &held, message);
}

static enum status self_call(struct stage *stage, uint16_t operation, struct message *message)
{
    uint32_t slots[2];
    memcpy(slots, message->body, sizeof slots);
    struct stage_cap *cap = stage_find(stage, slots[0]);
    stage->mutation_count++;
    switch (operation) {
    case OP_KERNEL_EXIT:
        stage->exited = true;
        stage->exit_code = slots[0];
        return STATUS_NOT_FOUND; /* nobody is left to be answered */
    case OP_KERNEL_DROP_LOCAL_CAP:
        if (cap == NULL)
            return refuse(message, STATUS_NOT_FOUND);
        drop(stage, cap);
        return done(&kernel_drop_local_cap_reply_type, message);
    case OP_KERNEL_MOVE_LOCAL_CAP:
        if (cap == NULL)
            return refuse(message, STATUS_NOT_FOUND);
        if (stage_find(stage, slots[1]) != NULL)
            return refuse(message, STATUS_BUSY);
        cap->slot = slots[1];
        return done(&kernel_move_local_cap_reply_type, message);
    default:
        return refuse(message, STATUS_DENIED);
    }
}

static enum status frame_read(struct stage *stage, struct message *message)
{
    struct kernel_frame_read_request request;
    struct kernel_frame_read_reply bytes;
    memset(&bytes, 0, sizeof bytes);
    if (message_decode(&kernel_frame_read_request_type, message, &request) != STATUS_OK ||
        request.frame_slot != SLOT_IMAGE)
        return refuse(message, STATUS_INVALID_ARGUMENT);
    if (!range_within(request.offset_bytes, request.count, sizeof stage->image))
        return refuse(message, STATUS_OUT_OF_RANGE);
    bytes.count = request.count;
    memcpy(bytes.bytes, stage->image + request.offset_bytes, request.count);
    return reply(&kernel_frame_read_reply_type, &bytes, message);
}

static enum status retype(struct stage *stage, struct message *message)
{
    struct kernel_retype_request request;
    if (message_decode(&kernel_retype_request_type, message, &request) != STATUS_OK)
        return refuse(message, STATUS_INVALID_ARGUMENT);
    if (stage_find(stage, request.untyped_slot) == NULL)
        return refuse(message, STATUS_NOT_FOUND);
    if (stage_find(stage, request.target_slot) != NULL)
        return refuse(message, STATUS_BUSY);
    stage->bootstrap_untyped |= request.object_type == OBJECT_UNTYPED;
    stage_hold(stage, (struct stage_cap){.slot = request.target_slot,
                                         .object_type = request.object_type,
                                         .rights = object_type_rights(request.object_type)});
    return done(&kernel_retype_reply_type, message);
}

static enum status destroy(struct stage *stage, struct message *message)
{
    uint32_t slot;
    memcpy(&slot, message->body, sizeof slot);
    struct stage_cap *cap = stage_find(stage, slot);
    if (cap == NULL)
        return refuse(message, STATUS_NOT_FOUND);
    if (stage_live_count(stage) != 0)
        return refuse(message, STATUS_BUSY);
    stage->bootstrap_untyped = false;
    drop(stage, cap);
    return done(&kernel_destroy_reply_type, message);
}

static enum status create_procd(struct stage *stage, struct message *message)
{
    uint32_t window = message->header.window_slot;
    struct kernel_create_staged_process_request request;
    if (message_decode(&kernel_create_staged_process_request_type, message, &request) !=
            STATUS_OK ||
        message->header.window_count < 4)
        return refuse(message, STATUS_BUSY);
    if (stage->child_count != 0 || request.event_slot != SLOT_SERVICE_ENDPOINT)
        return refuse(message, STATUS_DENIED);
    stage->children[stage->child_count++] =
        (struct stage_child){.life = STAGE_LIFE_STAGED, .role = ROLE_PROCD};
    struct kernel_create_staged_process_reply made = {
        .process_slot = window,
        .vspace_slot = window + 1,
        .endpoint_slot = window + 2,
        .grant_slot = window + 3,
    };
    (void)reply(&kernel_create_staged_process_reply_type, &made, message);
    deliver(stage, message, 0, window, OBJECT_PROCESS, 0);
    deliver(stage, message, 1, window + 1, OBJECT_VSPACE, 0);
    deliver(stage, message, 2, window + 2, OBJECT_ENDPOINT, 0);
    deliver(stage, message, 3, window + 3, OBJECT_GRANT, 0);
    return STATUS_OK;
}

/* START, ABORT, KILL, RETIRE and REGISTER_PAGER of procd, the only PROCESS that rootd holds. */
static enum status control_procd(struct stage *stage, uint16_t operation, struct message *message)
{
    struct stage_child *procd = &stage->children[0];
    uint32_t slot;
    memcpy(&slot, message->body, sizeof slot);
    const struct stage_cap *cap = stage_find(stage, slot);
    if (cap == NULL || cap->object_type != OBJECT_PROCESS)
        return refuse(message, STATUS_NOT_FOUND);
    if (operation == OP_KERNEL_REGISTER_PAGER && procd->life == STAGE_LIFE_STAGED) {
        procd->pager_declared = true;
        return done(&kernel_register_pager_reply_type, message);
    }
    if (operation == OP_KERNEL_START_PROCESS && procd->life == STAGE_LIFE_STAGED &&
        procd->pager_declared) {
        procd->life = STAGE_LIFE_RUNNING;
        return done(&kernel_start_process_reply_type, message);
    }
    if (operation == OP_KERNEL_ABORT_STAGED_PROCESS && procd->life == STAGE_LIFE_STAGED) {
        procd->life = STAGE_LIFE_NONE;
        return done(&kernel_abort_staged_process_reply_type, message);
    }
    if (operation == OP_KERNEL_KILL_PROCESS && procd->life == STAGE_LIFE_RUNNING) {
        procd->life = STAGE_LIFE_ENDED;
        return done(&kernel_kill_process_reply_type, message);
    }
    if (operation == OP_KERNEL_RETIRE_PROCESS && procd->life == STAGE_LIFE_ENDED) {
        struct kernel_retire_process_reply record = {.reason = END_KILLED};
        procd->life = STAGE_LIFE_NONE;
        return reply(&kernel_retire_process_reply_type, &record, message);
    }
    return refuse(message, STATUS_BUSY);
}

static enum status install(struct stage *stage, struct message *message)
{
    struct kernel_cap_copy_attenuated_request request;
    if (message_decode(&kernel_cap_copy_attenuated_request_type, message, &request) != STATUS_OK)
        return refuse(message, STATUS_INVALID_ARGUMENT);
    const struct stage_cap *grant = stage_find(stage, request.grant_slot);
    const struct stage_cap *source = stage_find(stage, request.source_slot);
    if (grant == NULL || grant->object_type != OBJECT_GRANT || source == NULL)
        return refuse(message, STATUS_NOT_FOUND);
    struct stage_child *child = &stage->children[grant->object];
    if (child->life != STAGE_LIFE_STAGED)
        return refuse(message, STATUS_NOT_FOUND);
    if ((request.rights & ~source->rights) != 0 || (source->rights & RIGHT_TRANSFER) == 0 ||
        (request.badge != 0 && source->badge != 0))
        return refuse(message, STATUS_DENIED);
    if (child->cap_count == sizeof child->caps / sizeof child->caps[0])
        return refuse(message, STATUS_EXHAUSTED);
    child->caps[child->cap_count++] = (struct stage_cap){.slot = request.target_slot,
                                                         .object_type = source->object_type,
                                                         .rights = request.rights,
                                                         .badge = request.badge,
                                                         .object = source->object};
    return done(&kernel_cap_copy_attenuated_reply_type, message);
}

static enum status log_write(struct stage *stage, struct message *message)
{
    struct kernel_log_write_request request;
    if (message_decode(&kernel_log_write_request_type, message, &request) != STATUS_OK)
        return refuse(message, STATUS_INVALID_ARGUMENT);
    for (uint32_t i = 0; i < request.count && stage->log_count < STAGE_LOG_BYTES - 1; i++)
        stage->log[stage->log_count++] = (char)request.bytes[i];
    return done(&kernel_log_write_reply_type, message);
}

static enum status kernel_call(struct stage *stage, uint16_t operation, struct message *message)
{
    struct kernel_read_monotonic_clock_reply clock = {.now_ticks = stage->now_ticks++};
    switch (operation) {
    case OP_KERNEL_READ_MONOTONIC_CLOCK:
        return reply(&kernel_read_monotonic_clock_reply_type, &clock, message);
    case OP_KERNEL_FRAME_READ:
        return frame_read(stage, message);
    case OP_KERNEL_LOG_WRITE:
        return log_write(stage, message);
    default:
        break;
    }
    stage->mutation_count++;
    switch (operation) {
    case OP_KERNEL_RETYPE:
        return retype(stage, message);
    case OP_KERNEL_DESTROY:
        return destroy(stage, message);
    case OP_KERNEL_FRAME_COPY:
        return done(&kernel_frame_copy_reply_type, message);
    case OP_KERNEL_MAP_FRAME:
        return done(&kernel_map_frame_reply_type, message);
    case OP_KERNEL_CREATE_STAGED_PROCESS:
        return create_procd(stage, message);
    case OP_KERNEL_CAP_COPY_ATTENUATED:
        return install(stage, message);
    default:
        return control_procd(stage, operation, message);
    }
}

/* --- services ------------------------------------------------------------------------------- */

/* What the start-up unit of the child would find: the envelope names exactly what was installed. */
static enum status start_service(struct stage_child *child, struct message *message)
{
    struct startup_start_service_request request;
    struct envelope envelope;
    if (message_decode(&startup_start_service_request_type, message, &request) != STATUS_OK ||
        envelope_parse(request.envelope, request.count, &envelope) != STATUS_OK ||
        envelope.role != child->role || envelope.entry_count != child->cap_count + 1)
        return refuse(message, STATUS_INVALID_ARGUMENT);
    for (unsigned i = 0; i < child->cap_count; i++) {
        const struct envelope_entry *entry = envelope_find(&envelope, child->caps[i].slot);
        if (entry == NULL || entry->object_type != child->caps[i].object_type ||
            entry->rights != child->caps[i].rights)
            return refuse(message, STATUS_INVALID_ARGUMENT);
    }
    child->ready = true;
    struct startup_start_service_reply ready = {.role = child->role,
                                                .checked_cap_count = envelope.entry_count};
    return reply(&startup_start_service_reply_type, &ready, message);
}

static struct stage_child *add_child(struct stage *stage, uint32_t role, enum stage_life life)
{
    if (stage->child_count == STAGE_CHILD_LIMIT)
        abort();
    struct stage_child *child = &stage->children[stage->child_count++];
    *child = (struct stage_child){.life = life, .role = role};
    return child;
}

static enum status procd_create(struct stage *stage, struct message *message)
{
    struct procd_create_staged_process_request request;
    uint32_t window = message->header.window_slot;
    if (message_decode(&procd_create_staged_process_request_type, message, &request) != STATUS_OK ||
        stage->bound != (request.role >= ROLE_EXTENSION_BASE))
        return refuse(message, STATUS_DENIED);
    uint64_t number = stage->child_count;
    (void)add_child(stage, request.role, STAGE_LIFE_STAGED);
    struct procd_create_staged_process_reply made = {
        .process_id = number, .endpoint_slot = window, .grant_slot = window + 1};
    (void)reply(&procd_create_staged_process_reply_type, &made, message);
    deliver(stage, message, 0, window, OBJECT_ENDPOINT, number);
    deliver(stage, message, 1, window + 1, OBJECT_GRANT, number);
    return STATUS_OK;
}

static enum status procd_spawn_helper(struct stage *stage, struct message *message)
{
    struct procd_spawn_request request;
    if (message_decode(&procd_spawn_request_type, message, &request) != STATUS_OK || !stage->bound)
        return refuse(message, STATUS_DENIED);
    struct procd_spawn_reply made = {.process_id = stage->child_count};
    add_child(stage, request.role, STAGE_LIFE_RUNNING)->argument = request.argument;
    return reply(&procd_spawn_reply_type, &made, message);
}

/* A helper ends as the table says. */
static enum status procd_wait(struct stage_child *child, uint64_t id, struct message *message)
{
    struct procd_wait_process_event_reply ended = {.process_id = id};
    for (unsigned i = 0; i < PROBE_RUN_COUNT; i++) {
        const struct probe_run *run = &probe_runs[i];
        if (run->role != child->role || run->argument != child->argument)
            continue;
        ended.reason = run->reason;
        ended.code = run->code;
        ended.fault_va = run->fault_va;
    }
    if (child->role == ROLE_TEST_SPIN && child->argument == TEST_SPIN_HOG)
        ended.reason = END_FAULT_PAGE_LIMIT;
    if (child->role == ROLE_TEST_SPIN && child->argument != TEST_SPIN_HOG) {
        if (child->life == STAGE_LIFE_RUNNING)
            return refuse(message, STATUS_TIMED_OUT); /* it never ends by itself */
        ended.reason = END_KILLED;
        ended.code = child->stop_code;
    }
    if (child->role == ROLE_TEST_HOSTILE && child->argument == HOSTILE_SEED) {
        ended.reason = END_EXITED;
        ended.code = child->cap_count == 4 ? HOSTILE_OK : HOSTILE_UNHEARD;
    }
    child->life = STAGE_LIFE_ENDED;
    return reply(&procd_wait_process_event_reply_type, &ended, message);
}

static enum status procd_call(struct stage *stage, uint16_t operation, struct message *message)
{
    uint64_t id;
    memcpy(&id, message->body, sizeof id);
    stage->mutation_count++;
    switch (operation) {
    case OP_PROCD_CREATE_STAGED_PROCESS:
        return procd_create(stage, message);
    case OP_PROCD_SPAWN:
        return procd_spawn_helper(stage, message);
    case OP_PROCD_UPDATE_FOUNDATION_ENDPOINTS:
        if (stage->bound)
            return refuse(message, STATUS_BUSY);
        stage->bound = true;
        return done(&procd_update_foundation_endpoints_reply_type, message);
    default:
        break;
    }
    if (id == 0 || id >= stage->child_count)
        return refuse(message, STATUS_NOT_FOUND);
    struct stage_child *child = &stage->children[id];
    if (operation == OP_PROCD_START_STAGED_PROCESS && child->life == STAGE_LIFE_STAGED) {
        child->life = STAGE_LIFE_RUNNING;
        memcpy(&child->argument, message->body + sizeof id, sizeof child->argument);
        return done(&procd_start_staged_process_reply_type, message);
    }
    if (operation == OP_PROCD_STOP_PROCESS) {
        child->life = STAGE_LIFE_ENDED;
        memcpy(&child->stop_code, message->body + sizeof id, sizeof child->stop_code);
        return done(&procd_stop_process_reply_type, message);
    }
    if (operation == OP_PROCD_WAIT_PROCESS_EVENT)
        return procd_wait(child, id, message);
    return refuse(message, STATUS_BUSY);
}

static enum status child_call(struct stage *stage, uint64_t number, struct message *message)
{
    struct stage_child *child = &stage->children[number];
    uint16_t operation = message->header.operation;
    if (child->life != STAGE_LIFE_RUNNING)
        return STATUS_NOT_FOUND;
    if (operation == OP_STARTUP_START_SERVICE)
        return start_service(child, message);
    if (!child->ready)
        return refuse(message, STATUS_DENIED);
    if (operation == OP_MEMD_QUERY_MEMORY && child->role == ROLE_MEMD) {
        struct memd_query_memory_reply book = {.total_pages = 100, .free_pages = 100};
        return reply(&memd_query_memory_reply_type, &book, message);
    }
    return child->role == ROLE_PROCD ? procd_call(stage, operation, message)
                                     : refuse(message, STATUS_DENIED);
}

enum status stage_call(struct stage *stage, uint32_t slot, struct message *message)
{
    const struct stage_cap *cap = stage_find(stage, slot);
    uint16_t operation = message->header.operation;
    if (cap == NULL)
        return STATUS_NOT_FOUND;
    if (cap->object_type == OBJECT_ENDPOINT)
        return child_call(stage, cap->object, message);
    const struct operation *row = operation_find(SERVICE_KERNEL, operation);
    if (row == NULL || (row->allowed & (1u << cap->object_type)) == 0)
        return refuse(message, STATUS_DENIED);
    if (operation == OP_KERNEL_QUERY_LOCAL_CAP)
        return query(stage, message);
    return cap->object_type == OBJECT_KERNEL_SELF ? self_call(stage, operation, message)
                                                  : kernel_call(stage, operation, message);
}
