/* SPDX-License-Identifier: ISC */
/* What the files of the core share among themselves; machines, harnesses and the world include
 * kernel.h only.
 *
 * Order of work inside an entry: questions first (no state touched), then changes that cannot fail.
 * Whoever has to end a process only marks it: it tears itself down in its turn (process.c), so that
 * ends which cause further ends need no recursion, and no entry is longer than it may be (work.c).
 */
#ifndef BASALT_KERNEL_CORE_INTERNAL_H
#define BASALT_KERNEL_CORE_INTERNAL_H

#include <string.h>

#include "kernel/core/kernel.h"
#include "kernel/core/queue.h"

/* An invariant of our own. Nothing that a process chooses may decide one (K6). */
#define KERNEL_ASSERT(condition)                                                                   \
    ((condition) ? (void)0 : machine_panic(#condition, __FILE__, __LINE__))

/* Of what the short ways are made (short.c): a call would cost as much as what it does. */
#define KERNEL_INLINE __attribute__((always_inline)) static inline

/* --- processes and their pages --------------------------------------------------------------- */

/* The record at an index if it is in use with that generation; null otherwise. */
static inline struct process *process_find(const struct kernel *kernel, uint32_t index,
                                           uint64_t generation)
{
    const struct process_entry *entry = &kernel->processes[index];
    if (entry->record_page == 0 || entry->generation != generation)
        return NULL;
    return machine_page(entry->record_page);
}

KERNEL_INLINE struct message *message_of(const struct process *process)
{
    return machine_page(process->message_page);
}

static inline bool process_has_ended(const struct process *process)
{
    return process->ending != ENDING_NONE || process->life == LIFE_ENDED;
}

/* --- deadlines (deadline.c) ------------------------------------------------------------------ */

/* A deadline that is not DEADLINE_NEVER, for a process that has none. */
void deadline_insert(struct kernel *kernel, struct process *process, uint64_t ticks);
void deadline_remove(struct kernel *kernel, struct process *process);
/* Which of two processes with deadlines has waited long enough first. */
bool deadline_before(const struct kernel *kernel, uint32_t a, uint32_t b);
/* Whose deadline is the nearest, and of those with the same one whose index is the lowest;
 * KERNEL_NONE: nobody has any. */
uint16_t deadline_first(const struct kernel *kernel);

KERNEL_INLINE void deadline_set(struct kernel *kernel, struct process *process, uint64_t ticks)
{
    if (ticks != DEADLINE_NEVER)
        deadline_insert(kernel, process, ticks);
}

KERNEL_INLINE void deadline_clear(struct kernel *kernel, struct process *process)
{
    if (process->deadline_position != 0)
        deadline_remove(kernel, process);
}

/* --- the processor (schedule.c) -------------------------------------------------------------- */

/* Puts a process that is in no queue into the run queue: first, or last when its turn is over. */
void process_ready(struct kernel *kernel, struct process *process);

/* The same for one whose system call returns `status`. */
void process_wake(struct kernel *kernel, struct process *process, enum status status);

/* The band that a process runs in: the highest that it was lent, or its own. */
KERNEL_INLINE uint32_t process_band(const struct process *process)
{
    return (uint32_t)__builtin_ctzll(process->band_claims) / 16;
}

/* One process in the sum of band_claims. */
KERNEL_INLINE uint64_t band_claim(uint32_t band)
{
    return UINT64_C(1) << 16 * band;
}

/* Out of and to the front of the run queue. */
static inline void ready_remove(struct kernel *kernel, struct process *process)
{
    queue_remove(kernel, &kernel->ready[process_band(process)], process);
}

static inline void ready_prepend(struct kernel *kernel, struct process *process)
{
    process->life = LIFE_READY;
    queue_prepend(kernel, &kernel->ready[process_band(process)], process);
}

/* The current process stops being current; it is in no queue yet. */
static inline void process_leave(struct kernel *kernel, const struct process *process)
{
    KERNEL_ASSERT(kernel->current == process->index);
    kernel->current = KERNEL_IDLE;
}

/* The current process waits at the end of a queue: nobody is current then. */
static inline void process_wait(struct kernel *kernel, struct process *process,
                                enum process_life life, struct process_queue *queue)
{
    process_leave(kernel, process);
    process->life = (uint8_t)life;
    queue_append(kernel, queue, process);
}

/* `process`, in no queue, becomes the current one; nobody is. */
static inline void process_enter(struct kernel *kernel, struct process *process)
{
    KERNEL_ASSERT(kernel->current == KERNEL_IDLE);
    process->life = LIFE_CURRENT;
    kernel->current = process->index;
}

/* Ends an entry: makes the first of the highest band current. */
void kernel_settle_work(struct kernel *kernel);
static inline void kernel_settle(struct kernel *kernel)
{
    if (kernel->current == KERNEL_IDLE || kernel->unsettled)
        kernel_settle_work(kernel);
}

/* The same for a system call: who goes on, as kernel_syscall returns it. */
struct process *entry_end(struct kernel *kernel);

/* --- lending (lending.c) --------------------------------------------------------------------- */

void loan_follow(struct kernel *kernel, struct process *borrower, uint32_t band);

/* Who queues at the driver endpoint lends to nobody (`lends_to`), until `drainer` tells all of them
 * that it is gone: to that one. */
void driver_loan_make(struct kernel *kernel, const struct process *lender);
void driver_loan_end(struct kernel *kernel, const struct process *lender);
void driver_loans_take(struct kernel *kernel, struct process *drainer);

/* The two halves of a loan's books; `claim` is that of the lender's band. */
KERNEL_INLINE void loan_note(struct process *lender, struct process *borrower)
{
    lender->lends_to = borrower->index;
    borrower->band_claims += band_claim(process_band(lender));
}

KERNEL_INLINE void loan_forget(struct process *lender, struct process *borrower, uint64_t claim)
{
    borrower->band_claims -= claim;
    lender->lends_to = KERNEL_NONE;
}

/* A process that waits, and lends to nobody, lends its band. */
static inline void loan_make(struct kernel *kernel, struct process *lender,
                             struct process *borrower)
{
    uint32_t band = process_band(borrower);
    uint32_t lent = process_band(lender);
    loan_note(lender, borrower);
    if (lent < band)
        loan_follow(kernel, borrower, band);
}

/* It takes it back, if it lends any; the borrower works for it no longer. The payer is found again
 * by the caller of this, or by kernel_settle_work. */
static inline void loan_end(struct kernel *kernel, struct process *lender)
{
    if (lender->lends_to == KERNEL_NONE)
        return;
    struct process *borrower = process_at(kernel, lender->lends_to);
    uint32_t band = process_band(borrower);
    uint32_t lent = process_band(lender);
    loan_forget(lender, borrower, band_claim(lent));
    if (borrower->client == lender->index)
        borrower->client = KERNEL_NONE;
    if (lent < borrower->band)
        loan_follow(kernel, borrower, band);
}

/* A server works for nobody any more: who still waits for its reply does not lend. The payer is
 * found again by the caller of this. */
static inline void client_leave(struct kernel *kernel, const struct process *server)
{
    if (server->client != KERNEL_NONE)
        loan_end(kernel, process_at(kernel, server->client));
}

/* Who pays for the time of a process: itself, or the last of its clients' clients. */
uint16_t payer_behind(const struct kernel *kernel, uint16_t client);
static inline uint16_t payer_of(const struct kernel *kernel, const struct process *process)
{
    uint16_t client = process->client;
    return client == KERNEL_NONE ? process->index : payer_behind(kernel, client);
}

/* --- work in pieces (work.c) ------------------------------------------------------------------ */

/* An entry begins. */
static inline void work_begin(struct kernel *kernel)
{
    kernel->work_done = 0;
}

static inline void work_count(struct kernel *kernel, uint32_t steps)
{
    kernel->work_done += steps;
}

static inline bool work_may(const struct kernel *kernel)
{
    return kernel->work_done < kernel->work_max;
}

/* Begins work of the current process and does the first piece of it. */
void work_start(struct kernel *kernel, struct process *process, struct work work);

/* The same later: the process is asked to go on with it when it would run. */
void work_leave(struct process *process, struct work work);

/* What a process leaves when it ends: what it had begun for others is finished. */
void work_orphan(struct kernel *kernel, struct process *process);

/* --- pools (untyped.c) ----------------------------------------------------------------------- */

/* Pages of the kernel's ranges, which nobody has used, behind the first skip_pages of them. */
void stock_init(const struct kernel *kernel, struct page_stock *stock, uint32_t skip_pages,
                uint32_t page_count);

/* A free page of a pool, zeroed (K2): the counters of what it is used for are the caller's. Never
 * called on an empty pool. */
uint32_t pool_draw(struct kernel *kernel, uint32_t untyped);

/* Gives a page back to the pool it was drawn from. `zeroed`: all of it is zero, as that of an emptied
 * table is, and need not be zeroed when it is drawn again. */
void pool_give(struct kernel *kernel, uint32_t page, bool zeroed);

/* Index of a new pool with `count` pages of `parent`, which has them available; KERNEL_NONE parent:
 * of the stock with that index. KERNEL_NONE: the table is full. */
uint32_t untyped_create(struct kernel *kernel, uint32_t parent, uint32_t count);
bool untyped_table_full(const struct kernel *kernel);
bool untyped_in_use(const struct untyped *untyped);

/* Gives a pool that has nothing out back to its parent. */
void untyped_destroy(struct kernel *kernel, uint32_t index);

/* Destroys the pool, then its parents, as long as nobody can name them and nothing is out. */
void unnamed_sweep(struct kernel *kernel, uint32_t index);
static inline void untyped_sweep(struct kernel *kernel, uint32_t index)
{
    if (kernel->untypeds[index].cap_count == 0)
        unnamed_sweep(kernel, index);
}

/* --- kernel memory of a process (memory.c) --------------------------------------------------- */

/* A zeroed page from the process's budget, or 0: it is used up. */
uint32_t memory_draw(struct kernel *kernel, struct process *process, enum page_kind kind);

/* The first of them, for the record itself, which does not count it yet. */
uint32_t memory_draw_record(struct kernel *kernel, uint32_t untyped, uint16_t index);

/* `zeroed` as of pool_give. */
void memory_return(struct kernel *kernel, struct process *process, uint32_t page, bool zeroed);
static inline uint32_t memory_left(const struct process *process)
{
    return process->budget_pages - process->drawn_pages;
}

/* --- frames (frame.c) ------------------------------------------------------------------------ */

/* Frees a frame that nobody can reach. */
void frame_sweep(struct kernel *kernel, uint32_t page);
uint32_t frame_create(struct kernel *kernel, uint32_t untyped);

/* cap_count of a frame that is being destroyed: no capability names it, and it is not free yet. */
#define FRAME_DYING UINT32_MAX

/* From now on every capability to the frame is dead. */
void frame_doom(uint32_t page);

/* A piece of what follows: true when the frame was freed. */
bool frame_destroy_piece(struct kernel *kernel, uint32_t page);

/* --- endpoints and messages (endpoint.c, transfer.c, ipc.c, fault.c) ------------------------- */

struct endpoint *endpoint_at(struct kernel *kernel, uint32_t id);
struct endpoint *endpoint_find(struct kernel *kernel, uint32_t id, uint64_t generation);
void endpoint_init(struct endpoint *endpoint, uint64_t generation);

/* Nobody will ever receive here again, and one of those who wait learns it: false when there is
 * none. */
bool endpoint_drain_step(struct kernel *kernel, struct endpoint *endpoint);

/* A capability to receive from the driver endpoint came or went. With the last one it is dead; who
 * waits there first tells the others. */
void driver_receiver_gone(struct kernel *kernel);

/* The end of `process` is to be known at its event endpoint, which lives. */
void endpoint_post_event(struct kernel *kernel, struct process *process);

/* The receiver gets the first of the endpoint's events, which there is. */
void event_receive(struct kernel *kernel, struct endpoint *endpoint, struct process *receiver);

/* A line is bound to nobody, and closed; it was bound. And: a receiver, which waits no longer, gets
 * the interrupt of a line, which is in no queue (interrupt.c). */
void interrupt_unbind(struct kernel *kernel, uint32_t line);
void interrupt_deliver(struct kernel *kernel, uint32_t line, struct process *receiver);

/* A waiting receiver gets the event of `process`. */
void event_deliver(struct kernel *kernel, struct process *process, struct process *receiver);

/* The receiver, which waits no longer, gets the fault of `process`, which waits for the answer. */
void fault_deliver(struct kernel *kernel, struct process *process, struct process *receiver);

/* The answer of a fault's holder: INVALID_ARGUMENT, or OK. The faulter is in no queue then and goes
 * on; or it ends, and *faulter is null. */
enum status fault_reply(struct kernel *kernel, struct process *holder, struct process **faulter);

/* Puts the reply capability for `caller` into the receiver's reply slot. */
void reply_capability_give(struct kernel *kernel, struct process *caller, struct process *receiver);

/* The reply capability for `caller` goes: its slot at the holder is empty, and the caller in no
 * queue. */
void reply_capability_use(struct kernel *kernel, struct process *holder, struct process *caller);

/* A sender that queues at its `endpoint` lends to the owner; nobody owns that of the drivers, until
 * somebody tells all who wait there that it is gone. */
static inline void sender_lends(struct kernel *kernel, struct process *sender)
{
    if (sender->endpoint != KERNEL_DRIVER_ENDPOINT)
        loan_make(kernel, sender, process_at(kernel, sender->endpoint));
    else
        driver_loan_make(kernel, sender);
}

static inline void sender_lends_not(struct kernel *kernel, struct process *sender)
{
    if (sender->endpoint != KERNEL_DRIVER_ENDPOINT)
        loan_end(kernel, sender);
    else
        driver_loan_end(kernel, sender);
}

/* Shape of header and descriptors alone: OK or INVALID_ARGUMENT. */
enum status message_shape(const struct message *message);

/* The first of a queue of receivers stops waiting. */
static inline struct process *receiver_take(struct kernel *kernel, struct endpoint *endpoint)
{
    struct process *receiver = process_at(kernel, endpoint->receivers.first);
    queue_remove(kernel, &endpoint->receivers, receiver);
    deadline_clear(kernel, receiver);
    return receiver;
}

/* Where the capabilities that a message names lie, by descriptor. */
struct transfer {
    struct capability *sources[MESSAGE_CAP_LIMIT];
};

/* Whether the transfers of the descriptors are allowed between two processes, and what they take;
 * then makes them, the message having been copied already. */
enum status transfer_allowed(const struct kernel *kernel, const struct process *sender,
                             const struct process *receiver, struct transfer *transfer);
void transfer_perform(struct kernel *kernel, const struct process *sender, struct process *receiver,
                      const struct transfer *transfer);

void ipc_call(struct kernel *kernel, struct process *caller, uint32_t slot, uint64_t deadline);
void ipc_receive(struct kernel *kernel, struct process *receiver, uint32_t slot, uint64_t deadline);
void ipc_reply(struct kernel *kernel, struct process *sender, uint32_t slot);
void ipc_reply_receive(struct kernel *kernel, struct process *process, uint32_t reply_slot,
                       uint32_t slot, uint64_t deadline);

/* A REPLY_RECV that is not the answer to a call by a short way: to a fault, by one of its own, or
 * whatever it is by the long one (short_fault.c). As kernel_reply_receive. */
struct process *answer_fault(uint32_t slot, uint64_t deadline_ticks, uint32_t reply_slot,
                             struct kernel *kernel, struct process *server);

/* --- life (process.c) ------------------------------------------------------------------------ */

/* event_generation of a process whose end nobody is told of. */
#define EVENT_UNWANTED UINT64_MAX

struct process_plan {
    uint32_t untyped;
    uint32_t budget_pages; /* available in the pool */
    uint32_t event_endpoint;
    uint64_t event_generation;
    uint64_t event_token;
    uint32_t flags;
    uint8_t band;
};

/* --- reports of lives (lives.c) --- */

enum life_report {
    LIFE_REPORT_STAGED,
    LIFE_REPORT_STARTED,
    LIFE_REPORT_ENDED, /* with reason and code */
    LIFE_REPORT_GONE   /* all that it had was given back: it was aborted, or its end was read */
};

void life_report_write(const struct process *process, enum life_report report);

/* A line of the log, where the boot image asks for them: never rootd, whom nobody staged (K16). */
static inline void life_report(const struct kernel *kernel, const struct process *process,
                               enum life_report report)
{
    if (kernel->lives_reported)
        life_report_write(process, report);
}

bool process_table_full(const struct kernel *kernel);

/* A staged process; SELF and its endpoint are in its cspace. The table is not full. */
struct process *process_create(struct kernel *kernel, const struct process_plan *plan);

/* The process has ended: it is in the run queue or stays current, to tear itself down. rootd's end
 * halts the machine instead. Nothing when it has ended already. */
void process_end(struct kernel *kernel, struct process *process, enum end_reason reason,
                 uint32_t code, uint64_t fault_va);
void process_abort(struct kernel *kernel, struct process *process);

/* The same for the caller that tears it down itself. */
void process_abort_by_caller(struct process *process);

/* A process that waits to send, or for a reply, will get no answer (E5): a call ends with
 * PEER_DIED, a fault ends the process. */
void wait_lost(struct kernel *kernel, struct process *process);

/* Takes a process out of the queue that its life names, and out of the deadlines. */
void process_detach(struct kernel *kernel, struct process *process);

/* rootd is over, and so is everything. */
void kernel_halt(struct kernel *kernel, uint32_t code);

/* A piece of taking an ended process apart: true when everything but its record went back. */
bool process_tear_down(struct kernel *kernel, struct process *process);

/* After that: it is free, or reported and waits for RETIRE_PROCESS. In no queue, not current. */
void process_finish_ending(struct kernel *kernel, struct process *process);

/* Frees the record of a process that was reported and that is or will not be retired. */
void process_retire(struct kernel *kernel, struct process *process);

/* --- kernel control (control.c) -------------------------------------------------------------- */

/* Carries out the request in the caller's message page and writes the reply over it, unless the
 * caller has ended. `kind` is the type of the capability that was called. */
void control_call(struct kernel *kernel, struct process *caller, enum object_type kind);

/* A CALL on `cap`, which stands in `slot`, or null, and is no endpoint that may be sent to: kernel
 * control by the short way, or whatever it is by the long one. As kernel_call. */
struct process *control_enter(uint32_t slot, uint64_t deadline_ticks, struct kernel *kernel,
                              struct process *caller, const struct capability *cap);

/* --- boot ------------------------------------------------------------------------------------- */

/* Untyped indices of the two pools of boot. */
enum { POOL_BULK = 0, POOL_LAUNCH = 1 };

/* State as before any boot, with the pools of memory made and the image's pages known; no
 * process. */
void kernel_clear(struct kernel *kernel, const struct kernel_boot_info *info);

/* rootd, staged, with everything of its cspace: null: the launch pool cannot pay it. */
struct process *root_create(struct kernel *kernel, const struct kernel_boot_info *info);

/* Takes the staged rootd apart again. */
void root_destroy(struct kernel *kernel, struct process *root);

#endif
