/* SPDX-License-Identifier: ISC */
/* test-reaper: kills the services of its image that may be started again, one after the other, by a procd
 * that kills on STOP (services/faults), and sees that each has a second life that answers, and that all
 * others still do. It ends with the number of the first answer that was another one, 0: none. */
#include <string.h>

#include "abi/process.h"
#include "abi/roles.h"
#include "services/lib/call_crashd.h"
#include "services/lib/call_logd.h"
#include "services/lib/call_procd.h"
#include "services/lib/call_seriald.h"
#include "services/lib/call_timed.h"
#include "services/lib/call_vfsd.h"
#include "services/lib/discovery.h"
#include "services/lib/service.h"
#include "services/probes/probes.h"
#include "services/probes/wrong.h"

enum {
    CALL_TICKS = 10 * TICKS_PER_SECOND,
    LOOK_TICKS = 20,
    TRIES = 100, /* of LOOK_TICKS: longer than any delay of their rows and a start */
    PLACES_MAX = 64
};

struct reaper {
    struct caller caller;
    struct envelope envelope;
    struct startup_offer_modules_request offer;
    uint32_t asked;  /* questions so far */
    uint32_t failed; /* the first one with a wrong answer; 0: none */
};

static void expect(struct reaper *reaper, bool as_stated)
{
    reaper->asked++;
    if (!as_stated && reaper->failed == 0)
        reaper->failed = reaper->asked;
}

static uint64_t soon(const struct reaper *reaper)
{
    return caller_deadline(&reaper->caller, CALL_TICKS);
}

/* Nobody writes to it: its own endpoint is a clock. */
static void rest(struct reaper *reaper)
{
    struct receive_info info;
    uint64_t until_ticks = caller_deadline(&reaper->caller, LOOK_TICKS);
    memset(&info, 0, sizeof info);
    (void)sys_recv(SLOT_SERVICE_ENDPOINT, caller_message(&reaper->caller), until_ticks, &info);
    caller_see_clock(&reaper->caller, info.now_ticks);
}

/* --- whether one answers ----------------------------------------------------------------------- */

static enum status ask_logd(struct reaper *reaper)
{
    struct logd_append_request line = {
        .severity = LOG_SEVERITY_NOTICE, .count = 6, .text = "reaper"};
    struct logd_append_reply kept;
    return logd_call_append(&reaper->caller, SLOT_PEER_LOGD, NO_WINDOW, soon(reaper), &line, &kept);
}

static enum status ask_crashd(struct reaper *reaper)
{
    static const struct crashd_read_request first = {.cursor = 1};
    struct crashd_read_reply record;
    enum status status = crashd_call_read(&reaper->caller, SLOT_PEER_CRASHD, NO_WINDOW,
                                          soon(reaper), &first, &record);
    bool empty = status == STATUS_NOT_FOUND && caller_was_answered(&reaper->caller);
    return empty ? STATUS_OK : status;
}

static enum status ask_timed(struct reaper *reaper)
{
    static const struct timed_now_monotonic_request nothing;
    struct timed_now_monotonic_reply now;
    return timed_call_now_monotonic(&reaper->caller, SLOT_PEER_TIMED, NO_WINDOW, soon(reaper),
                                    &nothing, &now);
}

/* Through the driver, to the line and back. */
static enum status ask_seriald(struct reaper *reaper)
{
    static const struct seriald_read_request at_once = {.wait_ticks = 0};
    struct seriald_write_request line = {.count = 11, .bytes = "on the line"};
    struct seriald_write_reply taken;
    struct seriald_read_reply read;
    line.bytes[line.count++] = '\n';
    enum status status = seriald_call_write(&reaper->caller, SLOT_PEER_SERIALD, NO_WINDOW,
                                            soon(reaper), &line, &taken);
    if (status == STATUS_OK && taken.taken_count != line.count)
        status = STATUS_INTERNAL;
    if (status == STATUS_OK)
        status = seriald_call_read(&reaper->caller, SLOT_PEER_SERIALD, NO_WINDOW, soon(reaper),
                                   &at_once, &read);
    return status;
}

/* It is refused both things, asked wrongly. */
static void ask_seriald_wrongly(struct reaper *reaper)
{
    static const struct seriald_read_request at_once = {.wait_ticks = 0};
    static const struct seriald_write_request byte = {.count = 1, .bytes = "!"};
    struct seriald_read_reply read;
    struct seriald_write_reply write;
    expect(reaper,
           ask_wrongly(&reaper->caller, SLOT_PEER_SERIALD, soon(reaper), &seriald_read_request_type,
                       &at_once, &read) == STATUS_INVALID_ARGUMENT);
    expect(reaper,
           ask_wrongly(&reaper->caller, SLOT_PEER_SERIALD, soon(reaper),
                       &seriald_write_request_type, &byte, &write) == STATUS_INVALID_ARGUMENT);
}

static enum status stat(struct reaper *reaper, const char *path, uint32_t count)
{
    struct vfsd_stat_request request = {.count = count};
    struct vfsd_stat_reply is;
    memcpy(request.path, path, count);
    return vfsd_call_stat(&reaper->caller, SLOT_PEER_VFSD, NO_WINDOW, soon(reaper), &request, &is);
}

/* Both file systems below vfsd, which finds the next life of either by itself. */
static enum status ask_vfsd(struct reaper *reaper)
{
    enum status status = stat(reaper, "/motd", 5);
    return status == STATUS_OK ? stat(reaper, "/tmp", 4) : status;
}

static enum status make_folder(struct reaper *reaper)
{
    struct vfsd_mkdir_request request = {.mode = 0755, .count = 9, .path = "/tmp/lost"};
    return vfsd_call_mkdir(&reaper->caller, SLOT_PEER_VFSD, NO_WINDOW, soon(reaper), &request,
                           NULL);
}

/* Who is killed, and by whom it is seen to answer. */
static const struct victim {
    uint32_t role;
    uint32_t service_role;
    uint32_t slot;
    enum status (*ask)(struct reaper *reaper);
} victims[] = {
    {ROLE_LOGD, ROLE_LOGD, SLOT_PEER_LOGD, ask_logd},
    {ROLE_CRASHD, ROLE_CRASHD, SLOT_PEER_CRASHD, ask_crashd},
    {ROLE_TIMED, ROLE_TIMED, SLOT_PEER_TIMED, ask_timed},
    {ROLE_SERIALD, ROLE_SERIALD, SLOT_PEER_SERIALD, ask_seriald},
    {ROLE_DRV_SERIAL, ROLE_SERIALD, SLOT_PEER_SERIALD, ask_seriald},
    {ROLE_IMAGEFSD, ROLE_VFSD, SLOT_PEER_VFSD, ask_vfsd},
    {ROLE_RAMFSD, ROLE_VFSD, SLOT_PEER_VFSD, ask_vfsd},
};
enum { VICTIM_COUNT = sizeof victims / sizeof victims[0] };

/* Finds it again when it does not answer, until it does. */
static bool answers(struct reaper *reaper, const struct victim *victim)
{
    enum status status = victim->ask(reaper);
    for (uint32_t i = 0; status != STATUS_OK && i < TRIES; i++) {
        rest(reaper);
        if (discovery_find(&reaper->caller, victim->service_role, victim->slot) == STATUS_OK)
            status = victim->ask(reaper);
    }
    return status == STATUS_OK;
}

/* --- a life and its end -------------------------------------------------------------------------- */

/* The process of a role, as procd's list has it. */
static bool find_process(struct reaper *reaper, uint32_t role,
                         struct procd_list_processes_reply *found)
{
    struct procd_list_processes_request request = {.place = 0};
    for (uint32_t i = 0; i < PLACES_MAX; i++) {
        if (procd_call_list_processes(&reaper->caller, SLOT_PEER_PROCD, NO_WINDOW, soon(reaper),
                                      &request, found) != STATUS_OK)
            return false;
        if (found->role == role)
            return true;
        request.place = found->place + 1;
    }
    return false;
}

static void kill_one(struct reaper *reaper, const struct victim *victim)
{
    struct procd_list_processes_reply before;
    struct procd_list_processes_reply after;
    expect(reaper, find_process(reaper, victim->role, &before));
    struct procd_stop_process_request request = {.process_id = before.process_id, .code = 9};
    expect(reaper, procd_call_stop_process(&reaper->caller, SLOT_PEER_PROCD, NO_WINDOW,
                                           soon(reaper), &request, NULL) == STATUS_OK);
    bool lives = false;
    for (uint32_t i = 0; i < TRIES && !lives; i++) {
        rest(reaper);
        lives = find_process(reaper, victim->role, &after) &&
                after.life_count == before.life_count + 1 && after.state == PROCESS_RUNNING;
    }
    expect(reaper, lives);
    expect(reaper, after.process_id == before.process_id);
    for (uint32_t i = 0; i < VICTIM_COUNT; i++)
        expect(reaper, answers(reaper, &victims[i]));
}

uint32_t test_reaper_main(uint64_t argument)
{
    struct reaper reaper;
    (void)argument;
    memset(&reaper, 0, sizeof reaper);
    expect(&reaper, service_start(&reaper.caller, ROLE_TEST_REAPER, &reaper.envelope, NULL, NULL,
                                  NULL) == STATUS_OK);
    expect(&reaper, service_take_offer(&reaper.caller, &reaper.offer) == STATUS_OK);
    for (uint32_t i = 0; i < VICTIM_COUNT; i++)
        expect(&reaper, answers(&reaper, &victims[i]));
    ask_seriald_wrongly(&reaper);
    expect(&reaper, make_folder(&reaper) == STATUS_OK);
    for (uint32_t i = 0; i < VICTIM_COUNT; i++)
        kill_one(&reaper, &victims[i]);
    expect(&reaper, make_folder(&reaper) == STATUS_OK); /* it was lost with ramfsd */
    return reaper.failed;
}
