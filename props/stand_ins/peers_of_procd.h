/* SPDX-License-Identifier: ISC */
/* What stands behind procd's three functions in its life harness: a kernel, memd and pagerd in one,
 * with exact books, that answer as their contracts say and fail where they are told to. Named a
 * stand-in because it is not the kernel: it knows only what procd may ask for, and a request
 * outside of that is a finding (PROPERTY), not a status. */
#ifndef BASALT_PROPS_STAND_INS_PEERS_OF_PROCD_H
#define BASALT_PROPS_STAND_INS_PEERS_OF_PROCD_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/messages.h"
#include "abi/status.h"
#include "abi/system.h"
#include "services/procd/procd.h"

enum {
    STANDIN_SLOTS = PROCD_SLOT_PROCESS_BASE + PROCESS_LIMIT,
    STANDIN_PROCESSES = PROCESS_LIMIT + 64, /* more than procd: its own limit must hold */
    STANDIN_FRAMES = 16,
    STANDIN_REPLIES = PROCD_WAITER_LIMIT + 8,
    STANDIN_BOOTSTRAP_PAGES = 8192,
    STANDIN_MEMORY_PAGES = 80000,
    STANDIN_IMAGE_PAGES = 1024
};

struct standin_cap {
    uint8_t type;
    uint16_t rights;
    uint32_t object; /* index + 1 into the table of its type, or enum standin_peer */
    uint64_t badge;
};

enum standin_peer { PEER_SELF_BOOTSTRAP = 1, PEER_DRIVER, PEER_MEMD, PEER_VSPACED, PEER_PAGERD };

enum standin_life { KERNEL_FREE = 0, KERNEL_STAGED, KERNEL_RUNNING, KERNEL_ENDED };

/* A process as the kernel, memd and pagerd know it. */
struct standin_process {
    uint8_t life;
    bool pager_declared;
    bool has_pager;
    bool event_pending;
    bool registered;     /* with pagerd */
    bool from_bootstrap; /* paid from the bootstrap untyped */
    uint32_t account;    /* index + 1 of the account whose untyped pays */
    uint32_t budget_pages;
    uint32_t private_pages; /* frames from the bootstrap untyped mapped here */
    uint64_t token;
    uint64_t map_sum; /* sum of standin_mix over its pages */
    uint64_t entry_va, stack_top_va, argument;
    uint32_t reason, code;
    uint64_t fault_va;
    uint64_t registered_account; /* badge */
    struct pagerd_register_process_request backing;
};

struct standin_account {
    bool open;
    uint64_t limit_pages;
    uint32_t untyped_pages; /* one untyped at most */
    bool untyped_used;      /* a process is made from it */
};

struct standin_reply {
    uint32_t slot;
    uint64_t request_id;
    uint16_t operation;
    uint32_t status;
    uint32_t cap_count;
    uint8_t types[MESSAGE_CAP_LIMIT];
    uint16_t rights[MESSAGE_CAP_LIMIT];
    uint16_t body_bytes;
    uint8_t body[64];
};

struct standin {
    uint64_t now_ticks;
    uint64_t next_request_id;
    uint32_t slot_count;    /* dynamic slots that hold something */
    uint32_t process_count; /* not FREE */
    uint32_t process_top;   /* places below it may be used */
    uint32_t account_count;
    uint32_t registration_count;
    uint64_t bootstrap_free_pages;
    uint64_t memory_free_pages;
    bool exited;
    uint32_t exit_code;

    /* the message that lies at an endpoint: at most one */
    bool has_inbox;
    uint32_t inbox_slot;
    struct message inbox;
    struct message delivered;    /* the last one, as procd saw it */
    uint32_t current_reply_slot; /* of the message delivered last; 0: none */
    uint64_t current_request_id;
    uint64_t recv_deadline; /* of the last RECV on the bootstrap endpoint */

    /* failures: the k-th fallible effect from now on, and the next reply to the current call */
    uint32_t fail_countdown;
    enum status fail_status;
    bool abort_can_fail; /* ABORT is what was asked for, not an undoing */
    bool failed;         /* it happened */
    bool reply_fails;
    enum status reply_fail_status;
    bool reply_failed;

    uint32_t reply_count;
    struct standin_reply replies[STANDIN_REPLIES];
    uint32_t reply_open_count;
    bool reply_open[SLOT_REPLY_COUNT];
    bool reply_dead[SLOT_REPLY_COUNT]; /* its caller gave up */
    uint64_t reply_request[SLOT_REPLY_COUNT];

    struct {
        bool used, mapped;
        uint64_t content;
    } frames[STANDIN_FRAMES];
    struct standin_cap caps[STANDIN_SLOTS];
    struct standin_process processes[STANDIN_PROCESSES];
    struct standin_account accounts[STANDIN_PROCESSES];
};

extern struct standin standin;

/* The state in which procd finds the world when its start-up check has passed. */
void standin_reset(void);

/* Puts a request at an endpoint of procd's (SLOT_SERVICE_ENDPOINT or SLOT_PROCD_DRIVER_ENDPOINT).
 * Capability descriptors become capabilities in the receive window when it is delivered. */
void standin_send(const struct message *message, uint32_t endpoint_slot);

/* Forgets the replies and failures of the last step. */
void standin_begin_step(void);

/* Ends the running process with that token; its event stays pending until standin_deliver_event. */
bool standin_end(uint64_t token, uint32_t reason, uint32_t code, uint64_t fault_va);

/* Puts the terminal event of a token at the bootstrap endpoint. */
void standin_send_event(uint64_t token);

/* The caller of an open request gives up. */
void standin_give_up(uint64_t request_id);

/* The process with that token; null. */
const struct standin_process *standin_find(uint64_t token);

/* Bytes of the boot image; the status that FRAME_READ gives. */
enum status standin_image_read(uint64_t offset_bytes, uint32_t count, void *bytes);

/* Sums of mappings: order does not matter, each page does. */
uint64_t standin_mix(uint64_t a, uint64_t b, uint64_t c);
uint64_t standin_private_page(uint64_t va, uint32_t rights, uint64_t content);
uint64_t standin_image_page(uint64_t va, uint32_t rights, uint64_t page);
uint64_t standin_copied(uint64_t source_offset, uint32_t count);

/* Modules of the image. Each starts at its own page. */
struct standin_module {
    uint64_t offset_bytes;
    uint64_t size_bytes;
};
enum { STANDIN_MODULES = 8 };
extern const struct standin_module standin_modules[STANDIN_MODULES];

#endif
