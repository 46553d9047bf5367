/* SPDX-License-Identifier: ISC */
/* What the files of test-operator share: a run of questions, each with the answer that is stated. */
#ifndef BASALT_SERVICES_TESTER_OPERATIONS_H
#define BASALT_SERVICES_TESTER_OPERATIONS_H

#include "services/tester/internal.h"

enum {
    OPERATIONS_SLOT_ACCOUNT = TESTER_SLOT_CHILD + 4, /* memd's, of OPERATIONS_KEY */
    OPERATIONS_SLOT_UNTYPED,
    OPERATIONS_SLOT_HOARD,
    OPERATIONS_SLOT_FRAMES, /* MEMD_ALLOC_FRAMES_MAX of them */
    OPERATIONS_SLOT_MADE = OPERATIONS_SLOT_FRAMES + 4
};

/* Keys of accounts that are no process's id. */
#define OPERATIONS_KEY   UINT64_C(0x7E57000000000001)
#define OPERATIONS_HOARD UINT64_C(0x7E57000000000002)

struct operations {
    struct tester *tester;
    enum status failed; /* the first that was not as stated; OK: none */
};

/* The answer to the question of that name must be `stated`; one that is not is said, and the run has
 * failed. The questions after it are asked all the same: what was taken must be given back. */
void operations_expect(struct operations *operations, const char *name, enum status answer,
                       enum status stated);
void operations_check(struct operations *operations, const char *name, bool holds);

/* When a call made now must be over. */
uint64_t operations_soon(struct operations *operations);

/* OPEN_ACCOUNT at the top, its capability in `slot`; CLOSE_ACCOUNT until nothing is left. */
enum status operations_open(struct operations *operations, uint64_t key, uint64_t guarantee_pages,
                            uint64_t limit_pages, uint32_t slot);
enum status operations_close(struct operations *operations, uint64_t key);

/* A frame of the account of OPERATIONS_KEY, in OPERATIONS_SLOT_FRAMES. */
enum status operations_alloc_frame(struct operations *operations, uint32_t *id);

/* The account of OPERATIONS_KEY with an untyped of MAPPER_UNTYPED_PAGES, both in their slots; and closed
 * again, when nothing made of the untyped lives. */
void operations_open_with_untyped(struct operations *operations);
void operations_close_with_untyped(struct operations *operations);

/* Empties a slot that must be full. */
void operations_drop(struct operations *operations, uint32_t slot);

/* --- what is asked, each with everything given back ---------------------------------------------- */

void operations_ask_memory(struct operations *operations);    /* memd, with an account */
void operations_ask_processes(struct operations *operations); /* procd, at both of its doors */
void operations_ask_faults(struct operations *operations);    /* pagerd, with memd's pool used up */
void operations_ask_mapper(struct operations *operations);    /* test-mapper, which asks vspaced */
void operations_ask_kernel(struct operations *operations);    /* the kernel, for what it refuses */

#endif
