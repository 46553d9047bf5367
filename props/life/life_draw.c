/* SPDX-License-Identifier: ISC */
/* Draws requests by the rows of a harness. Decides how often, never what is right: that is the
 * model's. */
#include <string.h>

#include "abi/text/generate.h"
#include "props/base/property.h"
#include "props/base/rows.h"
#include "props/life/life.h"

enum { ANY_WEIGHT = 2, ANY_BYTE = UINT8_MAX };

const struct operation *life_row_of(const struct life_language *language, uint16_t operation)
{
    static const enum service_id shared[] = {SERVICE_EVENT, SERVICE_STARTUP, SERVICE_PAGERD};
    const struct operation *row = operation_find(language->service, operation);
    for (unsigned i = 0; row == NULL && i < sizeof shared / sizeof shared[0]; i++)
        row = operation_find(shared[i], operation);
    return row;
}

const struct life_operation *life_operation_of(const struct life_language *language,
                                               uint16_t operation)
{
    static const struct life_operation unknown;
    for (const struct life_operation *own = language->operations; own->draw != NULL; own++)
        if (own->operation == operation && operation != 0)
            return own;
    return &unknown;
}

static unsigned weights(const struct life_language *language)
{
    unsigned sum = 0;
    for (const struct life_operation *own = language->operations; own->draw != NULL; own++)
        sum += own->weight;
    return sum;
}

void life_draw_operation(const struct life_language *language, struct choices *choices,
                         struct life_draft *draft)
{
    size_t from = choices->offset_bytes;
    unsigned sum = weights(language);
    unsigned byte = choices_u8(choices);
    unsigned part = byte == ANY_BYTE ? sum : byte % (sum + ANY_WEIGHT);
    HARNESS(sum + ANY_WEIGHT <= ANY_BYTE);
    memset(draft, 0, sizeof *draft);
    if (part >= sum) {
        choices_settle(choices, from, ANY_BYTE);
        draft->operation = choose_operation_in(choices, language->service)->id;
        draft->row = life_operation_of(language, draft->operation);
        return;
    }
    choices_settle(choices, from, part);
    draft->row = language->operations;
    for (; part >= draft->row->weight; draft->row++)
        part -= draft->row->weight;
    draft->operation = draft->row->operation;
}

void life_draw_nothing(struct choices *choices, struct life_draft *draft)
{
    (void)choices;
    (void)draft;
}

void life_draw_body(const struct life_language *language, struct choices *choices,
                    struct life_draft *draft)
{
    struct generator generator = choices_generator(choices);
    if (draft->row->draw != NULL)
        draft->row->draw(choices, draft);
    else
        generate_valid(&generator, life_row_of(language, draft->operation)->request, draft->body);
}

void life_draft_message(const struct life_language *language, const struct life_draft *draft,
                        struct message *message)
{
    const struct operation *row = life_row_of(language, draft->operation);
    generate_delivered(row->request, draft->body, message);
    message->header.badge = draft->badge;
    for (uint32_t i = 0; i < message->header.cap_count; i++) {
        if (draft->caps[i].object_type != OBJECT_NONE) {
            message->caps[i].object_type = draft->caps[i].object_type;
            message->caps[i].rights = draft->caps[i].rights;
        }
        message->caps[i].badge = draft->caps[i].badge;
    }
}
