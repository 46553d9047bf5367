/* SPDX-License-Identifier: ISC */
/* The model of vfsd: one message. Clear rather than quick. */
#include "props/models/model_vfsd.h"

#include <stddef.h>
#include <string.h>

#include "abi/codec.h"
#include "abi/formats/path.h"
#include "abi/roles.h"
#include "props/models/model_vfsd_inside.h"

enum { NODE_BITS = 56 };

uint32_t model_vfsd_role(uint32_t tree)
{
    static const uint32_t roles[MODEL_VFSD_TREES] = {ROLE_IMAGEFSD, ROLE_RAMFSD, ROLE_FATD};
    return roles[tree];
}

/* --- mounts --- */

static uint32_t tree_of_role(uint32_t role)
{
    uint32_t tree = 0;
    while (tree < MODEL_VFSD_TREES && model_vfsd_role(tree) != role)
        tree++;
    return tree;
}

static enum status seed_refusal(const struct model_vfsd *model,
                                const struct vfsd_seed_mount_request *seed,
                                struct model_vfsd_text path)
{
    enum status status = path_check(path.bytes, path.count);
    for (uint32_t i = 0; status == STATUS_OK && i < model->mount_count; i++) {
        const struct model_vfsd_mount *mount = &model->mounts[i];
        uint32_t count = path.count == 1 ? 0 : path.count;
        if (mount->role == seed->provider_role ||
            (mount->path_count == count && memcmp(mount->path, path.bytes, count) == 0))
            status = STATUS_DUPLICATE;
    }
    if (status == STATUS_OK && model->mount_count == MODEL_VFSD_MOUNTS)
        status = STATUS_EXHAUSTED;
    return status;
}

static enum status seed_mount(struct model_vfsd *model, const struct vfsd_seed_mount_request *seed)
{
    struct model_vfsd_text path = {seed->source_and_path + seed->source_count,
                                   seed->count - seed->source_count};
    if (model->sealed)
        return STATUS_DENIED;
    if (seed->count <= seed->source_count)
        return STATUS_INVALID_ARGUMENT;
    enum status status = seed_refusal(model, seed, path);
    if (status != STATUS_OK)
        return status;
    struct model_vfsd_mount *mount = &model->mounts[model->mount_count];
    memset(mount, 0, sizeof *mount);
    mount->role = seed->provider_role;
    mount->tree = tree_of_role(seed->provider_role);
    mount->seeded_read_only = seed->flags != 0;
    mount->source_count = seed->source_count;
    memcpy(mount->source, seed->source_and_path, seed->source_count);
    mount->path_count = path.count == 1 ? 0 : path.count;
    memcpy(mount->path, path.bytes, mount->path_count);
    status = model_vfsd_begin(model, model->mount_count);
    if (status == STATUS_OK)
        model->mount_count++;
    else
        model_vfsd_drop(model, model->mount_count);
    return status;
}

static enum status seal(struct model_vfsd *model, struct model_vfsd_answer *answer)
{
    if (model_vfsd_mount_of(model, (const uint8_t *)"", 0) == MODEL_VFSD_MOUNTS)
        return STATUS_NOT_FOUND;
    model->changed = !model->sealed;
    model->sealed = true;
    answer->reply.seal.mount_count = model->mount_count;
    return STATUS_OK;
}

/* --- attributes --- */

struct vfsd_stat_reply model_vfsd_attributes(const struct model_vfsd *model, uint32_t mount,
                                             const struct ramfsd_stat_reply *node)
{
    return (struct vfsd_stat_reply){
        .file_id = (uint64_t)(mount + 1) << NODE_BITS | node->node,
        .size_bytes = node->size_bytes,
        .version = node->version,
        .owner = node->owner,
        .created_ticks = node->created_ticks,
        .accessed_ticks = node->accessed_ticks,
        .modified_ticks = node->modified_ticks,
        .kind = node->kind,
        .mode = node->mode,
        .flags = node->flags,
        .read_only = model_vfsd_read_only(model, mount),
    };
}

/* --- one message --- */

static enum status of_client(struct model_vfsd *model, uint32_t client, uint16_t operation,
                             const union model_vfsd_body *body, struct model_vfsd_answer *answer)
{
    struct model_vfsd_text path = {body->stat.path, body->stat.count};
    switch (operation) {
    case OP_VFSD_ATTACH:
        model->about_handles = true;
        return model_vfsd_attach(model, client);
    case OP_VFSD_OPEN:
        return model_vfsd_open(model, client, &body->open, answer);
    case OP_VFSD_CLOSE:
    case OP_VFSD_READ:
    case OP_VFSD_WRITE:
    case OP_VFSD_READDIR:
    case OP_VFSD_STAT_HANDLE:
    case OP_VFSD_TRUNCATE:
        model->about_handles = true;
        return model_vfsd_on_handle(model, client, operation, body, answer);
    case OP_VFSD_STAT:
        return model_vfsd_look_at(model, client, path, body->stat.flags == 0, answer);
    case OP_VFSD_MKDIR:
        return model_vfsd_make_directory(model, client, body->stat.flags, path);
    case OP_VFSD_UNLINK:
    case OP_VFSD_RMDIR:
        return model_vfsd_take_away(model, client, operation, path);
    case OP_VFSD_READLINK:
        return model_vfsd_read_link(model, client, path, answer);
    case OP_VFSD_RENAME:
    case OP_VFSD_SYMLINK:
    case OP_VFSD_LINK:
        return model_vfsd_on_two(model, client, operation, &body->two);
    case OP_VFSD_SET_METADATA:
        return model_vfsd_set_metadata(model, client, &body->set_metadata);
    default:
        break;
    }
    MODEL_KNOWS_NOT(operation);
}

static enum status decide(struct model_vfsd *model, const struct message *request,
                          struct model_vfsd_answer *answer)
{
    static union model_vfsd_body body;
    const struct operation *row = operation_find(SERVICE_VFSD, request->header.operation);
    uint64_t badge = request->header.badge;
    if (row == NULL)
        return STATUS_INVALID_ARGUMENT;
    enum status status = message_decode(row->request, request, &body);
    if (status != STATUS_OK)
        return status;
    bool administrator = row->id == OP_VFSD_SEED_MOUNT || row->id == OP_VFSD_SEAL;
    if (badge > ROLE_ID_MAX || administrator != (badge == 0))
        return STATUS_DENIED;
    if (row->id == OP_VFSD_SEED_MOUNT)
        return seed_mount(model, &body.seed);
    if (row->id == OP_VFSD_SEAL)
        return seal(model, answer);
    return model->sealed ? of_client(model, (uint32_t)badge, row->id, &body, answer) : STATUS_BUSY;
}

struct model_vfsd_answer model_vfsd_step(struct model_vfsd *model, const struct message *request,
                                         uint64_t now_ticks, const struct model_vfsd_call *calls,
                                         uint32_t call_count)
{
    static struct model_vfsd_answer answer;
    memset(&answer, 0, sizeof answer);
    model->calls = calls;
    model->call_count = call_count;
    model->call_at = 0;
    model->changed = false;
    model->tried = false;
    model_vfsd_clock(model, now_ticks);
    model->about_handles = false;
    answer.status = decide(model, request, &answer);
    answer.changed = model->changed;
    model_vfsd_call_is(model, model->call_at == call_count);
    return answer;
}

bool model_vfsd_may_change(const struct model_vfsd *model, uint32_t tree, bool attached)
{
    for (uint32_t i = 0; i < model->mount_count; i++)
        if (model->mounts[i].tree == tree)
            return !(attached ? model->mounts[i].seeded_read_only : model_vfsd_read_only(model, i));
    return false;
}

void model_vfsd_reset(struct model_vfsd *model, struct model_ramfsd *const trees[MODEL_VFSD_TREES])
{
    size_t behind = offsetof(struct model_vfsd, trees);
    memset(model->handles, 0, model->handles_used * sizeof model->handles[0]);
    memset(model, 0, offsetof(struct model_vfsd, handles));
    memset((uint8_t *)model + behind, 0, sizeof *model - behind);
    for (uint32_t i = 0; i < MODEL_VFSD_TREES; i++)
        model->trees[i] = trees[i];
}
