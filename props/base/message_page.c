/* SPDX-License-Identifier: ISC */
/* One buffer for the one unit that runs, in which nothing outlives the next message. */
#include "props/base/message_page.h"

#include <string.h>

#include "abi/system.h"

enum { NONSENSE = 0xA5 };

struct message *sys_message(void)
{
    static struct message page;
    return &page;
}

void message_page_used(const struct message *message)
{
    struct message *page = sys_message();
    size_t caps = 0;
    size_t body = 0;
    if (message == page) {
        caps = page->header.cap_count;
        body = page->header.body_bytes;
    } else {
        memset(&page->header, NONSENSE, sizeof page->header);
    }
    if (caps < MESSAGE_CAP_LIMIT)
        memset(&page->caps[caps], NONSENSE, (MESSAGE_CAP_LIMIT - caps) * sizeof page->caps[0]);
    if (body < sizeof page->body)
        memset(page->body + body, NONSENSE, sizeof page->body - body);
}
