/* SPDX-License-Identifier: ISC */
/* Commands that show files: ls, cat. What was opened is closed, whatever came between. */
#include "props/tests/console/console_test.h"

#define OPEN_ROOT "vfsd.open flags=66 path='/'"
#define OPEN_BIN  "vfsd.open flags=66 path='/bin'"
#define OPEN_TEXT "vfsd.open flags=2 path='/etc/motd'"
#define READ      "vfsd.read handle=5"

static void test_ls(void)
{
    TALK("ls: the root without a path; each entry with the mark of its kind", "$ ls",
         OPEN_ROOT " -> handle=5 file_id=1 kind=1",
         "vfsd.readdir handle=5 -> file_id=2 next_cursor=1 kind=1 name='bin'", "|   bin/",
         "vfsd.readdir handle=5 cursor=1 -> file_id=3 next_cursor=7 name='a\nb'", "|   a?b",
         "vfsd.readdir handle=5 cursor=7 -> file_id=4 next_cursor=8 kind=2 name='link'",
         "|   link@", "vfsd.readdir handle=5 cursor=8 -> next_cursor=8",
         "vfsd.close handle=5 -> OK");
    TALK("ls: of a path; nothing is in it", "$ ls /bin", OPEN_BIN " -> handle=6",
         "vfsd.readdir handle=6 -> next_cursor=9 kind=1 name='x'", "vfsd.close handle=6 -> OK");
    TALK("ls: what is not opened is not closed", "$ ls /bin", OPEN_BIN " -> NOT_DIRECTORY",
         "| ls: NOT_DIRECTORY", "$ ls", OPEN_ROOT " -> nonsense", "| ls: INTERNAL");
    TALK("ls: a refused read is closed, and the refusal is what is told", "$ ls",
         OPEN_ROOT " -> handle=5", "vfsd.readdir handle=5 -> DENIED", "vfsd.close handle=5 -> OK",
         "| ls: DENIED", "$ ls", OPEN_ROOT " -> handle=5", "vfsd.readdir handle=5 -> DENIED",
         "vfsd.close handle=5 -> NOT_FOUND", "| ls: DENIED");
    TALK("ls: a refused close is told", "$ ls", OPEN_ROOT " -> handle=5",
         "vfsd.readdir handle=5 -> OK", "vfsd.close handle=5 -> NOT_FOUND", "| ls: NOT_FOUND");
    TALK("ls: a cursor that does not grow ends the list", "$ ls", OPEN_ROOT " -> handle=5",
         "vfsd.readdir handle=5 -> file_id=2 next_cursor=3 name='a'", "|   a",
         "vfsd.readdir handle=5 cursor=3 -> file_id=3 next_cursor=3 name='b'",
         "vfsd.close handle=5 -> OK", "| ls: INTERNAL");
    TALK("ls: 65536 entries are the most", "$ ls", OPEN_ROOT " -> handle=5",
         "vfsd.readdir handle=5 -> file_id=2 next_cursor=1 name='a'", "|   a",
         "* 65535 next_cursor |", "vfsd.close handle=5 -> OK", "| ls: OVER_LIMIT");
}

#define TEN     "0123456789"
#define HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN

static void test_cat(void)
{
    TALK("cat: line by line, wherever a piece ends", "$ cat /etc/motd", OPEN_TEXT " -> handle=5",
         READ " count=832 -> bytes='one\ntw'", "| one",
         READ " offset_bytes=6 count=832 -> bytes='o\n\n'", "| two", "| ",
         READ " offset_bytes=9 count=832 -> bytes='\tend\x1b'",
         READ " offset_bytes=14 count=832 -> OK", "| ?end?", "vfsd.close handle=5 -> OK");
    TALK("cat: an empty file", "$ cat /etc/motd", OPEN_TEXT " -> handle=5", READ " count=832 -> OK",
         "vfsd.close handle=5 -> OK");
    TALK("cat: a row has room for 320 bytes", "$ cat /etc/motd", OPEN_TEXT " -> handle=5",
         READ " count=832 -> bytes='" HUNDRED HUNDRED HUNDRED TEN TEN "a\n'",
         "| " HUNDRED HUNDRED HUNDRED TEN TEN, "| a", READ " offset_bytes=322 count=832 -> OK",
         "vfsd.close handle=5 -> OK");
    TALK("cat: what is not opened is not closed", "$ cat /etc/motd", OPEN_TEXT " -> IS_DIRECTORY",
         "| cat: IS_DIRECTORY");
    TALK("cat: a refused read is closed, and what came before is shown", "$ cat /etc/motd",
         OPEN_TEXT " -> handle=5", READ " count=832 -> bytes='half'",
         READ " offset_bytes=4 count=832 -> CHANGED", "| half", "vfsd.close handle=5 -> OK",
         "| cat: CHANGED", "$ cat /etc/motd", OPEN_TEXT " -> handle=5",
         READ " count=832 -> !TIMED_OUT", "vfsd.close handle=5 -> DENIED", "| cat: TIMED_OUT");
    TALK("cat: a refused close is told", "$ cat /etc/motd", OPEN_TEXT " -> handle=5",
         READ " count=832 -> OK", "vfsd.close handle=5 -> !DENIED", "| cat: DENIED");
    TALK("cat: 65536 pieces and rows are the most", "$ cat /etc/motd", OPEN_TEXT " -> handle=5",
         READ " count=832 -> bytes='a\n'", "| a", "* 32768 nothing |", "vfsd.close handle=5 -> OK",
         "| cat: OVER_LIMIT");
}

void test_files(void)
{
    test_ls();
    test_cat();
}
