/* SPDX-License-Identifier: ISC */
/* One buffer for the one unit that runs, in which nothing outlives the next message. */
#include "props/base/message_page.h"

#include <string.h>

#include "abi/system.h"
#include "props/base/oracle.h"

enum { NONSENSE = 0xA5 };

/* From here on capabilities and body are nonsense already. */
static size_t caps_end, body_end;

struct message *sys_message(void)
{
    static struct message page;
    return &page;
}

static size_t least(size_t one, size_t other)
{
    return one < other ? one : other;
}

void message_page_sent(const struct message *message)
{
    if (message != sys_message())
        return;
    size_t caps = least(message->header.cap_count, MESSAGE_CAP_LIMIT);
    size_t body = least(message->header.body_bytes, MESSAGE_BODY_BYTES_MAX);
    caps_end = caps > caps_end ? caps : caps_end;
    body_end = body > body_end ? body : body_end;
}

void message_page_written(void)
{
    caps_end = MESSAGE_CAP_LIMIT;
    body_end = MESSAGE_BODY_BYTES_MAX;
}

void message_page_used(const struct message *message)
{
    message_page_written();
    message_page_exchanged(message);
}

void message_page_exchanged(const struct message *message)
{
    struct message *page = sys_message();
    size_t caps = 0;
    size_t body = 0;
    if (message == page) {
        caps = least(page->header.cap_count, MESSAGE_CAP_LIMIT);
        body = least(page->header.body_bytes, sizeof page->body);
    } else {
        memset(&page->header, NONSENSE, sizeof page->header);
    }
    size_t caps_until = oracle_deferred() ? caps_end : MESSAGE_CAP_LIMIT;
    size_t body_until = oracle_deferred() ? body_end : sizeof page->body;
    if (caps < caps_until)
        memset(&page->caps[caps], NONSENSE, (caps_until - caps) * sizeof page->caps[0]);
    if (body < body_until)
        memset(page->body + body, NONSENSE, body_until - body);
    caps_end = caps;
    body_end = body;
}
