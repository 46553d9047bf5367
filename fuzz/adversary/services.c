/* SPDX-License-Identifier: ISC */
/* The rows of services.h: what differs between services, and nothing of what is asked of them. */
#include "fuzz/adversary/services.h"

#include <string.h>

#include "abi/formats/archive.h"
#include "fuzz/adversary/files.h"
#include "fuzz/adversary/services_memory.h"
#include "props/base/rows.h"
#include "props/stand_ins/adversary_held.h"
#include "services/crashd/crashd.h"
#include "services/deviced/internal.h"
#include "services/drv_serial/internal.h"
#include "services/irqd/irqd.h"
#include "services/lib/discovery.h"
#include "services/loaderd/loaderd.h"
#include "services/logd/logd.h"
#include "services/memd/memd.h"
#include "services/named/named.h"
#include "services/pagerd/internal.h"
#include "services/probed/probed.h"
#include "services/procd/internal.h"
#include "services/ramfsd/ramfsd.h"
#include "services/seriald/seriald.h"
#include "services/timed/timed.h"
#include "services/vfsd/vfsd.h"
#include "services/vspaced/vspaced.h"

enum { LOG_RING = 8 };

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
    struct ramfsd ramfsd; /* imagefsd, too */
    struct probed probed;
} state;

static struct memd_holding frame_table[PAGE_BYTES / sizeof(struct memd_holding)]; /* memd's */

/* vspaced's, of a machine of as many pages. */
enum {
    VSPACED_TABLE_BYTES =
        ROLE_TABLE_FIXED_VSPACED + SERVICES_MACHINE_PAGES * ROLE_TABLE_BYTES_VSPACED
};
static uint64_t vspaced_table[VSPACED_TABLE_BYTES / sizeof(uint64_t)];

static void digest_visit(void *context, uint64_t value)
{
    (void)context;
    digest_u64(value);
}

/* What all of them have. */
#define SUBJECT(name)                                                                              \
    static const char *name##_wrong(void)                                                          \
    {                                                                                              \
        return name##_check(&state.name);                                                          \
    }
#define SUBJECT_DIGEST(name)                                                                       \
    static void name##_digest(void)                                                                \
    {                                                                                              \
        name##_visit_fields(&state.name, digest_visit, NULL);                                      \
    }
#define SUBJECT_FOLD(name)                                                                         \
    static void name##_digest(void)                                                                \
    {                                                                                              \
        uint64_t sum = 0;                                                                          \
        name##_visit_fields(&state.name, digest_fold, &sum);                                       \
        digest_u64(sum);                                                                           \
    }
#define SUBJECT_RUN(name)                                                                          \
    static void name##_runs(void)                                                                  \
    {                                                                                              \
        name##_run(&state.name);                                                                   \
    }
#define SUBJECT_EMPTY(name, reset)                                                                 \
    static void name##_empties(void)                                                               \
    {                                                                                              \
        reset(&state.name);                                                                        \
    }
#define SUBJECT_TICKS(name, next_ticks)                                                            \
    static uint64_t name##_next(void)                                                              \
    {                                                                                              \
        return next_ticks(&state.name);                                                            \
    }                                                                                              \
    static void name##_ticks(uint64_t now_ticks)                                                   \
    {                                                                                              \
        name##_tick(&state.name, now_ticks);                                                       \
    }
/* Of those that only register themselves before they are READY. */
#define SUBJECT_REGISTERS(name, NAME)                                                              \
    static enum status name##_prepares(const struct envelope *start)                               \
    {                                                                                              \
        (void)start;                                                                               \
        return discovery_register(&state.name.caller, ROLE_##NAME);                                \
    }

/* --- memd, vspaced, pagerd --------------------------------------------------------------------- */

SUBJECT(memd)
SUBJECT_DIGEST(memd)

static enum status memd_prepares(const struct envelope *start)
{
    memset(frame_table, 0, sizeof frame_table);
    return memd_init(&state.memd, start, frame_table);
}

static void memd_runs(void)
{
    memset(frame_table, 0, sizeof frame_table);
    memd_run(&state.memd, frame_table);
}

SUBJECT(vspaced)
SUBJECT_DIGEST(vspaced)

static enum status vspaced_prepares(const struct envelope *start)
{
    vspaced_init(&state.vspaced, start->memory_pages, vspaced_table);
    return STATUS_OK;
}

static void vspaced_runs(void)
{
    vspaced_run(&state.vspaced, vspaced_table);
}

static bool vspaced_names(uint32_t slot)
{
    uint32_t in_window = slot - VSPACED_FRAME_WINDOW_SLOT;
    if (in_window < MESSAGE_CAP_LIMIT)
        return (state.vspaced.window_filled >> in_window & 1) != 0;
    uint32_t space = (slot - VSPACED_SLOT_BASE) / 2;
    return space < VSPACED_VSPACE_LIMIT && state.vspaced.spaces[space].is_registered;
}

SUBJECT(pagerd)
SUBJECT_FOLD(pagerd)
SUBJECT_RUN(pagerd)
SUBJECT_TICKS(pagerd, pagerd_next_deadline)

static void pagerd_room(void)
{
    pagerd_wake(&state.pagerd);
    pagerd_run_queued(&state.pagerd);
}

static bool pagerd_names(uint32_t slot)
{
    if (slot == PAGERD_SCRATCH_SLOT)
        return state.pagerd.scratch_full != 0;
    uint32_t registration = slot - SLOT_DYNAMIC_BASE + 1;
    return registration <= PAGERD_REGISTRATION_LIMIT &&
           state.pagerd.registrations[registration].state != 0;
}

static uint32_t pagerd_waiting(void)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i <= PAGERD_WAITER_LIMIT; i++)
        count += state.pagerd.waiters[i].fill != 0;
    return count;
}

/* --- procd ------------------------------------------------------------------------------------ */

SUBJECT_RUN(procd)

/* Of what ends with procd nothing is kept up any more. */
static const char *procd_wrong(void)
{
    return state.procd.exiting ? NULL : procd_check(&state.procd);
}

static enum status procd_prepares(const struct envelope *start)
{
    state.procd.memory_pages = start->memory_pages;
    state.procd.validation_profile = start->validation_profile;
    return STATUS_OK;
}

static enum status procd_turns(uint64_t *now_ticks)
{
    enum status status = procd_turn(&state.procd, now_ticks);
    return state.procd.exiting ? STATUS_NOT_FOUND : status;
}

static bool procd_names(uint32_t slot)
{
    uint32_t index = (slot - PROCD_SLOT_PROCESS_BASE) / PROCD_SLOTS_OF_PROCESS;
    uint32_t which = (slot - PROCD_SLOT_PROCESS_BASE) % PROCD_SLOTS_OF_PROCESS;
    if (slot < PROCD_SLOT_PROCESS_BASE || index >= PROCD_PROCESS_LIMIT)
        return false;
    const struct procd_process *process = &state.procd.processes[index];
    return (process->owes >> which & 1) != 0;
}

static uint32_t procd_waiting(void)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < PROCD_WAIT_LIMIT; i++)
        count += state.procd.waits[i].target != 0;
    return count;
}

/* --- named, logd, timed, crashd ------------------------------------------------------------------ */

SUBJECT(named)
SUBJECT_DIGEST(named)
SUBJECT_RUN(named)

static bool named_names(uint32_t slot)
{
    uint32_t entry = slot - NAMED_SLOT_BASE;
    return entry < NAMED_ENTRY_LIMIT && state.named.entries[entry].is_registered != 0;
}

SUBJECT(logd)
SUBJECT_DIGEST(logd)
SUBJECT_RUN(logd)

static enum status logd_prepares(const struct envelope *start)
{
    (void)start;
    logd_init(&state.logd, LOGD_RECORD_LIMIT);
    return discovery_register(&state.logd.caller, ROLE_LOGD);
}

SUBJECT(timed)
SUBJECT_DIGEST(timed)
SUBJECT_RUN(timed)
SUBJECT_TICKS(timed, timed_next_deadline)
SUBJECT_REGISTERS(timed, TIMED)

static uint32_t timed_waiting(void)
{
    return state.timed.wait_count;
}

SUBJECT(crashd)
SUBJECT_DIGEST(crashd)
SUBJECT_RUN(crashd)
SUBJECT_REGISTERS(crashd, CRASHD)

/* --- drivers ---------------------------------------------------------------------------------- */

SUBJECT(deviced)
SUBJECT_DIGEST(deviced)
SUBJECT_RUN(deviced)
SUBJECT_TICKS(deviced, deviced_next_ticks)

static enum status deviced_prepares(const struct envelope *start)
{
    state.deviced.validation_profile = start->validation_profile;
    return discovery_register(&state.deviced.caller, ROLE_DEVICED);
}

static bool deviced_names(uint32_t slot)
{
    uint32_t driver = (slot - DEVICED_SLOT_BASE) / DEVICED_SLOTS_OF_DRIVER;
    uint32_t which = (slot - DEVICED_SLOT_BASE) % DEVICED_SLOTS_OF_DRIVER;
    if (slot < DEVICED_SLOT_BASE || driver >= DEVICED_DRIVER_LIMIT)
        return false;
    return which == DEVICED_SLOT_NAMED ? driver < state.deviced.driver_count
                                       : (state.deviced.drivers[driver].owes >> which & 1) != 0;
}

SUBJECT(irqd)
SUBJECT_DIGEST(irqd)
SUBJECT_RUN(irqd)
SUBJECT_REGISTERS(irqd, IRQD)

SUBJECT(drv_serial)
SUBJECT_DIGEST(drv_serial)
SUBJECT_RUN(drv_serial)
SUBJECT_TICKS(drv_serial, drv_serial_next_ticks)

static enum status drv_serial_prepares(const struct envelope *start)
{
    (void)start;
    enum status status = drv_serial_line_start(&state.drv_serial);
    return status == STATUS_OK ? discovery_register(&state.drv_serial.caller, ROLE_DRV_SERIAL)
                               : status;
}

static uint32_t drv_serial_waiting(void)
{
    return (state.drv_serial.write.reply_slot != SLOT_NULL) +
           (state.drv_serial.read.reply_slot != SLOT_NULL);
}

SUBJECT(seriald)
SUBJECT_DIGEST(seriald)
SUBJECT_RUN(seriald)
SUBJECT_TICKS(seriald, seriald_next_ticks)
SUBJECT_REGISTERS(seriald, SERIALD)

static uint32_t seriald_waiting(void)
{
    return state.seriald.read.reply_slot != SLOT_NULL;
}

/* --- files ------------------------------------------------------------------------------------ */

SUBJECT(loaderd)
SUBJECT_DIGEST(loaderd)
SUBJECT_RUN(loaderd)
SUBJECT_TICKS(loaderd, loaderd_next_ticks)

static enum status loaderd_prepares(const struct envelope *start)
{
    (void)start;
    return loaderd_begin(&state.loaderd);
}

static uint32_t loaderd_waiting(void)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < LOADERD_CLIENT_LIMIT; i++) {
        const struct loaderd_client *client = &state.loaderd.clients[i];
        count += client->launch.reply_slot != SLOT_NULL;
        count += client->wait.process_id != 0 && client->wait.reply_slot != SLOT_NULL;
    }
    return count;
}

SUBJECT(vfsd)
SUBJECT_FOLD(vfsd)
SUBJECT_RUN(vfsd)
SUBJECT_REGISTERS(vfsd, VFSD)

static bool vfsd_names(uint32_t slot)
{
    return slot - VFSD_PROVIDER_SLOT(0) < VFSD_MOUNT_LIMIT;
}

/* --- ramfsd, imagefsd ------------------------------------------------------------------------- */

static bool has_tree; /* which is made when the daemon starts, unless its archive is refused */
static size_t archive_bytes;

/* Before it is made, and when its archive was refused, there is no tree. */
static const char *ramfsd_wrong(void)
{
    return has_tree ? ramfsd_check(&state.ramfsd) : NULL;
}

static void ramfsd_digest(void)
{
    uint64_t sum = 0;
    if (state.ramfsd.page_bytes != NULL)
        ramfsd_visit_fields(&state.ramfsd, digest_fold, &sum);
    digest_u64(sum);
}

static enum status ramfsd_prepares(const struct envelope *start)
{
    (void)start;
    ramfsd_init(&state.ramfsd, services_memory, RAMFSD_MEMORY_BYTES, RAMFSD_OPEN_LIMIT);
    has_tree = true;
    return discovery_register(&state.ramfsd.caller, ROLE_RAMFSD);
}

static void ramfsd_runs(void)
{
    ramfsd_run(&state.ramfsd, services_memory);
}

static const char *ramfsd_untouched(void)
{
    return services_memory_untouched(0, 0);
}

static enum status imagefsd_prepares(const struct envelope *start)
{
    size_t bytes;
    (void)start;
    enum status status =
        ramfsd_init_archive(&state.ramfsd, services_memory, RAMFSD_MEMORY_BYTES, RAMFSD_OPEN_LIMIT,
                            adversary_archive(&bytes), archive_bytes);
    has_tree = status == STATUS_OK;
    return has_tree ? discovery_register(&state.ramfsd.caller, ROLE_IMAGEFSD) : status;
}

static void imagefsd_runs(void)
{
    size_t bytes;
    imagefsd_run(&state.ramfsd, services_memory, adversary_archive(&bytes), archive_bytes);
}

/* An archive's files need no pages of the memory. */
static const char *imagefsd_untouched(void)
{
    return services_memory_untouched(ramfsd_page_count(RAMFSD_MEMORY_BYTES), archive_bytes);
}

void services_draw(const struct subject *subject, struct choices *choices)
{
    if (subject->role == ROLE_IMAGEFSD && choices_below(choices, 8) == 7)
        archive_bytes -= ARCHIVE_BLOCK_BYTES;
}

/* --- probed ----------------------------------------------------------------------------------- */

SUBJECT_RUN(probed)

static const char *probed_wrong(void)
{
    return NULL; /* it promises nothing of its state but to have walked */
}

static void probed_digest(void)
{
    digest_u64(state.probed.function_count);
    digest_u64(state.probed.has_log);
    digest_u64(state.probed.walk.known[0]);
}

static void probed_begins(void)
{
    (void)probed_list(&state.probed);
}

/* Each register of a bus that says anything, and two calls for each line. */
enum {
    PROBED_CALLS_MAX =
        PCI_BUS_COUNT * PCI_DEVICE_COUNT * PCI_FUNCTION_COUNT * 4 + 4 * PROBED_LINES_MAX
};

/* --- the rows --------------------------------------------------------------------------------- */

#define ROW_AS(name, of, SERVICE_ID, NAME)                                                         \
    .service = SERVICE_ID, .role = ROLE_##NAME, .state_bytes = sizeof(struct of),                  \
    .caller = &state.of.caller, .handle = of##_handle, .wrong = of##_wrong, .run = name##_runs
#define ROW(name, NAME) ROW_AS(name, name, SERVICE_##NAME, NAME)
#define ROW_TICKS(name) .next = name##_next, .tick = name##_ticks

SUBJECT_EMPTY(memd, services_reset_memd)
SUBJECT_EMPTY(vspaced, services_reset_vspaced)
SUBJECT_EMPTY(pagerd, pagerd_reset)
SUBJECT_EMPTY(procd, procd_reset)
SUBJECT_EMPTY(named, services_reset_named)
SUBJECT_EMPTY(logd, services_reset_logd)
SUBJECT_EMPTY(timed, services_reset_timed)
SUBJECT_EMPTY(crashd, services_reset_crashd)
SUBJECT_EMPTY(ramfsd, services_memory_end)

static const struct subject subjects[] = {
    {ROW(memd, MEMD), .empty = memd_empties, .digest = memd_digest, .prepare = memd_prepares},
    {ROW(vspaced, VSPACED), .empty = vspaced_empties, .digest = vspaced_digest,
     .prepare = vspaced_prepares, .names = vspaced_names},
    {ROW(pagerd, PAGERD), ROW_TICKS(pagerd), .empty = pagerd_empties, .digest = pagerd_digest,
     .room = pagerd_room, .names = pagerd_names, .waiting = pagerd_waiting},
    {ROW(procd, PROCD), .empty = procd_empties, .turn = procd_turns, .prepare = procd_prepares,
     .names = procd_names, .waiting = procd_waiting},
    {ROW(named, NAMED), .empty = named_empties, .digest = named_digest, .names = named_names},
    {ROW(logd, LOGD), .empty = logd_empties, .digest = logd_digest, .prepare = logd_prepares},
    {ROW(timed, TIMED), ROW_TICKS(timed), .empty = timed_empties, .digest = timed_digest,
     .prepare = timed_prepares, .waiting = timed_waiting},
    {ROW(crashd, CRASHD), .empty = crashd_empties, .digest = crashd_digest,
     .prepare = crashd_prepares},
    {ROW(deviced, DEVICED), ROW_TICKS(deviced), .digest = deviced_digest,
     .prepare = deviced_prepares, .names = deviced_names},
    {ROW(irqd, IRQD), .digest = irqd_digest, .prepare = irqd_prepares},
    {ROW(drv_serial, DRV_SERIAL), ROW_TICKS(drv_serial), .digest = drv_serial_digest,
     .prepare = drv_serial_prepares, .waiting = drv_serial_waiting},
    {ROW(seriald, SERIALD), ROW_TICKS(seriald), .digest = seriald_digest,
     .prepare = seriald_prepares, .waiting = seriald_waiting},
    {ROW(loaderd, LOADERD), ROW_TICKS(loaderd), .digest = loaderd_digest,
     .prepare = loaderd_prepares, .waiting = loaderd_waiting},
    {ROW(vfsd, VFSD), .digest = vfsd_digest, .prepare = vfsd_prepares, .names = vfsd_names},
    {ROW(ramfsd, RAMFSD), .empty = ramfsd_empties, .digest = ramfsd_digest,
     .prepare = ramfsd_prepares, .untouched = ramfsd_untouched},
    {ROW_AS(imagefsd, ramfsd, SERVICE_RAMFSD, IMAGEFSD), .number = 26, .empty = ramfsd_empties,
     .digest = ramfsd_digest, .prepare = imagefsd_prepares, .untouched = imagefsd_untouched},
    {ROW_AS(probed, probed, SERVICE_COUNT, PROBED), .digest = probed_digest, .begin = probed_begins,
     .calls_max = PROBED_CALLS_MAX},
};
enum { SUBJECT_COUNT = sizeof subjects / sizeof subjects[0] };

const struct subject *services_choose(struct choices *choices)
{
    uint32_t numbers[SUBJECT_COUNT];
    for (unsigned i = 0; i < SUBJECT_COUNT; i++)
        numbers[i] = subjects[i].number != 0 ? subjects[i].number : subjects[i].role;
    uint32_t number = choose_listed(choices, numbers, SUBJECT_COUNT);
    unsigned at = 0;
    while (numbers[at] != number)
        at++;
    (void)adversary_archive(&archive_bytes); /* whole */
    return &subjects[at];
}

/* --- a life ----------------------------------------------------------------------------------- */

void services_reset(const struct subject *subject)
{
    harness_check_zero(&state, sizeof state);
    if (subject->service == SERVICE_RAMFSD)
        harness_check_zero(services_memory, RAMFSD_MEMORY_BYTES);
    if (subject->service == SERVICE_VSPACED)
        harness_check_zero(vspaced_table, sizeof vspaced_table);
    has_tree = false;
    services_memory_begin();
    if (subject->service == SERVICE_VFSD)
        services_put_mounts(&state.vfsd);
}

/* memd's sources are what the envelope names; the kernel tells their sizes, or lies. */
void services_start(const struct subject *subject)
{
    struct envelope envelope = {
        .role = ROLE_MEMD, .entry_count = 2, .memory_pages = SERVICES_MACHINE_PAGES};
    for (uint32_t i = 0; i < envelope.entry_count; i++)
        envelope.entries[i] = (struct envelope_entry){.slot = SLOT_UNTYPED_BASE + i,
                                                      .object_type = OBJECT_UNTYPED,
                                                      .rights = RIGHT_CONTROL | RIGHT_TRANSFER};
    if (subject->service == SERVICE_MEMD)
        digest_u64(memd_prepares(&envelope));
    if (subject->service == SERVICE_VSPACED)
        (void)vspaced_prepares(&envelope);
    if (subject->service == SERVICE_LOGD)
        logd_init(&state.logd, LOG_RING);
    if (subject->service == SERVICE_LOADERD)
        loaderd_init(&state.loaderd);
    if (subject->service == SERVICE_RAMFSD)
        (void)subject->prepare(&envelope);
    if (subject->begin != NULL)
        subject->begin();
}

/* The next input finds all zeros. */
void services_end(const struct subject *subject)
{
    if (subject->empty != NULL)
        subject->empty();
    else
        memset(&state, 0, subject->state_bytes);
}

enum status services_turn(const struct subject *subject, uint64_t *now_ticks,
                          bool (*found)(enum status status))
{
    struct receive_info info = {0};
    if (subject->turn != NULL)
        return subject->turn(now_ticks);
    uint64_t deadline_ticks = subject->next == NULL ? DEADLINE_NEVER : subject->next();
    enum status status = service_turn(subject->caller, SLOT_SERVICE_ENDPOINT, deadline_ticks,
                                      subject->handle, &state, &info);
    if (subject->tick != NULL && found(status))
        subject->tick(info.now_ticks);
    return status;
}

/* named and vspaced keep nothing but what messages brought them. */
static void check_named_slots(void)
{
    for (uint32_t i = 0; i < state.named.entry_count; i++)
        PROPERTY(E4, "named-slot",
                 state.named.entries[i].is_registered == 0 || adversary_held(NAMED_SLOT_BASE + i));
}

static void check_vspaced_slots(void)
{
    for (uint32_t i = 0; i < state.vspaced.space_places.used_count; i++)
        PROPERTY(E4, "vspaced-slot",
                 state.vspaced.spaces[i].is_registered == 0 ||
                     adversary_held(VSPACED_SLOT_BASE + 2 * i));
}

void services_check(const struct subject *subject, bool windows)
{
    const char *wrong = subject->wrong();
    if (wrong != NULL)
        TRACE("wrong after this turn: %s", wrong);
    PROPERTY(E9, wrong == NULL);
    if (windows && subject->service == SERVICE_NAMED)
        check_named_slots();
    if (windows && subject->service == SERVICE_VSPACED)
        check_vspaced_slots();
}
