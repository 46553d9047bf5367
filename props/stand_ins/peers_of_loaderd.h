/* SPDX-License-Identifier: ISC */
/* The peers of loaderd: vfsd with a few files, and procd with its one transfer. They keep their
 * contracts unless they are told to misbehave, at a call that the harness chooses. What loaderd may
 * never do towards them is a property here; each call that it makes is written down, with what came of
 * it, for the model to replay. */
#ifndef BASALT_PROPS_STAND_INS_PEERS_OF_LOADERD_H
#define BASALT_PROPS_STAND_INS_PEERS_OF_LOADERD_H

#include "props/models/model_loaderd.h"
#include "props/stand_ins/stand_in_kernel.h"

enum { PEERS_FILE_COUNT = 8 };

/* What lies under a path. Those from FILE_REFUSED on: OPEN is refused with that many more than OK. */
enum peers_file {
    PEERS_FILE_SMALL,      /* one segment */
    PEERS_FILE_THREE,      /* code, constants, data and what follows it in memory */
    PEERS_FILE_EIGHT,      /* as many segments as there may be, with long headers */
    PEERS_FILE_LONG,       /* for many turns */
    PEERS_FILE_SHARED,     /* segments whose bytes in the file overlap */
    PEERS_FILE_OWN,        /* loaderd owns it */
    PEERS_FILE_DYNAMIC,    /* position independent */
    PEERS_FILE_WRITE_CODE, /* a segment to write and execute */
    PEERS_FILE_TLS,        /* with thread-local variables */
    PEERS_FILE_TEXT,       /* no ELF file */
    PEERS_FILE_CUT,        /* shorter than its headers */
    PEERS_FILE_EMPTY,
    PEERS_FILE_LARGEST,  /* as large as a program may be, with more memory than one may touch */
    PEERS_FILE_HUGE,     /* larger */
    PEERS_FILE_REPEATED, /* not larger, but its segments' bytes are together */
    PEERS_FILE_NO_EXECUTE,
    PEERS_FILE_OWN_NO_EXECUTE,
    PEERS_FILE_DIRECTORY,
    PEERS_FILE_LINK,
    PEERS_FILE_REFUSED,
    PEERS_FILE_LIMIT = PEERS_FILE_REFUSED + 40
};

/* What a peer does instead of what it should. Those from PEERS_SAYS on: it refuses with that many
 * more than OK. */
enum peers_lie {
    PEERS_HONEST,
    PEERS_HANGS,
    PEERS_IS_DEAD,
    PEERS_BABBLES,  /* what it says is no reply of the operation */
    PEERS_LESS,     /* bytes than there are; procd: one fewer than it received */
    PEERS_MORE,     /* bytes than were asked for; procd: another process than it should be */
    PEERS_REWRITES, /* the file, as somebody does meanwhile; procd: gives the transfer up */
    PEERS_FORGES, /* its bytes, and says that nothing changed; procd: the number of one that runs */
    PEERS_SIZE,   /* says another one; procd: nothing of its own */
    PEERS_NUMBER, /* the same */
    PEERS_SAYS,
    PEERS_LIE_LIMIT = PEERS_SAYS + 40
};

/* The kernel's stand-in with what loaderd holds at start. */
void peers_of_loaderd_begin(void);

/* While it starts it may send an end with a badge. Whether procd knows where to say that a program has
 * ended. */
bool peers_loaderd_starts(bool starts);

/* The n-th file is this from now on; somebody rewrites what was there. */
void peers_loaderd_file(uint64_t n, uint64_t what);
/* The call to vfsd, or procd, after so many others is answered so. */
void peers_loaderd_lie(bool of_procd, uint64_t lie, uint64_t after_calls);
/* The n-th process that runs ends; its number, 0: none runs. */
uint64_t peers_loaderd_end(uint64_t n, uint32_t reason, uint32_t code);
/* The n-th number that procd gave out, or one that it did not. */
uint64_t peers_loaderd_number(uint64_t n);
/* procd forgets those that have ended. */
void peers_loaderd_forget(void);
/* The youngest that ended; 0: none has. */
uint64_t peers_loaderd_youngest(void);

/* Processes that run and are not this model's programs (X2). */
uint32_t peers_loaderd_strays(const struct model_loaderd *model);
bool peers_loaderd_has_handle(void);
bool peers_loaderd_has_transfer(void);

/* The calls since stand_in_message_begin or the last time, oldest first; empties the list. */
struct model_loaderd_calls peers_loaderd_calls(void);

#endif
