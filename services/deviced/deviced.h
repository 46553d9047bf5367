/* SPDX-License-Identifier: ISC */
/* deviced: which driver runs for which device. The contract of the service, readable alone; the messages
 * are in abi/messages/deviced.def.
 *
 * The administrator (rootd, then nobody) seeds a binding for each driver role: the module it is made
 * of, how long its READY may take, how many pages of its own it may have when they are fewer than its
 * role's, and its end of named, which carries the badge of the role: named made it so, and neither
 * deviced nor a driver can set another one. SEAL ends that once and for all. deviced reads no boot
 * config, and starts no driver that it was not asked to start (D1).
 *
 * A driver holds exactly the rows of its role: copies of what deviced itself holds with TRANSFER, and
 * of the end of named of its binding. A role whose rows cannot be filled so is refused when it is
 * seeded, before anything is made (deviced_plan).
 *
 * A launch. START_DRIVER is answered at once; the work is done between messages, a step at a time,
 * drivers in turns: staged by procd through its drivers' endpoint and populated; started; asked for
 * READY by the start envelope for a slice, again and again until ready_ticks are over
 * (services/lib/launch_envelope.h). So no driver holds up another one, or an answer, for longer than a
 * slice, or a call to procd (D2). Drivers are deviced's processes: they end with it (P10).
 *
 * Who dies before READY is told as PEER_DIED, at whatever moment; only who says so itself as NOT_FOUND.
 *
 * What a launch took goes back when it fails: procd is told to stop the process, and the ends of it are
 * dropped; what is refused is tried again every DEVICED_RETRY_TICKS (D2). The same is done for
 * STOP_DRIVER. Of a driver that is READY deviced keeps its number at procd, and nothing else.
 *
 * Where a driver stands (enum driver_state, abi/process.h):
 *
 *   SEEDED, FAILED, ENDED, STOPPED --START_DRIVER--> STARTING --READY--> READY --it ends--> ENDED
 *   STARTING --its launch fails--> FAILED;  STARTING, READY --STOP_DRIVER--> STOPPED
 *
 * Before it starts a driver deviced tells procd the policy of the role's RESTARTS row, if there is one:
 * procd starts the driver again after an end that nobody ordered, and STOP_DRIVER is an order (P4).
 *
 * That a READY driver has ended deviced learns when it is asked (READ_DRIVER asks procd): it is ENDED
 * when no other life follows, and READ_DRIVER says RESTARTING while one is to come or is not READY.
 *
 * With a validation profile deviced says on the kernel's log "ERIX_DEVICED:READY:<driver>". logd is
 * told of each launch that came to an end, by a line; a logd that does not answer is left alone, and
 * found again for the next line.
 *
 * Rules, in the order in which they are asked; a refusal changes nothing (E1).
 *
 * Every message:
 * - INVALID_ARGUMENT: not a known operation, or a body that does not decode; BAD_VERSION: of the
 *   header
 * - DENIED: a sender whom the row does not name; a client is a badge that can be a role id
 *
 * SEED_BINDING:
 * - DENIED: after SEAL
 * - INVALID_ARGUMENT: the role is not that of a driver; its rows have an end of named and none comes
 *   with the message, or the other way round
 * - DENIED: deviced cannot give the role what its rows state
 * - OVER_LIMIT: more pages than the role may have; 0 is as many as that
 * - DUPLICATE: there is a binding of the role
 * - the kernel's, when the end cannot be put away
 *
 * START_DRIVER, STOP_DRIVER, READ_DRIVER:
 * - NOT_FOUND: no binding of the role
 * START_DRIVER:
 * - BUSY: it is STARTING or READY (READ_DRIVER tells one that has ended), or something of its last
 *   launch has still to go back
 * READ_DRIVER of a READY driver: the status of procd, when it cannot say how the driver is.
 *
 * SEAL: again: OK, with the same count. */
#ifndef BASALT_SERVICES_DEVICED_DEVICED_H
#define BASALT_SERVICES_DEVICED_DEVICED_H

#include "abi/limits.h"
#include "abi/messages/deviced.h"
#include "abi/roles.h"
#include "abi/slots.h"
#include "services/lib/launch_envelope.h"
#include "services/lib/service.h"

enum {
    DEVICED_DRIVER_LIMIT = 64, /* as many as a boot config has entries */
    DEVICED_RETRY_TICKS = TICKS_PER_SECOND / 10,
    DEVICED_CALL_TICKS = PROCD_CALL_TICKS, /* procd answers by then, or never */
    DEVICED_INSTALL_LIMIT = 16,
    DEVICED_EXIT_STOPPED = 1, /* the code of a driver that deviced has stopped */

    /* Slots of its own, for each driver: the window of CREATE_STAGED_PROCESS, which is filled while
     * it is launched, and the end of named of its binding, which stays. */
    DEVICED_SLOT_BASE = SLOT_DYNAMIC_BASE,
    DEVICED_SLOT_ENDPOINT = 0, /* + DEVICED_SLOT_BASE + DEVICED_SLOTS_OF_DRIVER * index */
    DEVICED_SLOT_GRANT,
    DEVICED_SLOTS_OF_LAUNCH,
    DEVICED_SLOT_NAMED = DEVICED_SLOTS_OF_LAUNCH,
    DEVICED_SLOTS_OF_DRIVER
};

/* What is to be done for a driver next. */
enum deviced_work {
    DEVICED_IDLE = 0,
    DEVICED_STAGE,  /* have it made, and populate it */
    DEVICED_START,  /* let it run */
    DEVICED_ASK,    /* for READY */
    DEVICED_RELEASE /* give back what it owes */
};

/* What is there of a driver and has to go back: bit DEVICED_SLOT_... of each slot that is filled, and */
enum { DEVICED_OWES_PROCESS = 1u << DEVICED_SLOTS_OF_DRIVER };

struct deviced_driver {
    uint64_t image_offset;
    uint64_t image_bytes;
    uint64_t ready_ticks;
    uint64_t process_id;     /* of its latest launch; 0: none got so far */
    uint64_t deadline_ticks; /* for READY */
    uint64_t slice_ticks;    /* how long the next ask waits */
    uint64_t retry_ticks;    /* when what is owed is offered again */
    uint32_t role;
    uint32_t state;  /* enum driver_state */
    uint32_t work;   /* enum deviced_work */
    uint32_t owes;   /* DEVICED_OWES_... */
    uint32_t cause;  /* enum status: why the launch failed */
    uint32_t reason; /* enum end_reason: how a READY one has ended */
    uint32_t code;
    uint32_t page_limit;   /* of its own pages; 0: the role's */
    uint32_t budget_pages; /* of kernel memory; 0: the role's */
};

/* All zero is a valid start. */
struct deviced {
    struct caller caller;
    uint32_t validation_profile; /* that its envelope tells, and its drivers' do */
    uint32_t is_sealed;
    uint32_t knows_log; /* SLOT_PEER_LOGD is filled */
    uint32_t next;      /* whose turn it is */
    uint32_t driver_count;
    uint32_t reserved0;
    struct deviced_driver drivers[DEVICED_DRIVER_LIMIT]; /* as they were seeded */
};

/* A copy into a staged driver, with the badge that it has. */
struct deviced_install {
    uint32_t source_slot; /* of deviced */
    uint32_t target_slot;
    uint16_t rights;
};

/* What a driver of the role gets, in its rows' order; its count; its end of named lies in `named_slot`.
 * Errors: DENIED, when deviced's own rows do not allow one of them; EXHAUSTED, more than
 * DEVICED_INSTALL_LIMIT. Pure. */
enum status deviced_plan(const struct role *role, uint32_t named_slot,
                         struct deviced_install installs[DEVICED_INSTALL_LIMIT], uint32_t *count);

/* A service_handler; `state` is a struct deviced. Turns the message into its reply. */
enum handled deviced_handle(void *state, struct message *message, const struct receive_info *info);

/* After each turn, with the clock that it told: one step of one driver's work. */
void deviced_tick(struct deviced *deviced, uint64_t now_ticks);

/* When deviced_tick has something to do: DEADLINE_POLL, at once; DEADLINE_NEVER, not before the next
 * message. */
uint64_t deviced_next_ticks(const struct deviced *deviced);

/* The first property of the drivers that does not hold ("D1", ...), or null when all do. */
const char *deviced_check(const struct deviced *deviced);

/* Calls `visit` with every field of the state that a later message can see, in a fixed order. */
void deviced_visit_fields(const struct deviced *deviced,
                          void (*visit)(void *context, uint64_t value), void *context);

/* The daemon: start-up, then the receive loop; exits when its endpoint is gone. `deviced` is zero. */
void deviced_run(struct deviced *deviced);

#endif
