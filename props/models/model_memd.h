/* SPDX-License-Identifier: ISC */
/* What memd must answer, written from its contract (services/memd/memd.h) with plain arrays,
 * searches and recursion: no sum is kept, every claim is added up anew in 128 bits. It predicts the
 * status and the effects of every message; names (ids and badges) it learns from the replies, and
 * says what they may not be. */
#ifndef BASALT_PROPS_MODELS_MODEL_MEMD_H
#define BASALT_PROPS_MODELS_MODEL_MEMD_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/messages/memd.h"
#include "abi/slots.h"
#include "abi/status.h"
#include "props/models/model.h"

enum {
    MODEL_MEMD_ACCOUNT_LIMIT = 512, /* of one input, closed ones too */
    MODEL_MEMD_HOLDING_LIMIT = 1024,
    MODEL_MEMD_NO_PARENT = MODEL_MEMD_ACCOUNT_LIMIT
};

struct model_memd_account {
    bool open; /* or being closed */
    bool closing;
    bool named; /* its badge was learned */
    uint64_t key;
    uint64_t badge;
    uint32_t parent; /* index; MODEL_MEMD_NO_PARENT: at the top */
    uint64_t guarantee_pages;
    uint64_t limit_pages;
};

/* A frame or an untyped, in order of age. */
struct model_memd_holding {
    bool untyped;
    bool named;
    bool busy; /* an untyped from which something was made */
    uint32_t id;
    uint32_t account; /* index */
    uint32_t source;  /* index */
    uint32_t pages;
    uint32_t object; /* of the kernel; learned */
};

struct model_memd {
    uint64_t frame_limit; /* frame records */
    uint32_t source_count;
    uint64_t total_pages[SLOT_UNTYPED_COUNT];
    uint64_t taken_pages[SLOT_UNTYPED_COUNT];
    uint32_t account_count;
    struct model_memd_account accounts[MODEL_MEMD_ACCOUNT_LIMIT];
    uint32_t holding_count;
    struct model_memd_holding holdings[MODEL_MEMD_HOLDING_LIMIT];
};

struct model_memd_answer {
    enum status status;
    bool changed;         /* the state may differ from before: a success, or a stated partial one */
    uint32_t new_count;   /* holdings at the end of the array that want names */
    uint32_t account;     /* OPEN_ACCOUNT: index of the account */
    uint32_t stuck_count; /* so many things that were made could not be destroyed: learn which */
    struct memd_close_account_reply close; /* CLOSE_ACCOUNT */
    struct memd_query_account_reply query; /* QUERY_ACCOUNT */
    struct memd_query_memory_reply memory; /* QUERY_MEMORY */
    struct memd_list_accounts_reply list;  /* LIST_ACCOUNTS */
};

/* Empty, with so many frame records. */
void model_memd_reset(struct model_memd *model, uint64_t frame_limit);
void model_memd_add_source(struct model_memd *model, uint64_t pages);

/* The answer to a delivered request (header.badge is the sender), and its effects on the model. */
struct model_memd_answer model_memd_step(struct model_memd *model, const struct message *request,
                                         const struct model_failure *failure);

/* The open account of a badge; null: none. */
const struct model_memd_account *model_memd_account(const struct model_memd *model, uint64_t badge);

/* A frame or untyped that an ALLOC made and could not destroy again: it stays charged to the
 * account. The harness knows which one from the stand-in's books. */
void model_memd_stuck(struct model_memd *model, uint64_t badge,
                      const struct model_memd_holding *holding);

/* Pages, frames or untypeds that are out; pages that nobody took; pages that an account holds. */
uint64_t model_memd_taken(const struct model_memd *model);
uint64_t model_memd_left(const struct model_memd *model);
uint64_t model_memd_held(const struct model_memd *model, uint32_t account);
uint32_t model_memd_count(const struct model_memd *model, bool untyped);

/* The pages that memd has; those that are guaranteed and not yet taken. */
uint64_t model_memd_total(const struct model_memd *model);
uint64_t model_memd_reserve(const struct model_memd *model);

/* The account or one above it is being closed. */
bool model_memd_is_dead(const struct model_memd *model, uint32_t account);

#endif
