/* SPDX-License-Identifier: ISC */
/* What rows of abi/messages allow, written a second time: which bits each field of flags may have, and who
 * may send each operation. A row that allows more is one that nobody meant. Kernel control, which
 * names kinds of capabilities, is compared with a model (fuzz/kernel). */
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

/* Operations of services, in the order of the tables. */
static const struct {
    uint16_t first_id, last_id;
    uint32_t senders;
} senders[] = {
    {0x20, 0x22, FROM_KERNEL},
    {0x30, 0x30, FROM_PROCD},
    {0x101, 0x102, FROM_ADMIN},
    {0x201, 0x202, FROM_ADMIN},
    {0x203, 0x207, FROM_ACCOUNT},
    {0x208, 0x208, FROM_ADMIN | FROM_INSPECTOR | FROM_TESTER},
    {0x209, 0x209, FROM_ADMIN | FROM_INSPECTOR},
    {0x301, 0x308, FROM_PAGERD},
    {0x381, 0x385, FROM_ADMIN},
    {0x401, 0x401, FROM_ADMIN | FROM_BOOTSTRAP},
    {0x402, 0x40b, FROM_ADMIN | FROM_BOOTSTRAP | FROM_CLIENT | FROM_DRIVER},
    {0x40c, 0x40c, FROM_ADMIN | FROM_BOOTSTRAP},
    {0x40d, 0x40d, FROM_ADMIN | FROM_BOOTSTRAP | FROM_CLIENT | FROM_DRIVER},
    {0x40e, 0x411, FROM_BOOTSTRAP | FROM_LOADERD},
    {0x412, 0x412, FROM_ADMIN | FROM_BOOTSTRAP},
    {0x413, 0x414, FROM_BOOTSTRAP | FROM_INSPECTOR},
    {0x415, 0x415, FROM_BOOTSTRAP | FROM_CLIENT | FROM_DRIVER},
    {0x500, 0x501, FROM_ADMIN},
    {0x502, 0x503, FROM_CLIENT},
    {0x504, 0x504, FROM_ADMIN},
    {0x510, 0x510, FROM_CLIENT},
    {0x511, 0x511, FROM_READER},
    {0x530, 0x532, FROM_CLIENT},
    {0x520, 0x520, FROM_PROCD},
    {0x521, 0x521, FROM_READER},
    {0x550, 0x552, FROM_ADMIN},
    {0x553, 0x553, FROM_ADMIN | FROM_CLIENT},
    {0x554, 0x554, FROM_ADMIN},
    {0x540, 0x540, FROM_ADMIN},
    {0x541, 0x543, FROM_CLIENT},
    {0x544, 0x544, FROM_ADMIN},
    {0x5a0, 0x5a1, FROM_CLIENT},
    {0x560, 0x561, FROM_CLIENT},
    {0x580, 0x58f, FROM_CLIENT},
    {0x590, 0x59f, FROM_CLIENT},
    {0x5a8, 0x5a8, FROM_CLIENT},
    {0x5a9, 0x5aa, FROM_ADMIN},
    {0x5b0, 0x5b3, FROM_CLIENT},
};

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

static void check_senders(const struct operation *row)
{
    char what[128];
    unsigned at = 0;
    while (at < sizeof senders / sizeof senders[0] &&
           (row->id < senders[at].first_id || row->id > senders[at].last_id))
        at++;
    snprintf(what, sizeof what, "%s.%s is sent by whom it is stated", row->service_name, row->name);
    expect(at < sizeof senders / sizeof senders[0] && row->allowed == senders[at].senders, what);
}

void test_masks(void)
{
    for (unsigned i = 0; i < operation_count; i++) {
        const struct operation *row = &operation_table[i];
        check_message(row, "request", row->request);
        check_message(row, "reply", row->reply);
        if (row->service != SERVICE_KERNEL)
            check_senders(row);
    }
    expect(seen == MASK_COUNT, "as many fields of flags as are stated");
}
