/* SPDX-License-Identifier: ISC */
/* Literal messages of the foundation: memd, vspaced, pagerd and procd. */
#include "props/tests/codec/codec_test.h"

#define ONE_PROCESS "0500000000000000 "

/* Operations whose request is one process id, never 0. */
#define PROCESS_ID_REQUEST(id)                                                                     \
    OF(PROCD, id, REQUEST, "", ONE_PROCESS)                                                        \
    NO("@0 0000000000000000", "process 0")                                                         \
    YES("@0 ffffffffffffffff", "the highest process id")

/* One fixture, its variations under it. */
/* clang-format off */
const struct codec_fixture codec_service_fixtures[] = {
    /* open_account: key, parent_key, guarantee_pages, limit_pages; reply: account_slot, reserved0 */
    OF(MEMD, 0x201, REQUEST, "",
       "0500000000000000 0000000000000000 4000000000000000 ffffffffffffffff")
        NO("@0 0000000000000000", "key 0")
        YES("@0 ffffffffffffffff", "the highest key")
        YES("@8 ffffffffffffffff", "any parent")
        YES("@16 ffffffffffffffff", "any guarantee")

    OF(MEMD, 0x201, REPLY, "0000 0500 00000500" NO_BADGE, "40000000 00000000")
        NO("@0 00000000", "no capability in a field that needs one")
        NO("@4 01000000", "reserved")
        CAPS_NO("", "no descriptor")
        CAPS_NO("0000 0100 00000500" NO_BADGE, "transfer is missing")
        CAPS_NO("0000 0500 00000200" NO_BADGE, "a frame for an endpoint")
        CAPS_NO("0400 0500 00000500" NO_BADGE, "a descriptor for a field that is no capability")

    OF(MEMD, 0x202, REQUEST, "", "0100000000000000")
        NO("@0 0000000000000000", "key 0")

    /* released_pages, left_pages, left_accounts, reserved0 */
    OF(MEMD, 0x202, REPLY, "", "0300000000000000 0200000000000000 01000000 00000000")
        NO("@20 01000000", "reserved")

    /* alloc_frames: count, reserved0 */
    OF(MEMD, 0x203, REQUEST, "", "01000000 00000000")
        NO("@0 00000000", "no frame")
        YES("@0 04000000", "four frames")
        NO("@0 05000000", "five frames")
        NO("@0 ffffffff", "2^32 - 1 frames")
        NO("@4 00000001", "reserved")

    /* count, reserved0, four ids, four capabilities of which three may be missing */
    OF(MEMD, 0x203, REPLY,
       "1800 7c00 00000200" NO_BADGE
       "1c00 7c00 00000200" NO_BADGE,
       "02000000 00000000 01000000 02000000 00000000 00000000"
       "00100000 01100000 00000000 00000000")
        NO("@8 00000000", "frame id 0")
        YES("@12 00000000", "an id after the first may be 0")
        YES("@20 ffffffff", "or any number, to the last one")
        NO("@24 00000000", "the capability that must be there")
        NO("@36 00004000", "a slot past the last in the last place")
        NO("@28 00000000", "a descriptor for an empty field")
        NO("@32 02100000", "a capability without its descriptor")
        NO("@28 00004000", "a slot past the last")
        CAPS_NO("1800 7c00 00000200" NO_BADGE "1800 7c00 00000200" NO_BADGE, "two for one field")
        CAPS_NO("1800 7c00 00000200" NO_BADGE
                "1c00 7c00 00000200" NO_BADGE
                "2000 7c00 00000200" NO_BADGE,
                "one for an empty optional field")
        CAPS_NO("1800 7c00 00000200" NO_BADGE "1c00 7400 00000200" NO_BADGE, "read is missing")
        CAPS_NO("1800 7c00 00000200" NO_BADGE "1c00 7c00 00000300" NO_BADGE, "an image for a frame")
        CAPS_NO("1800 7c00 00000300" NO_BADGE "1c00 7c00 00000200" NO_BADGE, "an image in front")
        CAPS_NO("1800 7c00 00000200" NO_BADGE, "the second descriptor is missing")

    /* as many as there can be */
    OF(MEMD, 0x203, REPLY,
       "1800 7c00 00000200" NO_BADGE
       "1c00 7c00 00000200" NO_BADGE
       "2000 7c00 00000200" NO_BADGE
       "2400 7c00 00000200" NO_BADGE,
       "04000000 00000000 01000000 02000000 03000000 04000000"
       "00100000 01100000 02100000 03100000")

    /* free_frames: count, ids */
    OF(MEMD, 0x204, REQUEST, "", "02000000 01000000 02000000")
        NO("@0 00000000", "a count of 0 before rows")
        NO("@0 01000000", "a row more than the count says")
        NO("@0 03000000", "a row less than the count says")
        NO("@0 41000000", "more rows than allowed")
        NO("@8 00000000", "frame id 0 in a row")
        YES("@8 01000000", "a repeated id: the service's to judge")
        NO("=01000000", "no row")
        YES("=01000000 ffffffff", "one row, the highest id")

    OF(MEMD, 0x204, REPLY, "", "")

    OF(MEMD, 0x205, REQUEST, "", "01000000 00000000")
        NO("@0 00000000", "no page")
        YES("@0 00400000", "as many pages as allowed")
        NO("@0 01400000", "one more")
        NO("@4 01000000", "reserved")

    OF(MEMD, 0x205, REPLY, "0400 8400 00000100" NO_BADGE, "01000000 40000000")
        NO("@0 00000000", "untyped 0")
        CAPS_NO("0400 8000 00000100" NO_BADGE, "transfer is missing")
        CAPS_NO("0400 8400 00000200" NO_BADGE, "a frame for an untyped")

    OF(MEMD, 0x206, REQUEST, "", "01000000 00000000")
        NO("@0 00000000", "untyped 0")

    OF(MEMD, 0x206, REPLY, "", "")

    OF(MEMD, 0x207, REQUEST, "", "")

    OF(MEMD, 0x207, REPLY, "",
       "0100000000000000 0200000000000000 0300000000000000 "
       "0400000000000000 0500000000000000 0600000000000000")

    OF(MEMD, 0x208, REQUEST, "", "")

    OF(MEMD, 0x208, REPLY, "",
       "0100000000000000 0200000000000000 0300000000000000 "
       "0400000000000000 0500000000000000")

    /* list_accounts: key; reply: as query_account, after key and parent_key */
    OF(MEMD, 0x209, REQUEST, "", "0000000000000000")
        YES("@0 ffffffffffffffff", "any key")

    OF(MEMD, 0x209, REPLY, "",
       "0500000000000000 0000000000000000 0100000000000000 0200000000000000"
       "0300000000000000 0400000000000000 0500000000000000 0600000000000000")
        NO("@0 0000000000000000", "key 0")
        YES("@8 ffffffffffffffff", "any parent")

    /* register_vspace: vspace_slot, account_slot, region_limit, reserved1, reserved0 */
    OF(VSPACED, 0x301, REQUEST,
       "0000 4000 00000400" NO_BADGE
       "0400 0100 00000500" NO_BADGE,
       "40000000 41000000 20010000 00000000 0000000000000000")
        NO("@0 00000000", "no vspace")
        NO("@4 00000000", "no account")
        YES("@8 ffffffff", "any number of regions")
        NO("@12 01000000", "reserved1")
        NO("@16 0100000000000000", "reserved0 lowest bit")
        NO("@16 0000000000000080", "reserved0 highest bit")
        CAPS_NO("0000 4000 00000400" NO_BADGE, "no descriptor for the account")
        CAPS_NO("0000 0400 00000400" NO_BADGE "0400 0100 00000500" NO_BADGE, "a vspace without map")
        CAPS_NO("0000 4000 00000500" NO_BADGE
                "0400 0100 00000500" NO_BADGE,
                "an endpoint as vspace")
        CAPS_NO("0000 4000 00000400" NO_BADGE "0400 0200 00000500" NO_BADGE, "receive is not send")

    OF(VSPACED, 0x301, REPLY, "", "00100000 00000000")
        NO("@0 00000000", "slot 0")
        NO("@4 01000000", "reserved")

    OF(VSPACED, 0x302, REQUEST, "", "00100000 00000000 0000000000000000")
        NO("@0 00000000", "slot 0")
        NO("@8 0100000000000000", "reserved0")

    OF(VSPACED, 0x302, REPLY, "", "")

    /* map_anonymous: vspace_cap_slot, rights, va, page_count, reserved1, reserved0 */
    OF(VSPACED, 0x303, REQUEST, "",
       "00100000 18000000 0000400000000000 01000000 00000000 0000000000000000")
        NO("@4 1c000000", "transfer is no mapping right")
        NO("@8 0104400000000000", "not aligned")
        NO("@16 00000000", "no page")
        YES("@16 40000000", "as many pages as allowed")
        NO("@16 41000000", "one more")
        NO("@20 01000000", "reserved1")
        NO("@24 0000010000000000", "reserved0")

    OF(VSPACED, 0x303, REPLY, "", "")

    /* map_frames: vspace_cap_slot, rights, va, frame_page, page_count, frame_id, frame_slot,
     * reserved1, reserved0 */
    OF(VSPACED, 0x304, REQUEST,
       "2000 4000 00000200" NO_BADGE,
       "00100000 18000000 0000400000000000 0000000000000000 01000000 07000000 40000000 00000000"
       "0000000000000000")
        CAPS_YES("2000 6c00 00000300" NO_BADGE, "the image")
        CAPS_NO("2000 4000 00000400" NO_BADGE, "a vspace as frame")
        CAPS_NO("2000 3c00 00000200" NO_BADGE, "map is missing")
        CAPS_NO("", "no descriptor")
        NO("@16 0000000001000000", "an image page above")
        NO("@24 01020000", "a page more than allowed")
        NO("@32 00000000", "no frame")
        NO("@36 01000000", "reserved1")
        NO("@40 0100000000000000", "reserved0")

    OF(VSPACED, 0x304, REPLY, "", "")

    OF(VSPACED, 0x305, REQUEST, "", "00100000 00020000 0000400000000000 0000000000000000")
        NO("@4 00000000", "no page")
        NO("@4 01020000", "a page more than allowed")
        NO("@8 ff0f400000000000", "not aligned")
        NO("@16 ffffffffffffffff", "reserved0")

    OF(VSPACED, 0x305, REPLY, "", "")

    OF(VSPACED, 0x306, REQUEST, "",
       "00100000 01000000 0000400000000000 08000000 00000000 0000000000000000")
        NO("@16 48000000", "map is no mapping right")
        NO("@20 01000000", "reserved1")
        NO("@24 0100000000000000", "reserved0")

    OF(VSPACED, 0x306, REPLY, "", "")

    OF(VSPACED, 0x307, REQUEST, "", "00100000 01000000 0000400000000000 0000000000000000")
        NO("@4 00000000", "no page")
        NO("@16 0100000000000000", "reserved0")

    OF(VSPACED, 0x307, REPLY, "", "")

    OF(VSPACED, 0x308, REQUEST, "", "00100000 00000000 0000400000000000 0000000000000000")
        NO("@8 0100000000000000", "not aligned")
        NO("@4 01000000", "reserved1")

    OF(VSPACED, 0x308, REPLY, "", "0000400000000000 0100000000000000 08000000 " "03000000")
        NO("@20 04000000", "an unknown kind")
        NO("@16 08000100", "a flag above the mask")

    /* register_process: token, vspace_slot, account_slot, image_offset, image_bytes, data_offset, data_bytes, page_limit,
     * region_limit, flags, area_count, areas of kind, rights, va, memory_bytes, file_offset, file_bytes */
    OF(PAGERD, 0x381, REQUEST,
       "0800 4400 00000400" NO_BADGE
       "0c00 0500 00000500" NO_BADGE,
       "0500000000000000 40000000 41000000 0020000000000000 0030000000000000 0050000000000000 0010000000000000 10000000 30000000 00000000 "
       "02000000"
       "00000000 28000000 0000400000000000 0010000000000000 0010000000000000 0010000000000000"
       "01000000 18000000 0000800000000000 0010000000000000 0000000000000000 0000000000000000")
        NO("@16 0120000000000000", "image offset not aligned")
        YES("@24 0000000000000000", "no image")
        NO("@24 0000000001000000", "image bytes above")
        NO("@32 0150000000000000", "data offset not aligned")
        YES("@40 ffffffff00000000", "the most data")
        NO("@40 0000000001000000", "data above")
        YES("@48 00000100", "the highest page limit")
        NO("@48 01001000", "a page limit above")
        YES("@52 ffffffff", "any number of regions")
        YES("@56 01000000", "the one flag")
        NO("@56 02000000", "a flag that is none")
        NO("@60 00000000", "a count of 0 before rows")
        NO("@60 01000000", "a row more than the count says")
        NO("@60 03000000", "a row less than the count says")
        NO("@60 0e000000", "more rows than allowed")
        NO("@64 04000000", "an unknown kind in the first row")
        YES("@104 03000000", "the last kind in the second row")
        NO("@104 04000000", "an unknown kind in the second row")
        NO("@108 01000000", "send is no mapping right")
        NO("@112 0100800000000000", "an address in a row not aligned")
        NO("@120 0000000000000000", "no memory")
        YES("@120 00f0ffffff7f0000", "as much memory as there are addresses")
        NO("@120 01f0ffffff7f0000", "more")
        NO("@8 00000000", "no vspace")
        CAPS_NO("0800 4000 00000400" NO_BADGE "0c00 0500 00000500" NO_BADGE, "transfer is missing")
        CAPS_NO("0800 4400 00000400" NO_BADGE "0800 4400 00000400" NO_BADGE, "two for one field")

    OF(PAGERD, 0x381, REPLY, "", "")

    OF(PAGERD, 0x382, REQUEST, "", "0000000000000000")

    OF(PAGERD, 0x382, REPLY, "", "0100000000000000 0200000000000000")

    OF(PAGERD, 0x383, REQUEST, "", "0000000000000000 01000000 0c000000")
        NO("@8 02000000", "an unknown action")
        NO("@12 0f000000", "past the last reason")

    OF(PAGERD, 0x383, REPLY, "", "0000000000000000")

    OF(PAGERD, 0x384, REQUEST, "", "0500000000000000")

    OF(PAGERD, 0x384, REPLY, "",
       "0100000000000000 0200000000000000 "
       "0300000000000000 0400000000000000 "
       "0500000000000000")

    /* give_page: token, va, frame_id, frame_slot */
    OF(PAGERD, 0x385, REQUEST, "1400 4400 00000200" NO_BADGE,
       "0500000000000000 0000400000000000 07000000 40000000")
        NO("@8 0100400000000000", "an address not aligned")
        NO("@16 00000000", "frame 0")
        YES("@16 ffffffff", "the highest frame id")
        NO("@20 00000000", "no frame")
        CAPS_NO("1400 4000 00000200" NO_BADGE, "map is missing")
        CAPS_NO("1400 0400 00000200" NO_BADGE, "transfer is missing")
        CAPS_NO("1400 4400 00000500" NO_BADGE, "no frame but an endpoint")

    OF(PAGERD, 0x385, REPLY, "", "")

    /* spawn: role, image_slot, image_offset, image_bytes, argument */
    OF(PROCD, 0x401, REQUEST, "",
       "00010000 05000000 0010000000000000 0100000000000000 0000000000000000")
        YES("@0 ffff0000", "the highest role id")
        NO("@0 00000100", "a role id above")
        NO("@4 00000000", "no image slot")
        NO("@8 0810000000000000", "image offset not aligned")
        NO("@16 0000000000000000", "no image bytes")
        YES("@16 ffffffff00000000", "the largest image")
        NO("@16 0000000001000000", "an image above")

    OF(PROCD, 0x401, REPLY, "", ONE_PROCESS)
        NO("@0 0000000000000000", "process 0")

    OF(PROCD, 0x402, REQUEST, "",
       "00010000 00000000 0010000000000000 0010000000000000 0000000000000000 00000000 00000000")
        YES("@4 ffffffff", "any limit")
        YES("@32 ffffffff", "any limit of kernel memory")
        NO("@36 01000000", "reserved")
        NO("@8 0110000000000000", "image offset not aligned")

    /* process_id, endpoint_slot, reserved0 */
    OF(PROCD, 0x402, REPLY, "0800 0500 00000500" NO_BADGE, ONE_PROCESS "40000000 00000000")
        NO("@12 01000000", "reserved")
        CAPS_NO("0800 0200 00000500" NO_BADGE, "receive is not send")

    OF(PROCD, 0x403, REQUEST, "", "")

    OF(PROCD, 0x403, REPLY, "", "")

    OF(PROCD, 0x404, REQUEST, "", ONE_PROCESS "2a000000 00000000")
        NO("@0 0000000000000000", "process 0")
        NO("@12 01000000", "reserved")

    OF(PROCD, 0x404, REPLY, "", "")

    /* role, page_limit, image_offset, image_bytes, data_offset, data_bytes, budget_pages, child_limit,
     * child_pages, reserved0 */
    OF(PROCD, 0x405, REQUEST, "", "2c010000 00000000 0010000000000000 0010000000000000 0030000000000000 "
       "0100000000000000 00000000 00000000 00000000 00000000")
        YES("@40 ffffffff ffffffff ffffffff", "any limits")
        NO("@52 01000000", "reserved")
        NO("@0 00000100", "a role id above")
        YES("@4 ffffffff", "any limit")
        NO("@16 0000000000000000", "no image bytes")
        NO("@24 0130000000000000", "data offset not aligned")
        YES("@32 0000000000000000", "no data")
        YES("@32 ffffffff00000000", "the most data")
        NO("@32 0000000001000000", "data above")

    /* process_id, endpoint_slot, grant_slot */
    OF(PROCD, 0x405, REPLY,
       "0800 0500 00000500" NO_BADGE
       "0c00 8000 00000800" NO_BADGE,
       ONE_PROCESS "40000000 41000000")
        CAPS_NO("0800 0500 00000500" NO_BADGE
                "0c00 0400 00000800" NO_BADGE,
                "a grant without control")
        CAPS_NO("0800 0500 00000500" NO_BADGE "0c00 8000 00000700" NO_BADGE, "a process as grant")

    OF(PROCD, 0x406, REQUEST, "", ONE_PROCESS "ffffffffffffffff")
        NO("@0 0000000000000000", "process 0")

    OF(PROCD, 0x406, REPLY, "", "")

    PROCESS_ID_REQUEST(0x407)

    OF(PROCD, 0x407, REPLY, "", "")

    OF(PROCD, 0x408, REQUEST, "", ONE_PROCESS "ffffffffffffffff")
        NO("@0 0000000000000000", "process 0")

    /* process_id, reason, code, fault_va, state, life_count */
    OF(PROCD, 0x408, REPLY, "",
       ONE_PROCESS "0c000000 00000000 0000000000000000 04000000 ffffffff")
        NO("@8 0f000000", "past the last reason")
        NO("@24 05000000", "an unknown state")

    PROCESS_ID_REQUEST(0x409)

    /* role, state, reason, code, life_count, reserved0 */
    OF(PROCD, 0x409, REPLY, "", "00010000 04000000 01000000 00000000 ffffffff 00000000")
        NO("@4 05000000", "an unknown state")
        NO("@8 0f000000", "past the last reason")
        NO("@20 01000000", "reserved")

    /* process_id, policy, critical, five times, budget_count, reserved0 */
    OF(PROCD, 0x40A, REQUEST, "",
       ONE_PROCESS "02000000 01000000 0100000000000000 0200000000000000 0300000000000000"
       "0400000000000000 0500000000000000 06000000 00000000")
        NO("@8 03000000", "an unknown policy")
        NO("@12 02000000", "critical is 0 or 1")
        NO("@60 01000000", "reserved")

    OF(PROCD, 0x40A, REPLY, "", "")

    PROCESS_ID_REQUEST(0x40B)

    OF(PROCD, 0x40B, REPLY, "",
       "02000000 01000000 0100000000000000 0200000000000000 0300000000000000"
       "0400000000000000 0500000000000000 06000000 07000000")
        NO("@0 03000000", "an unknown policy")

    /* memd_slot, vspaced_slot or 0, pagerd_slot, reserved0 */
    OF(PROCD, 0x40C, REQUEST,
       "0000 0100 00000500" NO_BADGE
       "0800 0100 00000500" NO_BADGE,
       "40000000 00000000 41000000 00000000")
        NO("@4 42000000", "a capability without its descriptor")
        NO("@0 00000000", "no memd")
        NO("@8 00000000", "no pagerd")
        NO("@12 01000000", "reserved")
        CAPS_NO("0000 0100 00000500" NO_BADGE "0800 0200 00000500" NO_BADGE, "receive is not send")
        CAPS_NO("0000 0100 00000500" NO_BADGE "0400 0100 00000500" NO_BADGE, "for the empty field")

    OF(PROCD, 0x40C, REQUEST,
       "0000 0100 00000500" NO_BADGE
       "0400 0100 00000500" NO_BADGE
       "0800 0100 00000500" NO_BADGE,
       "40000000 42000000 41000000 00000000")

    OF(PROCD, 0x40C, REPLY, "", "")

    OF(PROCD, 0x40D, REQUEST, "", "")

    OF(PROCD, 0x40D, REPLY, "", "")

    /* begin_loader_image_transfer: entry_va, image_bytes, digest of 32 bytes, page_limit,
     * segment_count, then rows of va, memory_bytes, file_bytes, rights, reserved0 */
    OF(PROCD, 0x40E, REQUEST, "",
       "0010000000000000 0000400000000000"
       "0001020304050607 08090a0b0c0d0e0f 1011121314151617 18191a1b1c1d1e1f"
       "54000000 02000000"
       "0010000000000000 0000300000000000 0000300000000000 28000000 00000000"
       "ffefffffff7f0000 0100000000000000 0000000000000000 18000000 00000000")
        NO("@0 ff0f000000000000", "entry on page 0")
        NO("@0 00f0ffffff7f0000", "entry behind the last address")
        NO("@8 0100400000000000", "an image above")
        NO("@8 0000000000000000", "no image bytes")
        YES("@16 0000000000000000", "any digest, from its first word on")
        YES("@40 ffffffffffffffff", "to its last")
        YES("@48 00000000", "as many pages as its role")
        YES("@48 ffffffff", "any limit of pages, which procd judges")
        NO("@52 00000000", "no segment")
        NO("@52 01000000", "a row more than the count says")
        NO("@52 03000000", "a row less than the count says")
        NO("@52 09000000", "more rows than allowed")
        NO("@56 ff0f000000000000", "a segment on page 0")
        YES("@56 0110000000000000", "an address that is not aligned")
        NO("@64 0000000000000000", "no memory")
        YES("@64 00f0ffffff7f0000", "as much memory as there are addresses")
        NO("@64 01f0ffffff7f0000", "more")
        YES("@72 0000400000000000", "as many bytes as an image may have")
        NO("@72 0100400000000000", "more")
        NO("@80 01000000", "send is no mapping right")
        NO("@84 01000000", "reserved in a row")
        NO("@88 00f0ffffff7f0000", "behind the last address in the second row")
        NO("@116 01000000", "reserved in the second row")

    OF(PROCD, 0x40E, REPLY, "", ONE_PROCESS)
        NO("@0 0000000000000000", "transfer 0")

    /* transfer_id, offset_bytes, reserved0, count, bytes */
    OF(PROCD, 0x40F, REQUEST, "", ONE_PROCESS "ffff3f0000000000 00000000 02000000 beef")
        NO("@0 0000000000000000", "transfer 0")
        NO("@8 0000400000000000", "an offset above")
        NO("@16 01000000", "reserved")
        NO("@20 00000000", "a count of 0 before bytes")
        NO("@20 41030000", "a count above its range")
        NO("@20 01000000", "a byte more than the count says")

    OF(PROCD, 0x40F, REPLY, "", "0200000000000000")

    PROCESS_ID_REQUEST(0x410)

    OF(PROCD, 0x410, REPLY, "", ONE_PROCESS)
        NO("@0 0000000000000000", "process 0")

    PROCESS_ID_REQUEST(0x411)

    OF(PROCD, 0x411, REPLY, "", "")

    /* named_slot, reserved0 */
    OF(PROCD, 0x412, REQUEST, "0000 0100 00000500" NO_BADGE, "40000000 00000000")
        NO("@0 00000000", "no capability")
        NO("@4 01000000", "reserved")
        CAPS_NO("0000 0400 00000500" NO_BADGE, "SEND is missing")
        CAPS_YES("0000 0500 00000500" NO_BADGE, "it could be passed on")

    OF(PROCD, 0x412, REPLY, "", "")

    /* list_processes: place, reserved0 */
    OF(PROCD, 0x413, REQUEST, "", "00000000 00000000")
        YES("@0 ffffffff", "any place")
        NO("@4 01000000", "reserved")

    /* process_id, owner_id, place, role, state, reason, code, life_count */
    OF(PROCD, 0x413, REPLY, "",
       "0500000000000000 0000000000000000 05000000 02000000 01000000 00000000 00000000 01000000")
        NO("@0 0000000000000000", "process 0")
        NO("@16 00000000", "no place")
        NO("@16 01040000", "a place above")
        NO("@20 00000000", "no role")
        NO("@24 05000000", "a state above")
        NO("@28 ff000000", "a reason above")

    /* read_slot: process_id, slot, reserved0 */
    OF(PROCD, 0x414, REQUEST, "", "0500000000000000 00000000 00000000")
        NO("@0 0000000000000000", "process 0")
        NO("@8 00004000", "no slot of a cspace")
        NO("@12 01000000", "reserved")

    /* slot, object_type, rights, object_role, object_id, badge */
    OF(PROCD, 0x414, REPLY, "",
       "10000000 04000000 01000000 02000000 0500000000000000 0900000000000000")
        YES("@0 00004000", "nothing is above")
        YES("@4 00000000", "nothing there")
        NO("@0 01004000", "no slot")
        NO("@12 00000100", "no role")

    /* endpoint_slot, reserved0 */
    OF(PROCD, 0x415, REQUEST, "0000 0100 00000500" NO_BADGE, "40000000 00000000")
        NO("@0 00000000", "no capability")
        NO("@4 01000000", "reserved")
        CAPS_NO("0000 0400 00000500" NO_BADGE, "SEND is missing")
        CAPS_YES("0000 0500 00000500" NO_BADGE, "it could be passed on")

    OF(PROCD, 0x415, REPLY, "", "")
};
/* clang-format on */

const unsigned codec_service_count =
    sizeof codec_service_fixtures / sizeof codec_service_fixtures[0];
