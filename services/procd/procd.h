/* SPDX-License-Identifier: ISC */
/* procd: the life of every process but rootd and itself.
 *
 * Endpoints (P7). Requests come on the bootstrap endpoint (SLOT_SERVICE_ENDPOINT) or on the driver
 * endpoint (SLOT_PROCD_DRIVER_ENDPOINT). Each sees its own kind of process alone: the driver
 * endpoint roles of ROLE_KIND_DRIVER, the bootstrap endpoint all others. CREATE of the wrong kind
 * is DENIED, an id of the wrong kind NOT_FOUND.
 *
 * Senders. Badge 0 is the administrator: of the endpoint it came through, it sees everything. Any
 * other badge is a client's role id: a client sees and controls what it created, everything else is
 * NOT_FOUND to it. A badge that is no role id is DENIED. SPAWN and UPDATE_FOUNDATION_ENDPOINTS are
 * the administrator's. A client of an extension role makes processes of extension roles alone; any
 * other role is DENIED to it.
 *
 * States of a process, and what each operation does there (P1):
 *
 *             STAGED                     RUNNING              ENDED
 *   START     OK, RUNNING                BUSY                 NOT_FOUND
 *   ABORT     OK, ENDED (KILLED, 0)      BUSY                 NOT_FOUND
 *   STOP      as ABORT, with the code    OK, ENDED            OK
 *   WAIT      kept until it ends         kept until it ends   answered at once
 *   QUERY     OK                         OK                   OK
 *
 * Two phases. Before UPDATE_FOUNDATION_ENDPOINTS the administrator creates memd, vspaced and
 * pagerd, each once at a time, paid from SLOT_BOOTSTRAP_UNTYPED, every page present and no pager;
 * all other roles are BUSY. UPDATE needs the three of them running (BUSY otherwise, and for ever
 * after the first), takes the capabilities to memd and pagerd, and drops the bootstrap untyped.
 * From then on foundation roles are DENIED, and any other process gets a memd account, kernel
 * memory drawn from that account, and a registration with pagerd. While others live, a foundation
 * process cannot be stopped (BUSY): they rest on it.
 *
 * Death. Exit, fault or stop leave a terminal record, which QUERY and WAIT report from then on:
 * each waiter learns it once, early or late (P3). Records are kept until the table is full; then a
 * new process takes the place of the oldest record, whose id is NOT_FOUND from then on (ids never
 * come back). When the last running process of a role ends, staged processes that the role's badge
 * owns are aborted, and its open waits are given up. When a foundation process ends that nobody
 * stopped, procd ends every other process it made and EXITs with PROCD_EXIT_CRITICAL (P8); open
 * waits for those end with PEER_DIED.
 *
 * Waits. At most PROCD_WAITER_LIMIT are kept; when the table is full, those of callers that gave up
 * meanwhile are forgotten, and only then a further one is EXHAUSTED.
 *
 * Every refusal changes nothing, and a failing kernel or peer call undoes the ones before it (E4).
 * Releases (DROP, ABORT_STAGED, RETIRE, UNREGISTER_PROCESS, CLOSE_ACCOUNT) of what procd really
 * holds cannot fail by their contracts, and are not retried. A STOP whose KILL succeeded and whose
 * RETIRE did not answers RETIRE's status; the process then ends by its terminal event. A CREATE or
 * SPAWN whose reply cannot be delivered is undone: nobody would know the process. */
#ifndef BASALT_SERVICES_PROCD_PROCD_H
#define BASALT_SERVICES_PROCD_PROCD_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/limits.h"
#include "abi/messages/event.h"
#include "abi/messages/procd.h"
#include "abi/slots.h"
#include "services/lib/service.h"

enum {
    /* Exit codes of procd itself. Not small, so that no helper's code is taken for one. */
    PROCD_EXIT_CRITICAL = 0x70726300, /* a foundation process ended without being stopped (P8) */
    PROCD_EXIT_ENDPOINT = 0x70726301, /* its own endpoint failed: it cannot serve any more */

    /* How long a request on the driver endpoint can lie unseen while nothing comes on the other
     * one. Ten milliseconds: far below any driver's own start-up time, and still a hundred polls a
     * second only. */
    PROCD_POLL_TICKS = 10,

    /* procd's cspace. Scratch slots are empty between messages. */
    PROCD_SLOT_CHILD = SLOT_DYNAMIC_BASE, /* window of CREATE_STAGED_PROCESS: four slots */
    PROCD_SLOT_CHILD_VSPACE = PROCD_SLOT_CHILD + 1,
    PROCD_SLOT_CHILD_ENDPOINT = PROCD_SLOT_CHILD + 2,
    PROCD_SLOT_CHILD_GRANT = PROCD_SLOT_CHILD + 3,
    PROCD_SLOT_ACCOUNT = PROCD_SLOT_CHILD + 4,
    PROCD_SLOT_UNTYPED = PROCD_SLOT_CHILD + 5,
    PROCD_SLOT_PAGE = PROCD_SLOT_CHILD + 6,
    PROCD_SLOT_PROCESS_BASE = SLOT_DYNAMIC_BASE + 16 /* + index: PROCESS, while it lives */
};

/* Life of a table entry. Zero: not used yet. */
enum procd_life { PROCD_LIFE_UNUSED = 0, PROCD_LIFE_STAGED, PROCD_LIFE_RUNNING, PROCD_LIFE_ENDED };

/* What procd owes others for a process, besides the PROCESS capability. */
enum {
    PROCD_OWES_ACCOUNT = 1u << 0, /* memd: the account of the process id is open */
    PROCD_OWES_PAGER = 1u << 1    /* pagerd: the id is registered */
};

struct procd_process {
    uint64_t generation; /* how often the entry was given to a new process */
    uint64_t owner;      /* badge of the creator; 0: the administrator */
    uint64_t entry_va;
    uint64_t stack_top_va;
    uint64_t fault_va;
    uint32_t role;
    uint32_t reason; /* enum end_reason; NONE until it ended */
    uint32_t code;
    uint32_t next_ended; /* index + 1 of the next younger record; 0: none */
    uint8_t life;        /* enum procd_life */
    uint8_t owes;        /* PROCD_OWES_... */
};

struct procd_waiter {
    uint64_t process_id;
    uint64_t deadline_ticks;
    uint64_t request_id;
    uint64_t badge; /* who waits */
    uint32_t reply_slot;
};

enum { PROCD_FOUNDATION_COUNT = 3 }; /* memd, vspaced, pagerd: roles ROLE_MEMD + i */

/* All of procd's state; all zero is valid. */
struct procd {
    struct caller caller;
    bool foundation_bound;                               /* after UPDATE_FOUNDATION_ENDPOINTS */
    bool exiting;                                        /* EXIT was asked for */
    uint32_t memory_pages;                               /* that the envelope tells */
    uint32_t used_count;                                 /* entries given out so far */
    uint32_t live_count;                                 /* STAGED and RUNNING */
    uint32_t ended_first;                                /* index + 1 of the oldest record */
    uint32_t ended_last;                                 /* index + 1 of the youngest record */
    uint32_t foundation_entries[PROCD_FOUNDATION_COUNT]; /* index + 1 of the live one; 0: none */
    uint32_t waiter_count;
    struct procd_waiter waiters[PROCD_WAITER_LIMIT]; /* in order of arrival */
    struct procd_process processes[PROCESS_LIMIT];
};

/* A service_handler: state is a struct procd. info->endpoint_slot says which endpoint. Work that
 * info->now_ticks makes due is done first. */
enum handled procd_handle(void *state, struct message *message, const struct receive_info *info);

/* Answers the waiters whose deadline is not after `now_ticks` with TIMED_OUT. */
void procd_due(struct procd *procd, uint64_t now_ticks);

/* When procd must look up next, whatever happens: the earliest deadline of a waiter, and the next
 * poll of the driver endpoint once the foundation is bound. DEADLINE_NEVER: only for a message. */
uint64_t procd_next_ticks(const struct procd *procd, uint64_t now_ticks);

/* One turn of the loop: receives on the bootstrap endpoint until procd_next_ticks(*now_ticks), does
 * what is due, polls the driver endpoint. *now_ticks becomes the clock that RECV reported. OK, or
 * the error that ends procd: of RECV on the bootstrap endpoint. */
enum status procd_turn(struct procd *procd, struct message *message, uint64_t *now_ticks);

/* The daemon: start-up check, then turns until the process ends. Returns only when EXIT does. */
void procd_run(struct procd *procd);

/* Walks the whole state. Null when it is consistent, else one line that says what is not. */
const char *procd_check(const struct procd *procd);

/* Calls `visit` with every field of the state, in a fixed order, but for the counter of procd's own
 * request ids: calls that were undone have used it up. */
void procd_visit_fields(const struct procd *state, void (*visit)(void *context, uint64_t value),
                        void *context);

#endif
