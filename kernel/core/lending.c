/* SPDX-License-Identifier: ISC */
/* Who works for whom: a process that waits for another lends it its band, and pays for its time.
 * Decides which band a process runs in and who is charged; never who is next (schedule.c).
 *
 * Who waits lends to at most one other process, and who runs lends to nobody. So the lenders of a
 * process that can run are a tree, and a change walks one path of it: at most one step for each
 * process there is (PROCESS_LIMIT), a few in practice, because calls go down the rank. Processes
 * that wait for each other in a ring change at most BAND_LAST times each, and none of them can
 * run. */
#include "kernel/core/internal.h"

/* The lenders of `borrower` have changed: its band is not `band` any more. One that is ready stands
 * first in its new queue; one that waits passes the change on. */
void loan_follow(struct kernel *kernel, struct process *borrower, uint32_t band)
{
    for (;;) {
        uint32_t now = process_band(borrower);
        if (now == band)
            return;
        if (borrower->life == LIFE_READY) {
            queue_remove(kernel, &kernel->ready[band], borrower);
            queue_prepend(kernel, &kernel->ready[now], borrower);
        }
        kernel->unsettled = true;
        if (borrower->lends_to == KERNEL_NONE)
            return;
        uint64_t change = band_claim(now) - band_claim(band);
        borrower = process_at(kernel, borrower->lends_to);
        band = process_band(borrower);
        borrower->band_claims += change;
    }
}

uint16_t payer_behind(const struct kernel *kernel, uint16_t client)
{
    uint16_t payer = client;
    while ((client = process_at(kernel, payer)->client) != KERNEL_NONE)
        payer = client;
    return payer;
}
