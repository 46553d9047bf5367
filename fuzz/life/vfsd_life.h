/* SPDX-License-Identifier: ISC */
/* What the files of vfsd's life share: its state, what is drawn and what is compared. */
#ifndef BASALT_FUZZ_LIFE_VFSD_LIFE_H
#define BASALT_FUZZ_LIFE_VFSD_LIFE_H

#include "abi/roles.h"
#include "fuzz/life/life_service.h"
#include "props/models/model_vfsd.h"
#include "props/stand_ins/peers_of_vfsd.h"
#include "services/vfsd/vfsd.h"

enum { VFSD_LIFE_CLIENTS = 3 }; /* roles from ROLE_PHASE0_PROBE on */

struct vfsd_life {
    uint16_t operation; /* of the message that was sent last */
    struct model_vfsd_answer answer;
};

extern struct vfsd vfsd;
extern struct model_vfsd model;
extern struct vfsd_life life;
extern const struct life_language vfsd_life_language;

/* --- vfsd_life.c --- */

/* Delivers a request and compares its answer with the model's: its status, or LIFE_LOST. */
unsigned vfsd_life_exchange(struct message *request);

/* --- vfsd_life_generate.c --- */

/* A request, mostly valid in the state that the model is in. */
void vfsd_life_generate(struct choices *choices, struct message *request);

void draw_open(struct choices *choices, struct life_draft *draft);
void draw_handle(struct choices *choices, struct life_draft *draft);
void draw_read(struct choices *choices, struct life_draft *draft);
void draw_write(struct choices *choices, struct life_draft *draft);
void draw_readdir(struct choices *choices, struct life_draft *draft);
void draw_truncate(struct choices *choices, struct life_draft *draft);
void draw_path(struct choices *choices, struct life_draft *draft);
void draw_mkdir(struct choices *choices, struct life_draft *draft);
void draw_stat(struct choices *choices, struct life_draft *draft);
void draw_two(struct choices *choices, struct life_draft *draft);
void draw_symlink(struct choices *choices, struct life_draft *draft);
void draw_set_metadata(struct choices *choices, struct life_draft *draft);
void draw_seed_mount(struct choices *choices, struct life_draft *draft);
void draw_seal(struct choices *choices, struct life_draft *draft);

/* --- vfsd_life_check.c --- */

/* A reply is the model's, byte by byte. */
void compare_reply(void);

/* Before the model is asked: nothing that may not change was asked to (F9). */
void vfsd_life_check_calls(void);

/* And then: nobody waited too long (F10). */
void vfsd_life_check_time(uint64_t begin_ticks);

/* Which property a wrong status breaks. */
void vfsd_life_check_status(unsigned status, unsigned predicted);

/* Trees, handles, slots, and the unit's own check. */
void vfsd_life_check(void);

/* What nobody has open is open nowhere (F8). */
void vfsd_life_check_closed(void);

uint64_t vfsd_life_digest(void);

#endif
