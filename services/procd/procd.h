/* SPDX-License-Identifier: ISC */
/* procd: the life of every process but rootd and itself.
 *
 * Endpoints (P7). Requests come on the bootstrap endpoint (SLOT_SERVICE_ENDPOINT) or on the driver
 * endpoint (SLOT_PROCD_DRIVER_ENDPOINT). Each sees its own kind of process alone: the driver
 * endpoint roles of ROLE_KIND_DRIVER, the bootstrap endpoint all others. CREATE of the wrong kind
 * is DENIED, an id of the wrong kind NOT_FOUND.
 *
 * Senders. A client is a process, not a role: its badge is `process id << 16 | role id`, which who
 * staged it knows from CREATE; it must name a process that is staged or runs, with its role, or the
 * request is DENIED. Badge 0 is the administrator: of the endpoint it came through, it sees
 * everything. A client sees and controls what it made itself, everything else is NOT_FOUND to it.
 * SPAWN, UPDATE_FOUNDATION_ENDPOINTS and BIND_NAMED are the administrator's, a LOADER_IMAGE_TRANSFER
 * is loaderd's. Which kinds of roles a client may
 * make is in its row (`makes`); any other role is DENIED to it, and so is one of a more urgent
 * scheduling band than its own (K7).
 *
 * Regions (E6). A process is registered with as many regions at vspaced as it can ever need: one for
 * each page of its own (`page_limit`), one for each guard, and for every other page that it shares
 * with the image, but PROCESS_SHARED_REGIONS at least for the last two. An image that needs more
 * than the share of its role (role_region_limit: twice what is set aside for it at memd, and
 * PROCESS_SHARED_REGIONS) is refused with OVER_LIMIT: others are guaranteed what is above it. Its
 * role needs a larger guarantee_pages, then. A foundation process has none.
 *
 * Data. A role with a DATA row of abi/roles.def has a module of the image at DATA_VA, read-only, in each
 * of its lives: CREATE_STAGED_PROCESS says where it lies. Another role with data, or such a role
 * without (SPAWN and SPAWN_SERVICE give none), is INVALID_ARGUMENT; a client that names data is DENIED;
 * a program where its data would be OVERLAPs. Its shared pages count among the regions. Whether the
 * image has so many bytes is not asked: who touches what is not there ends with FAULT_BACKING.
 *
 * The tree. Each process has an owner: the client that made it, or the administrator. An owner has
 * as many places as its row says (`child_limit`; the administrator PROCD_PROCESS_LIMIT). A process
 * takes one, and as many more as it may have below itself; they are set aside when it is made, so
 * that nobody can use up another's (P11). A terminal record takes one. When there is no room for a
 * new process, the owner's own oldest records go first; then it is OVER_LIMIT, and EXHAUSTED for
 * the administrator. The memd account of a process has its id as key and its owner's as parent.
 *
 * States of a process, and what each operation does there (P1):
 *
 *             STAGED                    RUNNING       RESTARTING                ENDED, PARKED
 *   START     OK, RUNNING               BUSY          BUSY                      NOT_FOUND
 *   ABORT     OK, gone                  BUSY          BUSY                      NOT_FOUND
 *   STOP      OK, ENDED (KILLED, code)  OK, ENDED     OK, ENDED (KILLED, code)  OK
 *   WAIT      kept until it ends        kept          kept                      answered when all of
 *                                                                               it is given back
 *   QUERY     OK                        OK            OK                        OK
 *   SET       OK                        BUSY          BUSY                      NOT_FOUND
 *   GET       OK                        OK            OK                        OK
 *
 * Two phases. Before UPDATE_FOUNDATION_ENDPOINTS the administrator creates memd, vspaced and
 * pagerd, each once at a time, paid from SLOT_BOOTSTRAP_UNTYPED, every page present and no pager;
 * all other roles are BUSY. UPDATE needs the three of them running (BUSY otherwise, and for ever
 * after the first), takes the capabilities to memd and pagerd, and drops the bootstrap untyped.
 * From then on foundation roles are DENIED, and any other process gets a memd account, kernel
 * memory drawn from that account, and a registration with pagerd. A foundation process cannot be
 * stopped (BUSY) while others live or are being given back: they rest on it.
 *
 * Ends (P10). Exit, fault, stop, or the end of its owner: whatever ends a process ends everything
 * below it, running or staged. What has no children is given back with the message that ended it;
 * the rest in turns of at most PROCD_SWEEP_STEPS steps, each of which ends one process or gives one
 * back, from the leaves up, or one restart; requests are served in between. The step that calls memd or pagerd is
 * its turn's last one. After an end at most 2 * (1 + child_limit) steps are left to do, and one
 * more for each CLOSE_ACCOUNT beyond the first that memd needs for the account of one of them. A
 * waiter hears of an end when everything was given back, or when a release was refused once. Then a
 * terminal record is left, which QUERY and WAIT report: each waiter learns of an end once, early or
 * late (P3). There is none after ABORT and none of what its owner's end took with it; an owner's
 * records go with the owner.
 *
 * Restarts (P4). SET_RESTART_POLICY says of a staged process after which ends that nobody ordered it
 * has another life: EXIT under ALWAYS, faults under ALWAYS and ON_FAULT, and under both a life that
 * was not READY in time. STOP, ABORT and the end of its owner are orders, and final in every state. The
 * next life has the same process id, role, image, argument and places, and exactly the capabilities
 * that this one held when it started: START copies these into a mould, a staged process that never
 * runs, with an account of PROCD_MOULD_PAGES next to that of the process; what START made of it is
 * undone when START fails. After an end everything of that life is given back, what it made first
 * (P10), and while there is somebody to tell of it, crashd is told or was tried (P9); then comes the delay, base_delay_ticks at first, doubled after each restart, never above
 * delay_cap_ticks, and one tick at least; a life that ran for stable_after_ticks begins anew with the first delay. Then a
 * successor is made as CREATE makes a process. What fails there is undone, and counts as an end. With
 * ready_ticks it is sent the start envelope of its role, in calls of one tick from a clock that nothing
 * came after, one in PROCD_ASK_TICKS, until it says READY; is it refused, or not READY in ready_ticks, it is killed
 * (PROCD_EXIT_NOT_READY), which is an end of that life. budget_count restarts are allowed in
 * window_ticks, which begin with the first; the end after them is PARKED: a terminal record, and
 * nothing is kept. `life_count` counts the lives that were started. A critical process, which only
 * the administrator can make one, ends the system as a foundation process does when it ends, or is
 * PARKED, and nobody ordered it (P8). The foundation has no policy (DENIED).
 *
 * The price of a restart (P12). What a client asks for must be RESTART_CLIENT_DELAY_TICKS_MIN between two
 * lives at least, and RESTART_CLIENT_BUDGET_MAX restarts at most in a window of
 * RESTART_CLIENT_WINDOW_TICKS_MIN at least (abi/limits.h), or it is OVER_LIMIT; NEVER has no price, nor
 * has what the administrator asks for. Whose delay is over, or time for a call for READY has come, is
 * due, and waits for its owner's turn: an owner's children have one in PROCD_ASK_TICKS, the one that
 * was due first, and all owners' one in PROCD_PACE_TICKS, the owner whose last turn is longest ago.
 * So children that end at once, or say nothing when they are asked, cost one tick in PROCD_ASK_TICKS
 * for an owner, however many they are, and one in PROCD_PACE_TICKS for all; a turn of procd has one
 * such call at most, and none when something comes at the driver endpoint. Of k children that are
 * asked each is once in k * PROCD_ASK_TICKS: ready_ticks of an owner's children should allow for that.
 *
 * Programs that are sent. loaderd alone, on the bootstrap endpoint, may have a process made of bytes
 * that it sends, which has the role LOADED_PROGRAM and nothing but SELF and its endpoint (P6). One
 * transfer is open in the system at one time.
 * - BEGIN makes what CREATE makes: a place of the sender, a memd account, kernel memory, a registration
 *   with pagerd, whose areas are the segments (AREA_LOADED), a stack of STACK_RESERVE_BYTES and the
 *   heap. page_limit is as CREATE's: of pages of its own it has no more, and no more are set aside
 *   for it; 0: as many as the role has. The id is that of the process to be; nobody is told of that
 *   (NOT_FOUND) before it runs. BUSY: the sender has one open; EXHAUSTED: another one has. Then, of each segment in order:
 *   INVALID_ARGUMENT: no READ, more file than memory, or memory without file bytes that is not
 *   writable; WRITE_AND_EXECUTE: both (V2); OUT_OF_RANGE: it leaves the user addresses (V5); BAD_ORDER:
 *   it begins below the one before it; OVERLAP: on a page of that. BAD_LENGTH: image_bytes is not the
 *   sum of all file bytes; INVALID_ARGUMENT: entry_va is not in the file bytes of an executable
 *   segment. Then as CREATE: OVERLAP: where the heap or the stack lies; OVER_LIMIT, EXHAUSTED, and what
 *   memd, pagerd or the kernel refuse.
 * - CHUNK brings the next bytes, segment after segment. They are written to a frame of the process's
 *   account, which pagerd maps when its page is whole (GIVE_PAGE); procd cannot reach it afterwards.
 *   NOT_FOUND: not the sender's open transfer; BAD_ORDER: offset_bytes is not what came before;
 *   OUT_OF_RANGE: more than image_bytes. At most sixteen pages begin or end in one chunk.
 * - COMMIT starts the process, with PROCD_LOADED_START_BYTES of zeros above its stack pointer: argc 0,
 *   no argument, no environment, no auxiliary value. NOT_FOUND: as above; TRUNCATED: bytes are missing;
 *   BAD_DIGEST: what came has not the SHA-256 that BEGIN said.
 * - ABORT drops it. NOT_FOUND: as above.
 * Whatever else CHUNK or COMMIT answer ends the transfer, and so do ABORT, the end of the sender, and
 * PROCD_TRANSFER_TICKS without a chunk that was taken: everything goes back as after an ABORT of what
 * is staged. When that time is over it does so before anybody has another life, who may need what
 * comes back. A process that runs is the sender's child as any other one, and has no other life.
 *
 * Inspectors. A client whose role has a row INSPECTS is told of every process and record, whoever made
 * it, drivers included: LIST_PROCESSES gives the first one from a place of the table on, NOT_FOUND after
 * the last; READ_SLOT what a staged or running one holds, as the kernel tells it (NOT_FOUND: no such
 * process), with the id and the role of the process behind a capability that names one. Neither
 * changes anything. What an inspector may control is what it made itself, as of every client.
 *
 * Releases. What the kernel, pagerd or memd refuse to take back stays on the record as owed, and is
 * offered again every PROCD_RETRY_TICKS; until then its place in the table is not used again.
 * CLOSE_ACCOUNT is repeated until nothing is left, a message at each step. A process that is to be
 * restarted is not before all of its last life is taken back. What is owed of a mould while its
 * process is staged is offered again by the next START, which is BUSY when it is refused again. When memory came back
 * and pagerd said that fills are parked, it is told to try them again.
 *
 * Waits. A client has one, and so has the administrator; a later wait takes the place of the
 * earlier one, which ends with OVER_LIMIT. A client's end gives up its wait.
 *
 * Peers (P12). All calls to memd and pagerd of one message end at most PROCD_PEER_TICKS after it
 * came. A step of the sweep has as long for its own: from the clock of its turn on, or, when the
 * message of that turn had such calls, from when these had to be over, because nothing tells what
 * they took. A peer that does not answer by then, or is gone, counts as dead. A turn ends therefore
 * at most PROCD_TURN_TICKS after it began, and a request is answered, or kept, at most
 * PROCD_PEER_TICKS after it was received: PROCD_CALL_TICKS are longer than who calls has to wait,
 * but for the turns of requests that came before its own (abi/limits.h). When a foundation
 * process ends that nobody stopped, or counts as dead, procd ends every other process it made and
 * EXITs with PROCD_EXIT_CRITICAL (P8); open calls then end with PEER_DIED.
 *
 * Evidence (P9, late-bound peers). procd starts without named, logd and crashd and never waits for
 * them. By BIND_NAMED, when the foundation is bound, its administrator gives it the end of named by
 * which it finds the other two, with the badge of its role: once (BUSY), and again when named was
 * found to be dead, upon which procd drops it. Each process that
 * was killed (ran, and did not end by EXIT) gets the next number, from 1; procd tells crashd (REPORT,
 * with who made the process) and logd (a line), in the order of their numbers. What one of the two
 * was not told yet is kept, PROCD_KILLED_LIMIT of it; past that goes the oldest of the owner that has
 * most of it, so that nobody pushes out what another one's end left. It
 * looks for a peer when there is something to tell, keeps it in the peer's slot, and makes one call
 * in a turn, behind everything else, that ends PROCD_WITNESS_TICKS later: nobody waits longer than
 * that for a peer that hangs. After a transport failure the slot is cleared and the capability
 * dropped before the peer is looked for again, PROCD_WITNESS_RETRY_TICKS later; one that named does not
 * know, PROCD_WITNESS_AWAY_TICKS later when there is another end to tell. Who could not be told
 * in time finds a number left out: nothing is lost without being counted.
 *
 * Notices. A client may name an endpoint of its own (SET_NOTICE; a later one takes its place, and
 * the end of the client's life drops it; it should carry a badge that only procd sends with, as
 * irqd's does). When a process that it made has ended for good, which is when WAIT would tell and
 * the client's own wait did not, procd calls that endpoint with PROCESS_ENDED. The youngest end
 * alone is told: the client asks of its others by QUERY, and WAIT and the records stay the truth.
 * A call ends PROCD_NOTICE_TICKS later, and there is one in PROCD_ASK_TICKS for all clients, who
 * have their turns by when theirs are due: who never answers costs the others no more. A call that
 * timed out is made again every PROCD_RETRY_TICKS, PROCD_NOTICE_TRIES times in all after the
 * youngest end, until it is answered OK, or the client is told of that process by QUERY or WAIT.
 * Whatever else comes of a call drops the endpoint: it is dead, or not one that takes notices. The
 * administrator has WAIT.
 *
 * Every refusal changes nothing, and a failing kernel or peer call undoes the ones before it (E4).
 * A STOP whose KILL succeeded and whose RETIRE did not answers RETIRE's status; the process then
 * ends by its terminal event. A CREATE, SPAWN, BEGIN or COMMIT whose reply cannot be delivered is undone:
 * nobody would know the process. */
#ifndef BASALT_SERVICES_PROCD_PROCD_H
#define BASALT_SERVICES_PROCD_PROCD_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/formats/sha256.h"
#include "abi/limits.h"
#include "abi/messages/event.h"
#include "abi/messages/procd.h"
#include "abi/slots.h"
#include "services/lib/fair_ring.h"
#include "services/lib/image_loader.h"
#include "services/lib/service.h"

enum {
    /* Exit codes of procd itself. Not small, so that no helper's code is taken for one. */
    PROCD_EXIT_CRITICAL = 0x70726300, /* a foundation process ended without being stopped (P8) */
    PROCD_EXIT_ENDPOINT = 0x70726301, /* its own endpoint failed: it cannot serve any more */
    /* Of a life that procd ended because it was not READY. */
    PROCD_EXIT_NOT_READY = 0x70726302,

    /* How long a request on the driver endpoint can lie unseen while nothing comes on the other
     * one. Ten milliseconds: far below any driver's own start-up time, and still a hundred polls a
     * second only. */
    PROCD_POLL_TICKS = 10,

    /* How soon a refused release is offered again. */
    PROCD_RETRY_TICKS = TICKS_PER_SECOND / 10,

    /* Steps of the sweep in one turn: a few, so that a client's end with all that it made is done
     * soon, and no request waits behind more than a few calls. A step makes at most
     * PROCD_STEP_CALLS calls. */
    PROCD_SWEEP_STEPS = 4,
    PROCD_STEP_CALLS = 40,

    /* One child of an owner is started again, or asked for READY, which takes a tick at most, in so
     * many; and one of all owners' children in PROCD_PACE_TICKS: a fifth of procd's time at most is
     * spent on who does not answer. */
    PROCD_ASK_TICKS = 10,
    PROCD_PACE_TICKS = 5,

    /* What a call of a notice may take, and how often one is made: a client that is busy for most
     * of a second still hears of an end. */
    PROCD_NOTICE_TICKS = 1,
    PROCD_NOTICE_TRIES = 8,

    /* A transfer ends so long after its last chunk; and the words of zero above the stack pointer of
     * the program that it brought. */
    PROCD_TRANSFER_TICKS = 30 * TICKS_PER_SECOND,
    PROCD_LOADED_START_BYTES = 64,

    /* A mould is a process without pages: its record, its slots and its empty address space. */
    PROCD_MOULD_PAGES = PROCESS_BUDGET_PAGES_MIN,

    /* What a call to named, logd or crashd may take, and when one that failed is tried again. Short:
     * procd serves nobody meanwhile. */
    PROCD_WITNESS_TICKS = 20,
    PROCD_WITNESS_RETRY_TICKS = TICKS_PER_SECOND,
    /* When one that named does not know is looked up again, when there is more to tell. */
    PROCD_WITNESS_AWAY_TICKS = 10,

    /* Killed processes that are kept until crashd and logd were told: as many as crashd's own ring
     * has, and shared by who made them as fairly. */
    PROCD_KILLED_LIMIT = FAIR_RING_LIMIT,

    /* rootd and procd itself are in the kernel's table only. */
    PROCD_PROCESS_LIMIT = PROCESS_LIMIT - 2,
    PROCD_WAIT_LIMIT = PROCD_PROCESS_LIMIT + 1, /* one of each client, one of the administrator */
    PROCD_WAIT_ADMINISTRATOR = PROCD_PROCESS_LIMIT, /* the index of the latter */
    PROCD_GENERATION_LAST = INT32_MAX,              /* an id and a role fit a badge */

    /* procd's cspace: each entry has slots of its own, of which PROCESS alone stays filled. */
    PROCD_SLOT_PROCESS_BASE = SLOT_DYNAMIC_BASE + 16,
    PROCD_SLOTS_OF_PROCESS = 16,
    PROCD_SLOT_PROCESS = 0, /* + PROCD_SLOT_PROCESS_BASE + PROCD_SLOTS_OF_PROCESS * index */
    PROCD_SLOT_VSPACE,
    PROCD_SLOT_ENDPOINT,
    PROCD_SLOT_GRANT, /* these four: the window of the kernel's CREATE_STAGED_PROCESS */
    PROCD_SLOT_ACCOUNT,
    PROCD_SLOT_UNTYPED,
    /* The foundation is built before memd hands out accounts: scratch slots of image_build. */
    PROCD_SLOT_PAGES = PROCD_SLOT_ACCOUNT,
    PROCD_SLOT_FRAME = PROCD_SLOT_UNTYPED + 1, /* the page that a transfer has in hand */
    /* Those of the mould, in the same order. */
    PROCD_SLOT_MOULD = PROCD_SLOT_PAGES + IMAGE_SCRATCH_SLOTS,
    PROCD_SLOT_MOULD_ACCOUNT = PROCD_SLOT_MOULD + PROCD_SLOT_ACCOUNT,
    PROCD_SLOT_MOULD_UNTYPED,
    /* Its notice endpoint; the next one goes into the other slot, so that nothing is lost with a
     * SET_NOTICE that fails. */
    PROCD_SLOT_NOTICE,
    PROCD_SLOT_NOTICE_OTHER,
    PROCD_SLOT_COUNT
};

/* The mould of a process has its id with this bit as its token, and as the key of its account. */
#define PROCD_MOULD_ID (UINT64_C(1) << 62)

_Static_assert((int)PROCD_SLOT_COUNT <= (int)PROCD_SLOTS_OF_PROCESS,
               "an entry's slots are its own");
_Static_assert((int)PROCD_WAIT_LIMIT < (int)SLOT_REPLY_COUNT,
               "with a reply slot for each wait there is one left to receive with");

/* Life of a table entry. Zero: not used yet. */
enum procd_life {
    PROCD_LIFE_UNUSED = 0, /* never used, or free again */
    PROCD_LIFE_STAGED,
    PROCD_LIFE_RUNNING,
    PROCD_LIFE_RESTING, /* between two lives: what is left of it is its mould */
    PROCD_LIFE_ENDING,  /* it has ended; it, or something below it, is being given back */
    PROCD_LIFE_ENDED,   /* a terminal record */
    PROCD_LIFE_OWING    /* nobody's: its owner or its record is gone, and something is owed */
};

/* What procd owes others for a process: bit PROCD_SLOT_... of each slot that is filled, and */
enum {
    PROCD_OWES_PAGES = ((1u << IMAGE_SCRATCH_SLOTS) - 1) << PROCD_SLOT_PAGES,
    PROCD_OWES_ABORT = 1u << 16,         /* the kernel: it is staged */
    PROCD_OWES_RETIRE = 1u << 17,        /* the kernel: it ran */
    PROCD_OWES_PAGER = 1u << 18,         /* pagerd: the id may be registered */
    PROCD_OWES_ACCOUNT = 1u << 19,       /* memd: an account may be open under the id */
    PROCD_OWES_MOULD_ABORT = 1u << 20,   /* the kernel: there is a mould */
    PROCD_OWES_MOULD_ACCOUNT = 1u << 21, /* memd: ... and an account for it */

    /* The two parts of that: of one life, and of what all lives share. */
    PROCD_OWES_NOTICE = 1u << PROCD_SLOT_NOTICE | 1u << PROCD_SLOT_NOTICE_OTHER,
    PROCD_OWES_LIFE = ((1u << PROCD_SLOT_MOULD) - 1) | PROCD_OWES_NOTICE | PROCD_OWES_ABORT |
                      PROCD_OWES_RETIRE | PROCD_OWES_PAGER | PROCD_OWES_ACCOUNT,
    PROCD_OWES_MOULD = ((1u << PROCD_SLOT_NOTICE) - (1u << PROCD_SLOT_MOULD)) |
                       PROCD_OWES_MOULD_ABORT | PROCD_OWES_MOULD_ACCOUNT,
    PROCD_OWES_SLOTS = (1u << PROCD_SLOT_COUNT) - 1
};

_Static_assert((int)PROCD_SLOT_COUNT <= 16, "slots and debts are different bits");

/* A queue of entries, by index + 1; 0: none. */
struct procd_queue {
    uint32_t first;
    uint32_t last;
};

/* What an owner has made: places it used of those it has, its children, its records. Indices are
 * those of entries, plus 1; 0 is none. */
struct procd_family {
    struct procd_queue due; /* children that have their turn next, who was due first at the front */
    uint64_t pace_ticks;    /* none has it before */
    uint32_t used_places;
    uint32_t youngest_child; /* of those that are no records */
    uint32_t record_count;
    uint32_t oldest_record;
    uint32_t youngest_record;
};

/* SET_RESTART_POLICY. */
struct procd_policy {
    uint64_t base_delay_ticks;
    uint64_t delay_cap_ticks;
    uint64_t stable_after_ticks;
    uint64_t window_ticks;
    uint64_t ready_ticks; /* 0: it is not asked for READY */
    uint32_t policy;      /* enum restart_policy */
    uint32_t budget_count;
    bool critical;
};

/* Lives of a process so far. */
struct procd_lives {
    uint64_t window_began_ticks;
    uint64_t ready_at_ticks; /* since when this life is READY; not asked for it: when it started */
    uint64_t until_ticks;    /* when it must be READY */
    uint64_t delay_ticks;    /* before the next life */
    uint32_t used_count;     /* restarts in the window */
    uint32_t unstable_count; /* restarts since the last life that was stable */
    uint32_t life_count;
    uint64_t
        killed_number; /* of the last life, when it was killed: its evidence comes first (P9) */
    bool restarts;     /* this life has ended, and another one follows */
    bool is_asked;     /* it runs, and has not said READY */
    bool is_due;       /* it waits for its owner's turn to be started, or asked for READY */
    bool is_parked;    /* it has ended, and its budget was used up */
    bool is_transfer;  /* none has begun: its program is being sent, and nobody is told of it */
};

/* Of a client: what it is told, and where. */
struct procd_notice {
    uint64_t ended_id; /* the youngest end that it is to be told of */
    uint8_t tries;     /* calls that are left; 0: it is told nothing */
    uint8_t which;     /* PROCD_SLOT_NOTICE or the other one; 0: it has no notice endpoint */
};

struct procd_process {
    uint64_t generation; /* how often the entry was given to a new process */
    uint64_t entry_va;
    uint64_t stack_top_va;
    uint64_t fault_va;
    uint64_t retry_ticks; /* when what it owes is offered again */
    uint64_t image_offset;
    uint64_t image_bytes;
    uint64_t data_offset; /* the module that it has at DATA_VA in every life */
    uint64_t data_bytes;  /* 0: none */
    uint64_t argument;
    struct procd_policy policy;
    struct procd_lives lives;
    struct procd_family family;
    struct procd_notice notice;
    uint32_t role;
    uint32_t reason; /* enum end_reason; NONE until it ended */
    uint32_t code;
    uint32_t owner;    /* index + 1; 0: the administrator */
    uint32_t older;    /* among its owner's children */
    uint32_t younger;  /* the same */
    uint32_t next;     /* of the free entries, its owner's records, those that are ending, or due */
    uint32_t previous; /* of the last two */
    uint32_t next_debt;           /* of those that owe something */
    uint32_t owes;                /* PROCD_OWES_... */
    struct process_limits limits; /* in every life */
    uint8_t life;                 /* enum procd_life */
    bool wakes_pager;             /* fills were parked when it was unregistered */
    bool is_secret;               /* it leaves no record: aborted, or nobody was ever told of it */
    bool in_debt;                 /* it is in the queue of those that owe something */
};

/* The wait of a client, by the index of its entry, or of the administrator. */
struct procd_wait {
    uint64_t request_id;
    uint32_t target; /* index + 1 of the process that is waited for; 0: it does not wait */
    uint32_t reply_slot;
};

/* Deadlines, at most one for each of those who have an index: a heap, the next one first. */
struct procd_deadlines {
    uint32_t count;
    uint32_t heap[PROCD_WAIT_LIMIT];   /* indices */
    uint32_t places[PROCD_WAIT_LIMIT]; /* by index: the place in the heap + 1; 0: no deadline */
    uint64_t ticks[PROCD_WAIT_LIMIT];  /* by index */
};

/* A process that was killed, its number among those, and who made it. */
struct procd_killed {
    uint64_t number;
    uint64_t process_id;
    uint64_t owner_id;
    uint64_t fault_va;
    uint64_t ended_ticks;
    uint32_t role;
    uint32_t reason;
    uint32_t code;
};

/* Who is told of them, and what it was told. */
enum { PROCD_WITNESS_CRASHD, PROCD_WITNESS_LOGD, PROCD_WITNESS_COUNT };
struct procd_witness {
    uint64_t told_number;  /* the last one that it was told of */
    uint64_t tried_number; /* the last one that there was when it could not be told */
    uint64_t retry_ticks;  /* it is not looked for before */
    uint64_t news_ticks;   /* nor before this when another end came since */
    bool is_found;         /* its slot holds a capability */
};

/* What of it somebody was not told yet is kept. */
struct procd_evidence {
    uint64_t killed_count;
    struct procd_witness witnesses[PROCD_WITNESS_COUNT];
    bool has_named;        /* SLOT_PEER_NAMED holds an end of it */
    struct fair_ring ring; /* which places are taken, in the order of the numbers */
    struct procd_killed killed[PROCD_KILLED_LIMIT]; /* by place */
};

/* A program that is being sent (BEGIN_LOADER_IMAGE_TRANSFER): one in the system. */
struct procd_transfer {
    struct sha256 sum;       /* of what came */
    uint64_t digest[4];      /* that it must have in the end */
    uint64_t image_bytes;    /* that are to come: the file bytes of all segments */
    uint64_t received_bytes; /* that came */
    uint64_t deadline_ticks; /* it is dropped then */
    uint32_t entry;          /* index + 1 of the process to be, which is STAGED; 0: none is open */
    uint32_t frame_id;       /* of the page in hand, in PROCD_SLOT_FRAME; 0: there is none */
    uint32_t segment_count;
    struct procd_loader_segment segments[ELF_SEGMENT_LIMIT];
};

enum { PROCD_FOUNDATION_COUNT = 3 }; /* memd, vspaced, pagerd: roles ROLE_MEMD + i */

/* All of procd's state; all zero is valid. */
struct procd {
    struct caller caller;
    uint64_t now_ticks;          /* of the last message */
    uint64_t peer_ticks;         /* memd and pagerd have PROCD_PEER_TICKS from here on */
    bool peer_called;            /* ... of which calls have used up nobody knows how much */
    bool foundation_bound;       /* after UPDATE_FOUNDATION_ENDPOINTS */
    bool peer_lost;              /* memd or pagerd did not answer */
    bool exiting;                /* EXIT was asked for */
    uint32_t memory_pages;       /* that the envelope tells */
    uint32_t validation_profile; /* the same */
    uint32_t used_count;         /* entries given out so far */
    uint32_t busy_count;         /* neither free nor a record owing nothing */
    uint32_t foundation_entries[PROCD_FOUNDATION_COUNT]; /* index + 1 of the live one; 0: none */
    struct procd_queue free;                             /* the one that is free longest first */
    struct procd_queue ending;                           /* in the order of their ends */
    struct procd_queue debts;                            /* by retry_ticks */
    struct procd_family administrator;
    struct procd_evidence evidence;
    struct procd_transfer transfer;
    struct procd_deadlines timers; /* of processes: their next life, or call for READY */
    struct procd_deadlines paces;  /* of owners with children that are due: their next turn */
    uint64_t pace_ticks;           /* nobody has one before */
    struct procd_deadlines wait_deadlines;
    struct procd_deadlines notices;            /* of clients: the next call with their notice */
    uint64_t notice_ticks;                     /* none of those is made before */
    struct procd_wait waits[PROCD_WAIT_LIMIT]; /* by the index of who waits */
    uint32_t wait_of_reply[SLOT_REPLY_COUNT];  /* index of the wait, plus 1 */
    struct procd_process processes[PROCD_PROCESS_LIMIT];
};

/* A service_handler: state is a struct procd. info->endpoint_slot says which endpoint. Work that
 * info->now_ticks makes due is done first. */
enum handled procd_handle(void *state, struct message *message, const struct receive_info *info);

/* Whether a wait has a deadline that is not after `now_ticks`. */
bool procd_is_due(const struct procd *procd, uint64_t now_ticks);

/* Answers the waiters whose deadline is not after `now_ticks` with TIMED_OUT. */
void procd_due(struct procd *procd, uint64_t now_ticks);

/* When procd must look up next, whatever happens: at once while something is to be swept; the
 * earliest deadline of a wait; the next restart or call for READY; the next notice or piece of
 * evidence; the next offer of what was refused; and the next poll of the driver endpoint once the
 * foundation is bound. DEADLINE_NEVER: only for a message. */
uint64_t procd_next_ticks(const struct procd *procd, uint64_t now_ticks);

/* One turn of the loop: receives on the bootstrap endpoint until procd_next_ticks(*now_ticks), does
 * what is due, sweeps, polls the driver endpoint. *now_ticks becomes the clock that RECV reported.
 * OK, or the error that ends procd: of RECV on the bootstrap endpoint. */
enum status procd_turn(struct procd *procd, uint64_t *now_ticks);

/* The daemon: start-up check, then turns until the process ends. Returns only when EXIT does. */
void procd_run(struct procd *procd);

/* Walks the whole state. Null when it is consistent, else one line that says what is not. */
const char *procd_check(const struct procd *procd);

/* Calls `visit` with every field of the state, in a fixed order, but for the counter of procd's own
 * request ids: calls that were undone have used it up. */
void procd_visit_fields(const struct procd *state, void (*visit)(void *context, uint64_t value),
                        void *context);

/* The same with those of one entry alone. */
void procd_visit_entry(const struct procd *state, uint32_t index,
                       void (*visit)(void *context, uint64_t value), void *context);

/* Makes the state all zero again, at the cost of what was used of it. */
void procd_reset(struct procd *procd);

#endif
