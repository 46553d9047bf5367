/* SPDX-License-Identifier: ISC */
/* What a driver may get from deviced. Decides by the rows of both, and by nothing else; makes no call. */
#include "services/deviced/deviced.h"

#include <string.h>

/* What deviced holds for a row of a driver: the same slot. Never a capability of its own business,
 * which it holds without TRANSFER. */
static bool serves(const struct intake *own, const struct intake *row)
{
    return own->slot == row->slot && own->object_type == row->object_type &&
           (own->rights & row->rights) == row->rights && (own->rights & RIGHT_TRANSFER) != 0;
}

/* Where a row is copied from; SLOT_NULL: nowhere. */
static uint32_t source_of(const struct intake *row, uint32_t named_slot)
{
    unsigned count = 0;
    const struct intake *own = role_intake(ROLE_DEVICED, &count);
    if (row->slot == SLOT_PEER_NAMED)
        return row->rights == RIGHT_SEND ? named_slot : SLOT_NULL;
    for (unsigned i = 0; i < count; i++) {
        if (serves(&own[i], row))
            return own[i].slot;
    }
    return SLOT_NULL;
}

enum status deviced_plan(const struct role *role, uint32_t named_slot,
                         struct deviced_install installs[DEVICED_INSTALL_LIMIT], uint32_t *count)
{
    unsigned row_count = 0;
    const struct intake *rows = role_intake(role->id, &row_count);
    enum status status = row_count <= DEVICED_INSTALL_LIMIT ? STATUS_OK : STATUS_EXHAUSTED;
    *count = 0;
    for (unsigned i = 0; i < row_count && status == STATUS_OK; i++) {
        struct deviced_install *install = &installs[(*count)++];
        *install = (struct deviced_install){.source_slot = source_of(&rows[i], named_slot),
                                            .target_slot = rows[i].slot,
                                            .rights = rows[i].rights};
        if (install->source_slot == SLOT_NULL)
            status = STATUS_DENIED;
    }
    return status;
}
