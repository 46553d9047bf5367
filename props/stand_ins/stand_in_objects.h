/* SPDX-License-Identifier: ISC */
/* The books of the kernel's stand-in: slots of the service, untyped pools, frames with use, address
 * spaces, processes. Each function is what a kernel operation does once its capabilities were
 * checked, whole or not at all. Written from the contract (abi/messages/kernel.def). */
#ifndef BASALT_PROPS_STAND_INS_STAND_IN_OBJECTS_H
#define BASALT_PROPS_STAND_INS_STAND_IN_OBJECTS_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/limits.h"
#include "abi/messages/event.h"
#include "abi/messages/kernel.h"
#include "abi/status.h"

enum {
    STAND_IN_HELD_LIMIT = 4096,
    STAND_IN_UNTYPED_LIMIT = 2048,
    STAND_IN_FRAME_LIMIT = 4096,
    STAND_IN_MAPPING_LIMIT = 32768,
    STAND_IN_PROCESS_LIMIT = PROCESS_LIMIT + 64, /* more than procd: its own limit must hold */
    STAND_IN_VSPACE_LIMIT = STAND_IN_PROCESS_LIMIT,
    STAND_IN_INSTALLED_LIMIT = 16,
    STAND_IN_LOG_BYTES = 4096,
    STAND_IN_CHILD = 1000,    /* the endpoint of process n is object STAND_IN_CHILD + n */
    STAND_IN_OTHER = 1 << 20, /* endpoints of others, which may end, are STAND_IN_OTHER + n */
    STAND_IN_OTHER_LIMIT = 64,
    STAND_IN_ELSEWHERE = 1 << 24 /* an object that is not in these books: its badge says which */
};

struct stand_in_cap {
    uint32_t object_type; /* OBJECT_NONE: an empty slot */
    uint32_t rights;
    uint32_t object;
    uint32_t generation;
    uint64_t badge;
};

/* A bijection that spreads every bit. */
static inline uint64_t stand_in_mix(uint64_t value)
{
    value += UINT64_C(0x9E3779B97F4A7C15);
    value = (value ^ value >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    value = (value ^ value >> 27) * UINT64_C(0x94D049BB133111EB);
    return value ^ value >> 31;
}

/* --- slots ------------------------------------------------------------------------------------ */

void stand_in_put(uint32_t slot, struct stand_in_cap cap); /* the slot must be empty */
struct stand_in_cap stand_in_at(uint32_t slot);
struct stand_in_cap stand_in_take(uint32_t slot);
void stand_in_relabel(uint32_t slot, uint32_t target_slot);
bool stand_in_slot_empty(uint32_t slot); /* false for a number that is no slot */
bool stand_in_slots_empty(uint32_t first, uint32_t count);
/* Empties slots from `first` on, as a DROP of each would. */
void stand_in_slots_drop(uint32_t first, uint32_t count);

uint32_t stand_in_slot_count(void); /* occupied slots */
uint32_t stand_in_slot_count_below(uint32_t limit);
/* The i-th occupied slot, in the order in which they were filled (whoever was last takes the place
 * of one that is emptied), and its capability, which a harness may change behind the service's
 * back. */
uint32_t stand_in_slot_number(uint32_t i);
struct stand_in_cap *stand_in_slot_cap(uint32_t i);

/* A capability to a live object, with all the rights of its type. */
struct stand_in_cap stand_in_cap_to(uint32_t object_type, uint32_t object);
bool stand_in_cap_live(const struct stand_in_cap *cap);

/* The process behind the endpoint STAND_IN_OTHER + n is gone: what names it is dead, and the next
 * capability to that object is to another endpoint. */
void stand_in_other_end(uint32_t n);

/* --- untyped memory --------------------------------------------------------------------------- */

struct stand_in_untyped {
    bool live;
    uint32_t generation;
    uint32_t parent; /* object; itself for a root */
    uint64_t total_pages;
    uint64_t free_pages;
};

uint32_t stand_in_untyped_add(uint64_t pages); /* a root; its object */
/* EXHAUSTED: fewer pages free, or no object left. */
enum status stand_in_untyped_split(uint32_t untyped, uint64_t pages, uint32_t *child);
/* BUSY: something made from it lives. DENIED: a root. */
enum status stand_in_untyped_join(uint32_t untyped);
/* Pages go out or come back; false: fewer are free. */
bool stand_in_untyped_take(uint32_t untyped, uint64_t pages);
void stand_in_untyped_give(uint32_t untyped, uint64_t pages);
void stand_in_untyped_free_set(uint32_t untyped, uint64_t pages);
const struct stand_in_untyped *stand_in_untyped(uint32_t object);

/* --- frames ----------------------------------------------------------------------------------- */

enum stand_in_use { FRAME_FRESH, FRAME_DATA, FRAME_CODE };

struct stand_in_frame {
    bool live;
    bool outside; /* somebody other than the service holds it, too */
    uint8_t use;  /* enum stand_in_use */
    uint32_t generation;
    uint32_t untyped;
    uint32_t mapping_count;
    uint32_t cap_count; /* the service's */
    uint64_t content;   /* what it reads as; 0: zeros */
};

/* A frame that nobody holds yet. False: no page or no object is left. */
bool stand_in_frame_add(uint32_t untyped, uint32_t *frame);
/* Unmapped everywhere; its page goes back. */
void stand_in_frame_destroy(uint32_t frame);
void stand_in_frame_held_outside(uint32_t frame);
void stand_in_frame_dirty(uint32_t frame); /* somebody wrote to it */
void stand_in_frame_copied(uint32_t frame, uint64_t content);
const struct stand_in_frame *stand_in_frame(uint32_t object);
uint32_t stand_in_frame_count(void); /* live ones */
uint32_t stand_in_frame_high(void);  /* objects from here on were never used */

/* --- address spaces --------------------------------------------------------------------------- */

struct stand_in_mapping {
    bool live;
    bool image;
    uint32_t vspace;
    uint64_t page;
    uint32_t object; /* frame, or page of the image */
    uint32_t rights;
    uint32_t rights_mapped;
};

uint32_t stand_in_vspace_add(void);            /* a new one, or a new generation of a dead one */
void stand_in_vspace_destroy(uint32_t vspace); /* unmaps all its pages */
uint32_t stand_in_vspace_generation(uint32_t vspace);
/* What is left of its process's budget: each page mapped takes one, as if it needed a table of its
 * own. No limit at first. */
void stand_in_vspace_budget_set(uint32_t vspace, uint32_t pages);
/* BUSY: a page is present; WRITE_AND_EXECUTE; OUT_OF_RANGE: beyond the image; OVER_BUDGET. */
enum status stand_in_map(uint32_t vspace, const struct stand_in_cap *frame, uint32_t image_pages,
                         const struct kernel_map_frame_request *request);
enum status stand_in_unmap(uint32_t vspace, uint64_t page, uint32_t count);
enum status stand_in_protect(uint32_t vspace, uint64_t page, uint32_t count, uint32_t rights);
const struct stand_in_mapping *stand_in_mapping(uint32_t vspace, uint64_t page); /* null: none */
uint32_t stand_in_mapping_count(uint32_t vspace);
uint32_t stand_in_mapped_frame_count(uint32_t vspace); /* of these, not of the image */
/* The frames mapped in it, `limit` of them at most; how many. */
uint32_t stand_in_vspace_frames(uint32_t vspace, uint32_t *frames, uint32_t limit);
/* The sum of stand_in_page_sum over its pages: in any order, and each page counts. */
uint64_t stand_in_vspace_sum(uint32_t vspace);
/* `what`: the page of the image, or what the frame reads as. */
uint64_t stand_in_page_sum(uint64_t va, uint32_t rights, bool image, uint64_t what);
/* What a fresh frame reads as after one FRAME_COPY into its beginning. */
uint64_t stand_in_content(uint64_t source_offset_bytes, uint32_t count);
/* What these bytes, from an offset on, add to what a frame reads as: each of its own, and a zero
 * nothing, so that it does not matter in how many parts they come. */
uint64_t stand_in_content_of(const uint8_t *bytes, uint32_t offset_bytes, uint32_t count);

/* --- processes -------------------------------------------------------------------------------- */

enum stand_in_life { STAND_IN_FREE, STAND_IN_STAGED, STAND_IN_RUNNING, STAND_IN_ENDED };

struct stand_in_installed {
    uint32_t slot;
    struct stand_in_cap cap;
};

struct stand_in_process {
    uint8_t life; /* enum stand_in_life */
    bool pager_declared;
    bool has_pager;
    bool event_pending; /* its creator was not told of its end */
    uint32_t generation;
    uint32_t vspace;
    uint32_t untyped; /* what pays */
    uint32_t budget_pages;
    uint64_t token;
    uint64_t entry_va, stack_top_va, argument;
    uint32_t reason, code;
    uint64_t fault_va;
    uint32_t installed_count;
};

/* EXHAUSTED: the untyped cannot pay, or no object is left. */
enum status stand_in_process_add(uint32_t untyped, uint32_t budget_pages, uint64_t token,
                                 uint32_t *process);
/* Its pages, its budget and its record go back. */
void stand_in_process_free(uint32_t process);
/* It ends by itself or by a fault. False: no running process has the token. */
bool stand_in_process_end(uint64_t token, uint32_t reason, uint32_t code, uint64_t fault_va);
/* Its creator is told of the end: the event; false: there is nothing to tell. */
bool stand_in_process_event(uint64_t token, struct event_process_terminated_request *event);
bool stand_in_process_find(uint64_t token, uint32_t *process);
struct stand_in_process *stand_in_process(uint32_t object);
uint32_t stand_in_process_of(uint32_t vspace); /* a vspace that CREATE_STAGED_PROCESS made */
uint32_t stand_in_process_count(void);         /* not FREE */
/* EXHAUSTED: the child holds STAND_IN_INSTALLED_LIMIT. */
enum status stand_in_install(uint32_t process, uint32_t slot, struct stand_in_cap cap);
const struct stand_in_installed *stand_in_installed(uint32_t process, uint32_t i);

/* Whose end an installed capability is, as READ_PROCESS_SLOT tells it: one of everybody that there may be,
 * by its slot. */
uint64_t stand_in_token_behind(uint32_t slot, uint32_t *object, uint32_t *object_type);

/* --- all of it -------------------------------------------------------------------------------- */

uint64_t stand_in_digest(void); /* of slots, memory and address spaces, for before = after */

#endif
