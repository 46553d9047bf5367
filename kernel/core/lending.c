/* SPDX-License-Identifier: ISC */
/* Who works for whom: a process that waits for another lends it its band, and pays for its time.
 * Decides which band a process runs in and who is charged; never who is next (schedule.c).
 *
 * Who waits lends to at most one other process, and who runs lends to nobody. So the lenders of a
 * process that can run are a tree, and a change walks one path of it: at most one step for each
 * process there is (PROCESS_LIMIT), a few in practice, because calls go down the rank. Processes
 * that wait for each other in a ring change at most BAND_LAST times each, and none of them can
 * run. The steps are counted, so that an entry that changes one loan after the other stops (K8).
 *
 * Those who queue at the driver endpoint lend to nobody as long as it lives. What they would lend is
 * added up, so that one step lends it to who tells them of its end. */
#include "kernel/core/internal.h"

/* One that lends to nobody by itself has another band: who borrows it if it queues at the driver
 * endpoint; KERNEL_NONE: nobody. */
static uint16_t driver_change(struct kernel *kernel, const struct process *lender, uint64_t change)
{
    if (lender->life != LIFE_SENDING || lender->endpoint != KERNEL_DRIVER_ENDPOINT)
        return KERNEL_NONE;
    kernel->driver_claims += change;
    return kernel->driver_endpoint.live ? (uint16_t)KERNEL_NONE : kernel->driver_drainer;
}

/* The lenders of `borrower` have changed: its band is not `band` any more. One that is ready goes
 * to the end of its new queue, or who lets its band fall and rise passes all that wait there (K7);
 * one that waits passes the change on. */
void loan_follow(struct kernel *kernel, struct process *borrower, uint32_t band)
{
    for (uint32_t steps = 1;; steps++) {
        uint32_t now = process_band(borrower);
        if (now == band)
            return;
        if (borrower->life == LIFE_READY) {
            queue_remove(kernel, &kernel->ready[band], borrower);
            queue_append(kernel, &kernel->ready[now], borrower);
        }
        kernel->unsettled = true;
        if (steps % KERNEL_LOANS_PER_STEP == 0)
            work_count(kernel, 1); /* K8 */
        uint64_t change = band_claim(now) - band_claim(band);
        uint16_t next = borrower->lends_to;
        if (next == KERNEL_NONE)
            next = driver_change(kernel, borrower, change);
        if (next == KERNEL_NONE)
            return;
        borrower = process_at(kernel, next);
        band = process_band(borrower);
        borrower->band_claims += change;
    }
}

/* --- the driver endpoint --- */

void driver_loan_make(struct kernel *kernel, const struct process *lender)
{
    kernel->driver_claims += band_claim(process_band(lender));
}

void driver_loan_end(struct kernel *kernel, const struct process *lender)
{
    uint64_t claim = band_claim(process_band(lender));
    kernel->driver_claims -= claim;
    if (kernel->driver_endpoint.live)
        return;
    struct process *drainer = process_at(kernel, kernel->driver_drainer);
    uint32_t band = process_band(drainer);
    drainer->band_claims -= claim;
    loan_follow(kernel, drainer, band);
}

void driver_loans_take(struct kernel *kernel, struct process *drainer)
{
    uint32_t band = process_band(drainer);
    kernel->driver_drainer = drainer->index;
    drainer->band_claims += kernel->driver_claims;
    loan_follow(kernel, drainer, band);
}

/* --- who pays --- */

uint16_t payer_behind(const struct kernel *kernel, uint16_t client)
{
    uint16_t payer = client;
    while ((client = process_at(kernel, payer)->client) != KERNEL_NONE)
        payer = client;
    return payer;
}
