/* SPDX-License-Identifier: ISC */
/* The parts of the kernel-core harness: one kernel core on the host machine, the model next to it,
 * and one function for each entry that does it on both and compares everything. */
#ifndef BASALT_FUZZ_KERNEL_KERNEL_CORE_H
#define BASALT_FUZZ_KERNEL_KERNEL_CORE_H

#include "fuzz/kernel/kernel_core_text.h"
#include "kernel/host/host.h"
#include "props/base/choices.h"
#include "props/life/life.h"
#include "props/models/model_kernel.h"

extern struct kernel core;
extern struct model_kernel core_model;

/* --- entries: kernel_core_entry.c --- */

enum {
    CORE_PAGES = 512,
    CORE_ROOT_BUDGET = 40,
    CORE_WORK_WHOLE = 1 << 12 /* steps of an entry: almost everything at once */
};

/* With another work_max than CORE_WORK_WHOLE an entry leaves its work where it is: others may come
 * between two pieces. Otherwise each ends when all work of the current process is done. */
void core_boot(uint32_t pages, uint32_t root_budget, uint32_t work_max);

/* The message page of the current process; header.request_id is set here. */
void core_compose(const struct message *message);

/* Each does the entry on the core and on the model and compares; nothing when nobody is current
 * (the timer always). core_syscall gives what the caller learned: the verdict of kernel control,
 * the transport's status otherwise, or CORE_WAITS. */
enum { CORE_WAITS = STATUS_COUNT, CORE_WAITS_DIGEST = 26 /* the same however many there are */ };
unsigned core_syscall(uint32_t number, uint32_t slot, uint64_t deadline, uint32_t reply_slot);
void core_fault(uint64_t va, uint32_t access, uint64_t instruction_va);
void core_exception(uint32_t vector, uint64_t instruction_va);
void core_timer(uint64_t now);
void core_preempt(void);
void core_interrupt(uint32_t line);

/* One piece of the current process's work; all that the current processes have to do before one of
 * them runs on; and from now on always all. */
void core_work(void);
void core_work_all(void);
void core_work_whole(void);

/* The current process stores a byte at `va` itself, when its page tables let it. */
void core_user_write(uint64_t va, uint8_t value);

/* While on, not every entry is looked at in full; the end of it is. */
void core_quiet(bool on);

/* Looks at everything, unless nothing has happened since that was done. */
void core_look_whole(void);

/* A kernel-control request by its row, valid or not: the call itself, or the call and its result.
 * slot 0: where the caller has a kind for it. */
struct core_entry core_request(uint32_t slot, uint16_t operation, const void *request,
                               uint32_t window_slot);
unsigned core_control(uint32_t slot, uint16_t operation, const void *request, uint32_t window_slot);

/* --- work in pieces: kernel_core_work.c --- */

/* Tells the model what the core has left to do; after each entry of the core. */
void core_look(void);

/* Whether the current process has work to do before it runs on; a piece of it, on both. */
bool core_works(void);
void core_piece(void);
void core_mark_others(void);
void core_work_reset(void);

/* --- comparison: kernel_core_check.c --- */

/* Takes over what the core chose freely: page numbers and indices, after checking that nothing else
 * that lives has them. */
void core_learn(void);

/* Of an entry that begins. */
void core_keep_lives(void);

/* What the model predicts is true: who runs, results, pools, messages, where oracles are
 * deferred of those whom the entry was about; full: everybody's message, every slot and mapping, and the
 * core's own invariants too. */
void core_check(bool full);

/* --- steps: kernel_core.c --- */

enum core_action {
    ACTION_LIMIT,     /* pages budget: a smaller system; the first step alone */
    ACTION_WINDOW,    /* slot count: of the next message or request */
    ACTION_ATTACH,    /* slot rights mode badge: a descriptor of the next message */
    ACTION_CALL,      /* slot deadline operation body */
    ACTION_RECV,      /* slot deadline */
    ACTION_REPLY,     /* slot operation status body; 1 << 32: the first status that is none, ... */
    ACTION_FAULT,     /* va access instruction_va */
    ACTION_EXCEPTION, /* vector instruction_va */
    ACTION_TIME,      /* ticks pass */
    ACTION_PREEMPT,
    ACTION_RUN,        /* process: preempts until it is the current one */
    ACTION_CHILD,      /* flags budget */
    ACTION_SYSCALL,    /* number slot deadline, with the message that lies there */
    ACTION_STORE,      /* va value: by the current process itself */
    ACTION_PIECES,     /* steps: an entry does no more; the first step alone, or before `limit` */
    ACTION_WORK,       /* count: so many pieces of what the current process has to do */
    ACTION_REPLY_RECV, /* reply_slot slot deadline status: a reply of operation 0x101 */
    ACTION_INTERRUPT,  /* line: interrupts, if the machine lets it */
    ACTION_COUNT
};

/* Each prints the line of a step, then takes it. */
void core_act(enum core_action action, uint64_t first, uint64_t second, uint64_t third);
void core_enter(const struct core_entry *entry);

/* --- drawn steps: kernel_core_generate.c --- */

void core_generated(struct choices *choices);

/* Makes a child with what lives need to get somewhere; flags: enum core_child. */
enum core_child {
    CHILD_PAGER = 1,   /* the creator is its pager */
    CHILD_STARTED = 2, /* it is started */
    CHILD_KINDS = 4,   /* it may use memory, vspace and process control */
    CHILD_POOL = 8,    /* it holds the creator's pool */
    CHILD_SELF = 16,   /* it holds its own VSPACE and the image */
    CHILD_PEER = 32    /* it may send to the previous child too */
};
void core_child(uint32_t flags, uint32_t budget);

/* Slots of the current process by what they hold; 0: none. */
uint32_t core_slot_of(uint32_t type_mask, uint16_t rights, uint32_t skip);
uint32_t core_empty(uint32_t from, uint32_t count);

#endif
