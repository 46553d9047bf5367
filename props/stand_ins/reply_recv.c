/* SPDX-License-Identifier: ISC */
/* REPLY_RECV as the two calls that it is in one: for every program whose own functions stand at the
 * seam. Decides no more than which of the two is made. */
#include "abi/slots.h"
#include "abi/system.h"

enum status sys_reply_recv(uint32_t reply_slot, struct message *message, uint32_t slot,
                           uint64_t deadline_ticks, struct receive_info *info)
{
    if (reply_slot != SLOT_NULL) {
        enum status status = sys_reply(reply_slot, message);
        if (status != STATUS_OK && status != STATUS_NOT_FOUND)
            return status;
    }
    return sys_recv(slot, message, deadline_ticks, info);
}
