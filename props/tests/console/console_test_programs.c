/* SPDX-License-Identifier: ISC */
/* Commands that start and stop: programs, run, start, stop. What procd makes is procd's, what a path
 * names is loaderd's, from its start to its end. */
#include "props/tests/console/console_test.h"

#define SPAWN_IDLE   "procd.spawn_service role=297 page_limit=16 image_offset=16384 image_bytes=700"
#define LAUNCH       "loaderd.launch_path path_count=10 bytes='/bin/hello'"
#define WAIT_PROCESS "procd.wait_process_event process_id=9 deadline_ticks=200"
#define WAIT_PROGRAM "loaderd.wait_program process_id=9 deadline_ticks=200"
#define RUNS                                                                                       \
    "kernel.drop_local_cap slot=64 -> NOT_FOUND",                                                  \
        SPAWN_IDLE " budget_pages=24 window=64 -> process_id=9",                                   \
        "kernel.drop_local_cap slot=64 -> OK", "| process 9 runs"
#define NO_KEY "seriald.read -> OK"

static void test_started(void)
{
    TALK("programs: what was offered", "$ programs", "|   phase0-exit", "|   idle", "|   ?");
    TALK("start: the module of that name, and the end of the process is dropped", "$ start idle",
         RUNS);
    TALK(
        "start: with a number", "$ start phase0-exit 0x2a",
        "kernel.drop_local_cap slot=64 -> NOT_FOUND",
        "procd.spawn_service role=257 page_limit=32 image_offset=8192 image_bytes=5000 argument=42 "
        "budget_pages=40 window=64 -> process_id=66000",
        "kernel.drop_local_cap slot=64 -> OK", "| process 66000 runs");
    TALK("start: what is in the way is dropped, whatever comes of that", "$ start idle",
         "kernel.drop_local_cap slot=64 -> DENIED",
         SPAWN_IDLE " budget_pages=24 window=64 -> OVER_LIMIT", "| start: OVER_LIMIT");
    TALK("start: refused", "$ start idle", "kernel.drop_local_cap slot=64 -> OK",
         SPAWN_IDLE " budget_pages=24 window=64 -> DENIED", "| start: DENIED", "$ start idle",
         "kernel.drop_local_cap slot=64 -> OK",
         SPAWN_IDLE " budget_pages=24 window=64 -> !PEER_DIED", "| start: PEER_DIED",
         "$ start idle", "kernel.drop_local_cap slot=64 -> OK",
         SPAWN_IDLE " budget_pages=24 window=64 -> process_id=9",
         "kernel.drop_local_cap slot=64 -> DENIED", "| start: DENIED");
    TALK("start: no such program, whole names alone", "$ start idl", "| start: NOT_FOUND",
         "$ start idle2", "| start: NOT_FOUND", "$ start console", "| start: NOT_FOUND",
         "$ start ?", "| start: NOT_FOUND", "$ start bin/hello", "| start: NOT_FOUND", "$ run idl",
         "| run: NOT_FOUND");
    TALK("start: of a file", "$ start /bin/hello", LAUNCH " -> process_id=9", "| process 9 runs");
    TALK("start: of a file, refused", "$ start /bin/hello", LAUNCH " -> REQUIRE_DYNAMIC",
         "| start: REQUIRE_DYNAMIC", "$ run /bin/hello", LAUNCH " -> NOT_FOUND", "| run: NOT_FOUND",
         "$ start /bin/hello", LAUNCH " -> nonsense", "| start: INTERNAL");
    TALK("start: whatever begins with a slash is a path", "$ start /",
         "loaderd.launch_path path_count=1 bytes='/' -> IS_DIRECTORY", "| start: IS_DIRECTORY");
    TALK("a program of a file takes no number", "$ start /bin/hello 7", "| start: UNSUPPORTED",
         "$ run /bin/hello 1", "| run: UNSUPPORTED", "$ run /bin/hello 0", LAUNCH " -> DENIED",
         "| run: DENIED");
}

static void test_run(void)
{
    TALK("run: waits for the end, and says how it was", "$ run idle", RUNS,
         WAIT_PROCESS " -> process_id=9 reason=1 code=42", "| process 9: EXITED, code 0x2a");
    TALK("run: asks again as long as it runs, and looks at the line", "$ run idle", RUNS,
         WAIT_PROCESS " -> TIMED_OUT", NO_KEY, WAIT_PROCESS " -> TIMED_OUT", NO_KEY,
         WAIT_PROCESS " -> process_id=9 reason=9 code=3 fault_va=4096",
         "| process 9: FAULT_WRITE_DENIED, code 0x3, at 0x1000");
    TALK("run: of a file, by loaderd", "$ run /bin/hello", LAUNCH " -> process_id=9",
         "| process 9 runs", WAIT_PROGRAM " -> TIMED_OUT", NO_KEY,
         WAIT_PROGRAM " -> process_id=9 reason=5 code=7 fault_va=8192",
         "| process 9: FAULT_OUTSIDE, code 0x7, at 0x2000");
    TALK("run: nobody can tell", "$ run idle", RUNS, WAIT_PROCESS " -> NOT_FOUND",
         "| wait: NOT_FOUND", "$ run idle", RUNS, WAIT_PROCESS " -> nonsense", "| wait: INTERNAL",
         "$ run /bin/hello", LAUNCH " -> process_id=9", "| process 9 runs",
         WAIT_PROGRAM " -> DENIED", "| wait: DENIED");
    TALK("run: who does not answer at all is asked once", "$ run idle", RUNS,
         WAIT_PROCESS " -> !TIMED_OUT", "| wait: TIMED_OUT", "$ run /bin/hello",
         LAUNCH " -> process_id=9", "| process 9 runs", WAIT_PROGRAM " -> !TIMED_OUT",
         "| wait: TIMED_OUT");
}

/* Ctrl-C stops what runs, by whoever has it, once; what else is typed meanwhile is forgotten. */
static void test_interrupted(void)
{
    TALK("Ctrl-C: a process", "$ run idle", RUNS, WAIT_PROCESS " -> TIMED_OUT",
         "seriald.read -> bytes='ab\x03'", "procd.stop_process process_id=9 -> OK",
         WAIT_PROCESS " -> process_id=9 reason=2", "| process 9: KILLED, code 0x0");
    TALK("Ctrl-C: a program of a file", "$ run /bin/hello", LAUNCH " -> process_id=9",
         "| process 9 runs", WAIT_PROGRAM " -> TIMED_OUT", "seriald.read -> bytes='\x03x'",
         "loaderd.stop_program process_id=9 -> OK", WAIT_PROGRAM " -> process_id=9 reason=2",
         "| process 9: KILLED, code 0x0");
    TALK("Ctrl-C: once; what runs on is waited for", "$ run idle", RUNS,
         WAIT_PROCESS " -> TIMED_OUT", "seriald.read -> bytes='\x03'",
         "procd.stop_process process_id=9 -> OK", WAIT_PROCESS " -> TIMED_OUT",
         WAIT_PROCESS " -> TIMED_OUT", WAIT_PROCESS " -> process_id=9 reason=2",
         "| process 9: KILLED, code 0x0");
    TALK("Ctrl-C: a refusal is shown, and it is waited on", "$ run idle", RUNS,
         WAIT_PROCESS " -> TIMED_OUT", "seriald.read -> bytes='\x03'",
         "procd.stop_process process_id=9 -> NOT_FOUND", "| stop: NOT_FOUND",
         WAIT_PROCESS " -> TIMED_OUT", WAIT_PROCESS " -> process_id=9 reason=1",
         "| process 9: EXITED, code 0x0");
    TALK("another key stops nothing, and is no part of the next line", "$ run idle", RUNS,
         WAIT_PROCESS " -> TIMED_OUT", "seriald.read -> bytes='up\r'", WAIT_PROCESS " -> TIMED_OUT",
         "seriald.read -> bytes='x\x04'", WAIT_PROCESS " -> process_id=9 reason=1",
         "| process 9: EXITED, code 0x0", "$ uptime", "timed.now_monotonic -> now_ticks=1",
         "| 0.001 s");
    TALK("it ended meanwhile: Ctrl-C is too late", "$ run idle", RUNS,
         WAIT_PROCESS " -> process_id=9 reason=1", "| process 9: EXITED, code 0x0",
         "seriald.read wait_ticks=60000 -> bytes='\x03'", "| basalt> ^C");
}

/* Of what procd does not know loaderd is asked, and of nothing else. */
static void test_stop(void)
{
    TALK("stop: procd's", "$ stop 7", "procd.stop_process process_id=7 -> OK", "| stop: OK");
    TALK("stop: loaderd's", "$ stop 0x10", "procd.stop_process process_id=16 -> NOT_FOUND",
         "loaderd.stop_program process_id=16 -> OK", "| stop: OK");
    TALK("stop: nobody's", "$ stop 7", "procd.stop_process process_id=7 -> NOT_FOUND",
         "loaderd.stop_program process_id=7 -> NOT_FOUND", "| stop: NOT_FOUND", "$ stop 7",
         "procd.stop_process process_id=7 -> NOT_FOUND",
         "loaderd.stop_program process_id=7 -> DENIED", "| stop: DENIED");
    TALK("stop: what procd refuses otherwise is refused", "$ stop 7",
         "procd.stop_process process_id=7 -> DENIED", "| stop: DENIED", "$ stop 7",
         "procd.stop_process process_id=7 -> !TIMED_OUT", "| stop: TIMED_OUT", "$ stop 7",
         "procd.stop_process process_id=7 -> nonsense", "| stop: INTERNAL");
    TALK("stop: 0 is nobody's number", "$ stop 0", "| stop: INVALID_ARGUMENT");
}

void test_programs(void)
{
    test_started();
    test_run();
    test_interrupted();
    test_stop();
}
