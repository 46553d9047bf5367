/* SPDX-License-Identifier: ISC */
/* bench-echo: answers every call with what it brought, so that a round trip costs what the kernel
 * costs. A capability goes back by MOVE. */
#include "services/bench/bench_echo.h"

#include "abi/capability.h"
#include "abi/slots.h"
#include "services/bench/bench.h"

/* Until a call asks for the library: no copy of the message is made. The answer to that one opens no
 * window: the library opens its own. */
static void echo_bare(void)
{
    struct message *page = bench_page();
    const struct receive_info *info =
        (const struct receive_info *)(MESSAGE_PAGE_VA + MESSAGE_PAGE_INFO_OFFSET);
    page->header = (struct message_header){.version = MESSAGE_VERSION};
    enum status status = bench_enter(SYSCALL_RECV, SLOT_SERVICE_ENDPOINT, DEADLINE_NEVER);
    while (status == STATUS_OK && page->header.operation != ECHO_LIBRARY) {
        if (page->header.cap_count != 0)
            page->caps[0] = (struct message_cap){.field_offset = page->caps[0].field_offset,
                                                 .rights = RIGHTS_ALL,
                                                 .mode = TRANSFER_MOVE};
        if (page->header.operation == ECHO_CAPS) {
            page->header.window_slot = SLOT_RECEIVE_BASE;
            page->header.window_count = 1;
        }
        status = bench_answer(info->reply_slot);
    }
    if (status != STATUS_OK || bench_enter(SYSCALL_REPLY, info->reply_slot, 0) != STATUS_OK)
        __builtin_trap();
}

/* As services/lib does it: the message in the transport's buffer, a window of four slots open, each
 * answer sent with the next receive. */
static void echo_library(void)
{
    struct message *message = sys_message();
    struct receive_info info = {.reply_slot = SLOT_NULL};
    message->header = (struct message_header){.version = MESSAGE_VERSION};
    for (;;) {
        message->header.window_slot = SLOT_RECEIVE_BASE;
        message->header.window_count = MESSAGE_CAP_LIMIT;
        if (sys_reply_recv(info.reply_slot, message, SLOT_SERVICE_ENDPOINT, DEADLINE_NEVER,
                           &info) != STATUS_OK)
            __builtin_trap();
    }
}

void bench_echo_main(void)
{
    echo_bare();
    echo_library();
}
