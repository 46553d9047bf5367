/* SPDX-License-Identifier: ISC */
/* What rows of abi/messages allow, written a second time, in numbers: which bits each field of flags may
 * have, and who sends an event. A row that allows more is one that nobody meant. */
#include "props/tests/tables_test.h"

#include <stdio.h>
#include <string.h>

#include "abi/message_type.h"
#include "props/base/testing.h"

/* Rights are 0x01 SEND, 0x02 RECEIVE, 0x04 TRANSFER, 0x08 READ, 0x10 WRITE, 0x20 EXECUTE, 0x40 MAP,
 * 0x80 CONTROL. */
static const struct mask {
    const char *where, *field;
    uint64_t bits;
} masks[] = {
    {"kernel.create_staged_process request", "flags", 0x1},
    {"kernel.map_frame request", "rights", 0x38},
    {"kernel.cap_copy_attenuated request", "rights", 0xff},
    {"kernel.query_local_cap reply", "rights", 0xff},
    {"kernel.protect_frame request", "rights", 0x38},
    {"kernel.give_frames request", "rights", 0x38},
    {"kernel.read_process_slot reply", "rights", 0xff},
    {"vspaced.map_anonymous request", "rights", 0x38},
    {"vspaced.map_frames request", "rights", 0x38},
    {"vspaced.protect request", "rights", 0x38},
    {"vspaced.query_region reply", "rights", 0x38},
    {"pagerd.register_process request", "flags", 0x1},
    {"pagerd.register_process request areas", "rights", 0x38},
    {"procd.begin_loader_image_transfer request segments", "rights", 0x38},
    {"procd.read_slot reply", "rights", 0xff},
    {"named.seed_entry request", "rights", 0x5},
    {"ramfsd.lookup reply", "mode", 0xfff},
    {"ramfsd.lookup reply", "flags", 0x1},
    {"ramfsd.stat reply", "mode", 0xfff},
    {"ramfsd.stat reply", "flags", 0x1},
    {"ramfsd.create request", "mode", 0xfff},
    {"ramfsd.create reply", "mode", 0xfff},
    {"ramfsd.create reply", "flags", 0x1},
    {"ramfsd.symlink reply", "mode", 0xfff},
    {"ramfsd.symlink reply", "flags", 0x1},
    {"ramfsd.set_metadata request", "mask", 0x1f},
    {"ramfsd.set_metadata request", "mode", 0xfff},
    {"ramfsd.set_metadata request", "flags", 0x1},
    {"vfsd.open request", "flags", 0x7f},
    {"vfsd.open request", "mode", 0xfff},
    {"vfsd.open reply", "mode", 0xfff},
    {"vfsd.open reply", "flags", 0x1},
    {"vfsd.stat_handle reply", "mode", 0xfff},
    {"vfsd.stat_handle reply", "flags", 0x1},
    {"vfsd.stat request", "flags", 0x1},
    {"vfsd.stat reply", "mode", 0xfff},
    {"vfsd.stat reply", "flags", 0x1},
    {"vfsd.mkdir request", "mode", 0xfff},
    {"vfsd.set_metadata request", "mask", 0x1f},
    {"vfsd.set_metadata request", "mode", 0xfff},
    {"vfsd.set_metadata request", "file_flags", 0x1},
    {"vfsd.set_metadata request", "flags", 0x1},
    {"vfsd.seed_mount request", "flags", 0x1},
    {"loaderd.launch_path request", "flags", 0x1},
};

enum { MASK_COUNT = sizeof masks / sizeof masks[0] };

static const struct {
    uint16_t id;
    uint32_t sender;
} events[] = {{33, FROM_KERNEL}, {34, FROM_KERNEL}, {48, FROM_PROCD}};

static unsigned seen;

/* Rows come in the order of the tables. */
static void check_mask(const char *where, const struct message_field *field)
{
    char what[160];
    const struct mask *mask = &masks[seen < MASK_COUNT ? seen : 0];
    snprintf(what, sizeof what, "%s: %s has the bits 0x%llx", where, field->name,
             (unsigned long long)field->high);
    expect(strcmp(mask->where, where) == 0 && strcmp(mask->field, field->name) == 0 &&
               mask->bits == field->high,
           what);
    seen++;
}

static void check_fields(const char *where, const struct message_field *field)
{
    for (; field->kind != FIELD_END; field++) {
        if (field->kind == FIELD_FLAGS)
            check_mask(where, field);
        if (field->kind != FIELD_ROWS)
            continue;
        char inside[128];
        snprintf(inside, sizeof inside, "%s %s", where, field->name);
        for (const struct message_field *in = field->row->fields; in->kind != FIELD_END; in++)
            if (in->kind == FIELD_FLAGS)
                check_mask(inside, in);
    }
}

static void check_message(const struct operation *row, const char *which,
                          const struct message_type *type)
{
    char where[96];
    snprintf(where, sizeof where, "%s.%s %s", row->service_name, row->name, which);
    if (type != NULL)
        check_fields(where, message_fields(type));
}

void test_masks(void)
{
    unsigned event_count = 0;
    for (unsigned i = 0; i < operation_count; i++) {
        const struct operation *row = &operation_table[i];
        check_message(row, "request", row->request);
        check_message(row, "reply", row->reply);
        for (unsigned j = 0; j < sizeof events / sizeof events[0]; j++) {
            if (row->service != SERVICE_EVENT || row->id != events[j].id)
                continue;
            expect(row->allowed == events[j].sender, row->name);
            event_count++;
        }
    }
    expect(seen == MASK_COUNT, "as many fields of flags as are stated");
    expect(event_count == sizeof events / sizeof events[0], "each event is there");
}
