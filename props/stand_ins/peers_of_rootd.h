/* SPDX-License-Identifier: ISC */
/* The world as rootd sees it: a kernel, procd, memd and the other services that keep their
 * contracts, small enough to say at any moment what rootd holds and which children live. Answers
 * one call at a time; who links it decides what stands behind sys_call (the test program of rootd,
 * or the adversary of a harness, which then also lies). */
#ifndef BASALT_PROPS_STAND_INS_PEERS_OF_ROOTD_H
#define BASALT_PROPS_STAND_INS_PEERS_OF_ROOTD_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/formats/boot_config.h"
#include "abi/formats/handoff.h"
#include "services/rootd/rootd.h"

enum {
    STAGE_CAP_LIMIT = 64,
    STAGE_CHILD_LIMIT = 32,
    STAGE_MODULE_PAGES = 2,
    STAGE_CONFIG_PAGES = 2,
    STAGE_IMAGE_PAGES =
        STAGE_CONFIG_PAGES + STAGE_MODULE_PAGES * (FOUNDATION_COUNT + HELPER_LIMIT) + 1,
    STAGE_LOG_BYTES = 4096,
    STAGE_WRITABLE_PAGES = 3, /* of every module */
    STAGE_POOL_PAGES = 8192
};

struct stage_cap {
    uint32_t slot;
    uint32_t object_type;
    uint32_t rights;
    uint64_t badge;
    uint64_t object; /* of PROCESS, GRANT and a child's ENDPOINT: the child's number */
};

enum stage_life { STAGE_LIFE_NONE, STAGE_LIFE_STAGED, STAGE_LIFE_RUNNING, STAGE_LIFE_ENDED };

struct stage_child {
    enum stage_life life;
    bool pager_declared;
    bool ready; /* it accepted its envelope */
    uint32_t role;
    uint64_t argument;
    uint32_t stop_code; /* of STOP_PROCESS */
    unsigned cap_count;
    struct stage_cap caps[16]; /* installed by rootd */
};

struct stage {
    uint8_t image[STAGE_IMAGE_PAGES * PAGE_BYTES];
    uint8_t handoff_bytes[HANDOFF_BYTES_MAX];
    size_t handoff_size;
    struct handoff handoff;
    struct boot_config config;
    struct stage_cap caps[STAGE_CAP_LIMIT]; /* rootd's cspace, any order */
    unsigned cap_count;
    struct stage_child children[STAGE_CHILD_LIMIT]; /* 0: procd; then in order of creation */
    unsigned child_count;
    bool bound;             /* UPDATE_FOUNDATION_ENDPOINTS happened */
    bool bootstrap_untyped; /* exists */
    bool exited;
    uint32_t exit_code;
    uint64_t now_ticks;
    uint64_t mutation_count; /* calls that changed something */
    char log[STAGE_LOG_BYTES];
    unsigned log_count;
};

/* A machine that has just started rootd, with everything as agreed: an image of the profile, the
 * handoff, the boot cspace. `pool_pages`: of the launch pool. */
void stage_boot(struct stage *stage, uint32_t profile);

/* Puts the config and the handoff of `stage` into image and handoff bytes, after a test changed
 * them. Returns false when the encoders refuse them; the bytes are then as they were. */
bool stage_encode(struct stage *stage);

/* Carries out one call: `message` is the request and becomes the reply. Returns the transport's
 * status. */
enum status stage_call(struct stage *stage, uint32_t slot, struct message *message);

/* The capability of rootd in a slot, or null. */
struct stage_cap *stage_find(struct stage *stage, uint32_t slot);
void stage_hold(struct stage *stage, struct stage_cap cap);

/* Children that are staged or run. */
unsigned stage_live_count(const struct stage *stage);

/* Whether the log holds the text. */
bool stage_logged(const struct stage *stage, const char *text);

#endif
