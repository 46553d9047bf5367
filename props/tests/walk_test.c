/* SPDX-License-Identifier: ISC */
/* Every service that keeps a state walks it before it says READY, in an image with a validation profile and
 * in no other: what is not sound is INTERNAL, and nobody is served. The walks themselves are stood in for at
 * link time (`--wrap`), since most services make their state anew when they start; those of drv-serial and
 * seriald, which lie next to their callers, find a field that is wrong. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "abi/codec.h"
#include "abi/messages/kernel.h"
#include "abi/profile.h"
#include "abi/roles.h"
#include "abi/text/generate.h"
#include "abi/user_memory.h"
#include "props/stand_ins/startup_rows.h"
#include "props/base/message_page.h"
#include "props/base/testing.h"
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
#include "services/ramfsd/ramfsd.h"
#include "services/seriald/seriald.h"
#include "services/timed/timed.h"
#include "services/vfsd/vfsd.h"
#include "services/vspaced/vspaced.h"

/* --- walks -------------------------------------------------------------------------------------------- */

static struct {
    const void *state;
    unsigned count;
    const char *complaint;
} walk;

static const char *walked(const void *state)
{
    walk.state = state;
    walk.count++;
    return walk.complaint;
}

#define WALK(service)                                                                              \
    const char *__wrap_##service##_check(const struct service *state);                             \
    const char *__wrap_##service##_check(const struct service *state)                              \
    {                                                                                              \
        return walked(state);                                                                      \
    }
WALK(crashd)
WALK(deviced)
WALK(irqd)
WALK(loaderd)
WALK(logd)
WALK(memd)
WALK(named)
WALK(pagerd)
WALK(procd)
WALK(ramfsd)
WALK(timed)
WALK(vfsd)
WALK(vspaced)
#undef WALK

/* --- the services --------------------------------------------------------------------------------------- */

enum { MEMORY_PAGES = 4096, TABLE_BYTES = 64 << 20 };

static struct crashd crashd;
static struct deviced deviced;
static struct drv_serial drv_serial;
static struct irqd irqd;
static struct loaderd loaderd;
static struct logd logd;
static struct memd memd;
static struct named named;
static struct pagerd pagerd;
static struct procd procd;
static struct ramfsd ramfsd;
static struct seriald seriald;
static struct timed timed;
static struct vfsd vfsd;
static struct vspaced vspaced;
static void *tables; /* of those that get memory for them */

static void run_memd(void *state)
{
    memd_run(state, tables);
}

static void run_vspaced(void *state)
{
    vspaced_run(state, tables);
}

static void run_ramfsd(void *state)
{
    ramfsd_run(state, tables);
}

static void run_imagefsd(void *state)
{
    static const uint8_t nothing[1024]; /* an archive's end */
    imagefsd_run(state, tables, nothing, sizeof nothing);
}

static void spoil_drv_serial(void)
{
    drv_serial.ring_first = DRV_SERIAL_RING_BYTES;
}

static void spoil_seriald(void)
{
    seriald.kept_count = SERIAL_BYTES_MAX + 1;
}

#define RUN(service)                                                                               \
    static void run_##service(void *state)                                                         \
    {                                                                                              \
        service##_run(state);                                                                      \
    }
RUN(crashd)
RUN(deviced)
RUN(drv_serial)
RUN(irqd)
RUN(loaderd)
RUN(logd)
RUN(named)
RUN(pagerd)
RUN(procd)
RUN(seriald)
RUN(timed)
RUN(vfsd)
#undef RUN

static const struct service {
    uint32_t role;
    void (*run)(void *state);
    void *state;
    size_t bytes;
    void (*spoil)(void); /* null: its walk is stood in for */
    uint32_t exit_code;  /* of a start that failed; 0: the status */
} services[] = {
    {ROLE_MEMD, run_memd, &memd, sizeof memd, NULL, 0},
    {ROLE_VSPACED, run_vspaced, &vspaced, sizeof vspaced, NULL, 0},
    {ROLE_PAGERD, run_pagerd, &pagerd, sizeof pagerd, NULL, 0},
    {ROLE_PROCD, run_procd, &procd, sizeof procd, NULL, PROCD_EXIT_ENDPOINT},
    {ROLE_NAMED, run_named, &named, sizeof named, NULL, 0},
    {ROLE_LOGD, run_logd, &logd, sizeof logd, NULL, 0},
    {ROLE_CRASHD, run_crashd, &crashd, sizeof crashd, NULL, 0},
    {ROLE_TIMED, run_timed, &timed, sizeof timed, NULL, 0},
    {ROLE_IRQD, run_irqd, &irqd, sizeof irqd, NULL, 0},
    {ROLE_DEVICED, run_deviced, &deviced, sizeof deviced, NULL, 0},
    {ROLE_DRV_SERIAL, run_drv_serial, &drv_serial, sizeof drv_serial, spoil_drv_serial, 0},
    {ROLE_SERIALD, run_seriald, &seriald, sizeof seriald, spoil_seriald, 0},
    {ROLE_RAMFSD, run_ramfsd, &ramfsd, sizeof ramfsd, NULL, 0},
    {ROLE_IMAGEFSD, run_imagefsd, &ramfsd, sizeof ramfsd, NULL, 0},
    {ROLE_VFSD, run_vfsd, &vfsd, sizeof vfsd, NULL, 0},
    {ROLE_LOADERD, run_loaderd, &loaderd, sizeof loaderd, NULL, 0},
};

/* --- who starts them ------------------------------------------------------------------------------------ */

static struct {
    struct startup_rows rows;
    unsigned asked;  /* START_SERVICEs sent: one, then the endpoint is gone */
    unsigned served; /* receives after that */
    bool answered;
    uint32_t answer;
    uint32_t exit_code;
    struct kernel_ioport_read8_reply port; /* every port holds what was written last */
} start;

static void start_as(uint32_t role_id, uint32_t profile)
{
    memset(&start, 0, sizeof start);
    start.exit_code = UINT32_MAX;
    startup_rows_make(&start.rows, role_find(role_id));
    start.rows.envelope.validation_profile = profile;
    start.rows.envelope.memory_pages = MEMORY_PAGES;
}

enum status sys_recv(uint32_t slot, struct message *message, uint64_t deadline_ticks,
                     struct receive_info *info)
{
    (void)deadline_ticks;
    *info = (struct receive_info){.endpoint_slot = slot, .window_slot = SLOT_RECEIVE_BASE};
    start.served += start.asked;
    if (start.asked++ != 0)
        return STATUS_NOT_FOUND;
    startup_rows_send(&start.rows, message);
    info->reply_slot = SLOT_REPLY_BASE;
    return STATUS_OK;
}

enum status sys_reply(uint32_t reply_slot, struct message *message)
{
    expect(reply_slot == SLOT_REPLY_BASE && !start.answered, "START_SERVICE is answered once");
    start.answered = true;
    start.answer = message->header.status;
    return STATUS_OK;
}

static uint64_t lowest(void *context, uint64_t limit)
{
    (void)context;
    (void)limit;
    return 0;
}

/* Everybody else says yes. */
static void answer_yes(struct message *message)
{
    static uint64_t body[MESSAGE_BODY_BYTES_MAX / sizeof(uint64_t) + 1];
    static const struct generator generator = {.below = lowest};
    uint64_t request_id = message->header.request_id;
    for (unsigned i = 0; i < operation_count; i++) {
        if (operation_table[i].id != message->header.operation)
            continue;
        memset(body, 0, sizeof body);
        generate_valid(&generator, operation_table[i].reply, body);
        generate_delivered(operation_table[i].reply, body, message);
        message->header.request_id = request_id;
        return;
    }
    abort();
}

enum status sys_call(uint32_t slot, struct message *message, uint64_t deadline_ticks)
{
    struct kernel_exit_request exits;
    struct kernel_ioport_write8_request written;
    (void)slot;
    (void)deadline_ticks;
    if (message->header.operation == OP_KERNEL_EXIT &&
        message_decode(&kernel_exit_request_type, message, &exits) == STATUS_OK)
        start.exit_code = exits.code;
    if (message->header.operation == OP_KERNEL_IOPORT_WRITE8 &&
        message_decode(&kernel_ioport_write8_request_type, message, &written) == STATUS_OK)
        start.port.value = written.value;
    if (message->header.operation == OP_KERNEL_IOPORT_READ8)
        (void)message_encode(&kernel_ioport_read8_reply_type, &start.port, message);
    else if (!startup_rows_answer(&start.rows, message))
        answer_yes(message);
    message_page_used(message);
    return STATUS_OK;
}

void user_store64(uint64_t addr, uint64_t value)
{
    (void)addr; /* of the heap, which is `tables` here */
    (void)value;
}

uint64_t user_load64(uint64_t addr)
{
    (void)addr;
    return 0;
}

/* --- the tests ------------------------------------------------------------------------------------------ */

static void run(const struct service *service, uint32_t profile, bool sound)
{
    memset(service->state, 0, service->bytes);
    memset(&walk, 0, sizeof walk);
    walk.complaint = sound ? NULL : "a state that is not sound";
    if (!sound && service->spoil != NULL)
        service->spoil();
    start_as(service->role, profile);
    service->run(service->state);
}

/* What the envelope tells a service of the machine and the image is what it goes by. */
static bool took_envelope(uint32_t role, uint32_t profile)
{
    switch (role) {
    case ROLE_PROCD:
        return procd.memory_pages == MEMORY_PAGES && procd.validation_profile == profile;
    case ROLE_VSPACED:
        return vspaced.page_limit == MEMORY_PAGES;
    case ROLE_DEVICED:
        return deviced.validation_profile == profile;
    default:
        return true;
    }
}

static void test_service(const struct service *service)
{
    const char *name = role_find(service->role)->image;
    bool counts = service->spoil == NULL;
    uint32_t exit_code = service->exit_code != 0 ? service->exit_code : (uint32_t)STATUS_INTERNAL;
    run(service, VALIDATION_PROFILE_NONE, false);
    expect_of(name, "without a profile it is READY", start.answered && start.answer == STATUS_OK);
    expect_of(name, "and walks nothing", walk.count == 0 && start.served != 0);
    for (uint32_t profile = VALIDATION_PROFILE_PHASE0; profile <= VALIDATION_PROFILE_LAST;
         profile++) {
        run(service, profile, true);
        expect_of(name, "a sound state is READY", start.answered && start.answer == STATUS_OK);
        expect_of(name, "and walked, once",
                  !counts || (walk.count == 1 && walk.state == service->state));
        expect_of(name, "and serves", start.served != 0);
        expect_of(name, "and goes by its envelope", took_envelope(service->role, profile));
        run(service, profile, false);
        expect_of(name, "what is not sound is INTERNAL",
                  start.answered && start.answer == STATUS_INTERNAL);
        expect_of(name, "and serves nobody", start.served == 0 && start.exit_code == exit_code);
    }
}

int main(int count, char **arguments)
{
    (void)count;
    tables = calloc(1, TABLE_BYTES);
    if (tables == NULL)
        return 1;
    for (unsigned i = 0; i < sizeof services / sizeof services[0]; i++)
        test_service(&services[i]);
    free(tables);
    return tests_end(arguments[0]);
}
