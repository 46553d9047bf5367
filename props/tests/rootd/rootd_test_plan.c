/* SPDX-License-Identifier: ISC */
/* Properties of rootd's plan: the same for permuted rows (R3), no authority other than the role
 * table's (R1, R4), memory by the stated formula. */
#include "props/tests/rootd/rootd_test.h"

#include <string.h>

#include "services/lib/service.h"

/* R3: permuted rows of config and modules give the same plan. */
static void test_permutations(void)
{
    static struct rootd_plan first;
    uint32_t seed = 1;
    fresh(VALIDATION_PROFILE_GRAPH);
    expect_equal(prepare(), ROOTD_READY, "the honest intake is accepted");
    first = rootd.plan;
    for (unsigned round = 0; round < 200; round++) {
        fresh(VALIDATION_PROFILE_GRAPH);
        for (uint32_t i = peers_machine.config.entry_count; i > 1; i--) {
            seed = seed * 1664525 + 1013904223;
            struct boot_config_entry moved = peers_machine.config.entries[i - 1];
            peers_machine.config.entries[i - 1] = peers_machine.config.entries[(seed >> 8) % i];
            peers_machine.config.entries[(seed >> 8) % i] = moved;
        }
        expect(peers_machine_encode(), "a permuted config encodes");
        expect_equal(prepare(), ROOTD_READY, "a permuted config is accepted");
        expect(memcmp(first.digest, rootd.plan.digest, sizeof first.digest) == 0,
               "R3: the plan digest does not depend on the order of rows");
        expect_equal(rootd.plan.launch_count, first.launch_count, "R3: as many are launched");
        for (unsigned i = 0; i < first.launch_count; i++) {
            uint8_t a[ENVELOPE_BYTES_MAX];
            uint8_t b[ENVELOPE_BYTES_MAX];
            size_t a_size;
            size_t b_size;
            bool encoded =
                envelope_encode(&first.launches[i].envelope, a, sizeof a, &a_size) == STATUS_OK &&
                envelope_encode(&rootd.plan.launches[i].envelope, b, sizeof b, &b_size) ==
                    STATUS_OK;
            expect(encoded && a_size == b_size && memcmp(a, b, a_size) == 0,
                   "R3: permuted rows change no envelope");
        }
    }
    fresh(VALIDATION_PROFILE_GRAPH);
    peers_machine.config.entries[0].ready_ticks++;
    expect(peers_machine_encode(), "another deadline encodes");
    expect_equal(prepare(), ROOTD_READY, "another deadline is accepted");
    expect(memcmp(first.digest, rootd.plan.digest, sizeof first.digest) != 0,
           "R3: another config has another digest");
}

static uint64_t pages_of(uint32_t role)
{
    return role_find(role)->budget_pages + PEERS_WRITABLE_PAGES;
}

/* Of memd, on the peers' machine: what its row of abi/tables.def says for each page. */
static uint64_t memd_table_pages(void)
{
    uint64_t memory_pages = rootd.intake.handoff.untyped[0].pages;
    return (24 * memory_pages + 4095) / 4096 + (33 * memory_pages + 4095) / 4096 +
           (1835264 + 148 * memory_pages + 4095) / 4096 + (memory_pages + 4095) / 4096;
}

/* The formula of plan.h, written out. */
static void test_memory(void)
{
    fresh(VALIDATION_PROFILE_NONE);
    expect_equal(prepare(), ROOTD_READY, "the honest intake is accepted");
    expect_equal(rootd.plan.bootstrap_pages,
                 pages_of(ROLE_MEMD) + memd_table_pages() + pages_of(ROLE_VSPACED) +
                     pages_of(ROLE_PAGERD),
                 "the bootstrap untyped holds memd, vspaced and pagerd");
    uint64_t procd_pages = pages_of(ROLE_PROCD);
    for (unsigned i = 0; i < 2; i++) {
        uint64_t needed = rootd.plan.bootstrap_pages + procd_pages;
        fresh(VALIDATION_PROFILE_NONE);
        expect_equal(prepare(), ROOTD_READY, "the honest intake is accepted");
        rootd.intake.launch_pool_pages = needed - i;
        expect_equal(plan_make(&rootd.intake, &rootd.plan), i == 0 ? STATUS_OK : STATUS_EXHAUSTED,
                     "the launch pool must hold procd and the bootstrap untyped");
        expect((rootd.plan.bootstrap_pages == 0) == (i == 1), "a refused plan is all zero");
        if (i == 0)
            expect_equal(rootd.plan.bootstrap_pages + procd_pages, needed, "same size again");
    }
}

/* R4, row by row: what plan_row must refuse. */
static void test_rows(void)
{
    static const struct {
        const char *what;
        uint32_t role;
        struct intake row;
        enum status expected;
    } rows[] = {
        {"upwards: memd to procd",
         ROLE_MEMD,
         {0, SLOT_PEER_PROCD, OBJECT_ENDPOINT, RIGHT_SEND, 0},
         STATUS_BAD_ORDER},
        {"sideways: vspaced to itself",
         ROLE_VSPACED,
         {0, SLOT_PEER_VSPACED, OBJECT_ENDPOINT, RIGHT_SEND, 0},
         STATUS_BAD_ORDER},
        {"upwards through the driver endpoint",
         ROLE_PAGERD,
         {0, SLOT_PROCD_DRIVER_ENDPOINT, OBJECT_ENDPOINT, RIGHT_SEND, SLOT_PROCD_DRIVER_ENDPOINT},
         STATUS_BAD_ORDER},
        {"to nobody known", ROLE_PROCD, {0, 48, OBJECT_ENDPOINT, RIGHT_SEND, 2}, STATUS_BAD_ORDER},
        {"downwards: pagerd to vspaced",
         ROLE_PAGERD,
         {0, SLOT_PEER_VSPACED, OBJECT_ENDPOINT, RIGHT_SEND, 0},
         STATUS_OK},
        {"downwards: procd to memd",
         ROLE_PROCD,
         {0, SLOT_PEER_MEMD, OBJECT_ENDPOINT, RIGHT_SEND, 0},
         STATUS_OK},
        {"an end of a service that may be started again",
         ROLE_SERIALD,
         {0, SLOT_PEER_DRV_SERIAL, OBJECT_ENDPOINT, RIGHT_SEND, 0},
         STATUS_BUSY},
        {"the same to a driver, whom deviced launches",
         ROLE_DRV_SERIAL,
         {0, SLOT_PEER_IRQD, OBJECT_ENDPOINT, RIGHT_SEND, 0},
         STATUS_BUSY},
        {"the holder of the published exception, of another service",
         ROLE_LOADERD,
         {0, SLOT_PEER_TIMED, OBJECT_ENDPOINT, RIGHT_SEND, 0},
         STATUS_BUSY},
        {"the published exception",
         ROLE_LOADERD,
         {0, SLOT_PEER_VFSD, OBJECT_ENDPOINT, RIGHT_SEND, 0},
         STATUS_OK},
        {"a peer to receive on",
         ROLE_PROCD,
         {0, SLOT_PEER_MEMD, OBJECT_ENDPOINT, RIGHT_RECEIVE, 0},
         STATUS_DENIED},
        {"nothing in the source",
         ROLE_MEMD,
         {0, 40, OBJECT_UNTYPED, RIGHT_CONTROL, 40},
         STATUS_NOT_FOUND},
        {"another type than the source",
         ROLE_MEMD,
         {0, 40, OBJECT_UNTYPED, RIGHT_CONTROL, SLOT_KERNEL_MEM_ENDPOINT},
         STATUS_DENIED},
        {"more rights than the source",
         ROLE_PAGERD,
         {0, SLOT_IMAGE, OBJECT_IMAGE, RIGHT_READ | RIGHT_WRITE, SLOT_IMAGE},
         STATUS_DENIED},
        {"what may not be given",
         ROLE_MEMD,
         {0, 40, OBJECT_KERNEL_SELF, RIGHT_CONTROL, SLOT_SELF},
         STATUS_DENIED},
        {"the legacy slot",
         ROLE_MEMD,
         {0, SLOT_LEGACY, OBJECT_UNTYPED, RIGHT_CONTROL, SLOT_UNTYPED_BASE},
         STATUS_INVALID_ARGUMENT},
        {"the child's own endpoint",
         ROLE_MEMD,
         {0, SLOT_SERVICE_ENDPOINT, OBJECT_UNTYPED, RIGHT_CONTROL, SLOT_UNTYPED_BASE},
         STATUS_INVALID_ARGUMENT},
        {"the child's SELF",
         ROLE_MEMD,
         {0, SLOT_SELF, OBJECT_UNTYPED, RIGHT_CONTROL, SLOT_UNTYPED_BASE},
         STATUS_INVALID_ARGUMENT},
        {"no rights",
         ROLE_MEMD,
         {0, 40, OBJECT_UNTYPED, 0, SLOT_UNTYPED_BASE},
         STATUS_INVALID_ARGUMENT},
    };
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct plan_install install;
        expect_equal(plan_row(role_find(rows[i].role), &rows[i].row, &install), rows[i].expected,
                     rows[i].what);
        expect((rows[i].expected == STATUS_OK) == (install.target_slot != 0), rows[i].what);
    }
}

/* R4: who holds what, and who can ask whom, all of it written out by hand. Bits of a mask over
 * foundation indices. */
enum {
    MEMD = 1u << FOUNDATION_MEMD,
    VSPACED = 1u << FOUNDATION_VSPACED,
    PAGERD = 1u << FOUNDATION_PAGERD,
    PROCD = 1u << FOUNDATION_PROCD
};

static unsigned holders(enum object_type type)
{
    unsigned mask = 0;
    for (unsigned i = 0; i < FOUNDATION_COUNT; i++) {
        const struct envelope *envelope = &rootd.plan.launches[i].envelope;
        for (uint32_t j = 0; j < envelope->entry_count; j++) {
            if (envelope->entries[j].object_type == (uint16_t)type)
                mask |= 1u << i;
        }
    }
    return mask;
}

/* Everyone from whom calls can lead to one of `targets`, themselves included. */
static unsigned closure(unsigned targets)
{
    for (unsigned round = 0; round < FOUNDATION_COUNT; round++) {
        for (unsigned i = 0; i < FOUNDATION_COUNT; i++) {
            const struct envelope *envelope = &rootd.plan.launches[i].envelope;
            for (uint32_t j = 0; j < envelope->entry_count; j++) {
                for (unsigned k = 0; k < FOUNDATION_COUNT; k++) {
                    if (envelope->entries[j].peer_role == foundation_roles[k] &&
                        (targets & (1u << k)) != 0)
                        targets |= 1u << i;
                }
            }
        }
    }
    return targets;
}

static void test_closure(void)
{
    static const struct {
        enum object_type type;
        unsigned holders;
        unsigned reach; /* who can have it used by asking */
    } rows[] = {
        {OBJECT_UNTYPED, MEMD | PROCD, MEMD | PROCD},
        {OBJECT_IMAGE, PAGERD | PROCD, PAGERD | PROCD},
        {OBJECT_KERNEL_MEMORY, MEMD, MEMD},
        {OBJECT_KERNEL_VSPACE, VSPACED, VSPACED | PAGERD},
        {OBJECT_KERNEL_PAGER, PAGERD, PAGERD},
        {OBJECT_KERNEL_PROCESS, PROCD, PROCD},
        {OBJECT_KERNEL_CHILD_POPULATE, 0, 0},
        {OBJECT_KERNEL_LOG, 0, 0},
        {OBJECT_KERNEL_TIME, 0, 0},
        {OBJECT_KERNEL_IRQ, 0, 0},
        {OBJECT_KERNEL_HOTPLUG, 0, 0},
        {OBJECT_KERNEL_PCI_CONFIG, 0, 0},
        {OBJECT_KERNEL_CONSOLE, 0, 0},
        {OBJECT_KERNEL_COM1, 0, 0},
        {OBJECT_KERNEL_ACPI, 0, 0},
        {OBJECT_KERNEL_I8042, 0, 0},
        {OBJECT_VSPACE, 0, 0},
        {OBJECT_PROCESS, 0, 0},
        {OBJECT_GRANT, 0, 0},
    };
    fresh(VALIDATION_PROFILE_NONE);
    expect_equal(prepare(), ROOTD_READY, "the honest intake is accepted");
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        expect_equal(holders(rows[i].type), rows[i].holders, object_type_name(rows[i].type));
        expect_equal(closure(rows[i].holders), rows[i].reach, object_type_name(rows[i].type));
    }
}

/* R1, the plan's half: installs and envelope of a role are its rows and nothing else. */
static void test_table(void)
{
    for (unsigned i = 1; i < intake_count; i++) {
        if (intake_table[i].role == intake_table[i - 1].role)
            expect(intake_table[i].slot > intake_table[i - 1].slot,
                   "rows of a role come in ascending slots");
    }
    fresh(VALIDATION_PROFILE_NONE);
    expect_equal(prepare(), ROOTD_READY, "the honest intake is accepted");
    for (unsigned i = 0; i < FOUNDATION_COUNT; i++) {
        const struct plan_launch *launch = &rootd.plan.launches[i];
        unsigned count;
        const struct intake *rows = role_intake(foundation_roles[i], &count);
        expect_equal(launch->install_count, count, "R1: one install per row");
        expect_equal(launch->envelope.entry_count, count + 1, "R1: one per row, and the endpoint");
        expect_equal(launch->envelope.slot_window_first, SLOT_SERVICE_ENDPOINT,
                     "R1: the window starts at the endpoint");
        expect_equal(launch->envelope.slot_window_last, rows[count - 1].slot,
                     "R1: and ends at the last row's slot");
        for (unsigned j = 0; j < count; j++) {
            const struct plan_install *install = &launch->installs[j];
            bool peer = rows[j].slot >= SLOT_PEER_MEMD && rows[j].slot <= SLOT_PEER_PROCD;
            expect(install->target_slot == rows[j].slot && install->rights == rows[j].rights &&
                       install->badge == (peer ? foundation_roles[i] : 0),
                   "R1: slot, rights and badge are the row's");
        }
    }
}

/* Who may ask whom at start, written out by hand. */
static bool may_ask(const struct intake *row)
{
    uint32_t role = row->role;
    bool tests = role == ROLE_TEST_HOSTILE || role == ROLE_TESTER || role == ROLE_ATTACKS;
    switch (row->slot) {
    case SLOT_PEER_VSPACED:
        return role == ROLE_PAGERD || role == ROLE_TEST_HOSTILE;
    case SLOT_PEER_PAGERD:
        return role == ROLE_TEST_HOSTILE;
    case SLOT_PEER_MEMD:
        return tests || role == ROLE_CONSOLE || role == ROLE_PHASE4_LOADER;
    case SLOT_PEER_PROCD:
        return tests || role == ROLE_TEST_OPERATOR || role == ROLE_LOADERD ||
               role == ROLE_PHASE1_CRASH_CLIENT || role == ROLE_CONSOLE ||
               role == ROLE_TEST_REAPER || role == ROLE_PHASE4_LOADER;
    case SLOT_PROCD_ADMINISTRATOR:
        return role == ROLE_ATTACKS || role == ROLE_TEST_OPERATOR;
    case SLOT_MEMD_ADMINISTRATOR:
    case SLOT_VSPACED_ADMINISTRATOR:
    case SLOT_PAGERD_ADMINISTRATOR:
        return role == ROLE_TEST_OPERATOR;
    case SLOT_DEVICED_ADMINISTRATOR:
        return role == ROLE_TEST_SURVIVOR;
    case SLOT_PEER_NAMED: /* every service above it, but for the one with two published peers */
        if ((role >= ROLE_PHASE1_LOOKUP_CLIENT && role <= ROLE_PHASE2_IRQ_CLIENT) ||
            role == ROLE_CONSOLE || role == ROLE_TEST_MORTAL || role == ROLE_TEST_FRAIL ||
            role == ROLE_TEST_SURVIVOR || role == ROLE_TEST_REAPER || role == ROLE_TEST_HOSTILE ||
            role == ROLE_PHASE4_LOADER || role == ROLE_PHASE4_FILES || role == ROLE_BENCH_FILES ||
            role == ROLE_IMAGEFSD)
            return true;
        return role > ROLE_NAMED && role < ROLE_EXTENSION_BASE && role != ROLE_LOADERD;
    case SLOT_PEER_VFSD:
        return role == ROLE_LOADERD;
    case SLOT_PEER_LOADERD:
        return role == ROLE_PHASE4_LOADER || role == ROLE_CONSOLE || role == ROLE_BENCH_FILES;
    case SLOT_PEER_TEST_SERVICE:
        return role == ROLE_TEST_USER;
    case SLOT_PROCD_DRIVER_ENDPOINT:
        return role == ROLE_DEVICED || role == ROLE_TEST_OPERATOR;
    default:
        return false;
    }
}

/* What may be handed on: to clients that are launched later, and to drivers. */
static bool may_hand_on(const struct intake *row)
{
    return (row->role == ROLE_PAGERD && row->slot == SLOT_IMAGE) ||
           (row->role == ROLE_ATTACKS && row->slot == SLOT_PROCD_ADMINISTRATOR) ||
           (row->role == ROLE_TEST_OPERATOR &&
            (row->slot == SLOT_MEMD_ADMINISTRATOR || row->slot == SLOT_VSPACED_ADMINISTRATOR ||
             row->slot == SLOT_PAGERD_ADMINISTRATOR ||
             row->slot == SLOT_KERNEL_PROCESS_ENDPOINT)) ||
           (row->role == ROLE_DEVICED &&
            (row->slot == SLOT_KERNEL_COM1_ENDPOINT || row->slot == SLOT_KERNEL_ACPI_ENDPOINT ||
             row->slot == SLOT_KERNEL_I8042_ENDPOINT));
}

/* R4 over the whole table, roles of later versions included: every row may be given, each
 * kernel-control kind has the holders written here, and the only way up to process control is
 * deviced's, through the driver endpoint. In integration images alone, the tester may ask memd and
 * procd and say what it saw, the operator, which is in no image other than its own, may ask the
 * foundation as its administrator, and the hostile client, which is in no image other than its own, may
 * ask all four services, named, and by it logd and timed. */
static void test_all_roles(void)
{
    static const struct {
        enum object_type type;
        uint32_t role;
    } holders_of[] = {
        {OBJECT_KERNEL_MEMORY, ROLE_MEMD},
        {OBJECT_KERNEL_VSPACE, ROLE_VSPACED},
        {OBJECT_KERNEL_PAGER, ROLE_PAGERD},
        {OBJECT_KERNEL_PROCESS, ROLE_PROCD},
        {OBJECT_KERNEL_TIME, ROLE_TIMED},
        {OBJECT_KERNEL_IRQ, ROLE_IRQD},
        {OBJECT_KERNEL_LOG, ROLE_DEVICED},
        {OBJECT_KERNEL_LOG, ROLE_TESTER},
        {OBJECT_KERNEL_LOG, ROLE_ATTACKS},
        {OBJECT_KERNEL_LOG, ROLE_TEST_OPERATOR},
        {OBJECT_KERNEL_LOG, ROLE_BENCH_FILES},
        {OBJECT_KERNEL_LOG, ROLE_PHASE4_LOADER},
        {OBJECT_KERNEL_PROCESS, ROLE_TEST_OPERATOR},
        {OBJECT_KERNEL_CHILD_POPULATE, ROLE_TEST_OPERATOR},
        {OBJECT_KERNEL_CHILD_POPULATE, ROLE_DEVICED},
        {OBJECT_KERNEL_CHILD_POPULATE, ROLE_ATTACKS},
        {OBJECT_KERNEL_PCI_CONFIG, ROLE_PROBED},
        {OBJECT_KERNEL_PCI_CONFIG, ROLE_TEST_APART},
        {OBJECT_KERNEL_HOTPLUG, ROLE_HOTPLUGD},
        {OBJECT_KERNEL_CONSOLE, ROLE_FBCOND},
        {OBJECT_KERNEL_ACPI, ROLE_DEVICED},
        {OBJECT_KERNEL_ACPI, ROLE_DRV_ACPI},
        {OBJECT_KERNEL_COM1, ROLE_DEVICED},
        {OBJECT_KERNEL_COM1, ROLE_DRV_SERIAL},
        {OBJECT_KERNEL_COM1, ROLE_PHASE2_IRQ_CLIENT},
        {OBJECT_KERNEL_I8042, ROLE_DEVICED},
        {OBJECT_KERNEL_I8042, ROLE_DRV_I8042},
    };
    for (unsigned i = 0; i < intake_count; i++) {
        const struct intake *row = &intake_table[i];
        struct plan_install install;
        expect_equal(plan_row(role_find(row->role), row, &install), STATUS_OK, intake_why(row));
        if (row->object_type == OBJECT_ENDPOINT && (row->rights & RIGHT_SEND) != 0)
            expect(may_ask(row), "R4: nobody else can ask anybody at start");
        expect((row->rights & RIGHT_TRANSFER) == 0 || may_hand_on(row),
               "R4: nobody else can hand anything on");
        if (row->object_type < OBJECT_KERNEL_SELF)
            continue;
        bool stated = false;
        for (unsigned j = 0; j < sizeof holders_of / sizeof holders_of[0]; j++)
            stated |= holders_of[j].type == row->object_type && holders_of[j].role == row->role;
        expect(stated, "R4: each kernel-control kind has its stated holders");
    }
}

/* R1, the other way round: which roles must receive on an endpoint besides their own. Without its
 * row a role would wait for nobody, and nobody would notice. */
static void test_doors(void)
{
    static const struct {
        uint32_t role;
        uint32_t slot;
    } doors[] = {{ROLE_PROCD, SLOT_PROCD_DRIVER_ENDPOINT}};
    enum { DOORS = sizeof doors / sizeof doors[0] };
    unsigned found = 0;
    for (unsigned i = 0; i < intake_count; i++) {
        const struct intake *row = &intake_table[i];
        if (row->object_type != OBJECT_ENDPOINT || (row->rights & RIGHT_RECEIVE) == 0)
            continue;
        bool stated = false;
        for (unsigned j = 0; j < DOORS; j++)
            stated |= doors[j].role == row->role && doors[j].slot == row->slot;
        expect(stated, "R1: nobody else receives on an endpoint that is not its own");
        found++;
    }
    expect_equal(found, DOORS, "R1: a role that must receive on another endpoint does");
}

/* Discovery obeys the ranks as well; the published exception is procd's alone. */
static void test_look_ups(void)
{
    for (unsigned i = 0; i < look_up_count; i++) {
        const struct look_up *row = &look_up_table[i];
        const struct role *client = role_find(row->client);
        const struct role *service = role_find(row->service);
        const char *why = look_up_why(row);
        expect((service->rank >= client->rank) == row->late_bound, why);
        expect(!row->late_bound || client->id == ROLE_PROCD, why);
        expect(strlen(service->image) <= SERVICE_NAME_BYTES_MAX, why);
        bool asks = false;
        unsigned count;
        const struct intake *rows = role_intake(client->id, &count);
        for (unsigned j = 0; j < count; j++)
            asks |= rows[j].slot == SLOT_PEER_NAMED;
        expect(asks || row->late_bound, "who looks somebody up has an end of named");
    }
}

/* Whom a role waits for, and that waiting ends: those behind its capabilities, deviced for drivers,
 * its rows; the foundation has an order of its own. Ranks do not decide it. */
static void test_needs(void)
{
    expect(role_needs(role_find(ROLE_LOGD), ROLE_NAMED), "who holds a peer's end waits for it");
    expect(role_needs(role_find(ROLE_DEVICED), ROLE_NAMED), "so does who gives it to others");
    expect(role_needs(role_find(ROLE_DRV_ACPI), ROLE_DEVICED), "a driver waits for deviced");
    expect(role_needs(role_find(ROLE_SERIALD), ROLE_DRV_SERIAL), "a NEEDS row");
    expect(!role_needs(role_find(ROLE_PAGERD), ROLE_VSPACED), "not the foundation");
    expect(!role_needs(role_find(ROLE_SERIALD), ROLE_LOGD), "nor who may be looked up later");
    unsigned __int128 done = 0; /* by places of the table */
    for (unsigned round = 0; round < role_count; round++) {
        for (unsigned i = 0; i < role_count; i++) {
            bool waits = false;
            for (unsigned j = 0; j < role_count; j++)
                waits |= role_needs(&role_table[i], role_table[j].id) && (done >> j & 1) == 0;
            done |= (unsigned __int128)!waits << i;
        }
    }
    expect(done == ((unsigned __int128)1 << role_count) - 1, "nobody waits for itself in the end");
}

/* No exception without the row that it is for. */
static void test_holds(void)
{
    static const struct need exceptions[] = {
#define HOLDS(NAME, OTHER, why) {ROLE_##NAME, ROLE_##OTHER},
#include "abi/role_rows.h"
    };
    for (unsigned i = 0; i < sizeof exceptions / sizeof exceptions[0]; i++) {
        const struct role *role = role_find(exceptions[i].role);
        unsigned count, held = 0;
        const struct intake *rows = role_intake(role->id, &count);
        for (unsigned row = 0; row < count; row++)
            held += slot_peer_role(rows[row].slot) == exceptions[i].other;
        expect_equal(held, 1, role->image);
    }
}

/* A role's own peer slot leads to it, and an administrator's carries no badge. */
static void test_peer_slots(void)
{
    for (unsigned i = 0; i < role_count; i++) {
        uint32_t slot = role_peer_slot(role_table[i].id);
        expect(slot == SLOT_NULL ||
                   (slot_peer_role(slot) == role_table[i].id && !slot_is_administrators(slot)),
               role_table[i].image);
    }
    expect_equal(role_peer_slot(ROLE_PROCD), SLOT_PEER_PROCD, "not the drivers' endpoint");
    expect_equal(slot_peer_role(SLOT_UNTYPED_BASE), ROLE_NONE, "a slot of no peer");
}

/* One number of the intake that the plan is made from. */
struct number {
    void *at;
    size_t bytes;
    const char *what;
};

static bool digest_moves(const struct number *number)
{
    uint8_t before[sizeof rootd.plan.digest];
    uint8_t kept[8];
    memcpy(before, rootd.plan.digest, sizeof before);
    memcpy(kept, number->at, number->bytes);
    *(uint8_t *)number->at ^= 1;
    enum status status = plan_make(&rootd.intake, &rootd.plan);
    bool moved = status == STATUS_OK && memcmp(before, rootd.plan.digest, sizeof before) != 0;
    memcpy(number->at, kept, number->bytes);
    bool back = plan_make(&rootd.intake, &rootd.plan) == STATUS_OK &&
                memcmp(before, rootd.plan.digest, sizeof before) == 0;
    return moved && back;
}

/* R3: each number of each module changes the digest. */
static void test_digest(void)
{
    fresh(VALIDATION_PROFILE_GRAPH);
    expect_equal(prepare(), ROOTD_READY, "the honest intake is accepted");
    for (unsigned i = 0; i < FOUNDATION_COUNT; i++) {
        struct rootd_module *module = &rootd.intake.foundation[i];
        const struct number numbers[] = {
            {&module->offset_bytes, sizeof module->offset_bytes, "R3: a module's place"},
            {&module->size_bytes, sizeof module->size_bytes, "R3: a module's size"},
            {&module->ready_ticks, sizeof module->ready_ticks, "R3: a module's deadline"},
        };
        for (unsigned j = 0; j < sizeof numbers / sizeof numbers[0]; j++)
            expect(digest_moves(&numbers[j]), numbers[j].what);
    }
    for (unsigned i = 0; i < rootd.intake.entry_count; i++) {
        struct rootd_entry *entry = &rootd.intake.entries[i];
        const struct number numbers[] = {
            {&entry->offset_bytes, sizeof entry->offset_bytes, "R3: an entry's place"},
            {&entry->size_bytes, sizeof entry->size_bytes, "R3: an entry's size"},
            {&entry->ready_ticks, sizeof entry->ready_ticks, "R3: an entry's deadline"},
            {&entry->required, sizeof entry->required, "R3: whether an entry is required"},
            {&entry->limits.page_limit, 4, "R3: an entry's limit of pages"},
            {&entry->limits.budget_pages, 4, "R3: of kernel memory"},
            {&entry->limits.child_limit, 4, "R3: of processes below it"},
            {&entry->limits.child_pages, 4, "R3: of their memory"},
            {&entry->data_offset, sizeof entry->data_offset, "R3: where an entry's data lies"},
            {&entry->data_bytes, sizeof entry->data_bytes, "R3: how much data an entry has"},
        };
        for (unsigned j = 0; j < sizeof numbers / sizeof numbers[0]; j++)
            expect(digest_moves(&numbers[j]), numbers[j].what);
    }
    struct boot_config_mount *mount = &rootd.intake.config.mounts[0];
    const struct number numbers[] = {
        {&mount->provider_role, sizeof mount->provider_role, "R3: whose a mount is"},
        {&mount->flags, sizeof mount->flags, "R3: how a mount is"},
        {mount->source, 1, "R3: what is mounted"},
        {mount->path, 1, "R3: where it is mounted"},
    };
    rootd.intake.config.mount_count = 1;
    expect_equal(plan_make(&rootd.intake, &rootd.plan), STATUS_OK, "a plan with a mount");
    for (unsigned j = 0; j < sizeof numbers / sizeof numbers[0]; j++)
        expect(digest_moves(&numbers[j]), numbers[j].what);
}

/* P4: what follows the end of whatever is in a runtime image is stated; what deviced has made cannot be
 * critical, which is the administrator's to say. */
static void test_policies(void)
{
    for (unsigned i = 0; i < role_count; i++) {
        const struct role *role = &role_table[i];
        const struct restarts *row = role_restarts(role->id);
        bool driver = role->kind == ROLE_KIND_DRIVER;
        bool runs = role->presence == ROLE_PRESENCE_RUNTIME;
        expect_of("P4: its policy is stated", role->image,
                  row != NULL || !runs || (role->kind != ROLE_KIND_SERVICE && !driver));
        expect_of("P4: no driver is critical", role->image,
                  row == NULL || !driver || row->critical == 0);
    }
}

void test_plan(void)
{
    test_policies();
    test_doors();
    test_look_ups();
    test_needs();
    test_holds();
    test_peer_slots();
    test_digest();
    test_all_roles();
    test_permutations();
    test_memory();
    test_rows();
    test_closure();
    test_table();
}
