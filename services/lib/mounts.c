/* SPDX-License-Identifier: ISC */
/* Seeding vfsd. Decides nothing: the boot config does, and who launches what could not be launched. */
#include "services/lib/mounts.h"

#include <string.h>

#include "abi/assert.h"
#include "services/lib/call_vfsd.h"

_Static_assert(BOOT_CONFIG_MOUNT_LIMIT <= 64, "a set of mounts fits 64 bits");
_Static_assert((int)BOOT_CONFIG_SOURCE_BYTES - 1 <= (int)RAMFSD_SOURCE_BYTES_MAX &&
                   (int)BOOT_CONFIG_SOURCE_BYTES + BOOT_CONFIG_PATH_BYTES <= (int)VFSD_SEED_BYTES,
               "a row fits a request");

static uint32_t length_of(const char *text, uint32_t limit)
{
    uint32_t length = 0;
    while (length < limit && text[length] != 0)
        length++;
    return length;
}

static enum status seed_one(struct caller *caller, uint32_t vfsd_slot,
                            const struct boot_config_mount *row, uint64_t deadline_ticks)
{
    struct vfsd_seed_mount_request request = {
        .provider_role = row->provider_role,
        .flags = (row->flags & BOOT_MOUNT_READ_ONLY) != 0 ? VFSD_MOUNT_READ_ONLY : 0,
        .source_count = length_of(row->source, sizeof row->source),
    };
    uint32_t path_count = length_of(row->path, sizeof row->path);
    UNIT_ASSERT(request.source_count != 0 && path_count != 0); /* the config was validated */
    memcpy(request.source_and_path, row->source, request.source_count);
    memcpy(request.source_and_path + request.source_count, row->path, path_count);
    request.count = request.source_count + path_count;
    return vfsd_call_seed_mount(caller, vfsd_slot, NO_WINDOW, deadline_ticks, &request, NULL);
}

enum status mounts_seed(struct caller *caller, uint32_t vfsd_slot,
                        const struct boot_config_mount *rows, uint32_t count, uint64_t left_out,
                        uint64_t deadline_ticks)
{
    static const struct vfsd_seal_request nothing;
    struct vfsd_seal_reply sealed;
    uint32_t told_count = 0;
    for (uint32_t i = 0; i < count; i++) {
        if ((left_out >> i & 1) != 0)
            continue;
        enum status status = seed_one(caller, vfsd_slot, &rows[i], deadline_ticks);
        if (status != STATUS_OK)
            return status;
        told_count++;
    }
    enum status status =
        vfsd_call_seal(caller, vfsd_slot, NO_WINDOW, deadline_ticks, &nothing, &sealed);
    if (status == STATUS_OK && sealed.mount_count != told_count)
        return STATUS_INTERNAL;
    return status;
}
