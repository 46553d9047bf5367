/* SPDX-License-Identifier: ISC */
/* What a driver may get from deviced. Decides by the rows of both, and by nothing else; makes no call. */
#include "services/deviced/deviced.h"

#include <string.h>

/* What deviced holds for a row of a driver: the same slot, or, of a peer, what it has of it for its
 * drivers. Never a capability of deviced's own business, which it holds without TRANSFER. */
static bool serves(const struct intake *own, const struct intake *row)
{
    uint32_t peer = slot_peer_role(row->slot);
    bool same = peer == ROLE_NONE
                    ? own->slot == row->slot
                    : slot_is_administrators(own->slot) && slot_peer_role(own->slot) == peer;
    return same && own->object_type == row->object_type &&
           (own->rights & row->rights) == row->rights && (own->rights & RIGHT_TRANSFER) != 0;
}

enum status deviced_plan_row(const struct role *role, const struct intake *row,
                             struct deviced_install *out)
{
    unsigned count = 0;
    const struct intake *own = role_intake(ROLE_DEVICED, &count);
    for (unsigned i = 0; i < count; i++) {
        if (!serves(&own[i], row))
            continue;
        *out = (struct deviced_install){
            .source_slot = own[i].slot,
            .target_slot = row->slot,
            .rights = row->rights,
            .badge = slot_peer_role(row->slot) == ROLE_NONE ? 0 : role->id,
        };
        return STATUS_OK;
    }
    return STATUS_DENIED;
}

enum status deviced_plan(const struct role *role,
                         struct deviced_install installs[DEVICED_INSTALL_LIMIT], uint32_t *count)
{
    unsigned row_count = 0;
    const struct intake *rows = role_intake(role->id, &row_count);
    enum status status = row_count <= DEVICED_INSTALL_LIMIT ? STATUS_OK : STATUS_EXHAUSTED;
    *count = 0;
    for (unsigned i = 0; i < row_count && status == STATUS_OK; i++)
        status = deviced_plan_row(role, &rows[i], &installs[(*count)++]);
    return status;
}
