/* SPDX-License-Identifier: ISC */
/* Draws requests for logd's life. Decides nothing about what is right: the model does. */
#include "fuzz/life/logd_life.h"

#include <stdio.h>
#include <string.h>

static uint64_t some_badge(struct choices *choices)
{
    static const uint32_t roles[] = {ROLE_NAMED, ROLE_TIMED,   ROLE_SERIALD,
                                     ROLE_IRQD,  ROLE_DEVICED, ROLE_EXTENSION_BASE};
    uint64_t which = choices_below(choices, 8);
    if (which < 6)
        return roles[which];
    return which == 6 ? choices_u16(choices) : choices_below(choices, 2) * choices_u64(choices);
}

/* Mostly a word; sometimes as long as it may be, with bytes at both ends of what is printable. */
void draw_append(struct choices *choices, struct life_draft *draft)
{
    struct logd_append_request *request = (void *)draft->body;
    uint64_t how = choices_below(choices, 12);
    request->severity = (uint32_t)choices_below(choices, LOG_SEVERITY_LAST + 1);
    request->count = how == 0 ? LOG_LINE_BYTES_MAX : (uint32_t)choices_between(choices, 1, 12);
    for (uint32_t i = 0; i < request->count; i++)
        request->text[i] = (uint8_t)(how == 1 ? choices_u8(choices) : ' ' + (i * 7 + how) % 95);
    draft->badge = some_badge(choices);
}

/* Mostly a reader, and near what there is. */
void draw_read(struct choices *choices, struct life_draft *draft)
{
    struct logd_read_request *request = (void *)draft->body;
    uint64_t how = choices_below(choices, 10);
    uint64_t end = model.last_id + 2;
    request->cursor = how == 0 ? choices_u64(choices) | 1 : 1 + choices_below(choices, end);
    if (how == 1)
        request->cursor = UINT64_MAX;
    draft->badge = choices_below(choices, 6) == 0 ? some_badge(choices) : ROLE_SERIALD;
}

void logd_life_line(uint64_t role, uint32_t n, struct message *request)
{
    struct logd_append_request body = {.severity = n % (LOG_SEVERITY_LAST + 1)};
    char text[32];
    body.count = (uint32_t)snprintf(text, sizeof text, "line %u of a flood", n);
    memcpy(body.text, text, body.count);
    life_request(&logd_append_request_type, &body, role, request);
}

void logd_life_generate(struct choices *choices, struct message *request)
{
    if (life_generate(&logd_life_language, choices, some_badge, request) == 0)
        request->header.badge = some_badge(choices);
}
