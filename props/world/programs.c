/* SPDX-License-Identifier: ISC */
/* Which unit stands for which image. One line a program; the names are those of abi/roles.def. */
#include "props/world/programs.h"

#include <stdlib.h>
#include <string.h>

#include "abi/formats/handoff.h"
#include "abi/roles.h"
#include "abi/address_space.h"
#include "abi/slots.h"
#include "abi/user_memory.h"
#include "kernel/host/host.h"
#include "props/world/world.h"
#include "services/console/console.h"
#include "services/crashd/crashd.h"
#include "services/deviced/deviced.h"
#include "services/drv_serial/drv_serial.h"
#include "services/irqd/irqd.h"
#include "services/loaderd/loaderd.h"
#include "services/logd/logd.h"
#include "services/memd/memd.h"
#include "services/named/named.h"
#include "services/pagerd/pagerd.h"
#include "services/probed/probed.h"
#include "services/probes/probes.h"
#include "services/procd/procd.h"
#include "services/ramfsd/ramfsd.h"
#include "services/rootd/rootd.h"
#include "services/seriald/seriald.h"
#include "services/tester/tester.h"
#include "services/timed/timed.h"
#include "services/vfsd/vfsd.h"
#include "services/vspaced/vspaced.h"

/* rootd with the handoff that its entry code copies first. */
struct rootd_image {
    struct rootd state;
    uint8_t handoff[HANDOFF_BYTES_MAX];
};

static void rootd_start(void *memory, void *table)
{
    (void)table;
    struct rootd_image *image = memory;
    struct kernel *kernel = world_kernel();
    const struct start_context *start = &kernel_process(kernel, kernel->current)->start;
    uint64_t va = start->arguments[0];
    uint64_t size =
        start->arguments[1] < HANDOFF_BYTES_MAX ? start->arguments[1] : HANDOFF_BYTES_MAX;
    for (uint64_t i = 0; i < size; i++) {
        const uint8_t *byte = host_user_translate(kernel, kernel->current, va + i, FAULT_READ);
        image->handoff[i] = byte == NULL ? 0 : *byte;
    }
    rootd_run(&image->state, image->handoff, size, (uint32_t)start->arguments[2]);
}

static void memd_start(void *state, void *table)
{
    memd_run(state, table);
}

static void vspaced_start(void *state, void *table)
{
    vspaced_run(state, table);
}

static void pagerd_start(void *state, void *table)
{
    (void)table;
    pagerd_run(state);
}

static void procd_start(void *state, void *table)
{
    (void)table;
    procd_run(state);
}

static void named_start(void *state, void *table)
{
    (void)table;
    named_run(state);
}

static void logd_start(void *state, void *table)
{
    (void)table;
    logd_run(state);
}

static void timed_start(void *state, void *table)
{
    (void)table;
    timed_run(state);
}

static void crashd_start(void *state, void *table)
{
    (void)table;
    crashd_run(state);
}

static void deviced_start(void *state, void *table)
{
    (void)table;
    deviced_run(state);
}

static void irqd_start(void *state, void *table)
{
    (void)table;
    irqd_run(state);
}

static void drv_serial_start(void *state, void *table)
{
    (void)table;
    drv_serial_run(state);
}

static void loaderd_start(void *state, void *table)
{
    (void)table;
    loaderd_run(state);
}

static void vfsd_start(void *state, void *table)
{
    (void)table;
    vfsd_run(state);
}

/* The memory that stands for the heap window begins with a page. */
static void *window_behind(void *state)
{
    uintptr_t behind = (uintptr_t)state + sizeof(struct ramfsd);
    return (void *)((behind + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES);
}

enum { RAMFSD_STATE_BYTES = sizeof(struct ramfsd) + PAGE_BYTES + RAMFSD_MEMORY_BYTES };

static void ramfsd_start(void *state, void *table)
{
    (void)table;
    ramfsd_run(state, window_behind(state));
}

/* Its data is the boot image's module, and on each of its pages lies what the module has there. */
static void imagefsd_start(void *state, void *table)
{
    (void)table;
    struct kernel *kernel = world_kernel();
    uint64_t told = kernel_process(kernel, kernel->current)->start.arguments[0];
    uint64_t bytes = 0;
    const uint8_t *archive = world_module(role_data(ROLE_IMAGEFSD), &bytes);
    if (archive == NULL || told != bytes)
        abort();
    for (uint64_t at = 0; at + sizeof told <= bytes; at += PAGE_BYTES) {
        told = user_load64(DATA_VA + at);
        if (memcmp(archive + at, &told, sizeof told) != 0)
            abort();
    }
    imagefsd_run(state, window_behind(state), archive, bytes);
}

static void seriald_start(void *state, void *table)
{
    (void)table;
    seriald_run(state);
}

static void probed_start(void *state, void *table)
{
    (void)table;
    probed_run(state);
}

static const struct program program_table[] = {
    {"rootd", sizeof(struct rootd_image), 0, rootd_start, NULL},
    {"memd", sizeof(struct memd), ROLE_MEMD, memd_start, NULL},
    {"vspaced", sizeof(struct vspaced), ROLE_VSPACED, vspaced_start, NULL},
    {"pagerd", sizeof(struct pagerd), 0, pagerd_start, NULL},
    {"procd", sizeof(struct procd), 0, procd_start, NULL},
    {"named", sizeof(struct named), 0, named_start, NULL},
    {"logd", sizeof(struct logd), 0, logd_start, NULL},
    {"timed", sizeof(struct timed), 0, timed_start, NULL},
    {"crashd", sizeof(struct crashd), 0, crashd_start, NULL},
    {"deviced", sizeof(struct deviced), 0, deviced_start, NULL},
    {"probed", sizeof(struct probed), 0, probed_start, NULL},
    {"irqd", sizeof(struct irqd), 0, irqd_start, NULL},
    {"drv-serial", sizeof(struct drv_serial), 0, drv_serial_start, NULL},
    {"seriald", sizeof(struct seriald), 0, seriald_start, NULL},
    {"ramfsd", RAMFSD_STATE_BYTES, 0, ramfsd_start, NULL},
    {"imagefsd", RAMFSD_STATE_BYTES, 0, imagefsd_start, NULL},
    {"vfsd", sizeof(struct vfsd), 0, vfsd_start, NULL},
    {"loaderd", sizeof(struct loaderd), 0, loaderd_start, NULL},
    {"phase0-probe", 0, 0, NULL, phase0_probe_main},
    {"phase0-exit", 0, 0, NULL, phase0_exit_main},
    {"phase0-fault-kill", 0, 0, NULL, phase0_fault_kill_main},
    {"phase0-isolation-a", 0, 0, NULL, phase0_isolation_a_main},
    {"phase0-isolation-b", 0, 0, NULL, phase0_isolation_b_main},
    {"phase0-stock", 0, 0, NULL, phase0_stock_main},
    {"loaded-hello", 0, 0, NULL, loaded_hello_main},
    {"loaded-look", 0, 0, NULL, loaded_look_main},
    {"loaded-linger", 0, 0, NULL, loaded_linger_main},
    {"loaded-fault", 0, 0, NULL, loaded_fault_main},
    {"tester", 0, 0, NULL, tester_main},
    {"attacks", 0, 0, NULL, attacks_main},
    {"test-spin", 0, 0, NULL, test_spin_main},
    {"test-hostile", 0, 0, NULL, test_hostile_main},
    {"test-vectors", 0, 0, NULL, test_vectors_main},
    {"phase1-lookup-client", 0, 0, NULL, phase1_lookup_client_main},
    {"phase1-time-client", 0, 0, NULL, phase1_time_client_main},
    {"phase1-crash-client", 0, 0, NULL, phase1_crash_client_main},
    {"phase2-irq-client", 0, 0, NULL, phase2_irq_client_main},
    {"phase4-files", 0, 0, NULL, phase4_files_main},
    {"phase4-loader", 0, 0, NULL, phase4_loader_main},
    {"test-mapper", 0, 0, NULL, test_mapper_main},
    {"test-operator", 0, 0, NULL, test_operator_main},
    {"test-ready", 0, 0, NULL, test_ready_main},
    {"test-service", 0, 0, NULL, test_service_main},
    {"test-mortal", 0, 0, NULL, test_mortal_main},
    {"test-frail", 0, 0, NULL, test_frail_main},
    {"test-survivor", 0, 0, NULL, test_survivor_main},
    {"test-reaper", 0, 0, NULL, test_reaper_main},
    {"test-user", 0, 0, NULL, test_user_main},
    {"test-apart", 0, 0, NULL, test_apart_main},
    {"test-last", 0, 0, NULL, test_last_main},
    {"test-driver", 0, 0, NULL, test_driver_main},
    {"attack-client", 0, 0, NULL, attack_client_main},
    {"attack-heir", 0, 0, NULL, attack_client_main},
    {"attack-child", 0, 0, NULL, attack_child_main},
    {"console", 0, 0, NULL, console_main},
    {"idle", 0, 0, NULL, console_idle_main},
};

const struct program *program_find(const char *name)
{
    for (size_t i = 0; i < sizeof program_table / sizeof program_table[0]; i++) {
        if (strcmp(program_table[i].name, name) == 0)
            return &program_table[i];
    }
    return NULL;
}

bool program_is_paged(const char *name)
{
    for (unsigned i = 0; i < role_count; i++)
        if (strcmp(role_table[i].image, name) == 0)
            return role_table[i].kind != ROLE_KIND_FOUNDATION;
    return false;
}
