/* SPDX-License-Identifier: ISC */
/* rootd: the first process. It
 *
 *   1. validates the kernel's handoff, its own cspace, and the boot config (intake.h);
 *   2. computes the whole authority plan before the first mutation (plan.h);
 *   3. launches procd by kernel control and hands it its envelope;
 *   4. launches memd, vspaced and pagerd through procd, in that order, and binds them in procd;
 *   5. launches the services of the boot config, each when those that it needs are READY, several
 *      at a time (graph.h);
 *   6. launches what else holds anything at start (programs of integration images), one after the
 *      other, and waits for the end of each, which must be EXIT(0);
 *   7. sheds all authority except the stated rest, reports READY;
 *   8. runtime images: answers DENIED to everything for ever, and ends the system when procd ends,
 *      with procd's own exit code (P8); all others: EXIT(0).
 *
 * A failure at any step undoes what was done (teardown.c), reports one terminal status and ends
 * with EXIT(1). Every wait has a deadline (R5). An entry that the config calls optional is passed
 * over when it fails, and so are optional ones that need it: each is stopped and named in the log.
 *
 * Report: one line on the log endpoint, "ERIX_ROOTD:" and the name of the status. A failure says
 * before it what was refused and why: "BASALT_ROOTD:FAILED:<stage>:<status code>", and of a service
 * which one; procd's end after READY says how procd ended, "...:RUN:PEER_DIED:<end>" (report.h). What
 * is passed over has a line "BASALT_ROOTD:PASSED_OVER:<role>:<status code>". Only with a validation
 * profile, never in a runtime image, "ROOTD_STAGE:<name>" lines tell of the way there.
 *
 * What rootd holds at boot, exactly, with all rights of the type (KERNEL_SELF: CONTROL): SELF (1),
 * its endpoint (2), IMAGE (5), memory for memd (SLOT_UNTYPED_BASE) and the launch pool (the slot
 * after it), procd's driver endpoint (2112), and every kernel-control endpoint at its slot.
 * At READY, exactly (R6): SELF, its endpoint, KERNEL_LOG, and procd's PROCESS at
 * ROOTD_SLOT_PROCD_PROCESS: as procd's creator it is the one that hears of its end. */
#ifndef BASALT_SERVICES_ROOTD_ROOTD_H
#define BASALT_SERVICES_ROOTD_ROOTD_H

#include "abi/limits.h"
#include "abi/slots.h"
#include "services/rootd/intake.h"
#include "services/rootd/plan.h"

/* The published terminal states. */
enum rootd_status {
    ROOTD_READY,
    ROOTD_HANDOFF_INVALID,  /* the handoff breaks its format, or names other slots than agreed */
    ROOTD_CONTRACT_INVALID, /* cspace, boot config, modules or plan break the contract */
    ROOTD_INTERNAL_ERROR,   /* the kernel refused what it owes; or procd ended after READY */
    ROOTD_SERVICE_BOOTSTRAP_FAILED /* a launch, a handshake or a program failed; all is undone */
};

/* Where it stands; names are those of the ROOTD_STAGE lines. */
enum rootd_stage {
    STAGE_HANDOFF,
    STAGE_INTAKE,
    STAGE_PLAN,
    STAGE_LAUNCH_PROCD,
    STAGE_LAUNCH_MEMD,
    STAGE_LAUNCH_VSPACED,
    STAGE_LAUNCH_PAGERD,
    STAGE_BIND,
    STAGE_LAUNCH_SERVICE,
    STAGE_LAUNCH_PROGRAM,
    STAGE_PROGRAM,
    STAGE_SHED,
    STAGE_RUN
};

/* Slots of rootd's own cspace besides those of abi/slots.h. The peer slots (SLOT_PEER_*) hold the
 * send aliases of what it launched, SLOT_BOOTSTRAP_UNTYPED procd's untyped until it is shed. */
enum {
    ROOTD_SLOT_LAUNCH_POOL = SLOT_UNTYPED_BASE + 1,
    ROOTD_SLOT_WINDOW = SLOT_RECEIVE_BASE + MESSAGE_CAP_LIMIT,      /* for replies; four slots */
    ROOTD_SLOT_SCRATCH = SLOT_RECEIVE_BASE + 2 * MESSAGE_CAP_LIMIT, /* IMAGE_SCRATCH_SLOTS */
    ROOTD_SLOT_PROCD_PROCESS = SLOT_DYNAMIC_BASE,
    ROOTD_SLOT_VSPACE,     /* of procd, until it has started */
    ROOTD_SLOT_GRANT,      /* of the child being populated */
    ROOTD_SLOT_ALIAS_BASE, /* + index of the launch: its send alias, when it has no peer slot */
    /* + index of a driver's entry: its end of named, from named's seeding on until deviced has it */
    ROOTD_SLOT_NAMED_BASE = ROOTD_SLOT_ALIAS_BASE + PLAN_LAUNCH_LIMIT
};

enum {
    /* How long procd may take, and anybody for any answer except READY: longer than procd can wait
     * for its own peers, or rootd would give up on a procd that is about to find one of them dead,
     * and who ends the processes would be gone. */
    ROOTD_CALL_TICKS = PROCD_CALL_TICKS,
    /* How often a service that others still rest on is stopped again when a boot is undone: for five
     * seconds, in which procd gives everything of a thousand processes back. */
    ROOTD_RETRY_TICKS = TICKS_PER_SECOND / 10,
    ROOTD_STOP_TRIES = 50,
    /* How long named may take to hear all rows of the role table. It calls nobody. */
    ROOTD_SEED_TICKS = 5 * TICKS_PER_SECOND,
    ROOTD_EXIT_READY = 0,
    ROOTD_EXIT_FAILED = 1
};

/* How far the launch of one of them went; what teardown.c has to undo. */
enum launch_state {
    LAUNCH_NONE,
    LAUNCH_STAGED, /* exists, cannot run */
    LAUNCH_STARTED
};

/* Where an entry of the config stands. */
enum entry_state {
    ENTRY_WAITING, /* for those that it needs */
    ENTRY_STARTED, /* asked for READY again and again */
    ENTRY_READY,   /* of a program: it has ended well */
    ENTRY_PASSED_OVER
};

struct entry_progress {
    enum entry_state state;
    enum status cause;       /* why it was passed over */
    uint32_t launch;         /* index into plan.launches, when it has one */
    uint64_t deadline_ticks; /* for READY */
    uint64_t slice_ticks;    /* how long the next ask waits */
};

/* All zero is a valid start. */
struct rootd {
    struct caller caller;
    struct rootd_intake intake;
    struct rootd_plan plan;
    enum rootd_stage stage;
    enum rootd_status status;
    enum status cause;     /* why, when status is not READY */
    uint32_t failed_role;  /* of the service that failed; ROLE_NONE when none did */
    uint32_t procd_reason; /* enum end_reason of procd, and its code; NONE while it runs */
    uint32_t procd_code;
    uint32_t next_entry; /* where asking for READY goes on */
    struct entry_progress entries[BOOT_CONFIG_ENTRY_LIMIT];
    /* By indices of plan.launches: how far each went, and procd's number of it; procd's own is 0. */
    enum launch_state launched[PLAN_LAUNCH_LIMIT];
    uint64_t process_ids[PLAN_LAUNCH_LIMIT];
};

/* Everything above. `handoff` are the bytes that entry code copied; `root_endpoint_slot` is what
 * it was started with in rdx. Returns only when EXIT was refused. */
enum rootd_status rootd_run(struct rootd *rootd, const void *handoff, size_t handoff_size,
                            uint32_t root_endpoint_slot);

/* The first half: everything before the first mutation. READY: intake and plan are accepted,
 * nothing was changed; otherwise the terminal status, with rootd->cause. The only lines on the log
 * are ROOTD_STAGE ones. Split out for the harnesses. */
enum rootd_status rootd_prepare(struct rootd *rootd, const void *handoff, size_t handoff_size,
                                uint32_t root_endpoint_slot);

/* Name as it is reported, e.g. "READY". */
const char *rootd_status_name(enum rootd_status status);
const char *rootd_stage_name(enum rootd_stage stage);

#endif
