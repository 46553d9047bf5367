/* SPDX-License-Identifier: ISC */
/* The book of lines of interrupts: to which endpoint each is bound, whether it is masked, whether its
 * interrupt was told and is not acknowledged. A line whose endpoint is gone is nobody's, which shows
 * whenever somebody asks. */
#include <string.h>

#include "props/base/property.h"
#include "props/stand_ins/stand_in_books.h"

struct line {
    struct stand_in_cap endpoint; /* OBJECT_NONE: nobody's */
    uint64_t token;
    bool masked;
    bool told;
};

static struct line lines[INTERRUPT_LINE_COUNT];

void stand_in_lines_begin(void)
{
    memset(lines, 0, sizeof lines);
}

static struct line *line_at(uint32_t number)
{
    HARNESS(number < INTERRUPT_LINE_COUNT);
    struct line *line = &lines[number];
    if (line->endpoint.object_type != OBJECT_NONE && !stand_in_cap_live(&line->endpoint))
        memset(line, 0, sizeof *line);
    return line;
}

bool stand_in_line(uint32_t number, struct stand_in_line *found)
{
    const struct line *line = line_at(number);
    *found = (struct stand_in_line){
        .endpoint = line->endpoint,
        .token = line->token,
        .masked = line->masked,
        .told = line->told,
    };
    return line->endpoint.object_type != OBJECT_NONE;
}

bool stand_in_interrupt(uint32_t number)
{
    struct line *line = line_at(number);
    bool told = line->endpoint.object_type != OBJECT_NONE && !line->masked && !line->told;
    line->told = line->told || told;
    return told;
}

uint64_t stand_in_lines_digest(void)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < INTERRUPT_LINE_COUNT; i++) {
        const struct line *line = line_at(i);
        if (line->endpoint.object_type == OBJECT_NONE)
            continue;
        uint64_t value = stand_in_mix((uint64_t)i << 32 | line->endpoint.object);
        value = stand_in_mix(value ^ line->endpoint.generation) ^ line->token;
        sum += stand_in_mix(value ^ ((uint64_t)line->masked << 1 | line->told));
    }
    return sum;
}

/* --- operations ------------------------------------------------------------------------------- */

enum status stand_in_bind(struct stand_in_call *call)
{
    const struct kernel_bind_interrupt_request *request = call->request;
    struct stand_in_cap endpoint = {.object_type = OBJECT_NONE};
    enum status status = STATUS_OK;
    if (request->line == 0 || request->line == 2)
        return STATUS_DENIED;
    if (request->endpoint_slot != 0)
        status = stand_in_get(request->endpoint_slot, OBJECT_ENDPOINT, RIGHT_SEND, &endpoint);
    if (status != STATUS_OK)
        return status;
    bool bound = endpoint.object_type != OBJECT_NONE;
    lines[request->line] = (struct line){
        .endpoint = endpoint,
        .token = bound ? request->token : 0,
        .masked = bound,
    };
    return STATUS_OK;
}

enum status stand_in_ack(struct stand_in_call *call)
{
    const struct kernel_ack_interrupt_request *request = call->request;
    struct line *line = line_at(request->line);
    bool told = line->told;
    line->told = false;
    return told ? STATUS_OK : STATUS_NOT_FOUND;
}

enum status stand_in_mask(struct stand_in_call *call)
{
    const struct kernel_mask_interrupt_request *request = call->request;
    struct line *line = line_at(request->line);
    if (line->endpoint.object_type == OBJECT_NONE)
        return STATUS_NOT_FOUND;
    line->masked = request->masked != 0;
    return STATUS_OK;
}
