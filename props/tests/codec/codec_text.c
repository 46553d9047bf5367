/* SPDX-License-Identifier: ISC */
/* The text form of messages: literal lines against literal bytes, and lines that must be refused
 * with their status and column. */
#include <stdio.h>
#include <string.h>

#include "abi/text/print.h"
#include "abi/status.h"
#include "abi/text/trace_parse.h"
#include "props/base/testing.h"
#include "props/tests/codec/codec_test.h"

/* A line as it is printed, and the message's body. */
struct text_fixture {
    const char *line;
    const char *body;
    unsigned body_bytes;
    unsigned caps;
};

#define BODY(bytes) bytes, sizeof(bytes) - 1

static const struct text_fixture printed[] = {
    {"memd.alloc_frames count=3 reserved0=0", BODY("\3\0\0\0\0\0\0\0"), 0},
    {"memd.alloc_frames count=0xffffffff reserved0=7",
     BODY("\xff\xff\xff\xff"
          "\7\0\0\0"),
     0},
    {"memd.query_account", "", 0, 0},
    {"memd.alloc_frames:reply .request_id=7 .status=EXHAUSTED", "", 0, 0},
    {"memd.alloc_frames:reply .status=4096", "", 0, 0},
    {"memd.query_account .badge=5", "", 0, 0},
    {"memd.query_account .version=2 .window=64:4", "", 0, 0},
    {"memd.#0x999 .body=00ff", BODY("\0\xff"), 0},
    {"memd.alloc_frames .body=", "", 0, 0},
    {"memd.free_frames count=2 frame_ids=[{frame_id=1},{frame_id=999999}]",
     BODY("\2\0\0\0\1\0\0\0\x3f\x42\x0f\0"), 0},
    {"memd.free_frames count=0 frame_ids=[]", BODY("\0\0\0\0"), 0},
    {"memd.alloc_frames:reply count=1 reserved0=0 frame_ids=[7,0,0,0]"
     " frame_slots=[64:FRAME:0x7c,0,65,0:FRAME:0x0]",
     BODY("\1\0\0\0\0\0\0\0"
          "\7\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
          "\x40\0\0\0\0\0\0\0\x41\0\0\0\0\0\0\0"),
     2},
    {"procd.begin_loader_image_transfer entry_va=4096 image_bytes=1"
     " digest=[1,0,0xffffffffffffffff,4] page_limit=0 segment_count=1"
     " segments=[{va=4097,memory_bytes=2,file_bytes=1,rights=0x28,reserved0=0}]",
     BODY("\0\x10\0\0\0\0\0\0\1\0\0\0\0\0\0\0"
          "\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
          "\xff\xff\xff\xff\xff\xff\xff\xff\4\0\0\0\0\0\0\0"
          "\0\0\0\0\1\0\0\0"
          "\1\x10\0\0\0\0\0\0\2\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\x28\0\0\0\0\0\0\0"),
     0},
    {"kernel.log_write count=3 bytes=6f6b0a", BODY("\3\0\0\0ok\n"), 0},
    {"kernel.log_write count=0 bytes=", BODY("\0\0\0\0"), 0},
    {"kernel.unmap_frame vspace_slot=4100 page_count=1 va=0x400000",
     BODY("\4\x10\0\0\1\0\0\0\0\0\x40\0\0\0\0\0"), 0},
    {"memd.alloc_untyped:reply untyped_id=1 untyped_slot=64:ENDPOINT:0x5",
     BODY("\1\0\0\0\x40\0\0\0"), 1},
    {"memd.alloc_untyped:reply untyped_id=1 untyped_slot=64:#77:0x5:1:1:9:0",
     BODY("\1\0\0\0\x40\0\0\0"), 1},
    {"memd.alloc_untyped:reply untyped_id=1 untyped_slot=64", BODY("\1\0\0\0\x40\0\0\0"), 0},
    {"memd.alloc_untyped:reply .body=0100000040000000 .caps=[0:ENDPOINT:0x5,4:NONE:0x0]",
     BODY("\1\0\0\0\x40\0\0\0"), 2},
};

static void test_printed(void)
{
    for (unsigned i = 0; i < sizeof printed / sizeof printed[0]; i++) {
        const struct text_fixture *fixture = &printed[i];
        struct trace_message what;
        struct message message;
        size_t column;
        char text[MESSAGE_TEXT_BYTES_MAX];
        enum status status =
            trace_parse(fixture->line, strlen(fixture->line), &what, &message, &column);
        expect_of(fixture->line, "parses", status == STATUS_OK);
        expect_of(fixture->line, "has this body",
                  message.header.body_bytes == fixture->body_bytes &&
                      memcmp(message.body, fixture->body, fixture->body_bytes) == 0 &&
                      message.header.cap_count == fixture->caps);
        size_t length = message_print(what.service, what.reply, &message, text, sizeof text);
        expect_of(fixture->line, "prints as itself",
                  length == strlen(fixture->line) && strcmp(text, fixture->line) == 0);
    }
}

/* Other spellings that people write. */
static void test_accepted(void)
{
    static const char *const lines[] = {
        "memd.alloc_frames count=3",
        "memd.alloc_frames count=0x3 reserved0=0x0",
        "memd.#515 count=3",
        "memd.alloc_frames .status=0 count=3",
    };
    for (unsigned i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        struct trace_message what;
        struct message message;
        size_t column;
        expect_of(lines[i], "parses",
                  trace_parse(lines[i], strlen(lines[i]), &what, &message, &column) == STATUS_OK);
        expect_of(lines[i], "is ALLOC_FRAMES of three",
                  message.header.operation == 0x203 && message.header.body_bytes == 8 &&
                      message.body[0] == 3 && what.operation != NULL);
    }
}

struct refused_line {
    const char *line;
    enum status status;
    unsigned column;
};

static const struct refused_line refused[] = {
    {"", STATUS_TRUNCATED, 0},
    {"mem.alloc_frames count=3", STATUS_NOT_FOUND, 0},
    {"memd", STATUS_TRUNCATED, 4},
    {"memd.", STATUS_TRUNCATED, 5},
    {"memd.alloc_frame count=3", STATUS_NOT_FOUND, 5},
    {"memd.unmap count=3", STATUS_NOT_FOUND, 5},
    {"memd.alloc_frames", STATUS_TRUNCATED, 17},
    {"memd.alloc_frames  count=3", STATUS_NOT_FOUND, 18},
    {"memd.alloc_frames counts=3", STATUS_NOT_FOUND, 18},
    {"memd.alloc_frames count=", STATUS_TRUNCATED, 24},
    {"memd.alloc_frames count=x", STATUS_BAD_TEXT, 24},
    {"memd.alloc_frames count=0x", STATUS_TRUNCATED, 26},
    {"memd.alloc_frames count=03", STATUS_BAD_TEXT, 24},
    {"memd.alloc_frames count=0X3", STATUS_BAD_TEXT, 25},
    {"memd.alloc_frames count=-3", STATUS_BAD_TEXT, 24},
    {"memd.alloc_frames count=4294967296", STATUS_OUT_OF_RANGE, 24},
    {"memd.alloc_frames count=0x10000000000000000", STATUS_OUT_OF_RANGE, 24},
    {"memd.alloc_frames count=3 reserved0=0 more=1", STATUS_BAD_TEXT, 37},
    {"memd.alloc_frames count=3 count=3", STATUS_BAD_TEXT, 25},
    {"memd.alloc_frames count=3 ", STATUS_BAD_TEXT, 25},
    {"memd.alloc_frames count=3\n", STATUS_BAD_TEXT, 25},
    {"memd.alloc_frames .status=GONE", STATUS_NOT_FOUND, 26},
    {"memd.alloc_frames .badge=", STATUS_TRUNCATED, 25},
    {"memd.alloc_frames .status=", STATUS_TRUNCATED, 26},
    {"memd.alloc_frames .badge=1 .request_id=1", STATUS_NOT_FOUND, 27},
    {"memd.#65536 .body=", STATUS_OUT_OF_RANGE, 6},
    {"memd.#0x999 count=1", STATUS_BAD_TEXT, 11},
    {"memd.#0x999 .body=0", STATUS_TRUNCATED, 19},
    {"memd.#0x999 .body=0g", STATUS_BAD_TEXT, 19},
    {"memd.#0x999 .body=00 .caps=[]", STATUS_BAD_TEXT, 28},
    {"memd.#0x999 .body=00 .caps=[0:FRAME]", STATUS_BAD_TEXT, 35},
    {"memd.#0x999 .body=00 .caps=[0:BRAME:0x1]", STATUS_NOT_FOUND, 30},
    {"memd.#0x999 .body=00 .caps=[0:FRAME:0x10000]", STATUS_OUT_OF_RANGE, 36},
    {"memd.#0x9 .body= .caps=[0:NONE:0,0:NONE:0,0:NONE:0,0:NONE:0,0:NONE:0]", STATUS_EXHAUSTED, 62},
    {"kernel.log_write count=2 bytes=6f6b0a", STATUS_BAD_LENGTH, 31},
    {"kernel.log_write count=4 bytes=6f6b0a", STATUS_BAD_LENGTH, 31},
    {"memd.free_frames count=1 frame_ids=[{frame_id=1},{frame_id=2}]", STATUS_BAD_LENGTH, 35},
    {"memd.free_frames count=1 frame_ids=[{frame_id=1}", STATUS_TRUNCATED, 48},
    {"memd.free_frames count=1 frame_ids=[{}]", STATUS_NOT_FOUND, 37},
    {"memd.alloc_frames:reply count=1 frame_ids=7,0,0,0", STATUS_BAD_TEXT, 42},
    {"memd.alloc_frames:reply count=1 frame_ids=[7,0,0]", STATUS_BAD_TEXT, 48},
    {"memd.alloc_frames:reply count=1 frame_ids=[7,0,0,0,0]", STATUS_BAD_TEXT, 50},
    {"memd.alloc_frames:reply count=1 frame_ids=[7,0,0,0", STATUS_TRUNCATED, 50},
    {"memd.alloc_frames:reply count=1 frame_ids=[7,0,,0]", STATUS_BAD_TEXT, 47},
};

static void test_refused(void)
{
    for (unsigned i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        static const struct message zero;
        struct trace_message what;
        struct message message;
        size_t column;
        char name[160];
        enum status status =
            trace_parse(refused[i].line, strlen(refused[i].line), &what, &message, &column);
        snprintf(name, sizeof name, "'%s' (%s in column %zu)", refused[i].line, status_name(status),
                 column);
        expect_of(name, "is refused", status == refused[i].status && column == refused[i].column);
        expect_of(name, "leaves nothing", memcmp(&message, &zero, sizeof zero) == 0);
    }
}

void codec_text_tests(void)
{
    test_printed();
    test_accepted();
    test_refused();
}
