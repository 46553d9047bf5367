/* SPDX-License-Identifier: ISC */
/* irqd: who hears of which line of interrupts. The contract of the service, readable alone; the
 * messages are in abi/messages/irqd.def.
 *
 * A seed says: this role may have that line. The administrator seeds, then seals; from then on no seed
 * comes or goes. Several roles may be seeded for one line, and the one that registers first has it,
 * until it ends. Seeds are kept in the order of (line, role): the same set of seeds is the same state.
 *
 * A client is a role, by its badge. It registers an endpoint of its own, and irqd binds the line to
 * it (BIND_INTERRUPT): the kernel sends the event INTERRUPT there, with the token that the client
 * chose, without asking irqd again. A line is closed when it is bound, and opened by SET_MASK. One that
 * has interrupted is closed until ACK (D3). What the client registers carries SEND and irqd's badge,
 * and nothing more: it is handed to the kernel and dropped, so that irqd holds no end of anybody's and
 * could call nobody (E5).
 *
 * The same role may register again, for a new life or for another endpoint, and replaces what it had:
 * an interrupt that it was told of and did not acknowledge counts as done with. Another role that is
 * seeded for the line gets it when the endpoint of the first one is gone, which the kernel knows: the
 * end of an endpoint unbinds its lines and closes them. irqd learns of it by asking: a
 * MASK_INTERRUPT that changes nothing is NOT_FOUND for a line that nobody has.
 *
 * What irqd keeps of a line: who registered last, and whether it is masked. What it has bound stays
 * bound when irqd ends, and is acknowledged by nobody; its seeds are gone. Therefore its end is that of
 * the system (RESTARTS in abi/roles.def), as named's is.
 *
 * Rules, in the order in which they are asked; a refusal changes nothing (E1).
 *
 * Every message:
 * - INVALID_ARGUMENT: not a known operation, or a body that does not decode; BAD_VERSION: of the
 *   header
 * - DENIED: a sender that the row does not allow: badge 0 is the administrator, a badge that can be
 *   a role id is that role
 *
 * SEED_HANDLER:
 * - DENIED: after SEAL; or the clock's line, or the one that joins the two controllers
 * - DUPLICATE: the role may have the line already
 * - EXHAUSTED: IRQD_SEED_LIMIT seeds
 *
 * SEAL: never refused; again: OK, changes nothing. The reply counts the seeds.
 *
 * REGISTER_HANDLER:
 * - BUSY: before SEAL
 * - DENIED: the sender is not seeded for the line
 * - INVALID_ARGUMENT: the capability is not an endpoint with exactly SEND and irqd's badge, or is dead
 * - BUSY: another role has the line, and its endpoint is alive
 *
 * SET_MASK, ACK:
 * - BUSY: before SEAL
 * - DENIED: the sender is not seeded for the line
 * - NOT_FOUND: it has not registered for it, or its endpoint is gone; ACK: it was told of no interrupt
 *   since the last one
 *
 * When the kernel refuses for another reason, its status is the reply, and nothing has changed. */
#ifndef BASALT_SERVICES_IRQD_IRQD_H
#define BASALT_SERVICES_IRQD_IRQD_H

#include "abi/limits.h"
#include "abi/messages/irqd.h"
#include "services/lib/service.h"

enum {
    /* Each line with as many roles as any system has drivers for one line; the role table has one or
     * two. */
    IRQD_SEED_LIMIT = 256,

    IRQD_LINE_CLOCK = 0,  /* the kernel's own */
    IRQD_LINE_CASCADE = 2 /* lines 8 to 15 come by it */
};

struct irqd_seed {
    uint32_t line;
    uint32_t role;
};

struct irqd_line {
    uint32_t handler_role; /* whose endpoint was bound last, be it gone since; 0: nobody's */
    uint32_t is_masked;    /* as the kernel has it, while that endpoint lives */
};

struct irqd {
    struct caller caller;
    uint32_t is_sealed;
    uint32_t seed_count;
    struct irqd_seed seeds[IRQD_SEED_LIMIT]; /* ascending (line, role) */
    struct irqd_line lines[INTERRUPT_LINE_COUNT];
};

/* A service_handler; `state` is a struct irqd. Turns the message into its reply. */
enum handled irqd_handle(void *state, struct message *message, const struct receive_info *info);

/* The first property of the tables that does not hold ("D3", ...), or null when all do. Time linear
 * in the seeds. */
const char *irqd_check(const struct irqd *irqd);

/* Calls `visit` with every field of the state that a later message can see, in a fixed order. */
void irqd_visit_fields(const struct irqd *irqd, void (*visit)(void *context, uint64_t value),
                       void *context);

/* The daemon: start-up, then the receive loop; exits when its endpoint is gone. `irqd` is zero. */
void irqd_run(struct irqd *irqd);

#endif
