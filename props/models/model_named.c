/* SPDX-License-Identifier: ISC */
/* The model of named. Clear rather than quick: every question is a search from the beginning. */
#include "props/models/model_named.h"

#include <string.h>

#include "abi/codec.h"
#include "abi/message_type.h"
#include "abi/roles.h"

enum { KEPT_RIGHTS = RIGHT_SEND | RIGHT_TRANSFER }; /* of the contract */

void model_named_reset(struct model_named *model)
{
    model->sealed = false;
    model->entry_count = 0;
    memset(model->instances, 0, sizeof model->instances);
}

void model_named_died(struct model_named *model, uint32_t number)
{
    model->instances[number]++;
}

bool model_named_lives(const struct model_named *model, const struct model_named_entry *entry)
{
    return entry->registered && entry->instance == model->instances[entry->number];
}

uint32_t model_named_place(const struct model_named *model, const struct model_named_entry *entry)
{
    uint32_t before = 0;
    for (uint32_t i = 0; i < model->entry_count; i++) {
        const struct model_named_entry *other = &model->entries[i];
        before += other->client_role < entry->client_role ||
                  (other->client_role == entry->client_role &&
                   strncmp(other->name, entry->name, sizeof entry->name) < 0);
    }
    return before;
}

/* --- names --- */

static bool name_is_good(const uint8_t *bytes, uint32_t count)
{
    static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
    for (uint32_t i = 0; i < count; i++)
        if (bytes[i] == 0 || strchr(alphabet, bytes[i]) == NULL)
            return false;
    return true;
}

/* null: the client has none of that name. */
static struct model_named_entry *entry_of(struct model_named *model, uint64_t client_role,
                                          const uint8_t *bytes, uint32_t count)
{
    for (uint32_t i = 0; i < model->entry_count; i++) {
        struct model_named_entry *entry = &model->entries[i];
        if (entry->client_role == client_role && entry->name_count == count &&
            memcmp(entry->name, bytes, count) == 0)
            return entry;
    }
    return NULL;
}

/* --- operations --- */

static void seed(struct model_named *model, const struct named_seed_entry_request *request,
                 struct model_named_answer *answer)
{
    answer->entry = entry_of(model, request->client_role, request->name, request->count);
    if (model->sealed)
        answer->status = STATUS_DENIED;
    else if ((request->rights & RIGHT_SEND) == 0)
        answer->status = STATUS_INVALID_ARGUMENT;
    else if (!name_is_good(request->name, request->count))
        answer->status = STATUS_BAD_TEXT;
    else if (answer->entry != NULL)
        answer->status = STATUS_DUPLICATE;
    else if (model->entry_count == MODEL_NAMED_ENTRY_LIMIT)
        answer->status = STATUS_EXHAUSTED;
    if (answer->status != STATUS_OK)
        return;
    struct model_named_entry *entry = &model->entries[model->entry_count++];
    *entry = (struct model_named_entry){
        .client_role = request->client_role,
        .service_role = request->service_role,
        .rights = request->rights,
    };
    entry->name_count = request->count;
    memcpy(entry->name, request->name, request->count);
}

/* The calls that named makes: what came; what is kept, if something is; its end, if it is dead; the
 * move. One that fails ends it. */
static enum status register_with(const struct model_named *model, struct model_named_entry *entry,
                                 const struct model_named_cap *cap,
                                 const struct model_failure *failure, bool *changed)
{
    uint64_t works = failure->count != 0 ? failure->calls_before : UINT64_MAX;
    bool dead_on_arrival = cap->instance != model->instances[cap->number];
    if (works == 0)
        return failure->status;
    if (cap->object_type != OBJECT_ENDPOINT || cap->rights != KEPT_RIGHTS || dead_on_arrival ||
        cap->badge != entry->client_role)
        return STATUS_INVALID_ARGUMENT;
    if (entry->registered) {
        if (works == 1)
            return failure->status;
        bool same = entry->number == cap->number && entry->instance == cap->instance;
        if (model_named_lives(model, entry))
            return same ? STATUS_OK : STATUS_BUSY;
        if (works == 2)
            return failure->status;
        entry->registered = false;
        *changed = true;
        works -= 2;
    }
    if (works == 1)
        return failure->status;
    entry->registered = true;
    entry->number = cap->number;
    entry->instance = cap->instance;
    *changed = true;
    return STATUS_OK;
}

static void register_service(struct model_named *model, uint64_t badge,
                             const struct named_register_service_request *request,
                             const struct model_named_cap *cap, const struct model_failure *failure,
                             struct model_named_answer *answer)
{
    struct model_named_entry *entry =
        entry_of(model, request->client_role, request->name, request->count);
    answer->entry = entry;
    if (!model->sealed)
        answer->status = STATUS_BUSY;
    else if (!name_is_good(request->name, request->count))
        answer->status = STATUS_BAD_TEXT;
    else if (entry == NULL || entry->service_role != badge)
        answer->status = STATUS_NOT_FOUND;
    else
        answer->status = register_with(model, entry, cap, failure, &answer->changed);
}

static void lookup(struct model_named *model, uint64_t badge,
                   const struct named_lookup_request *request, const struct model_failure *failure,
                   struct model_named_answer *answer)
{
    const struct model_named_entry *entry = entry_of(model, badge, request->name, request->count);
    answer->entry = entry;
    if (!model->sealed)
        answer->status = STATUS_BUSY;
    else if (!name_is_good(request->name, request->count))
        answer->status = STATUS_BAD_TEXT;
    else if (entry == NULL || !entry->registered)
        answer->status = STATUS_NOT_FOUND;
    else if (failure->reply == STATUS_BUSY) /* no room is the kernel's first question */
        answer->status = STATUS_BUSY;
    else if (!model_named_lives(model, entry))
        answer->status = STATUS_NOT_FOUND;
    if (answer->status == STATUS_OK)
        answer->cap = (struct model_named_cap){
            .object_type = OBJECT_ENDPOINT,
            .rights = entry->rights,
            .badge = entry->client_role,
            .number = entry->number,
            .instance = entry->instance,
        };
}

static void mint(const struct model_named *model, uint32_t role,
                 const struct model_failure *failure, struct model_named_answer *answer)
{
    if (model->sealed)
        answer->status = STATUS_DENIED;
    else if (failure->reply == STATUS_BUSY)
        answer->status = STATUS_BUSY;
    answer->cap = (struct model_named_cap){
        .object_type = OBJECT_ENDPOINT, .rights = RIGHT_SEND | RIGHT_TRANSFER, .badge = role};
}

/* --- one message --- */

/* OK, or why the message goes no further. */
static enum status admit(const struct message *request, const struct operation *row, void *body)
{
    uint64_t badge = request->header.badge;
    if (row == NULL)
        return STATUS_INVALID_ARGUMENT;
    enum status status = message_decode(row->request, request, body);
    if (status != STATUS_OK)
        return status;
    if (row->id == OP_NAMED_LOOKUP && badge == 0) /* whatever the row says: it finds nobody */
        return STATUS_DENIED;
    uint32_t from = badge == 0 ? FROM_ADMIN : badge <= ROLE_ID_MAX ? FROM_CLIENT : 0;
    return (row->allowed & from) != 0 ? STATUS_OK : STATUS_DENIED;
}

struct model_named_answer model_named_step(struct model_named *model, const struct message *request,
                                           const struct model_named_cap *cap,
                                           const struct model_failure *failure)
{
    static union {
        struct named_seed_entry_request seed;
        struct named_seal_request seal;
        struct named_register_service_request register_service;
        struct named_lookup_request lookup;
        struct named_mint_end_request mint;
    } body;
    struct model_named_answer answer = {.status = STATUS_OK};
    const struct operation *row = operation_find(SERVICE_NAMED, request->header.operation);
    answer.status = admit(request, row, &body);
    if (answer.status != STATUS_OK)
        return answer;
    switch (row->id) {
    case OP_NAMED_SEED_ENTRY:
        seed(model, &body.seed, &answer);
        answer.changed = answer.status == STATUS_OK;
        return answer;
    case OP_NAMED_SEAL:
        answer.changed = !model->sealed;
        model->sealed = true;
        answer.entry_count = model->entry_count;
        return answer;
    case OP_NAMED_REGISTER:
        register_service(model, request->header.badge, &body.register_service, cap, failure,
                         &answer);
        return answer;
    case OP_NAMED_LOOKUP:
        lookup(model, request->header.badge, &body.lookup, failure, &answer);
        return answer;
    case OP_NAMED_MINT_END:
        mint(model, body.mint.role, failure, &answer);
        return answer;
    default:
        break;
    }
    MODEL_KNOWS_NOT(operation);
}
