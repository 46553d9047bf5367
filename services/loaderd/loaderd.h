/* SPDX-License-Identifier: ISC */
/* loaderd: programs from files. The contract of the service, readable alone; the messages are in
 * abi/messages/loaderd.def.
 *
 * A client says a path. loaderd reads the file through vfsd as everybody may read it, and has procd
 * make a process of it: a static ELF program (abi/formats/elf_plan.h), which holds SELF and its
 * endpoint and nothing else (role loaded-program). Nothing but the path says what is run: no
 * capability, no image, no role comes from the client, and none goes to the program. A client is a
 * role (HOLDS rows of abi/roles.def): it sees and controls what was launched for its role.
 *
 * What runs is what was verified (X1). The file is opened once; its headers are read and planned;
 * the bytes of its segments are read in order, for their SHA-256; BEGIN tells procd the segments and
 * that digest; the bytes are read again, in the same order, and sent. That size, version and number
 * of the file are still what OPEN said is asked before BEGIN and before COMMIT, and procd compares
 * the digest with what it got: what differs anywhere is CHANGED. An ABORT follows every BEGIN whose
 * COMMIT was not OK.
 *
 * A launch is made in turns, a few calls in each, so that no message waits for one. Launches are
 * made one at a time, because procd has one transfer: clients in turns (X4). The reply comes when it
 * is over: OK when the process has started; otherwise no process, no transfer and no handle is left
 * (X2). What vfsd or procd refuse to take back, or do not answer, is offered again before the next
 * launch, which is refused with the same status when that is in vain, and every LOADERD_RETRY_TICKS.
 * A program that nobody was told of, because its client gave up or died, is stopped.
 *
 * Memory. A program may touch the pages of its segments and its stack, and LOADERD_HEAP_PAGES more,
 * but never more than its role; so much BEGIN says, and procd and memd hold it to that. Of the memory
 * that loaderd may give away (`child_pages` of its own role), each of LOADERD_CLIENT_LIMIT clients has
 * an equal share: the accounts of its programs that run, at their limits, are together no more than
 * that. The share of one is more than the largest program needs, so that whoever has nothing that
 * runs is never refused because of what others run (X5). On a machine that has less memory than all
 * shares together, memd refuses whoever comes too late, as it does of anybody.
 *
 * Programs. A client has LOADERD_PLACES of them; what has ended is remembered until the place is
 * wanted, the one that was launched first going first. Who has none that runs, and no call that
 * waits, makes room for another client, the one whose last launch is longest ago first. procd tells
 * loaderd that a program has ended (SET_NOTICE); loaderd then asks procd of each that runs, and so it
 * does for a client's WAIT and QUERY. Should a notice be lost, or procd not answer, it asks again
 * every LOADERD_LOOK_TICKS: of those that are waited for, of those that procd did not answer of, and
 * of all while a client's share has no room for the largest program, or nobody makes room for one
 * client more. So nobody is
 * refused for long because of a program that has ended. After a question of these that procd does not
 * answer it rests for as long. A program of which procd has no record any more is forgotten
 * (NOT_FOUND).
 *
 * Deadlines. Every call to procd has PROCD_CALL_TICKS, every call to vfsd LOADERD_FILE_TICKS; a
 * message waits for such calls at most, a launch ends after at most
 * LOADERD_LAUNCH_CALLS_MAX of them.
 *
 * Rules, in the order in which they are asked; a refusal changes nothing (E1).
 *
 * Every message:
 * - INVALID_ARGUMENT: not a known operation, or a body that does not decode; BAD_VERSION: of the
 *   header
 * - DENIED: a sender whose badge cannot be a client's role id
 *
 * LAUNCH_PATH, at once:
 * - INVALID_ARGUMENT: the counts of path and blocks are together not that of the bytes
 * - BAD_TEXT, OUT_OF_RANGE: the path is not canonical (abi/formats/path.h)
 * - UNSUPPORTED: there are arguments or an environment, which a program has no way to find yet
 * - REQUIRE_DYNAMIC: the flag of that name asks for a dynamic linker, and there is none
 * - BUSY: a launch of this client is under way
 * - OVER_LIMIT: its share has no room for the smallest program, with what runs as far as was asked
 * - EXHAUSTED: it would be a client more than LOADERD_CLIENT_LIMIT, and none can make room
 * and when it was tried:
 * - what vfsd refuses to OPEN: NOT_FOUND, NOT_DIRECTORY, IS_DIRECTORY, LINK_LOOP, DENIED (it may not
 *   be read), OVER_LIMIT, EXHAUSTED, ...; IS_DIRECTORY as well for whatever is no file
 * - DENIED: everybody may read it, and not execute it
 * - TRUNCATED: it is empty; OVER_LIMIT: it, or the bytes of its segments, are more than
 *   PROCD_LOADER_IMAGE_BYTES_MAX
 * - what elf_plan_parse refuses: REQUIRE_DYNAMIC, UNSUPPORTED, BAD_MAGIC, WRITE_AND_EXECUTE, ...
 * - OVER_LIMIT: its client's share has no room for it
 * - CHANGED: the file is not what it was when it was opened
 * - what procd refuses: EXHAUSTED, OVER_LIMIT, OUT_OF_RANGE, ...
 * - TIMED_OUT, PEER_DIED: a peer did not answer, is gone, or says so of one of its own; TIMED_OUT as
 *   well when procd gave the transfer up
 * - INTERNAL: a peer answered what its contract does not allow
 *
 * WAIT_PROGRAM, QUERY_PROGRAM, STOP_PROGRAM:
 * - NOT_FOUND: no program of this client, or one that is forgotten
 * - TIMED_OUT, PEER_DIED, INTERNAL: procd, which is asked of a program that is not known to have
 *   ended, did not answer as it should; whatever else it refuses a STOP with
 * WAIT_PROGRAM, when the program still runs: TIMED_OUT, when the deadline is not after now; else the
 * call is kept, and answered when the program has ended, with TIMED_OUT when the deadline comes first,
 * with OVER_LIMIT when the same client waits anew (X3). */
#ifndef BASALT_SERVICES_LOADERD_LOADERD_H
#define BASALT_SERVICES_LOADERD_LOADERD_H

#include <stdbool.h>

#include "abi/formats/elf_plan.h"
#include "abi/formats/sha256.h"
#include "abi/messages/loaderd.h"
#include "abi/messages/procd.h"
#include "abi/messages/vfsd.h"
#include "services/lib/service.h"

enum {
    LOADERD_CLIENT_LIMIT = 8,
    LOADERD_PLACES = 32,     /* programs of a client, ended ones included */
    LOADERD_HEAP_PAGES = 64, /* of a program: who wants more has larger segments */

    LOADERD_FILE_TICKS = 20 * TICKS_PER_SECOND, /* a call to vfsd, which waits for others itself */
    LOADERD_RETRY_TICKS = TICKS_PER_SECOND / 10,
    LOADERD_LOOK_TICKS = TICKS_PER_SECOND,

    /* Pieces of a file that are read, and sent, in one turn. */
    LOADERD_TURN_PIECES = 8,
    LOADERD_PIECE_BYTES = FILE_TRANSFER_BYTES_MAX,
    /* Of one launch: each piece is read twice and sent once, and a segment's last one may be short. */
    LOADERD_PIECES_MAX = PROCD_LOADER_IMAGE_BYTES_MAX / LOADERD_PIECE_BYTES + 1 + ELF_SEGMENT_LIMIT,
    LOADERD_LAUNCH_CALLS_MAX = 3 * LOADERD_PIECES_MAX + 16,

    LOADERD_EXIT_UNHEARD = 0x6C6F6100 /* of a program that nobody was told of */
};

_Static_assert((int)LOADERD_PIECE_BYTES <= (int)PROCD_CHUNK_BYTES_MAX, "a piece is a chunk");

/* Zero: no program. */
enum loaderd_life { LOADERD_LIFE_NONE = 0, LOADERD_LIFE_RUNNING, LOADERD_LIFE_ENDED };

struct loaderd_program {
    uint64_t process_id;
    uint64_t order; /* ascending as they were launched */
    uint64_t fault_va;
    uint32_t reason; /* enum end_reason; NONE until it ended */
    uint32_t code;
    uint32_t pages; /* of its account, at most */
    uint8_t life;   /* enum loaderd_life */
    bool is_asked;  /* procd is to be asked of it */
    bool is_open;   /* it was, and did not answer: it is to be asked at the next look */
};

/* A LAUNCH_PATH that is not answered yet. */
struct loaderd_launch {
    uint64_t request_id;
    uint32_t reply_slot; /* SLOT_NULL: nobody waits any more */
    uint32_t path_count; /* 0: there is none */
    uint8_t path[FILE_PATH_BYTES_MAX];
};

/* A WAIT_PROGRAM that is not answered yet. */
struct loaderd_wait {
    uint64_t process_id; /* 0: there is none */
    uint64_t deadline_ticks;
    uint64_t request_id;
    uint32_t reply_slot;
};

struct loaderd_client {
    uint32_t role; /* 0: the entry is free */
    struct loaderd_launch launch;
    struct loaderd_wait wait;
    struct loaderd_program programs[LOADERD_PLACES];
};

/* What is done next for the launch in hand. */
enum loaderd_stage {
    LOADERD_IDLE = 0,
    LOADERD_OPEN,
    LOADERD_READ_HEADERS,
    LOADERD_READ_ONCE, /* for the digest */
    LOADERD_BEGIN,
    LOADERD_READ_AGAIN, /* and send */
    LOADERD_COMMIT
};

/* What is to be given back. */
enum {
    LOADERD_OWES_TRANSFER = 1u << 0, /* an ABORT */
    LOADERD_OWES_PROCESS = 1u << 1,  /* a STOP */
    LOADERD_OWES_HANDLE = 1u << 2,   /* a CLOSE */
    LOADERD_OWES_ATTACH = 1u << 3,   /* something may be open, and no handle is known */
    LOADERD_OWES_ALL = (1u << 4) - 1
};

/* Where a pass over the bytes of all segments is. */
struct loaderd_pass {
    uint32_t segment;
    uint32_t reserved0;
    uint64_t segment_bytes; /* of this one, that are done */
    uint64_t all_bytes;     /* of all */
};

/* The launch in hand, and what is owed of it or of one before. */
struct loaderd_work {
    uint32_t stage;  /* enum loaderd_stage */
    uint32_t client; /* index */
    uint32_t owes;
    uint32_t page_limit; /* of the process */
    uint32_t pages;      /* of its account, at most */
    uint32_t reserved0;
    uint64_t retry_ticks; /* when that is offered again */
    uint64_t transfer_id;
    uint64_t process_id;
    uint64_t handle;
    uint64_t file_id; /* as OPEN told them */
    uint64_t size_bytes;
    uint64_t version;
    uint64_t image_bytes; /* of all segments */
    struct elf_plan plan;
    struct loaderd_pass pass;
    struct sha256 sha256;
    uint64_t digest[SHA256_BYTES / sizeof(uint64_t)];
};

struct loaderd {
    struct caller caller;
    uint64_t last_order;
    uint64_t look_ticks;  /* when procd is asked again, if there is a reason to */
    uint32_t next_client; /* whose launch is next, if it has one */
    uint32_t next_look;   /* index of the program, counted through all clients */
    struct loaderd_work work;
    struct loaderd_client clients[LOADERD_CLIENT_LIMIT];
};

/* `loaderd` is zero. Nothing is known of what a life before has open. */
void loaderd_init(struct loaderd *loaderd);

/* That, and procd is told where to say that a program has ended; before READY. Errors: of that call. */
enum status loaderd_begin(struct loaderd *loaderd);

/* A service_handler; `state` is a struct loaderd. */
enum handled loaderd_handle(void *state, struct message *message, const struct receive_info *info);

/* After each turn, with the clock that it told: answers waits that are over, asks procd of one
 * program, and does one step of a launch. */
void loaderd_tick(struct loaderd *loaderd, uint64_t now_ticks);

/* When loaderd_tick has something to do; DEADLINE_POLL: at once; DEADLINE_NEVER: nothing. */
uint64_t loaderd_next_ticks(const struct loaderd *loaderd);

/* The first property that does not hold ("X1", ...), or null when all do. */
const char *loaderd_check(const struct loaderd *loaderd);

/* Calls `visit` with every field of the state that a later message can see, in a fixed order. */
void loaderd_visit_fields(const struct loaderd *loaderd,
                          void (*visit)(void *context, uint64_t value), void *context);

/* The daemon: start-up, then the receive loop; exits when its endpoint is gone. `loaderd` is zero. */
void loaderd_run(struct loaderd *loaderd);

#endif
