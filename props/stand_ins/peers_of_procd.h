/* SPDX-License-Identifier: ISC */
/* The peers of procd: memd and pagerd, the modules of a boot image, and the ends of its processes.
 * What procd may never ask of its kernel is a property (P1, P2), what it may is a status. Whatever
 * it gives back can be refused; peers take their time, hang, die, or answer nonsense. */
#ifndef BASALT_PROPS_STAND_INS_PEERS_OF_PROCD_H
#define BASALT_PROPS_STAND_INS_PEERS_OF_PROCD_H

#include "abi/formats/envelope.h"
#include "abi/messages/crashd.h"
#include "abi/messages/logd.h"
#include "abi/messages/pagerd.h"
#include "abi/roles.h"
#include "props/stand_ins/stand_in_kernel.h"

enum {
    PEERS_PROCD_BOOTSTRAP_PAGES = 8192,
    PEERS_PROCD_MEMORY_PAGES = 300000,
    PEERS_PROCD_START_SLOTS = 6,
    PEERS_PROCD_MODULES = 15,
    PEERS_PROCD_DRAWN = 8, /* so many of them are drawn; a .trace may name all */
    /* Written a second time: what the calls of a message or of a step may take together, and what a
     * turn may. */
    PEERS_PROCD_PATIENCE_TICKS = 30000,
    PEERS_PROCD_TURN_TICKS = 90000,
    PEERS_WITNESS_TICKS = 20 /* what a call of named, logd or crashd may */
};

/* Token and key of a mould: its process's, and this. Written a second time. */
#define PEERS_PROCD_MOULD (UINT64_C(1) << 62)

/* Begins the kernel's stand-in and the peers, in the state in which procd finds its peers when its
 * start-up check has passed. */
void peers_of_procd_begin(void);

uint32_t peers_of_procd_bootstrap(void); /* object of the bootstrap untyped */

/* What a request is about: whose failing calls are its own. */
enum peers_work {
    PEERS_NOTHING,
    PEERS_MAKING,
    PEERS_SENDING, /* of a program that is sent */
    PEERS_ENDING,
    PEERS_BINDING,
    PEERS_READING,
    PEERS_NOTICING
};

/* A turn begins. `token`: the process that the request names. */
void peers_of_procd_turn(enum peers_work work, uint64_t token, uint64_t request_id);

/* It is over: nobody waits for memory that came back in it. */
void peers_of_procd_turn_over(void);

/* The request's own call that failed first, in this turn; releases are not its own. */
struct peers_failure {
    uint32_t count;
    enum status status;
    uint16_t operation;
};
struct peers_failure peers_of_procd_failure(void);

/* Processes that the kernel refused to take back when that was asked last. */
uint32_t peers_of_procd_unreleased(void);

/* A release was taken, or refused, as the last word on it. */
void peers_refusals_note(const struct operation *operation, uint64_t name, bool refused);
void peers_refusals_begin(void);
uint32_t peers_of_procd_refused(void); /* releases that were refused in this turn */
/* Whether a release was refused when it was offered last, of what was there or not: procd cannot
 * know which. `name`: the slot of DROP_LOCAL_CAP, else the process. */
bool peers_of_procd_refuses(enum service_id service, uint16_t operation, uint64_t name);
uint32_t peers_of_procd_calls(void); /* calls of this turn */
uint32_t peers_of_procd_woken(void); /* times that pagerd was told to try parked fills again */
bool peers_of_procd_lost(void);      /* memd or pagerd did not answer, or is gone */

void peers_of_procd_slow(uint64_t ticks);   /* what each answer takes */
void peers_of_procd_parked(uint32_t count); /* fills that wait for memory */
void peers_of_procd_garble(bool next);      /* the next answer to what is no release is nonsense */

/* --- named, logd and crashd: peers_of_procd_witness.c --- */

/* Whom a call goes to: a role; 0: none of the three. */
uint32_t peers_witness_of(const struct stand_in_call *call);
enum status peers_witness_answer(struct stand_in_call *call, uint32_t role);
void peers_witness_answered(const struct stand_in_call *call, enum status status);
bool peers_witness_is_slot(uint32_t slot);
/* A drop of what lies in the slot of logd or crashd was refused. */
void peers_witness_uncleared(uint32_t slot);
void peers_witness_begin(void);
void peers_witness_turn(void);

/* By the role. How each is from now on: it answers, has not registered (of
 * named: says NOT_FOUND), hangs, dies while it is asked, refuses, answers nonsense, has died, refuses
 * an order or a text, or has no room. */
enum peers_witness_mode {
    PEERS_WITNESS_WELL,
    PEERS_WITNESS_AWAY,
    PEERS_WITNESS_HANGS,
    PEERS_WITNESS_DEAD,
    PEERS_WITNESS_REFUSES,
    PEERS_WITNESS_LIES,
    PEERS_WITNESS_GONE,
    PEERS_WITNESS_ORDER,
    PEERS_WITNESS_FULL,
    PEERS_WITNESS_MODES
};
void peers_witness_be(uint32_t role, enum peers_witness_mode mode);

/* The call of one of them in this turn. */
struct peers_witness_call {
    uint32_t count;
    uint32_t role;      /* who was called */
    uint32_t looked_up; /* of named: the role that was looked up */
    uint32_t
        uncleared; /* nobody was called: what lay in the slot of this role stayed there; 0: no */
    enum status status;
    bool answered; /* by it, and not by the kernel */
    struct crashd_report_request report;
    struct logd_append_request line;
};
const struct peers_witness_call *peers_witness_call(void);
uint32_t peers_witness_slots(void); /* of the three peer slots, how many are filled */

/* What a child that was started again says to START_SERVICE. */
enum peers_child {
    PEERS_CHILD_READY,
    PEERS_CHILD_SILENT,
    PEERS_CHILD_OTHER_ROLE,
    PEERS_CHILD_ONE_MORE,
    PEERS_CHILD_REFUSES,
    PEERS_CHILD_COUNT
};
void peers_of_procd_child(enum peers_child says);

/* Who was asked for READY in this turn, once at most, by what, and what the answer came to; token 0:
 * nobody was. */
struct peers_asked {
    uint64_t token;
    struct envelope envelope;
    enum status status;
};
struct peers_asked peers_of_procd_asked(void);
void peers_child_turn(void);
enum status peers_child_answer(struct stand_in_call *call);
void peers_child_answered(const struct stand_in_call *call, enum status status);

/* --- clients that want a notice: peers_of_procd_notice.c --- */

/* How they are from now on: they answer, do not, are dead, take no such thing. */
enum peers_notice_mode {
    PEERS_NOTICE_WELL,
    PEERS_NOTICE_SILENT,
    PEERS_NOTICE_DEAD,
    PEERS_NOTICE_REFUSES,
    PEERS_NOTICE_MODES
};
void peers_notice_be(enum peers_notice_mode mode);

/* The call of one of them in this turn. */
struct peers_notice_call {
    uint32_t count;
    uint32_t object;
    uint64_t ended;
    enum status status;
};
const struct peers_notice_call *peers_notice_call(void);
bool peers_notice_is(const struct stand_in_call *call);
enum status peers_notice_answer(struct stand_in_call *call);
void peers_notice_answered(enum status status);
/* Another endpoint each time; the last one. */
uint32_t peers_notice_make(void);
uint32_t peers_notice_last(void);
void peers_notice_begin(void);
void peers_notice_turn(void);

/* Restarts in this turn that failed by the plan: when they looked at the module, of which there may be
 * several, and later, of which there is one at most. */
struct peers_restarts {
    uint32_t unread_count;
    bool unmade;
};
struct peers_restarts peers_of_procd_restarts(void);

/* Puts a request at an endpoint of procd's; its capability descriptors become capabilities. */
void peers_of_procd_deliver(uint32_t endpoint_slot, const struct message *message);
/* Puts the terminal event of a process at the bootstrap endpoint. */
void peers_of_procd_deliver_event(uint64_t token);
/* The deadline of the last RECV on the bootstrap endpoint. */
uint64_t peers_of_procd_deadline(void);

/* The clock when procd last looked at the driver endpoint. */
uint64_t peers_of_procd_driver_ticks(void);

/* --- memd: peers_of_procd_memd.c --- */

void peers_accounts_begin(void);
enum status peers_accounts_answer(struct stand_in_call *call);
/* So much is free beyond what is set aside; what there is altogether then. */
uint64_t peers_accounts_total(uint64_t free_pages);
/* Accounts that are opened from now on take so many messages to be taken back. */
void peers_accounts_close_in(uint32_t messages);
uint32_t peers_accounts_count(void);
uint64_t peers_accounts_handed_out(void); /* pages */
/* Messages that the account of a key still needs; 0: there is none. */
uint32_t peers_account_closes(uint64_t key);
uint64_t peers_account_pages(uint64_t key);  /* handed out to it; 0: none, or it is not open */
uint64_t peers_account_parent(uint64_t key); /* of an open one; 0: it lies at the top */
/* Guarantee, limit and key are those of a process of the role. */
bool peers_account_is(uint32_t account, uint64_t key, const struct role *role);
bool peers_account_pays_by(uint32_t account, uint32_t untyped); /* the untyped is its own */
bool peers_account_has_frame(uint32_t account, uint32_t frame_id, uint32_t object);

/* --- pagerd: peers_of_procd_pagerd.c --- */

void peers_registrations_begin(void);
enum status peers_register_process(const struct stand_in_call *call);
enum status peers_unregister_process(uint64_t token);
enum status peers_give_page(const struct stand_in_call *call);

/* What pagerd was told of a process. */
struct peers_registration {
    uint64_t token; /* 0: none */
    uint32_t process;
    uint32_t account;
    struct pagerd_register_process_request backing;
};
const struct peers_registration *peers_registration_find(uint64_t token); /* null: none */
uint32_t peers_registration_count(void);

/* Modules of the image. Each starts at its own page. */
struct peers_module {
    uint64_t offset_bytes;
    uint64_t size_bytes;
};
extern const struct peers_module peers_modules[PEERS_PROCD_MODULES];
/* Bytes of the boot image; the status that FRAME_READ gives. */
enum status peers_image_read(uint64_t offset_bytes, uint32_t count, void *bytes);

#endif
