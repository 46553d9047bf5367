/* SPDX-License-Identifier: ISC */
/* What a role's rows say of its start: the envelope, and the capabilities that its process holds. */
#ifndef BASALT_PROPS_STAND_INS_STARTUP_ROWS_H
#define BASALT_PROPS_STAND_INS_STARTUP_ROWS_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/formats/envelope.h"
#include "abi/message.h"
#include "abi/roles.h"

enum { STARTUP_HELD_LIMIT = ENVELOPE_ENTRY_LIMIT + 4 };

struct startup_held {
    uint32_t slot;
    uint32_t object_type;
    uint32_t rights;
    uint64_t badge;
};

struct startup_rows {
    struct envelope envelope;
    struct startup_held held[STARTUP_HELD_LIMIT]; /* ascending slots */
    unsigned held_count;
};

void startup_rows_make(struct startup_rows *rows, const struct role *role);

/* START_SERVICE with the envelope; request id and badge of the message stay. */
void startup_rows_send(const struct startup_rows *rows, struct message *message);

/* The kernel's answer to QUERY_LOCAL_CAP about what is held; false: the message is another one. An
 * untyped has STARTUP_UNTYPED_PAGES. */
enum { STARTUP_UNTYPED_PAGES = 64 };
bool startup_rows_answer(const struct startup_rows *rows, struct message *message);

#endif
