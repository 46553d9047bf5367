/* SPDX-License-Identifier: ISC */
/* The line: what is written until all of it is taken, what is read until something comes, and the end of
 * the talk. */
#include "props/base/testing.h"
#include "props/tests/console/console_test.h"

#define ANSWER "$ uptime", "timed.now_monotonic -> now_ticks=1"

/* What is left of a row is written again after a pause, or at once when some of it was taken. */
static void test_write(void)
{
    TALK("a row in three pieces", "$ log", "logd.read cursor=1 -> record_id=1 role=9 text='abc'",
         "seriald.write bytes='0.000     timed: abc\r\n' -> taken_count=18",
         "seriald.write bytes='bc\r\n' -> OK", "seriald.write bytes='bc\r\n' -> taken_count=1",
         "seriald.write bytes='c\r\n' -> BUSY", "seriald.write bytes='c\r\n' -> taken_count=3",
         "logd.read cursor=2 -> NOT_FOUND");
    TALK("more taken than there was", ANSWER, "seriald.write bytes='0.001 s\r\n' -> taken_count=10",
         "ends INTERNAL");
    TALK("seriald died: found again, and nothing is lost", ANSWER,
         "seriald.write bytes='0.001 s\r\n' -> !PEER_DIED", "kernel.drop_local_cap slot=28 -> OK",
         "named.lookup name='seriald' window=28 -> OK",
         "seriald.write bytes='0.001 s\r\n' -> taken_count=9");
}

/* A terminal that takes a byte now and then is waited for: each time as long as at the first. */
static void test_write_slowly(void)
{
    TALK("ten seconds before each piece", ANSWER, "seriald.write bytes='0.001 s\r\n' -> OK",
         "* 499 nothing", "seriald.write bytes='0.001 s\r\n' -> taken_count=1",
         "seriald.write bytes='.001 s\r\n' -> OK", "* 499 nothing",
         "seriald.write bytes='.001 s\r\n' -> taken_count=4", "seriald.write bytes=' s\r\n' -> OK",
         "* 499 nothing", "seriald.write bytes=' s\r\n' -> taken_count=4");
    TALK("longer than that, after some was taken", ANSWER,
         "seriald.write bytes='0.001 s\r\n' -> taken_count=5", "seriald.write bytes=' s\r\n' -> OK",
         "* 500 nothing", "ends TIMED_OUT");
}

static void test_read(void)
{
    TALK("nothing typed in a minute, refusals, then Ctrl-D", "seriald.read wait_ticks=60000 -> OK",
         "seriald.read wait_ticks=60000 -> BUSY", "seriald.read wait_ticks=60000 -> nonsense",
         "seriald.read wait_ticks=60000 -> bytes='\x04'", "| basalt> ", "| the console ends",
         "ends OK");
    TALK("a line in pieces, with a rub-out", "seriald.read wait_ticks=60000 -> bytes='uptimf\x7f'",
         "seriald.read wait_ticks=60000 -> bytes='e\r'", "| basalt> uptimf\b \be",
         "timed.now_monotonic -> DENIED", "| uptime: DENIED");
    TALK("what is typed ahead is done in its turn",
         "seriald.read wait_ticks=60000 -> bytes='stop 0\rls'", "| basalt> stop 0",
         "| stop: INVALID_ARGUMENT", "seriald.read wait_ticks=60000 -> bytes='\x03zap\r\n'",
         "| basalt> ls^C", "| basalt> zap", "| no such command; help lists them ");
    TALK("nothing behind exit is done", "seriald.read wait_ticks=60000 -> bytes='exit\rstop 1\r'",
         "| basalt> exit", "| the console ends", "ends OK");
}

/* Ten seconds of refusals: the line is lost, and the talk ends with the last of them. */
static void test_lost(void)
{
    static const struct {
        const char *answer, *ends;
    } rows[] = {
        {"BUSY", "ends BUSY"},
        {"!DENIED", "ends DENIED"},
        {"!TIMED_OUT", "ends TIMED_OUT"},
        {"OK", "ends TIMED_OUT"}, /* nothing is ever taken */
    };
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        talk_line_answer(rows[i].answer);
        TALK("the line is lost at the first row", rows[i].ends);
        expect_equal(talk_line_calls(), 501, "so often it is tried, and the talk goes no further");
    }
    talk_line_answer("");
}

/* It is lost when a command shows or asks: the command ends, and what it opened is closed. */
static void test_lost_meanwhile(void)
{
    TALK("ls", "$ ls", "vfsd.open flags=66 path='/' -> handle=5",
         "vfsd.readdir handle=5 -> file_id=2 next_cursor=1 name='a'",
         "seriald.write bytes='  a\r\n' -> taken_count=896", "vfsd.close handle=5 -> OK",
         "ends INTERNAL");
    TALK("cat", "$ cat /a", "vfsd.open flags=2 path='/a' -> handle=5",
         "vfsd.read handle=5 count=832 -> bytes='a\nb\n'",
         "seriald.write bytes='a\r\n' -> taken_count=896", "vfsd.close handle=5 -> OK",
         "ends INTERNAL");
    TALK("ps", "$ ps",
         "seriald.write bytes='     id  program               state       lives  pages        "
         "owner  "
         "end\r\n' -> taken_count=896",
         "procd.list_processes -> process_id=1 place=1 role=2 state=1", "ends INTERNAL");
    TALK("log", "$ log", "logd.read cursor=1 -> record_id=1 role=9 text='a'",
         "seriald.write bytes='0.000     timed: a\r\n' -> taken_count=896", "ends INTERNAL");
    TALK("crashes", "$ crashes",
         "crashd.read cursor=1 -> report_id=1 number=1 process_id=7 role=9 reason=2",
         "seriald.write bytes='0.000     timed, process 7: KILLED at 0x0, code 0x0\r\n' -> "
         "taken_count=896",
         "ends INTERNAL");
    TALK("memory", "$ memory", "memd.query_memory -> OK",
         "seriald.write bytes='pages: 0, free 0, handed out 0, reserved 0; accounts: 0\r\n' -> "
         "taken_count=896",
         "ends INTERNAL");
    TALK("graph", "$ graph", "procd.list_processes -> process_id=1 place=1 role=2 state=1",
         "seriald.write bytes='memd, process 1\r\n' -> taken_count=896",
         "procd.read_slot process_id=1 -> slot=2 object_type=5",
         "procd.list_processes place=2 -> NOT_FOUND", "ends INTERNAL");
    TALK("run", "$ run /a", "loaderd.launch_path path_count=2 bytes='/a' -> process_id=9",
         "seriald.write bytes='process 9 runs\r\n' -> taken_count=896", "ends INTERNAL");
}

void test_line(void)
{
    test_write();
    test_write_slowly();
    test_read();
    test_lost();
    test_lost_meanwhile();
}
