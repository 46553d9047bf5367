/* SPDX-License-Identifier: ISC */
/* Walks irqd's tables: are the seeds in order, and could each line have been registered. Decides
 * nothing and changes nothing. */
#include <stddef.h>

#include "services/irqd/internal.h"

static bool seed_agrees(const struct irqd *irqd, uint32_t index)
{
    const struct irqd_seed *seed = &irqd->seeds[index];
    const struct irqd_seed *next = seed + 1;
    bool line = seed->line < INTERRUPT_LINE_COUNT && seed->line != IRQD_LINE_CLOCK &&
                seed->line != IRQD_LINE_CASCADE;
    bool role = seed->role != 0 && seed->role <= ROLE_ID_MAX;
    bool ordered = index + 1 == irqd->seed_count || seed->line < next->line ||
                   (seed->line == next->line && seed->role < next->role);
    return line && role && ordered;
}

static bool line_agrees(const struct irqd *irqd, uint32_t number)
{
    const struct irqd_line *line = &irqd->lines[number];
    if (line->handler_role == 0)
        return line->is_masked == 0;
    return irqd->is_sealed != 0 && line->is_masked <= 1 &&
           irqd_is_seeded(irqd, number, line->handler_role);
}

const char *irqd_check(const struct irqd *irqd)
{
    if (irqd->seed_count > IRQD_SEED_LIMIT)
        return "E6";
    for (uint32_t i = 0; i < irqd->seed_count; i++)
        if (!seed_agrees(irqd, i))
            return "D3";
    for (uint32_t i = 0; i < INTERRUPT_LINE_COUNT; i++)
        if (!line_agrees(irqd, i))
            return "D3";
    return NULL;
}

void irqd_visit_fields(const struct irqd *irqd, void (*visit)(void *context, uint64_t value),
                       void *context)
{
    visit(context, (uint64_t)irqd->is_sealed << 32 | irqd->seed_count);
    for (uint32_t i = 0; i < irqd->seed_count; i++)
        visit(context, (uint64_t)irqd->seeds[i].line << 32 | irqd->seeds[i].role);
    for (uint32_t i = 0; i < INTERRUPT_LINE_COUNT; i++)
        visit(context, (uint64_t)irqd->lines[i].handler_role << 32 | irqd->lines[i].is_masked);
}
