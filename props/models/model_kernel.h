/* SPDX-License-Identifier: ISC */
/* What the kernel core must do, said once more from the words of kernel.h and control.h, with
 * arrays and searches instead of the core's structures. It predicts: who runs, who waits where, the
 * result of every syscall, each slot, each mapping, each message page and what every pool has
 * left. Objects are numbered by order of creation and numbers never come back, so a stale
 * capability cannot mean a new object here (K3). What the core may choose freely (page numbers,
 * indices, which reply slot) the harness tells after it looked, and checks that nothing else has
 * it.
 *
 * One refusal is not predicted exactly: OVER_BUDGET, of a process's own budget. It is accepted only
 * when the real record has fewer pages left than the operation can ever need (`luck`).
 *
 * Long work is a row of effects in one order (model_kernel_work.c). How many of them an entry
 * reaches is the core's choice: the harness tells what it has left to do, and the model does the
 * next effects until it has as much left. What the core did out of order is then a difference. */
#ifndef BASALT_PROPS_MODELS_MODEL_KERNEL_H
#define BASALT_PROPS_MODELS_MODEL_KERNEL_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/capability.h"
#include "abi/limits.h"
#include "abi/process.h"
#include "abi/slots.h"
#include "abi/status.h"
#include "abi/system.h"

enum {
    MODEL_PROCESS_LIMIT = 40, /* created in one life; the harness stops creating before */
    MODEL_CAP_LIMIT = 320,    /* of one process */
    MODEL_MAP_LIMIT = 96,
    MODEL_POOL_LIMIT = 64,
    MODEL_FRAME_LIMIT = 900,
    MODEL_STEP_CAPS = 68,  /* that one step can add */
    MODEL_DATA_LIMIT = 48, /* frames that were ever written */
    MODEL_CODE_PAGES = 4,  /* pages of the image */
    MODEL_LOG_BYTES = (64 << 10) - 1,
    MODEL_NONE = 0xFFFF,
    MODEL_DRIVER = MODEL_PROCESS_LIMIT, /* the endpoint that no process owns */
    MODEL_LINE = 0x1000,                /* line 0 in a queue of events; the others follow */

    /* The most kernel pages that one thing can need: a slot's leaf with its directory; two of
     * both for a window or for 64 slots, with the reply slot's leaf; tables of 512 pages (two
     * leaves with links, and two of each level above). */
    MODEL_SLOT_MAX = 2,
    MODEL_LEAVES_MAX = 5,
    MODEL_TABLES_MAX = 8
};

struct model_cap {
    uint32_t slot;
    uint8_t type; /* enum object_type */
    uint16_t rights;
    uint32_t object; /* number of the pool, frame, process or endpoint */
    uint64_t badge;  /* REPLY: the number of the call */
};

struct model_map {
    uint64_t va;
    uint32_t frame; /* MODEL_NONE: a page of the image */
    uint32_t image_page;
    uint16_t rights;
    uint16_t rights_max;
    bool gone; /* the core shows nothing there */
};

struct model_queue {
    uint32_t count;
    uint16_t items[MODEL_PROCESS_LIMIT + INTERRUPT_LINE_COUNT];
};

struct model_endpoint {
    bool live;
    struct model_queue senders;
    struct model_queue receivers;
    struct model_queue events;
    struct model_queue delivered;
};

/* A line of interrupts. It is in a queue of its endpoint: of events while it interrupts there. */
struct model_line {
    uint32_t endpoint; /* MODEL_NONE: nobody's */
    uint64_t token;
    bool masked;
    bool interrupts; /* and nobody has been told */
    bool told;       /* and it was not acknowledged */
};

enum model_kernel_life {
    MODEL_LIFE_FREE,
    MODEL_LIFE_STAGED,
    MODEL_LIFE_RUNS, /* current or in the run queue */
    MODEL_LIFE_SENDS,
    MODEL_LIFE_RECEIVES,
    MODEL_LIFE_CALLS,
    MODEL_LIFE_ENDING,
    MODEL_LIFE_ENDED
};

enum model_kernel_end { MODEL_END_TERMINAL, MODEL_END_ABORT };

/* What a process has begun and does before it runs on. */
enum model_work {
    MODEL_WORK_NONE,
    MODEL_WORK_ABORT,   /* the end of process `work_on` */
    MODEL_WORK_DESTROY, /* frame `work_on`: its mappings go, then its page */
    MODEL_WORK_UNMAP,   /* `work_pages` pages from `work_at` on of process `work_on` */
    MODEL_WORK_SCAN,    /* the request is asked again */
    MODEL_WORK_RECEIVE, /* on slot `work_on` with deadline `work_at`, again */
    MODEL_WORK_DRIVER   /* all at the driver endpoint learn that it is gone */
};

struct model_kernel_process {
    enum model_kernel_life life;
    uint32_t cap_count;
    struct model_cap caps[MODEL_CAP_LIMIT];
    uint32_t map_count;
    struct model_map maps[MODEL_MAP_LIMIT];
    struct message page; /* what its message page holds */
    struct receive_info info;
    bool info_open; /* written by a RECV without a message: only the clock is stated */
    bool page_open; /* kernel control's reply: bytes that are not declared are open */
    bool result_known;
    enum status result;
    uint64_t deadline;
    uint32_t window_slot;
    uint32_t window_count;
    uint32_t receive_slot;
    uint32_t next_reply_slot; /* the lowest that was free when it began to receive */
    uint32_t waits_on;        /* endpoint that it sends to or receives on */
    uint64_t badge;           /* of the capability it called */
    uint64_t call_number;     /* of its call that was received */
    uint32_t holder;          /* who owes the reply */
    struct model_queue callers;
    bool faults;
    bool torn;        /* everything but its record went */
    bool aborted;     /* MODEL_LIFE_ENDING: another one tears it down, */
    uint32_t aborter; /* this one */
    enum model_work work;
    uint32_t work_on;
    uint64_t work_at;
    uint32_t work_pages;
    uint64_t fault_va;
    uint64_t fault_instruction;
    uint32_t fault_access;
    uint32_t fault_present;
    bool pager_declared;
    uint32_t pager; /* endpoint; MODEL_NONE: no pager */
    uint64_t pager_token;
    uint32_t event_endpoint;
    uint64_t event_token;
    bool event_delivered;
    enum model_kernel_end ending;
    uint32_t end_reason;
    uint32_t end_code;
    uint64_t end_va;
    uint32_t pool;
    uint32_t budget_pages;
    uint32_t band;     /* its own */
    uint32_t runs_in;  /* MODEL_LIFE_RUNS: the band that it stands or runs in */
    int64_t turn;      /* in the run queue: the lowest of a band is next */
    uint32_t client;   /* whose message it received last and has not answered; MODEL_NONE */
    uint64_t start[3]; /* entry, stack, argument */
    bool seen;         /* the harness knows: */
    uint32_t real_index;
    uint64_t real_generation;
};

struct model_pool {
    bool live;
    uint32_t parent; /* MODEL_NONE: of boot */
    uint32_t total;
    uint32_t frames;
    uint32_t budgets;
    uint32_t children;
    bool seen;
    uint32_t real_index;
    uint64_t real_generation;
};

enum model_use { MODEL_USE_FRESH, MODEL_USE_DATA, MODEL_USE_CODE };

struct model_frame {
    bool live;
    bool dying; /* no capability names it any more, and its page is not free yet */
    uint32_t pool;
    enum model_use use;
    uint32_t data; /* index of its bytes; MODEL_NONE: all zero */
    bool seen;
    uint32_t real_page;
    uint64_t real_generation;
};

/* What the harness saw the real kernel do where the contract leaves it open. */
struct model_luck {
    bool over_budget;                   /* the current process was told OVER_BUDGET, */
    bool over_budget_verdict;           /* or kernel control's verdict was it */
    bool no_leaf_above;                 /* READ_PROCESS_SLOT says that nothing lies above */
    uint32_t left[MODEL_PROCESS_LIMIT]; /* kernel pages left before the entry */

    /* What the entry left to do, by process. */
    enum model_work work[MODEL_PROCESS_LIMIT];
    uint32_t effects[MODEL_PROCESS_LIMIT]; /* as model_effects_left() */
    uint32_t pages[MODEL_PROCESS_LIMIT];   /* MODEL_WORK_UNMAP */
    uint32_t senders[MODEL_PROCESS_LIMIT]; /* MODEL_WORK_RECEIVE: who queues there */
    bool over[MODEL_PROCESS_LIMIT];        /* it is free, or its end was told */
    uint32_t drivers;                      /* who waits at the driver endpoint */
    uint32_t deadlines;                    /* who waits with a deadline */
};

struct model_kernel {
    uint32_t current; /* MODEL_NONE: nobody */
    bool halted;
    uint32_t halt_code;
    uint64_t now;
    uint32_t drainer;       /* when the driver endpoint is dead: who tells those that queue there */
    struct model_queue run; /* who can run and does not, in no order: `turn` is it */
    int64_t turn_first;     /* the lowest and the highest turn that was given */
    int64_t turn_last;
    uint64_t call_count;
    uint32_t process_count;
    uint32_t pool_count;
    uint32_t frame_count;
    uint32_t data_count;
    struct model_luck luck;

    /* Of the last entry: */
    bool control; /* it was kernel control, with this verdict */
    enum status verdict;
    bool changed; /* something other than message pages and results changed */
    uint32_t events_delivered;
    uint32_t refused_at_delivery;
    uint32_t translations_lost; /* mappings that went away or lost rights: each must be flushed */

    uint32_t log_count;
    char log[MODEL_LOG_BYTES]; /* all that was written to the log */

    struct model_line lines[INTERRUPT_LINE_COUNT];
    struct model_endpoint endpoints[MODEL_PROCESS_LIMIT + 1];
    struct model_kernel_process processes[MODEL_PROCESS_LIMIT];
    struct model_pool pools[MODEL_POOL_LIMIT];
    struct model_frame frames[MODEL_FRAME_LIMIT];
    uint8_t data[MODEL_DATA_LIMIT][PAGE_BYTES];
};

/* rootd as kernel_boot_bare leaves it, over two pools of these sizes. */
void model_kernel_reset(struct model_kernel *model, uint32_t bulk_pages, uint32_t launch_pages,
                        uint32_t root_budget);

/* Whether the tables above have room for another step. */
bool model_kernel_has_room(const struct model_kernel *model);

/* --- entries, as kernel.h has them --- */

void model_kernel_syscall(struct model_kernel *model, uint32_t number, uint32_t slot,
                          uint64_t deadline, uint32_t reply_slot);
void model_kernel_fault(struct model_kernel *model, uint64_t va, uint32_t access,
                        uint64_t instruction_va);
void model_kernel_exception(struct model_kernel *model, uint32_t vector, uint64_t instruction_va);
void model_kernel_timer(struct model_kernel *model, uint64_t now);
void model_kernel_preempt(struct model_kernel *model);
void model_kernel_interrupt(struct model_kernel *model, uint32_t line);

/* Whether the machine keeps a line open. */
bool model_line_open(const struct model_kernel *model, uint32_t line);

/* A piece of what the current process has to do before it runs on. Adds to what the entry before it
 * changed and lost, which model_kernel_begin forgets. */
void model_kernel_work(struct model_kernel *model);
void model_kernel_begin(struct model_kernel *model);

/* Whether a process is not to run on before kernel_work is done with it. */
bool model_works(const struct model_kernel *model, uint32_t process);

/* How many effects the end of a process has left until nothing but mappings is left; and how many
 * wait at the driver endpoint. */
uint32_t model_effects_left(const struct model_kernel *model, uint32_t process);
uint32_t model_waiters(const struct model_kernel *model, uint32_t endpoint);

/* --- what harnesses ask --- */

struct model_cap *model_cap_find(struct model_kernel *model, uint32_t process, uint32_t slot);
bool model_cap_live(const struct model_kernel *model, const struct model_cap *cap);
const struct model_map *model_map_find(const struct model_kernel *model, uint32_t process,
                                       uint64_t va);
bool model_range_empty(struct model_kernel *model, uint32_t process, uint32_t first,
                       uint32_t count);
uint32_t model_pool_available(const struct model_pool *pool);
bool model_process_lives(const struct model_kernel *model, uint32_t process);
uint64_t model_next_deadline(const struct model_kernel *model);
uint32_t model_deadlines(const struct model_kernel *model);             /* who waits with one */
uint8_t *model_frame_bytes(struct model_kernel *model, uint32_t frame); /* to write; gives space */
void model_frame_read(const struct model_kernel *model, uint32_t frame, uint32_t offset,
                      uint32_t count, uint8_t *out);
uint8_t model_image_byte(uint64_t offset);

/* --- between the model's files --- */

static inline struct model_kernel_process *model_at(struct model_kernel *model, uint32_t process)
{
    return &model->processes[process];
}

void model_queue_add(struct model_queue *queue, uint32_t process);
void model_queue_add_first(struct model_queue *queue, uint32_t process);
void model_queue_drop(struct model_queue *queue, uint32_t process);

/* A capability at `slot` of the caller: NOT_FOUND, INVALID_ARGUMENT, DENIED. */
enum status model_need(struct model_kernel *model, uint32_t slot, enum object_type type,
                       uint16_t rights, struct model_cap **out);
void model_cap_put(struct model_kernel *model, uint32_t process, struct model_cap cap);
void model_cap_remove(struct model_kernel *model, uint32_t process, struct model_cap *cap);
void model_cap_drop(struct model_kernel *model, uint32_t process, struct model_cap *cap);
bool model_range_fillable(uint32_t first, uint32_t count);
bool model_tight(const struct model_kernel *model, uint32_t process, uint32_t pages);

/* Who runs: model_kernel_run.c. */
uint32_t model_band(const struct model_kernel *model, uint32_t process);
uint32_t model_payer(const struct model_kernel *model);
bool model_turn_can_end(const struct model_kernel *model); /* the payer's */
uint32_t model_next(const struct model_kernel *model);     /* MODEL_NONE: nobody can run */
void model_run_first(struct model_kernel *model, uint32_t process);
void model_run_last(struct model_kernel *model, uint32_t process);
void model_bands_settle(struct model_kernel *model); /* after who waits for whom has changed */
void model_client_leave(struct model_kernel *model, uint32_t server);

void model_wake(struct model_kernel *model, uint32_t process, enum status result);
void model_detach(struct model_kernel *model, uint32_t process);
void model_end(struct model_kernel *model, uint32_t process, uint32_t reason, uint32_t code,
               uint64_t va);

/* Everything of a process went: it is free, or its end is posted. */
void model_ending_finish(struct model_kernel *model, uint32_t process);

/* A process that waits for an answer will get none; one who waits at a dead endpoint learns it:
 * false when there is none. */
void model_wait_lost(struct model_kernel *model, uint32_t process);
bool model_drain_one(struct model_kernel *model, uint32_t endpoint);

/* It tears itself down in its turn, before those that wait to run. */
void model_ending_start(struct model_kernel *model, uint32_t process, enum model_kernel_end kind);

/* The current process begins work, and does the first piece of it. */
void model_work_start(struct model_kernel *model, enum model_work work, uint32_t on);
void model_work_orphan(struct model_kernel *model, uint32_t process);

/* Bytes that go to the log; and the line of it that tells what has become of a process. */
void model_log(struct model_kernel *model, const void *bytes, uint32_t count);
void model_log_life(struct model_kernel *model, uint32_t process, const char *what);

/* Whether the driver endpoint has just lost its last receiver, and what follows. */
void model_driver_check(struct model_kernel *model);
void model_process_free(struct model_kernel *model, uint32_t process);
void model_settle(struct model_kernel *model);

enum status model_window(struct model_kernel *model, uint32_t process);
void model_info(struct model_kernel *model, uint32_t process, uint64_t badge, bool reply,
                uint32_t cap_count);
void model_event_deliver(struct model_kernel *model, uint32_t ended, uint32_t receiver);
uint32_t model_receiver_take(struct model_kernel *model, uint32_t endpoint);
void model_fault_deliver(struct model_kernel *model, uint32_t process, uint32_t receiver);

/* Lines: model_kernel_lines.c. An event is one's or the end of a process. */
void model_line_unbind(struct model_kernel *model, uint32_t line);
void model_line_deliver(struct model_kernel *model, uint32_t line, uint32_t receiver);
enum status model_control_lines(struct model_kernel *model, uint16_t operation,
                                const void *request);

/* The processor goes to a process that waited; result: its syscall is done. */
void model_switch(struct model_kernel *model, uint32_t process, bool result);

enum status model_call(struct model_kernel *model, uint32_t slot, uint64_t deadline);
enum status model_receive(struct model_kernel *model, uint32_t slot, uint64_t deadline);
enum status model_reply(struct model_kernel *model, uint32_t slot);
enum status model_reply_receive(struct model_kernel *model, uint32_t reply_slot, uint32_t slot,
                                uint64_t deadline);

/* A request on kernel control of `kind`, in the page of the current process; the reply goes
 * there. */
void model_control(struct model_kernel *model, enum object_type kind);

/* Mask of KIND(): by which kinds of capability the operation may be reached; 0: by none. */
uint32_t model_kernel_kinds(uint16_t operation);
enum status model_control_memory(struct model_kernel *model, enum object_type kind,
                                 uint16_t operation, const void *request, void *reply);

#endif
