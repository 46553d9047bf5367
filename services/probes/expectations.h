/* SPDX-License-Identifier: ISC */
/* What the phase-0 helpers do with their argument and how each must end: tester runs the rows in
 * order and compares, the helpers are written to it. A helper's argument reaches its first function
 * as its one parameter; it ends by EXIT with a code, or by the fault that it causes. */
#ifndef BASALT_SERVICES_PROBES_EXPECTATIONS_H
#define BASALT_SERVICES_PROBES_EXPECTATIONS_H

#include <stdint.h>

#include "abi/address_space.h"
#include "abi/process.h"
#include "abi/roles.h"

/* phase0-probe: PROBE_OK, or the number of the first check that failed. */
enum probe_check {
    PROBE_OK = 0x600D,
    PROBE_FAILED_DATA = 1,   /* initialised data does not hold what the file says */
    PROBE_FAILED_BSS = 2,    /* data beyond the file's bytes is not zero */
    PROBE_FAILED_RODATA = 3, /* read-only data differs */
    PROBE_FAILED_HEAP = 4,   /* a fresh heap page is not zero, or does not keep what was stored */
    PROBE_FAILED_STACK = 5   /* a stack page is not zero below use, or does not keep a value */
};

/* phase0-stock: its argument, or the number of the first check that failed. */
enum stock_check {
    STOCK_OK = 0x570C,
    STOCK_FAILED_HEADER = 1, /* its file's headers are not where they should be */
    STOCK_FAILED_HEAD = 2,   /* bytes in front of a segment, on its first page, are not zero */
    STOCK_FAILED_TAIL = 3,   /* bytes behind a segment's file bytes are not zero */
    STOCK_FAILED_DATA = 4,   /* initialised data does not hold what the file says */
    STOCK_FAILED_STACK = 5   /* a stack page is not zero below use, or does not keep a value */
};

/* phase0-fault-kill: which forbidden access. None of them returns. */
enum fault_kill {
    FAULT_KILL_WILD_WRITE = 0, /* store to PROBE_WILD_VA */
    FAULT_KILL_CODE_WRITE = 1, /* store to its own code */
    FAULT_KILL_DATA_EXEC = 2,  /* user_exec of its own data */
    FAULT_KILL_NULL = 3,       /* load from PROBE_NULL_VA */
    FAULT_KILL_GUARD = 4,      /* store to PROBE_GUARD_VA */
    FAULT_KILL_COUNT
};

/* If a fault-kill helper's access returns it exits with this code, which no row expects. */
enum { FAULT_KILL_SURVIVED = 0xBAD };

#define PROBE_WILD_VA UINT64_C(0x0000500000000000) /* belongs to no area of any process */
#define PROBE_NULL_VA UINT64_C(8)

/* The guard above the heap window: what runs off the heap's end meets it. */
#define PROBE_GUARD_VA (HEAP_WINDOW_VA + HEAP_WINDOW_BYTES)

enum {
    PHASE0_EXIT_CODE = 42,        /* phase0-exit: EXIT(argument) */
    ISOLATION_A_VALUE = 0xA11CE,  /* phase0-isolation-a stores it at HEAP_WINDOW_VA, lets */
    ISOLATION_B_VALUE = 0xB0B0000 /* the other run, and EXITs with what it loads from there */
};

/* One run of a helper. */
struct probe_run {
    uint32_t role;
    uint64_t argument;
    uint32_t reason;   /* enum end_reason */
    uint32_t code;     /* of EXIT; 0 for faults */
    uint64_t fault_va; /* 0: any */
    uint32_t together; /* this run and the next are started before either is waited for */
};

static const struct probe_run probe_runs[] = {
    {ROLE_PHASE0_EXIT, PHASE0_EXIT_CODE, END_EXITED, PHASE0_EXIT_CODE, 0, 0},
    {ROLE_PHASE0_EXIT, 0, END_EXITED, 0, 0, 0},
    {ROLE_PHASE0_PROBE, 0, END_EXITED, PROBE_OK, 0, 0},
    {ROLE_PHASE0_STOCK, STOCK_OK, END_EXITED, STOCK_OK, 0, 0},
    {ROLE_PHASE0_ISOLATION_A, ISOLATION_A_VALUE, END_EXITED, ISOLATION_A_VALUE, 0, 1},
    {ROLE_PHASE0_ISOLATION_B, ISOLATION_B_VALUE, END_EXITED, ISOLATION_B_VALUE, 0, 0},
    {ROLE_PHASE0_FAULT_KILL, FAULT_KILL_WILD_WRITE, END_FAULT_OUTSIDE, 0, PROBE_WILD_VA, 0},
    {ROLE_PHASE0_FAULT_KILL, FAULT_KILL_CODE_WRITE, END_FAULT_WRITE_DENIED, 0, 0, 0},
    {ROLE_PHASE0_FAULT_KILL, FAULT_KILL_DATA_EXEC, END_FAULT_EXECUTE_DENIED, 0, 0, 0},
    {ROLE_PHASE0_FAULT_KILL, FAULT_KILL_NULL, END_FAULT_NULL_PAGE, 0, PROBE_NULL_VA, 0},
    {ROLE_PHASE0_FAULT_KILL, FAULT_KILL_GUARD, END_FAULT_GUARD, 0, PROBE_GUARD_VA, 0},
    {ROLE_PHASE0_EXIT, PHASE0_EXIT_CODE, END_EXITED, PHASE0_EXIT_CODE, 0, 0}, /* the rest goes on */
};

enum { PROBE_RUN_COUNT = sizeof probe_runs / sizeof probe_runs[0] };

/* Programs that are started from files: exit codes, no status among them. */
enum loaded_code {
    LOADED_HELLO = 42,
    LOADED_LOOK = 0x10AD0,       /* it holds SELF and its endpoint, nothing else */
    LOADED_LACKS = 0x10AD1,      /* one of these is not there */
    LOADED_HOLDS_MORE = 0x10AD2, /* there is something else */
    LOADED_ARGUMENT = 0x10AD3,   /* it was told something */
    LOADED_HEARD = 0x10AD4,      /* somebody sent it something */
    LOADED_NO_FAULT = 0x10AD5    /* it could write where it has nothing */
};
#define LOADED_FAULT_VA PROBE_WILD_VA

/* --- profile hostile --- */

enum {
    TEST_SPIN_HOG = 1,            /* argument of test-spin: take memory, not the processor */
    TEST_HOG_SURVIVED = 0xBAD,    /* which it never may have as much as it asks for */
    TEST_SPIN_STOP_CODE = 0x5919, /* that tester stops the spinner with */
    VECTORS_KEPT = 0x5E,          /* test-vectors: both times the same numbers came out */
    VECTORS_CHANGED = 0x5E1,      /* another process's registers came into its own */
    VECTORS_SEEN = 0x5E2,         /* at its start a register was not as a new process has it */
    VECTORS_INTERRUPTED = 0x5E3,  /* by a segment selector it sees that others ran */
    HOSTILE_OK = 0,               /* test-hostile: everything was answered, nothing was gained */
    HOSTILE_GAINED = 0x7E51,      /* it holds another set of capabilities than at its start (K1) */
    HOSTILE_UNHEARD = 0x7E52,     /* a service it may talk to does not answer any more */
    HOSTILE_UNLIMITED = 0x7E53,   /* procd made processes for it without an end, or none */
    HOSTILE_UNLAUNCHED = 0x7E54,  /* its envelope or the offer of modules did not come */
    HOSTILE_MESSAGE_COUNT = 10000 /* to each endpoint and kernel-control capability it holds */
};
#define HOSTILE_SEED UINT64_C(0x5EED0F1111)

static const struct probe_run spin_run = {ROLE_TEST_SPIN, 0, END_KILLED, TEST_SPIN_STOP_CODE, 0, 0};
static const struct probe_run hog_run = {
    ROLE_TEST_SPIN, TEST_SPIN_HOG, END_FAULT_PAGE_LIMIT, 0, 0, 0};

/* Alongside each other, by their arguments with different numbers. */
static const struct probe_run vectors_runs[] = {
    {ROLE_TEST_VECTORS, 1, END_EXITED, VECTORS_KEPT, 0, 1},
    {ROLE_TEST_VECTORS, 2, END_EXITED, VECTORS_KEPT, 0, 0}};

#endif
