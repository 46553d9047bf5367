/* SPDX-License-Identifier: ISC */
/* Words about processes that the kernel, pagerd, procd and rootd share. end_reasons.def is the one
 * source of the reasons. */
#ifndef BASALT_ABI_PROCESS_H
#define BASALT_ABI_PROCESS_H

enum end_reason {
#define END_REASON(name, value, meaning) END_##name = (value),
#include "abi/end_reasons.def"
#undef END_REASON
    END_REASON_LAST = END_FAULT_MEMORY
};

/* What a faulting access wanted. */
enum fault_access { FAULT_READ = 0, FAULT_WRITE = 1, FAULT_EXECUTE = 2, FAULT_ACCESS_LAST = 2 };

/* What a pager answers to a FAULT. */
enum fault_verdict { FAULT_RESOLVED = 0, FAULT_END = 1, FAULT_VERDICT_LAST = 1 };

/* States that QUERY_PROCESS reports. */
enum process_state {
    PROCESS_STAGED = 0,
    PROCESS_RUNNING = 1,
    PROCESS_ENDED = 2,
    PROCESS_RESTARTING = 3, /* between two lives, until the next one is READY */
    PROCESS_PARKED = 4,     /* ended, because its restarts are used up */
    PROCESS_STATE_LAST = 4
};

/* Where a driver stands (READ_DRIVER). */
enum driver_state {
    DRIVER_SEEDED = 0,   /* known, never started */
    DRIVER_STARTING = 1, /* being made, or asked for READY */
    DRIVER_READY = 2,
    DRIVER_FAILED = 3,     /* its launch, which is undone */
    DRIVER_ENDED = 4,      /* by itself, after READY */
    DRIVER_STOPPED = 5,    /* by STOP_DRIVER */
    DRIVER_RESTARTING = 6, /* READY once, and between two lives */
    DRIVER_STATE_LAST = 6
};

/* The tokens of the two processes that procd did not make (CREATE_STAGED_PROCESS); those of all others
 * are their ids. rootd's is the kernel's. */
#define TOKEN_ROOTD UINT64_C(0)
#define TOKEN_PROCD (UINT64_C(1) << 63)

/* Scheduling bands: 0 is the highest, and a band never waits for a lower one. A process has
 * the band that its creator names (role_band), never one above the creator's own. */
enum { BAND_LAST = 3, BAND_COUNT };

/* Flags of CREATE_STAGED_PROCESS. */
enum process_flags {
    PROCESS_USES_SSE = 1, /* its SSE state is kept across switches */
    PROCESS_FLAGS_ALL = PROCESS_USES_SSE
};

/* Restart policies (SET_RESTART_POLICY): after which ends that nobody ordered there is another life:
 * none; faults, and lives that were not READY in time; those and EXIT. */
enum restart_policy {
    RESTART_NEVER = 0,
    RESTART_ON_FAULT = 1,
    RESTART_ALWAYS = 2,
    RESTART_POLICY_LAST = 2
};

/* Name of a reason without its prefix; "UNKNOWN" for a number outside the table. */
const char *end_reason_name(unsigned reason);

#endif
