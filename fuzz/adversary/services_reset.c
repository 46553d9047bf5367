/* SPDX-License-Identifier: ISC */
/* Empties the states of services that are long: what was used of each of their tables, and the rest.
 * What is forgotten here harness_check_zero() finds. And what vfsd has before it is asked. */
#include <stddef.h>
#include <string.h>

#include "fuzz/adversary/services.h"
#include "services/crashd/crashd.h"
#include "services/logd/logd.h"
#include "services/memd/memd.h"
#include "services/named/named.h"
#include "services/timed/timed.h"
#include "services/vfsd/vfsd.h"
#include "services/vspaced/vspaced.h"

void services_reset_memd(struct memd *memd)
{
    size_t accounts = memd->account_places.used_count;
    memset(memd->accounts, 0, accounts * sizeof memd->accounts[0]);
    memset(memd->key_nodes, 0, (accounts + 1) * sizeof memd->key_nodes[0]);
    memset(memd->untypeds, 0, memd->untyped_places.used_count * sizeof memd->untypeds[0]);
    memset(memd, 0, offsetof(struct memd, accounts));
}

/* Its tables are there when it was prepared. */
void services_reset_vspaced(struct vspaced *vspaced)
{
    size_t pages = vspaced->page_places.used_count;
    size_t regions = vspaced->region_places.used_count;
    size_t spaces = vspaced->space_places.used_count;
    if (vspaced->regions != NULL) {
        memset(vspaced->regions, 0, regions * sizeof vspaced->regions[0]);
        memset(vspaced->region_nodes, 0, (regions + 1) * sizeof vspaced->region_nodes[0]);
        memset(vspaced->pages, 0, pages * sizeof vspaced->pages[0]);
        memset(vspaced->page_nodes, 0, (pages + 1) * sizeof vspaced->page_nodes[0]);
        memset(vspaced->pages_by_frame, 0,
               SERVICES_MACHINE_PAGES * sizeof vspaced->pages_by_frame[0]);
    }
    memset(vspaced->spaces, 0, spaces * sizeof vspaced->spaces[0]);
    memset(vspaced->space_nodes, 0, (spaces + 1) * sizeof vspaced->space_nodes[0]);
    memset(vspaced, 0, offsetof(struct vspaced, spaces));
}

void services_reset_named(struct named *named)
{
    memset(named->entries, 0, named->entry_count * sizeof named->entries[0]);
    memset(named, 0, offsetof(struct named, entries));
}

void services_reset_logd(struct logd *logd)
{
    memset(logd->records, 0, logd->record_count * sizeof logd->records[0]);
    memset(logd->id_nodes, 0, (logd->record_count + 1u) * sizeof logd->id_nodes[0]);
    memset(logd, 0, offsetof(struct logd, id_nodes));
}

void services_reset_timed(struct timed *timed)
{
    for (uint32_t position = 0; position < timed->wait_count; position++)
        timed->waits[timed->heap[position]] = (struct timed_wait){0};
    memset(timed->heap, 0, sizeof timed->heap);
    memset(timed, 0, offsetof(struct timed, waits));
}

void services_reset_crashd(struct crashd *crashd)
{
    memset(crashd->records, 0, crashd->ring.used_count * sizeof crashd->records[0]);
    memset(crashd, 0, offsetof(struct crashd, records));
}

void services_put_mounts(struct vfsd *vfsd)
{
    vfsd->mounts[0] =
        (struct vfsd_mount){.provider_role = ROLE_RAMFSD, .source_count = 3, .source = "ram"};
    vfsd->mounts[1] = (struct vfsd_mount){.provider_role = ROLE_FATD,
                                          .source_count = 3,
                                          .source = "ram",
                                          .path_count = 2,
                                          .path = "/b"};
    vfsd->mount_count = 2;
    vfsd->is_sealed = 1;
}
