/* SPDX-License-Identifier: ISC */
/* The four system calls of abi/system.h by the syscall instruction.
 *
 *   in:   rax = number (SYSCALL_*), rdi = slot, rsi = deadline in ticks (not of REPLY),
 *         rdx = reply slot (REPLY_RECV)
 *   out:  rax = enum status; rbx, rbp, rsp, r12 to r15 as before, every other register undefined
 *   message: at MESSAGE_PAGE_VA, the page that is pinned for this process; struct receive_info of a
 *   RECV or REPLY_RECV at MESSAGE_PAGE_INFO_OFFSET in it
 *
 * Only the bytes that a header declares move between a buffer elsewhere and the page. A header that
 * declares more than a message holds moves as much as there is; the kernel refuses it. */
#include <string.h>

#include "abi/limits.h"
#include "abi/system.h"

static struct message *message_page(void)
{
    return (struct message *)MESSAGE_PAGE_VA;
}

struct message *sys_message(void)
{
    return message_page();
}

static void copy_message(struct message *target, const struct message *source)
{
    if (target == source)
        return; /* it lies in the page */
    size_t caps = source->header.cap_count;
    size_t body = source->header.body_bytes;
    if (caps > MESSAGE_CAP_LIMIT)
        caps = MESSAGE_CAP_LIMIT;
    if (body > MESSAGE_BODY_BYTES_MAX)
        body = MESSAGE_BODY_BYTES_MAX;
    target->header = source->header;
    if (caps != 0) /* few messages have any */
        memcpy(target->caps, source->caps, caps * sizeof source->caps[0]);
    memcpy(target->body, source->body, body);
}

static enum status enter(uint64_t number, uint64_t slot, uint64_t deadline_ticks,
                         uint64_t reply_slot)
{
    uint64_t result = number;
    __asm__ volatile("syscall"
                     : "+a"(result), "+D"(slot), "+S"(deadline_ticks), "+d"(reply_slot)
                     :
                     : "rcx", "r8", "r9", "r10", "r11", "cc", "memory");
    return (enum status)result;
}

enum status sys_call(uint32_t slot, struct message *message, uint64_t deadline_ticks)
{
    copy_message(message_page(), message);
    enum status status = enter(SYSCALL_CALL, slot, deadline_ticks, 0);
    if (status == STATUS_OK)
        copy_message(message, message_page());
    return status;
}

static enum status received(enum status status, struct message *message, struct receive_info *info)
{
    if (status == STATUS_OK)
        copy_message(message, message_page());
    if (status == STATUS_OK || status == STATUS_RETRY || status == STATUS_TIMED_OUT)
        memcpy(info, (const uint8_t *)message_page() + MESSAGE_PAGE_INFO_OFFSET, sizeof *info);
    return status;
}

enum status sys_recv(uint32_t slot, struct message *message, uint64_t deadline_ticks,
                     struct receive_info *info)
{
    message_page()->header = message->header;
    return received(enter(SYSCALL_RECV, slot, deadline_ticks, 0), message, info);
}

enum status sys_reply(uint32_t reply_slot, struct message *message)
{
    copy_message(message_page(), message);
    return enter(SYSCALL_REPLY, reply_slot, 0, 0);
}

enum status sys_reply_recv(uint32_t reply_slot, struct message *message, uint32_t slot,
                           uint64_t deadline_ticks, struct receive_info *info)
{
    copy_message(message_page(), message);
    return received(enter(SYSCALL_REPLY_RECV, slot, deadline_ticks, reply_slot), message, info);
}
