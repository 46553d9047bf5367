/* SPDX-License-Identifier: ISC */
/* crashd: evidence of processes that were killed. The contract of the service, readable alone; the
 * messages are in abi/messages/crashd.def.
 *
 * What a KILLED event is. A process ends in one of two ways: it EXITs, which is its own doing and says
 * all there is to say in its code; or it is killed, by the kernel because it did what it may not, by
 * its pager, or by who may stop it. abi/end_reasons.def has a reason EXITED for the former and
 * KILLED and one FAULT_... for each sort of the latter; a KILLED event is therefore every end but
 * EXITED. To leave the faults out would leave out the crashes, which crashd is for; to leave the
 * ordered stops out would need an opinion on whose order is a crash, and a record says by its reason
 * and the killer's code what it was. A report of EXITED, or of no end, is refused by the row.
 *
 * Who reports: procd, which is told of every end by the kernel. It counts killed processes from 1 and
 * says the number with each: a report that is sent again, because its answer was lost, is the same
 * record and gets the same answer; a number that was left out is an end of which procd could not tell
 * in time, and the next record says how many were lost that way (lost_count).
 *
 * A record has what procd reported, a report id, and the tick at which it came (ended_ticks: when
 * procd learned of the end). Ids count from 1 without a gap and ticks never go back (L1), whatever a
 * clock says. CRASHD_RECORD_LIMIT records are kept (published).
 *
 * Whose a record is. A report says who made the killed process, by the process id under which procd
 * knows it; 0 is procd's administrator (owner_id). A new record for which there is no place takes that
 * of the oldest record of the owner that holds most of those kept; hold several as many, of the one
 * whose record is oldest (L1). Who makes and kills many processes so loses its own evidence, and
 * nobody else's, as long as that owner holds fewer records. Between records that are kept others may
 * therefore be gone; the youngest never is.
 *
 * A reader has a cursor: the report id that it wants next. It gets the first record from there on that
 * is kept, and missed_count, how many between are not kept any more. It goes on with report_id + 1, and
 * so knows of every killed process that it read of it, missed it, or that it was lost (L1).
 *
 * Rules, in the order in which they are asked; a refusal changes nothing (E1).
 *
 * Every message:
 * - INVALID_ARGUMENT: not a known operation, or a body that does not decode, which a report of
 *   another end than a KILLED event does not; BAD_VERSION: of the header
 * - DENIED: a sender that the row does not allow: procd is the badge of its role, a reader one of a
 *   role with a row READS_CRASHES
 *
 * REPORT:
 * - BAD_ORDER: a number below that of the last record
 *
 * READ:
 * - NOT_FOUND: no record from the cursor on: the end, for now */
#ifndef BASALT_SERVICES_CRASHD_CRASHD_H
#define BASALT_SERVICES_CRASHD_CRASHD_H

#include "abi/messages/crashd.h"
#include "services/lib/fair_ring.h"
#include "services/lib/service.h"

enum { CRASHD_RECORD_LIMIT = FAIR_RING_LIMIT };
_Static_assert(CRASHD_RECORD_LIMIT == 256, "published");

struct crashd_record {
    uint64_t report_id;
    uint64_t ticks;
    uint64_t lost_count; /* ends between this report and the one before it that never were one */
    struct crashd_report_request report;
};

/* All zero is a valid state. */
struct crashd {
    struct caller caller;
    uint64_t last_id;
    struct fair_ring ring;                             /* which places are taken, in which order */
    struct crashd_record records[CRASHD_RECORD_LIMIT]; /* by place */
};

/* A service_handler; `state` is a struct crashd. Turns the message into its reply. */
enum handled crashd_handle(void *state, struct message *message, const struct receive_info *info);

/* The first property of the ring that does not hold ("L1", ...), or null when all do. Time linear in
 * the records. */
const char *crashd_check(const struct crashd *crashd);

/* Calls `visit` with every field of the state that a later message can see, in a fixed order. */
void crashd_visit_fields(const struct crashd *crashd, void (*visit)(void *context, uint64_t value),
                         void *context);

/* The daemon: start-up, then the receive loop; exits when its endpoint is gone. `crashd` is zero. */
void crashd_run(struct crashd *crashd);

#endif
