/* SPDX-License-Identifier: ISC */
/* rootd against any handoff, config, modules and cspace, and against a kernel and peers that now
 * and then say anything. When nobody lied, a small independent model says whether the boot must be
 * accepted. Whatever happens: a definite status, nothing changed before the plan is accepted, the
 * same plan for permuted rows (R2, R3), READY only with exactly the post-boot set (R6), and an end
 * in a bounded number of calls (R5). */
#include <stdio.h>
#include <string.h>

#include "abi/formats/boot_image.h"
#include "abi/formats/boot_name.h"
#include "abi/codec.h"
#include "abi/message_type.h"
#include "abi/messages/kernel.h"
#include "abi/formats/cursor.h"
#include "abi/roles.h"
#include "abi/text/generate.h"
#include "fuzz/adversary/rootd_machines.h"
#include "fuzz/adversary/rootd_model.h"
#include "fuzz/harness.h"
#include "props/base/rows.h"
#include "props/stand_ins/peers_of_rootd.h"
#include "services/lib/image_loader.h"

const char harness_name[] = "rootd_intake";
MARKS(15, 1);

enum { CALL_LIMIT = 60000 };

enum mode { MODE_PREPARE, MODE_RUN, MODE_RAW, MODE_COUNT };

static struct rootd rootd;
static struct {
    struct choices *choices;
    bool lying; /* some calls are answered from the input */
    bool lied;
    bool tidy;     /* the slots for pages were empty, and each that rootd drops or gives is again */
    bool accepted; /* the plan was: from then on rootd may change things */
    uint64_t call_count;
    uint64_t last_request_id;
} seam;

/* --- the seam ------------------------------------------------------------------------------ */

static bool changes_something(uint32_t slot, uint16_t operation)
{
    if (stand_in_at(slot).object_type == OBJECT_ENDPOINT)
        return true;
    switch (operation) {
    case OP_KERNEL_QUERY_LOCAL_CAP:
    case OP_KERNEL_FRAME_READ:
    case OP_KERNEL_READ_MONOTONIC_CLOCK:
    case OP_KERNEL_LOG_WRITE:
    case OP_KERNEL_EXIT:
        return false;
    default:
        return true;
    }
}

static const struct operation *row_of(uint16_t id)
{
    for (unsigned i = 0; i < operation_count; i++) {
        if (operation_table[i].id == id)
            return &operation_table[i];
    }
    return NULL;
}

/* An answer that nobody owes. */
static enum status lie(struct message *message)
{
    static struct {
        _Alignas(8) uint8_t bytes[MESSAGE_BODY_BYTES_MAX];
    } body;
    static const enum status errors[] = {STATUS_NOT_FOUND, STATUS_TIMED_OUT, STATUS_PEER_DIED,
                                         STATUS_BUSY};
    struct choices *choices = seam.choices;
    struct generator generator = choices_generator(choices);
    const struct operation *row = row_of(message->header.operation);
    uint64_t request_id = message->header.request_id;
    uint32_t window_slot = message->header.window_slot;
    seam.lied = true;
    peers_machine.lied = true;
    switch (choices_below(choices, 4)) {
    case 0:
        return errors[choices_below(choices, sizeof errors / sizeof errors[0])];
    case 1:
        message_refuse(message, (enum status)choose_up_to_or_unknown(choices, STATUS_COUNT - 1));
        return STATUS_OK;
    case 2:
        message_refuse(message, STATUS_OK);
        message->header.body_bytes = (uint16_t)choices_below(choices, MESSAGE_BODY_BYTES_MAX + 1);
        choices_bytes(choices, message->body, message->header.body_bytes);
        return STATUS_OK;
    default:
        break;
    }
    if (row == NULL)
        return STATUS_PEER_DIED;
    memset(&body, 0, sizeof body);
    generate_valid(&generator, row->reply, body.bytes);
    generate_delivered(row->reply, body.bytes, message);
    message->header.request_id = request_id;
    for (uint32_t i = 0; i < message->header.cap_count; i++) {
        uint32_t slot = window_slot + i;
        memcpy(message->body + message->caps[i].field_offset, &slot, sizeof slot);
    }
    return STATUS_OK;
}

/* Frames of procd's image are in their slots only from one RETYPE to the drop of the last of them, or to GIVE_FRAMES,
 * whichever call between is refused: what rootd sweeps up at its end is none of them. */
static bool pages_given_back(uint16_t operation)
{
    if (operation == OP_KERNEL_FRAME_COPY || operation == OP_KERNEL_MAP_FRAME ||
        operation == OP_KERNEL_GIVE_FRAMES || operation == OP_KERNEL_DROP_LOCAL_CAP)
        return true;
    for (uint32_t i = 0; i < IMAGE_SCRATCH_SLOTS; i++) {
        if (stand_in_at(ROOTD_SLOT_SCRATCH + i).object_type != OBJECT_NONE)
            return false;
    }
    return true;
}

enum status sys_call(uint32_t slot, struct message *message, uint64_t deadline_ticks)
{
    uint16_t operation = message->header.operation;
    PROPERTY(R5, ++seam.call_count <= CALL_LIMIT);
    PROPERTY(R5, deadline_ticks != DEADLINE_NEVER || row_of(operation) == NULL ||
                     row_of(operation)->service == SERVICE_KERNEL);
    PROPERTY(E1, message->header.version == MESSAGE_VERSION);
    PROPERTY(E7, message->header.request_id > seam.last_request_id);
    PROPERTY(R2, seam.accepted || !changes_something(slot, operation));
    PROPERTY(E4, !seam.tidy || pages_given_back(operation));
    seam.last_request_id = message->header.request_id;
    enum status status = STATUS_OK;
    if (seam.lying && choices_u8(seam.choices) >= 0xF0) {
        seam.tidy &= operation != OP_KERNEL_GIVE_FRAMES && operation != OP_KERNEL_DROP_LOCAL_CAP;
        status = lie(message);
    } else {
        status = stand_in_call(slot, message, deadline_ticks);
    }
    TRACE("  slot %u operation 0x%x: %s, %s", slot, operation, status_name(status),
          status_name(message->header.status));
    return status;
}

enum status sys_recv(uint32_t slot, struct message *message, uint64_t deadline_ticks,
                     struct receive_info *info)
{
    struct choices *choices = seam.choices;
    *info = (struct receive_info){.endpoint_slot = slot, .window_slot = SLOT_RECEIVE_BASE};
    PROPERTY(R5, ++seam.call_count <= CALL_LIMIT);
    if (deadline_ticks != DEADLINE_NEVER) { /* it waits for procd's sweep */
        PROPERTY(R5, !peers_logged("ERIX_ROOTD:READY\n"));
        if (MARK_IF("rootd: a failed boot waits for what is given back",
                    choices_empty(choices) || choices_flag(choices)))
            return STATUS_TIMED_OUT;
    }
    if (choices_empty(choices))
        return STATUS_NOT_FOUND;
    const struct operation *row = choose_operation(choices);
    memset(message, 0, sizeof *message);
    message->header.version = MESSAGE_VERSION;
    message->header.operation = row->id;
    message->header.body_bytes = (uint16_t)choices_below(choices, 64);
    choices_bytes(choices, message->body, message->header.body_bytes);
    if (choices_flag(choices)) {
        info->badge = BADGE_KERNEL;
        return STATUS_OK;
    }
    info->badge = choices_u8(choices);
    info->reply_slot = SLOT_REPLY_BASE;
    return STATUS_OK;
}

enum status sys_reply(uint32_t reply_slot, struct message *message)
{
    PROPERTY_EQUAL(E5, reply_slot, SLOT_REPLY_BASE);
    PROPERTY_EQUAL(R6, message->header.status, STATUS_DENIED);
    return STATUS_OK;
}

/* --- what the input makes of the boot ------------------------------------------------------ */

/* Pages of its own, and above half of what a byte can be something else as well. */
static struct process_limits draw_limits(struct choices *choices)
{
    struct process_limits limits = {.page_limit = choices_u8(choices)};
    if (MARK_IF("rootd_intake: other limits", limits.page_limit >= 0xE0)) {
        limits.page_limit -= 0xE0;
        limits.budget_pages = choices_u8(choices);
        limits.child_limit = choices_u8(choices);
        limits.child_pages = (uint32_t)choices_u8(choices) << 7;
    }
    return limits;
}

/* A limit, twice for one role now and then. */
static void add_limit(struct choices *choices, uint32_t role)
{
    struct boot_config *config = &peers_machine.config;
    if (config->limit_count == BOOT_CONFIG_ENTRY_LIMIT)
        return;
    config->limits[config->limit_count++] =
        (struct boot_config_limit){.role = role, .limits = draw_limits(choices)};
}

static void change_entry(struct choices *choices)
{
    struct boot_config *config = &peers_machine.config;
    struct boot_config_entry *entry = &config->entries[choices_below(choices, config->entry_count)];
    switch (choices_below(choices, 7)) {
    case 0:
        entry->role = choose_role(choices)->id;
        (void)boot_name_set(entry->module, role_find(entry->role)->image);
        return;
    case 1:
        entry->launch_kind = 1 + (uint32_t)choices_below(choices, 2);
        return;
    case 2:
        entry->flags = 1 + (uint32_t)choices_below(choices, 2);
        return;
    case 3:
        entry->dependency_count = 1;
        entry->dependencies[0] = config->entries[choices_below(choices, config->entry_count)].role;
        return;
    case 4:
        entry->ready_ticks = 1 + choices_below(choices, BOOT_CONFIG_READY_TICKS_MAX);
        if (choices_flag(choices))
            add_limit(choices, entry->role);
        return;
    case 5:
        if (config->entry_count > 1)
            *entry = config->entries[--config->entry_count];
        memset(&config->entries[config->entry_count], 0, sizeof config->entries[0]);
        return;
    default: {
        const struct role *role = choose_role(choices);
        struct boot_config_entry *added = &config->entries[config->entry_count++];
        *added = (struct boot_config_entry){.role = role->id,
                                            .launch_kind = role->kind == ROLE_KIND_DRIVER
                                                               ? BOOTCFG_LAUNCH_KIND_DEVICED_DRIVER
                                                               : BOOTCFG_LAUNCH_KIND_ROOTD_DIRECT,
                                            .flags = BOOT_ENTRY_OPTIONAL,
                                            .ready_ticks = 1};
        (void)boot_name_set(added->module, role->image);
        return;
    }
    }
}

static void change_handoff(struct choices *choices)
{
    struct handoff *handoff = &peers_machine.handoff;
    struct handoff_module *module =
        &handoff->modules[choices_below(choices, handoff->module_count)];
    switch (choices_below(choices, 6)) {
    case 0:
        handoff->root_endpoint_slot = choices_u8(choices);
        return;
    case 1:
        handoff->image_slot = choices_u8(choices);
        return;
    case 2:
        handoff->free_pages -= handoff->untyped[1].pages;
        handoff->untyped[1].pages = 1 + choices_below(choices, PEERS_POOL_PAGES);
        handoff->free_pages += handoff->untyped[1].pages;
        return;
    case 3:
        module->kind = 1 + (uint32_t)choices_below(choices, 3);
        return;
    case 4:
        module->name[choices_below(choices, 4)] = 'q';
        return;
    default:
        module->size_bytes = 1 + choices_below(choices, 2 * PAGE_BYTES);
        return;
    }
}

static void change_cap(struct choices *choices)
{
    uint32_t place = (uint32_t)choices_below(choices, stand_in_slot_count());
    struct stand_in_cap *cap = stand_in_slot_cap(place);
    switch (choices_below(choices, 4)) {
    case 0:
        (void)stand_in_take(stand_in_slot_number(place));
        return;
    case 1:
        cap->rights ^= 1u << choices_below(choices, 8);
        return;
    case 2:
        cap->badge ^= choices_u8(choices);
        return;
    default:
        if (stand_in_at(choices_u16(choices)).object_type == OBJECT_NONE) {
            uint32_t slot = 1 + (uint32_t)choices_below(choices, SLOT_LIMIT - 1);
            if (stand_in_at(slot).object_type == OBJECT_NONE)
                stand_in_put(slot, (struct stand_in_cap){.object_type = OBJECT_FRAME,
                                                         .rights = RIGHT_READ,
                                                         .object = STAND_IN_ELSEWHERE});
        }
        return;
    }
}

/* Flips bits of what is read as bytes: config, program headers, handoff. */
static void change_bytes(struct choices *choices)
{
    uint8_t bit = (uint8_t)(1u << choices_below(choices, 8));
    switch (choices_below(choices, 3)) {
    case 0:
        peers_machine.image[choices_below(choices, peers_machine.handoff.modules[0].size_bytes)] ^=
            bit;
        return;
    case 1: {
        uint64_t module = choices_below(choices, FOUNDATION_COUNT);
        uint64_t page = PEERS_CONFIG_PAGES + PEERS_MODULE_PAGES * module;
        peers_machine.image[page * PAGE_BYTES + choices_below(choices, 176)] ^= bit;
        return;
    }
    default:
        peers_machine.handoff_bytes[choices_below(choices, peers_machine.handoff_size)] ^= bit;
        return;
    }
}

static void change(struct choices *choices)
{
    unsigned fields = (unsigned)choices_below(choices, 4);
    for (unsigned i = 0; i < fields; i++) {
        if (choices_flag(choices))
            change_handoff(choices);
        else
            change_entry(choices);
    }
    MARK_IF("rootd: encoders refused the change", !peers_machine_encode());
    if (choices_below(choices, 4) == 1)
        change_cap(choices);
    unsigned flips = (unsigned)choices_below(choices, 3);
    for (unsigned i = 0; i < flips; i++)
        change_bytes(choices);
}

static void make_raw(struct choices *choices)
{
    struct choices handoff = choices_slice(choices, choices_u8(choices) * UINT64_C(8));
    if (choices_left(&handoff) != 0)
        peers_machine.handoff_size =
            choices_bytes(&handoff, peers_machine.handoff_bytes, HANDOFF_BYTES_MAX);
    choices_bytes(choices, peers_machine.image, choices_left(choices) % (2 * PAGE_BYTES));
}

/* --- what must hold ------------------------------------------------------------------------ */

/* Every entry that did not fail is there, and every other one is named. */
static void check_graph(void)
{
    for (uint32_t i = 0; i < rootd_model.config.entry_count; i++) {
        char line[96];
        const struct role *role = role_find(rootd_model.config.entries[i].role);
        bool failed = (rootd_model.failed >> i & 1) != 0;
        snprintf(line, sizeof line, "BASALT_ROOTD:PASSED_OVER:%s:", role->image);
        PROPERTY_EQUAL(R5, "passed", peers_logged(line), failed);
        const char *cause = status_name(rootd_model.causes[i]);
        snprintf(line, sizeof line, "BASALT_ROOTD:PASSED_OVER:%s:%s\n", role->image, cause);
        if (rootd_model.causes[i] != STATUS_OK)
            PROPERTY(R5, "cause", peers_logged(line));
        if (role->kind == ROLE_KIND_SERVICE)
            PROPERTY_EQUAL(R5, "lives", peers_lives(role->id), !failed);
        if (failed)
            MARK("rootd: an entry was passed over");
    }
}

/* Who is told what is mounted says what is not. */
static void check_mounts(void)
{
    const struct boot_config *config = &rootd_model.config;
    for (uint32_t i = 0; i < config->mount_count; i++) {
        char line[96];
        bool left_out = rootd_model.vfsd_is_told && (rootd_model.not_mounted >> i & 1) != 0;
        snprintf(line, sizeof line, "BASALT_ROOTD:NOT_MOUNTED:%s:%s\n", config->mounts[i].path,
                 role_find(config->mounts[i].provider_role)->image);
        PROPERTY_EQUAL(R5, "mount", peers_logged(line), left_out);
        MARK_IF("rootd: a mount was left out", left_out);
    }
}

static void check_refused(void)
{
    const struct rootd_plan *plan = &rootd.plan;
    PROPERTY_EQUAL(R2, peers_machine.mutation_count, 0);
    PROPERTY(R2, plan->bootstrap_pages == 0 && plan->launches[0].envelope.entry_count == 0);
    PROPERTY(R2, rootd.stage == STAGE_PLAN || rootd.intake.foundation[0].role == 0);
    PROPERTY(R2, rootd.status != ROOTD_SERVICE_BOOTSTRAP_FAILED);
    PROPERTY(R2, rootd.cause != STATUS_OK);
}

/* R3: the same config with its rows turned round by one gives the same plan. */
static void check_permuted(uint32_t root_endpoint_slot)
{
    static struct rootd again;
    static struct boot_config config;
    uint8_t bytes[BOOT_CONFIG_BYTES_MAX];
    size_t written;
    config = rootd.intake.config;
    struct boot_config_entry first = config.entries[0];
    memmove(&config.entries[0], &config.entries[1],
            (config.entry_count - 1) * sizeof config.entries[0]);
    config.entries[config.entry_count - 1] = first;
    int index = handoff_find(&rootd.intake.handoff, "boot-config");
    if (index < 0 || boot_config_encode(&config, bytes, sizeof bytes, &written) != STATUS_OK)
        return;
    PROPERTY_EQUAL(R3, written, rootd.intake.handoff.modules[index].size_bytes);
    memcpy(peers_machine.image + rootd.intake.handoff.modules[index].offset_bytes, bytes, written);
    memset(&again, 0, sizeof again);
    seam.last_request_id = 0;
    seam.accepted = false;
    PROPERTY_EQUAL(R3,
                   rootd_prepare(&again, peers_machine.handoff_bytes, peers_machine.handoff_size,
                                 root_endpoint_slot),
                   ROOTD_READY);
    PROPERTY(R3, memcmp(again.plan.digest, rootd.plan.digest, sizeof again.plan.digest) == 0);
}

/* "rootd boot: READY, READY after OK": where it ended, how, and because of what. */
static void mark_end(const char *what)
{
    char name[96];
    snprintf(name, sizeof name, "%s: %s, %s after %s", what, rootd_stage_name(rootd.stage),
             rootd_status_name(rootd.status), status_name(rootd.cause));
    mark_name(name);
}

static void run_prepare(uint32_t root_endpoint_slot)
{
    bool acceptable = rootd_model_accepts(root_endpoint_slot);
    enum rootd_status status = rootd_prepare(&rootd, peers_machine.handoff_bytes,
                                             peers_machine.handoff_size, root_endpoint_slot);
    if (!seam.lied)
        PROPERTY_EQUAL(R2, status == ROOTD_READY, acceptable);
    mark_end("rootd intake");
    if (status != ROOTD_READY)
        check_refused();
    else if (!seam.lying)
        check_permuted(root_endpoint_slot);
}

static void run_whole(uint32_t root_endpoint_slot)
{
    bool acceptable = rootd_model_accepts(root_endpoint_slot);
    seam.accepted = true; /* prepare is judged in its own mode */
    seam.tidy = acceptable;
    enum rootd_status status = rootd_run(&rootd, peers_machine.handoff_bytes,
                                         peers_machine.handoff_size, root_endpoint_slot);
    if (acceptable)
        rootd_model_predict();
    bool ready = peers_logged("ERIX_ROOTD:READY\n");
    uint32_t exit_code;
    bool exited = stand_in_exited(&exit_code);
    mark_end("rootd boot");
    if (!seam.lied) {
        PROPERTY_EQUAL(R6, ready, acceptable && rootd_model.ready);
        if (ready) {
            check_graph();
            check_mounts();
        }
        MARK_IF("rootd: a limit was lowered", peers_machine.limited_count != 0);
        if (acceptable && !ready)
            PROPERTY_EQUAL(R5, "undone", peers_live_count(), 0);
        /* Without SELF, or with another thing in its slot, it cannot even end. */
        PROPERTY(R5, exited || !acceptable);
        if (exited)
            PROPERTY_EQUAL(R5, exit_code, status == ROOTD_READY ? 0 : 1);
        if (ready)
            PROPERTY_EQUAL(R6, stand_in_slot_count(), 4);
    }
    if (rootd.intake.validation_profile == VALIDATION_PROFILE_NONE)
        PROPERTY(R8, !peers_logged("ROOTD_STAGE"));
}

static void digest_end(void)
{
    digest_u64(rootd.status);
    digest_u64(rootd.cause);
    digest_u64(rootd.stage);
    digest_u64(seam.call_count);
    digest_bytes(rootd.plan.digest, sizeof rootd.plan.digest);
    uint32_t log_bytes;
    const char *log = stand_in_log(&log_bytes);
    digest_bytes(log, log_bytes);
    digest_u64(stand_in_slot_count());
    for (unsigned i = 0; i < stand_in_slot_count(); i++)
        digest_u64(stand_in_slot_number(i));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size_bytes)
{
    struct choices choices = harness_begin(bytes, size_bytes);
    memset(&rootd, 0, sizeof rootd);
    memset(&seam, 0, sizeof seam);
    seam.choices = &choices;
    enum mode mode = (enum mode)choices_below(&choices, MODE_COUNT);
    uint8_t profile = choices_u8(&choices);
    rootd_machine_draw(&choices, profile);
    uint32_t root_endpoint_slot =
        choices_below(&choices, 32) == 1 ? choices_u8(&choices) : SLOT_SERVICE_ENDPOINT;
    seam.lying = choices_flag(&choices);
    if (mode == MODE_RAW)
        make_raw(&choices);
    else
        change(&choices);
    TRACE("mode %u, profile %u, %s", mode, peers_machine.config.validation_profile,
          seam.lying ? "lies" : "no lies");
    if (mode == MODE_RUN)
        run_whole(root_endpoint_slot);
    else
        run_prepare(root_endpoint_slot);
    TRACE("%s at %s: %s", rootd_status_name(rootd.status), rootd_stage_name(rootd.stage),
          status_name(rootd.cause));
    digest_end();
    return 0;
}
