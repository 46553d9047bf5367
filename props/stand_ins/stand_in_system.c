/* SPDX-License-Identifier: ISC */
/* The seam before the kernel's stand-in. Whoever wants to stand between, to lie or to fail, defines
 * these functions instead and calls the stand-in; REPLY_RECV is made of two of them
 * (reply_recv.c). */
#include "props/base/message_page.h"
#include "props/stand_ins/stand_in_kernel.h"

enum status sys_call(uint32_t slot, struct message *message, uint64_t deadline_ticks)
{
    message_page_sent(message);
    enum status status = stand_in_call(slot, message, deadline_ticks);
    message_page_exchanged(message);
    return status;
}

enum status sys_recv(uint32_t slot, struct message *message, uint64_t deadline_ticks,
                     struct receive_info *info)
{
    message_page_sent(message);
    enum status status = stand_in_receive(slot, message, deadline_ticks, info);
    message_page_exchanged(message);
    return status;
}

enum status sys_reply(uint32_t reply_slot, struct message *message)
{
    message_page_sent(message);
    enum status status = stand_in_answer(reply_slot, message);
    message_page_exchanged(message);
    return status;
}
