/* SPDX-License-Identifier: ISC */
/* The peers of rootd: a machine that has just started it, and procd, memd and the other services in
 * its children, which keep their contracts. One may say at any moment what rootd holds and which
 * children live. Whoever links it defines the seam: rootd's test program, which fails calls, or a
 * harness that now and then lies. */
#ifndef BASALT_PROPS_STAND_INS_PEERS_OF_ROOTD_H
#define BASALT_PROPS_STAND_INS_PEERS_OF_ROOTD_H

#include "abi/formats/boot_config.h"
#include "abi/formats/handoff.h"
#include "props/stand_ins/stand_in_kernel.h"
#include "services/rootd/rootd.h"

enum {
    PEERS_CHILD_LIMIT = 32,
    PEERS_MODULE_PAGES = 2,
    PEERS_CONFIG_PAGES = 2,
    PEERS_MODULE_LIMIT = 28,
    PEERS_IMAGE_PAGES = PEERS_CONFIG_PAGES + PEERS_MODULE_PAGES * PEERS_MODULE_LIMIT + 1,
    PEERS_MANNERS_LIMIT = 12,
    PEERS_WRITABLE_PAGES = 3, /* of every module */
    PEERS_POOL_PAGES = 8192   /* of the launch pool */
};

/* What a child makes of its envelope. */
enum peers_ready {
    PEERS_READY_RIGHT,
    PEERS_READY_SLOW,       /* not before it was asked `asks` times */
    PEERS_READY_NEVER,      /* it lives and says nothing */
    PEERS_READY_OTHER_ROLE, /* READY for a role that it is not */
    PEERS_READY_ONE_MORE,   /* READY, having checked one capability more than there are */
    PEERS_READY_ONE_LESS,   /* or one less */
    PEERS_READY_REFUSED,    /* a typed refusal */
    PEERS_READY_DIES,       /* it dies meanwhile */
    PEERS_READY_DEAD,       /* it has died before it was asked */
    PEERS_READY_LACKS,      /* it says NOT_FOUND, as the kernel says of one that is dead */
    PEERS_READY_GIVES_UP,   /* it says TIMED_OUT, as the kernel says of one that is slow */
    PEERS_READY_UNSETTLED,  /* a driver: deviced does not say what became of it before it was asked
                             * `asks` times, whatever its time was; 0: never. Services: as NEVER */
    PEERS_READY_COUNT
};

struct peers_manners {
    uint32_t role; /* ROLE_NONE: unused */
    enum peers_ready ready;
    unsigned asks;
};

/* A process that rootd made or had made; its number is the kernel's object. */
struct peers_child {
    uint32_t role;
    bool ready;    /* it accepted its envelope */
    bool refused;  /* or it did not */
    unsigned asks; /* envelopes that it got; of a driver: how often deviced was asked of it */
    uint64_t begun_ticks; /* its launch; procd's is unknown here */
    uint64_t ready_ticks;
    uint64_t deadline_ticks; /* of the latest envelope */
    uint32_t offered_count;  /* modules that rootd told it of */
    bool has_policy;         /* procd was told what becomes of its end */
};

struct peers_machine {
    uint8_t image[PEERS_IMAGE_PAGES * PAGE_BYTES];
    uint8_t handoff_bytes[HANDOFF_BYTES_MAX];
    size_t handoff_size;
    struct handoff handoff;
    struct boot_config config;
    struct peers_child children[PEERS_CHILD_LIMIT]; /* 0: procd; then in order of creation */
    uint32_t child_count;
    uint32_t limited_count; /* of those that rootd made with a lowered limit */
    struct peers_manners manners[PEERS_MANNERS_LIMIT]; /* of everybody else: PEERS_READY_RIGHT */
    bool lied;             /* somebody answered rootd in place of these peers */
    bool bound;            /* UPDATE_FOUNDATION_ENDPOINTS happened */
    bool named_bound;      /* BIND_NAMED happened */
    bool bind_unanswered;  /* procd does not answer it */
    uint32_t seeded_count; /* entries that named was told */
    bool sealed;
    uint32_t bound_count;     /* drivers that deviced was told of */
    uint32_t named_end_count; /* those with an end of named */
    bool bindings_sealed;
    uint32_t lines_seeded;    /* rows that irqd was told */
    uint32_t lines_of_others; /* seeds that irqd has and rootd did not bring */
    bool lines_sealed;
    uint32_t mounts_seeded;    /* rows of the config that vfsd was told, or that were left out */
    uint32_t mount_count;      /* of those that it was told */
    uint32_t mounts_of_others; /* mounts that vfsd has and rootd did not bring */
    bool mounts_have_root;
    bool mounts_sealed;
    uint64_t mutation_count; /* calls that could change something */
    uint32_t end_reason;     /* of every program: EXITED with end_code, if nothing else is set */
    uint32_t end_code;
    struct stand_in_cap bootstrap_untyped;
};

extern struct peers_machine peers_machine;

/* The config that rootd reads: of the image, whose bytes may have changed since `config` was written
 * there, and where one that cannot be written never came. All zero when rootd must refuse it. */
const struct boot_config *peers_config(void);

/* A machine that has just started rootd, with everything as agreed: an image of the profile, the
 * handoff, the boot cspace. Every service of the profile is an entry that waits for those that its
 * role needs. Begins the kernel's stand-in. */
void peers_of_rootd_begin(uint32_t profile);

/* One more service, which is required, in image and config; with its data, if its role has some. */
void peers_add(uint32_t role);
/* One more mount in the config. */
void peers_mount(uint32_t provider_role, const char *source, const char *path, uint32_t flags);

/* Puts the config and the handoff of the machine into image and handoff bytes, after a test changed
 * them. Returns false when the encoders refuse them; the bytes are then as they were. */
bool peers_machine_encode(void);

/* From now on a child of the role behaves so. */
void peers_behave(uint32_t role, enum peers_ready ready, unsigned asks);
/* Whether the latest envelope's deadline is not before the time that the child has for READY. */
bool peers_time_is_over(const struct peers_child *child);

/* The latest child of a role; null when there was none. */
const struct peers_child *peers_child_of(uint32_t role);
bool peers_lives(uint32_t role);

/* Children that are staged or run. */
uint32_t peers_live_count(void);
/* Whether the untyped that rootd made for the foundation services lives. */
bool peers_bootstrap_lives(void);
/* Whether the log holds the text. */
bool peers_logged(const char *text);

#endif
