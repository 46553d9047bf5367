/* SPDX-License-Identifier: ISC */
/* Commands that show what services tell one by one: help, ps, memory, log, crashes, graph, uptime. */
#include "props/tests/console/console_test.h"

static void test_help(void)
{
    TALK("help asks nobody", "$ help", "|   help                    what can be asked for",
         "|   ps                      processes: state, lives, memory, owner",
         "|   memory                  memory by account", "|   log                     the log",
         "|   crashes                 records of killed processes",
         "|   programs                what can be run",
         "|   run NAME [NUMBER]       runs a program to its end; Ctrl-C stops it",
         "|   start NAME [NUMBER]     starts a program; of a file: /PATH",
         "|   stop ID                 stops a process",
         "|   graph [NAME]            who holds what, as the kernel says it",
         "|   uptime                  time since the machine booted",
         "|   ls [PATH]               what is in a directory",
         "|   cat PATH                the text of a file",
         "|   exit                    ends the console; the system goes on");
    TALK("what does not parse is told, and nobody is asked", "$ nonsense 1",
         "| no such command; help lists them ", "$ run",
         "| an argument is missing: run NAME [NUMBER]", "$ stop",
         "| an argument is missing: stop ID", "$ stop x", "| not a number: stop ID", "$ stop 0x",
         "| not a number: stop ID", "$ stop 0xg", "| not a number: stop ID", "$ stop 1a",
         "| not a number: stop ID", "$ run idle x", "| not a number: run NAME [NUMBER]", "$ cat",
         "| an argument is missing: cat PATH", "$ ps 1", "| too many arguments: ps ", "$ ",
         "$ exit 1", "| too many arguments: exit ");
}

/* --- processes -------------------------------------------------------------------------------- */

#define PS_HEAD "|      id  program               state       lives  pages        owner  end"

static void test_processes(void)
{
    TALK("ps: each process and its account, up to NOT_FOUND", "$ ps", PS_HEAD,
         "procd.list_processes -> process_id=1 place=1 role=2 state=1 life_count=1",
         "memd.list_accounts key=1 -> key=4",
         "|     1    memd                  running     1      -            0",
         "procd.list_processes place=2 -> process_id=66049 owner_id=7 place=5 role=297 state=2 "
         "reason=2 code=22809 life_count=3",
         "memd.list_accounts key=66049 -> key=66049 limit_pages=64 claim_pages=9 tree_pages=12",
         "|     66049 idle                 ended       3      12/64        7      KILLED 0x5919",
         "procd.list_processes place=6 -> process_id=9 place=7 role=999 state=4 life_count=9",
         "memd.list_accounts key=9 -> NOT_FOUND",
         "|     9    999                   parked      9      -            0",
         "procd.list_processes place=8 -> NOT_FOUND");
    TALK("ps: staged, restarting; a place may be the one asked for, and the last is the last",
         "$ ps", PS_HEAD, "procd.list_processes -> process_id=3 place=1 role=5",
         "memd.list_accounts key=3 -> DENIED",
         "|     3    procd                 staged      0      DENIED       0",
         "procd.list_processes place=2 -> process_id=4 place=2 role=3 state=3",
         "memd.list_accounts key=4 -> !TIMED_OUT",
         "|     4    vspaced               restarting  0      TIMED_OUT    0",
         "procd.list_processes place=3 -> process_id=6 place=1024 role=4 state=1 reason=5 code=0",
         "memd.list_accounts key=6 -> key=6",
         "|     6    pagerd                running     0      0/0          0      FAULT_OUTSIDE "
         "0x0");
    TALK("ps: a place that comes again is no list", "$ ps", PS_HEAD,
         "procd.list_processes -> process_id=3 place=5 role=5 state=1",
         "memd.list_accounts key=3 -> NOT_FOUND",
         "|     3    procd                 running     0      -            0",
         "procd.list_processes place=6 -> process_id=3 place=5 role=5 state=1",
         "| processes: INTERNAL");
    TALK("ps: refused", "$ ps", PS_HEAD, "procd.list_processes -> DENIED", "| processes: DENIED",
         "$ ps", PS_HEAD, "procd.list_processes -> !PEER_DIED", "| processes: PEER_DIED", "$ ps",
         PS_HEAD, "procd.list_processes -> nonsense", "| processes: INTERNAL", "$ ps", PS_HEAD,
         "procd.list_processes -> NOT_FOUND");
}

/* --- memory ----------------------------------------------------------------------------------- */

#define MEMORY_BOOK                                                                                \
    "memd.query_memory -> total_pages=900 free_pages=500 reserve_pages=80 handed_out_pages=320 "   \
    "account_count=2",                                                                             \
        "| pages: 900, free 500, handed out 320, reserved 80; accounts: 2"
#define MEMORY_ACCOUNT                                                                             \
    "|   account 0x1                   holds 0, with those below 0, guaranteed 0, limit 0"

static void test_memory(void)
{
    TALK("memory: the book, then the accounts by key", "$ memory", MEMORY_BOOK,
         "memd.list_accounts -> key=5 guarantee_pages=30 limit_pages=64 frame_pages=3 "
         "untyped_pages=20 claim_pages=77 tree_pages=25",
         "|   account 0x5                   holds 23, with those below 25, guaranteed 30, limit 64",
         "memd.list_accounts key=6 -> key=4294967296 frame_pages=1",
         "|   account 0x100000000           holds 1, with those below 0, guaranteed 0, limit 0",
         "memd.list_accounts key=4294967297 -> NOT_FOUND");
    TALK("memory: no key is behind the last", "$ memory", MEMORY_BOOK,
         "memd.list_accounts -> key=18446744073709551615",
         "|   account 0xffffffffffffffff    holds 0, with those below 0, guaranteed 0, limit 0");
    TALK("memory: the key asked for may be there; one before it ends the list", "$ memory",
         MEMORY_BOOK, "memd.list_accounts -> key=1", MEMORY_ACCOUNT,
         "memd.list_accounts key=2 -> key=2",
         "|   account 0x2                   holds 0, with those below 0, guaranteed 0, limit 0",
         "memd.list_accounts key=3 -> key=2", "| accounts: INTERNAL");
    TALK("memory: refused", "$ memory", "memd.query_memory -> DENIED", "| memory: DENIED",
         "$ memory", "memd.query_memory -> NOT_FOUND", "| memory: NOT_FOUND", "$ memory",
         "memd.query_memory -> nonsense", "| memory: INTERNAL", "$ memory", MEMORY_BOOK,
         "memd.list_accounts -> DENIED", "| accounts: DENIED");
    TALK("memory: 65536 accounts are the most", "$ memory", MEMORY_BOOK,
         "memd.list_accounts -> key=1", MEMORY_ACCOUNT, "* 65535 key |");
}

/* --- the log and crashes ------------------------------------------------------------------------ */

static void test_log(void)
{
    TALK("log: from the first record on; what is missing is no matter", "$ log",
         "logd.read cursor=1 -> record_id=4 missed_count=3 ticks=12034 role=9 severity=1 "
         "text='hello'",
         "| 12.034    timed: hello",
         "logd.read cursor=5 -> record_id=5 ticks=7 role=999 text='a\tb\x7f'",
         "| 0.007     999: a?b?",
         "logd.read cursor=6 -> record_id=9 ticks=123456789012 role=1 text=' x '",
         "| 123456789.012 rootd:  x ", "logd.read cursor=10 -> NOT_FOUND");
    TALK("log: a record that was there ends it", "$ log",
         "logd.read cursor=1 -> record_id=4 role=9 text='a'", "| 0.000     timed: a",
         "logd.read cursor=5 -> record_id=4 role=9 text='a'", "| log: INTERNAL");
    TALK("log: so does the last that could be", "$ log",
         "logd.read cursor=1 -> record_id=18446744073709551615 role=9 text='a'", "| log: INTERNAL");
    TALK("log: refused", "$ log", "logd.read cursor=1 -> DENIED", "| log: DENIED", "$ log",
         "logd.read cursor=1 -> !TIMED_OUT", "| log: TIMED_OUT", "$ log",
         "logd.read cursor=1 -> nonsense", "| log: INTERNAL", "$ log",
         "logd.read cursor=1 -> NOT_FOUND");
    TALK("log: 65536 records are the most", "$ log",
         "logd.read cursor=1 -> record_id=1 role=9 text='a'", "| 0.000     timed: a",
         "* 65535 record_id |");
}

static void test_crashes(void)
{
    TALK("crashes: from the first record on", "$ crashes",
         "crashd.read cursor=1 -> report_id=2 missed_count=1 lost_count=5 ticks=9 number=8 "
         "process_id=70 owner_id=6 role=258 reason=9 code=3 fault_va=4198400 ended_ticks=1250",
         "| 1.250     phase0-fault-kill, process 70: FAULT_WRITE_DENIED at 0x401000, code 0x3",
         "crashd.read cursor=3 -> report_id=3 number=9 process_id=71 role=999 reason=2 code=17",
         "| 0.000     999, process 71: KILLED at 0x0, code 0x11",
         "crashd.read cursor=4 -> NOT_FOUND");
    TALK("crashes: a record that was there ends them", "$ crashes",
         "crashd.read cursor=1 -> report_id=1 number=1 process_id=7 role=9 reason=2",
         "| 0.000     timed, process 7: KILLED at 0x0, code 0x0",
         "crashd.read cursor=2 -> report_id=1 number=1 process_id=7 role=9 reason=2",
         "| crashes: INTERNAL", "$ crashes",
         "crashd.read cursor=1 -> report_id=18446744073709551615 number=1 process_id=7 role=9 "
         "reason=2",
         "| crashes: INTERNAL");
    TALK("crashes: refused", "$ crashes", "crashd.read cursor=1 -> DENIED", "| crashes: DENIED",
         "$ crashes", "crashd.read cursor=1 -> nonsense", "| crashes: INTERNAL", "$ crashes",
         "crashd.read cursor=1 -> NOT_FOUND");
    TALK("crashes: 65536 records are the most", "$ crashes",
         "crashd.read cursor=1 -> report_id=1 number=1 process_id=7 role=9 reason=2",
         "| 0.000     timed, process 7: KILLED at 0x0, code 0x0", "* 65535 report_id |");
}

/* --- who holds what --------------------------------------------------------------------------- */

static void test_graph(void)
{
    TALK(
        "graph: the slots of each process that lives; work is counted", "$ graph",
        "procd.list_processes -> process_id=1 place=1 role=2 state=1", "| memd, process 1",
        "procd.read_slot process_id=1 -> slot=2 object_type=5 rights=3",
        "|   2        ENDPOINT               0x3",
        "procd.read_slot process_id=1 slot=3 -> slot=21 object_type=5 rights=1 object_role=6 "
        "object_id=88 badge=2",
        "|   21       ENDPOINT               0x1 -> named badge 0x2",
        "procd.read_slot process_id=1 slot=22 -> slot=4095 object_type=2 rights=24 object_role=999",
        "|   4095     FRAME                  0x18 -> 999",
        "procd.read_slot process_id=1 slot=4096 -> slot=4096 object_type=2 rights=24",
        "procd.read_slot process_id=1 slot=4097 -> slot=5000 object_type=5 rights=1 badge=9",
        "|   5000     ENDPOINT               0x1 badge 0x9",
        "procd.read_slot process_id=1 slot=5001 -> slot=9000",
        "procd.read_slot process_id=1 slot=9000 -> slot=9001 object_type=1 rights=64",
        "procd.read_slot process_id=1 slot=9002 -> slot=4194304", "|   and objects of its work: 2",
        "procd.list_processes place=2 -> process_id=4 place=2 role=9 state=2",
        "procd.list_processes place=3 -> process_id=5 place=3 role=999", "| 999, process 5",
        "procd.read_slot process_id=5 -> slot=4194304",
        "procd.list_processes place=4 -> NOT_FOUND");
    TALK("graph: of one name, alive", "$ graph timed",
         "procd.list_processes -> process_id=1 place=1 role=2 state=1",
         "procd.list_processes place=2 -> process_id=4 place=2 role=9 state=2",
         "procd.list_processes place=3 -> process_id=6 place=3 role=9 state=3",
         "procd.list_processes place=4 -> process_id=7 place=4 role=9 state=1",
         "| timed, process 7",
         "procd.read_slot process_id=7 -> slot=4194303 object_type=6 rights=1",
         "|   and objects of its work: 1",
         "procd.list_processes place=5 -> process_id=8 place=5 role=9 state=4",
         "procd.list_processes place=6 -> process_id=9 place=6 role=999 state=1",
         "procd.list_processes place=7 -> NOT_FOUND");
    TALK("graph: nobody of that name", "$ graph time",
         "procd.list_processes -> process_id=7 place=1024 role=9 state=1", "| graph: NOT_FOUND",
         "$ graph timed", "procd.list_processes -> process_id=7 place=1 role=9 state=2",
         "procd.list_processes place=2 -> DENIED", "| processes: DENIED", "| graph: NOT_FOUND");
    TALK("graph: slots that do not go forward end a process, and the next one is shown", "$ graph",
         "procd.list_processes -> process_id=1 place=1 role=2 state=1", "| memd, process 1",
         "procd.read_slot process_id=1 -> slot=5 object_type=2",
         "|   5        FRAME                  0x0",
         "procd.read_slot process_id=1 slot=6 -> slot=5 object_type=2", "| graph: INTERNAL",
         "procd.list_processes place=2 -> process_id=2 place=2 role=3 state=1",
         "| vspaced, process 2", "procd.read_slot process_id=2 -> slot=0", "| graph: INTERNAL",
         "procd.list_processes place=3 -> process_id=3 place=3 role=4 state=1",
         "| pagerd, process 3", "procd.read_slot process_id=3 -> slot=0 object_type=2",
         "|   0        FRAME                  0x0",
         "procd.read_slot process_id=3 slot=1 -> NOT_FOUND", "| graph: NOT_FOUND",
         "procd.list_processes place=4 -> NOT_FOUND");
    TALK("graph: 65536 slots of a process are the most", "$ graph",
         "procd.list_processes -> process_id=1 place=1024 role=2 state=1", "| memd, process 1",
         "procd.read_slot process_id=1 -> slot=4096 object_type=2", "* 65535 slot",
         "|   and objects of its work: 65536");
}

static void test_uptime(void)
{
    TALK("uptime: seconds and thousandths", "$ uptime", "timed.now_monotonic -> now_ticks=61005",
         "| 61.005 s", "$ uptime", "timed.now_monotonic -> now_ticks=99", "| 0.099 s", "$ uptime",
         "timed.now_monotonic -> now_ticks=100", "| 0.100 s");
    TALK("uptime: refused", "$ uptime", "timed.now_monotonic -> DENIED", "| uptime: DENIED",
         "$ uptime", "timed.now_monotonic -> !TIMED_OUT", "| uptime: TIMED_OUT", "$ uptime",
         "timed.now_monotonic -> nonsense", "| uptime: INTERNAL");
}

/* A service that is not there is found again, once, when named or the kernel can: not what the console
 * holds from its start, and not what refused by itself. */
static void test_found_again(void)
{
    TALK("timed died: found again and asked once more", "$ uptime",
         "timed.now_monotonic -> !PEER_DIED", "kernel.drop_local_cap slot=24 -> OK",
         "named.lookup name='timed' window=24 -> OK", "timed.now_monotonic -> now_ticks=1",
         "| 0.001 s");
    TALK("timed is gone twice", "$ uptime", "timed.now_monotonic -> !NOT_FOUND",
         "kernel.drop_local_cap slot=24 -> NOT_FOUND", "named.lookup name='timed' window=24 -> OK",
         "timed.now_monotonic -> !NOT_FOUND", "kernel.drop_local_cap slot=24 -> NOT_FOUND",
         "named.lookup name='timed' window=24 -> OK", "| uptime: NOT_FOUND");
    TALK("timed is not found", "$ uptime", "timed.now_monotonic -> !NOT_FOUND",
         "kernel.drop_local_cap slot=24 -> OK", "named.lookup name='timed' window=24 -> NOT_FOUND",
         "| uptime: NOT_FOUND");
    TALK("what is in the slot cannot be dropped", "$ uptime", "timed.now_monotonic -> !PEER_DIED",
         "kernel.drop_local_cap slot=24 -> DENIED", "| uptime: PEER_DIED");
    TALK("timed itself says NOT_FOUND, or the kernel something else", "$ uptime",
         "timed.now_monotonic -> NOT_FOUND", "| uptime: NOT_FOUND", "$ uptime",
         "timed.now_monotonic -> PEER_DIED", "| uptime: PEER_DIED", "$ uptime",
         "timed.now_monotonic -> !DENIED", "| uptime: DENIED");
    TALK("memd, procd and loaderd are found by nobody's name", "$ memory",
         "memd.query_memory -> !PEER_DIED", "| memory: PEER_DIED", "$ stop 5",
         "procd.stop_process process_id=5 -> !NOT_FOUND",
         "loaderd.stop_program process_id=5 -> !NOT_FOUND", "| stop: NOT_FOUND");
}

void test_lists(void)
{
    test_help();
    test_processes();
    test_memory();
    test_log();
    test_crashes();
    test_graph();
    test_uptime();
    test_found_again();
}
