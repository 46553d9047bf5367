/* SPDX-License-Identifier: ISC */
/* Literal messages of kernel control, of kernel events and of start-up. */
#include "props/tests/codec/codec_test.h"

/* One fixture, its variations under it. */
/* clang-format off */
const struct codec_fixture codec_kernel_fixtures[] = {
    /* create_staged_process: untyped_slot, budget_pages, event_slot, band, flags, reserved0,
     * token */
    OF(KERNEL, 1, REQUEST, "", "20000000 10000000 02000000 00000000 00000000 00000000 0500000000000000")
        NO("@0 00000000", "slot 0")
        YES("@0 01000000", "the first slot")
        YES("@0 ffff0100", "the last slot")
        NO("@0 00004000", "a slot past the last")
        NO("@0 ffffffff", "slot 2^32 - 1")
        NO("@4 0f000000", "budget below")
        YES("@4 00400000", "budget at its highest")
        NO("@4 01400000", "budget above")
        NO("@8 00000000", "no event slot")
        YES("@12 03000000", "the last band")
        NO("@12 04000000", "a band below the last")
        NO("@12 ffffffff", "band 2^32 - 1")
        YES("@16 01000000", "uses SSE")
        NO("@16 02000000", "a flag that is none")
        NO("@16 00000080", "the highest flag")
        NO("@20 01000000", "reserved lowest bit")
        NO("@20 00000080", "reserved highest bit")
        YES("@24 ffffffffffffffff", "any token")

    /* process_slot, vspace_slot, endpoint_slot, grant_slot: four capabilities */
    OF(KERNEL, 1, REPLY,
       "0000 8400 00000700" NO_BADGE
       "0400 4400 00000400" NO_BADGE
       "0800 0500 00000500" NO_BADGE
       "0c00 8400 00000800" NO_BADGE,
       "40000000 41000000 42000000 43000000")
        NO("@0 00000000", "a capability field of 0")
        YES("@0 ffff0100", "the last slot")
        NO("@12 00004000", "a capability slot past the last")
        CAPS_YES("0c00 8400 00000800" NO_BADGE
                 "0800 0500 00000500" NO_BADGE
                 "0400 4400 00000400" NO_BADGE
                 "0000 8400 00000700" NO_BADGE,
                 "descriptors in any order")
        CAPS_YES("0000 ff00 00000700" NO_BADGE
                 "0400 4400 00000400" NO_BADGE
                 "0800 0500 00000500" NO_BADGE
                 "0c00 8400 00000800" NO_BADGE,
                 "more rights than needed")
        CAPS_NO("0000 8400 00000700" NO_BADGE
                "0400 4400 00000400" NO_BADGE
                "0800 0500 00000500" NO_BADGE,
                "the last descriptor is missing")
        CAPS_NO("0000 8400 00000700" NO_BADGE
                "0000 8400 00000700" NO_BADGE
                "0800 0500 00000500" NO_BADGE
                "0c00 8400 00000800" NO_BADGE,
                "two for one field")
        CAPS_NO("0000 8400 00000200" NO_BADGE
                "0400 4400 00000400" NO_BADGE
                "0800 0500 00000500" NO_BADGE
                "0c00 8400 00000800" NO_BADGE,
                "a frame for a process")
        CAPS_NO("0000 8400 00000000" NO_BADGE
                "0400 4400 00000400" NO_BADGE
                "0800 0500 00000500" NO_BADGE
                "0c00 8400 00000800" NO_BADGE,
                "type 0")
        CAPS_NO("0000 8400 00002700" NO_BADGE
                "0400 4400 00000400" NO_BADGE
                "0800 0500 00000500" NO_BADGE
                "0c00 8400 00000800" NO_BADGE,
                "type 39, 32 above the right one")
        CAPS_NO("0000 8000 00000700" NO_BADGE
                "0400 4400 00000400" NO_BADGE
                "0800 0500 00000500" NO_BADGE
                "0c00 8400 00000800" NO_BADGE,
                "without transfer")
        CAPS_NO("0000 0400 00000700" NO_BADGE
                "0400 4400 00000400" NO_BADGE
                "0800 0500 00000500" NO_BADGE
                "0c00 8400 00000800" NO_BADGE,
                "without control")
        CAPS_NO("0000 8400 00000700" NO_BADGE
                "0400 4400 00000400" NO_BADGE
                "0900 0500 00000500" NO_BADGE
                "0c00 8400 00000800" NO_BADGE,
                "next to its field")
        CAPS_NO("0000 8400 00000700" NO_BADGE
                "0400 4400 00000400" NO_BADGE
                "1000 0500 00000500" NO_BADGE
                "0c00 8400 00000800" NO_BADGE,
                "behind the body")

    /* start_process: process_slot, reserved0, entry_va, stack_top_va, argument */
    OF(KERNEL, 2, REQUEST, "",
       "40000000 00000000 0000400000000000 0000410000000000 0000000000000000")
        NO("@4 01000000", "reserved")
        NO("@8 ff0f000000000000", "entry on page 0")
        YES("@8 0010000000000000", "entry at the first byte")
        YES("@8 ffefffffff7f0000", "entry at the last byte")
        NO("@8 00f0ffffff7f0000", "entry behind the last byte")
        NO("@8 0000000000800000", "entry non-canonical")
        NO("@16 ff0f000000000000", "stack on page 0")
        YES("@16 00f0ffffff7f0000", "stack at the end of user space")
        NO("@16 01f0ffffff7f0000", "stack past the end of user space")
        YES("@24 ffffffffffffffff", "any argument")

    OF(KERNEL, 2, REPLY, "", "")

    OF(KERNEL, 3, REQUEST, "", "40000000")
        NO("@0 00000000", "slot 0")

    OF(KERNEL, 3, REPLY, "", "")

    OF(KERNEL, 4, REQUEST, "", "40000000 ffffffff")
        NO("@0 00004000", "a slot past the last")

    OF(KERNEL, 4, REPLY, "", "")

    OF(KERNEL, 5, REQUEST, "", "40000000")
        NO("@0 00000000", "slot 0")

    /* reason, code, fault_va */
    OF(KERNEL, 5, REPLY, "", "01000000 2a000000 0000000000000000")
        YES("@0 0c000000", "the last reason")
        NO("@0 0f000000", "past the last reason")
        NO("@0 01000080", "a high bit next to a reason")

    /* register_pager: process_slot, pager_slot or none, token */
    OF(KERNEL, 6, REQUEST, "", "40000000 12000000 0100000000000000")
        YES("@4 00000000", "no pager")
        YES("@4 ffff0100", "the last slot")
        NO("@4 00004000", "a slot past the last")
        NO("@0 00000000", "no process")

    OF(KERNEL, 6, REPLY, "", "")

    /* map_frame: vspace_slot, frame_slot, va, frame_page, page_count, rights */
    OF(KERNEL, 7, REQUEST, "",
       "41000000 00100000 0000400000000000 0000000000000000 01000000 18000000")
        YES("@8 0000000000000000", "aligned is all that is asked here")
        NO("@8 0100400000000000", "one byte past a page")
        NO("@8 ff0f400000000000", "one byte before a page")
        NO("@8 0008400000000000", "half a page")
        YES("@8 00f0ffffffffffff", "the last page there is")
        YES("@16 ffffffff00000000", "the highest image page")
        NO("@16 0000000001000000", "an image page above")
        NO("@24 00000000", "no page")
        YES("@24 00020000", "as many pages as allowed")
        NO("@24 01020000", "a page more")
        YES("@28 00000000", "no rights: the kernel's to judge")
        YES("@28 38000000", "all flags of the mask")
        NO("@28 04000000", "a flag below the mask")
        NO("@28 40000000", "a flag above the mask")
        NO("@28 18000080", "the highest bit")

    OF(KERNEL, 7, REPLY, "", "")

    OF(KERNEL, 8, REQUEST, "", "10000000 11000000")
        NO("@4 00000000", "slot 0")

    OF(KERNEL, 8, REPLY, "", "")

    /* cap_copy_attenuated: grant_slot, source_slot, target_slot, rights, badge */
    OF(KERNEL, 9, REQUEST, "", "40000000 02000000 10000000 01000000 0400000000000000")
        NO("@0 00000000", "no grant")
        NO("@4 00000000", "no source")
        NO("@8 00000000", "no target")
        YES("@12 ff000000", "all rights")
        NO("@12 00010000", "a right that does not exist")
        YES("@16 feffffffffffffff", "the highest badge")
        NO("@16 ffffffffffffffff", "the kernel's badge")

    OF(KERNEL, 9, REPLY, "", "")

    OF(KERNEL, 10, REQUEST, "", "10000000 11000000")
        NO("@0 00000000", "slot 0")

    OF(KERNEL, 10, REPLY, "", "")

    /* query_local_cap: slot or 0, mode */
    OF(KERNEL, 11, REQUEST, "", "00000000 01000000")
        YES("@4 00000000", "exact")
        NO("@4 02000000", "an unknown mode")
        NO("@0 00004000", "a slot past the last")

    /* slot, object_type, rights, object, generation, reserved0, badge, size_pages */
    OF(KERNEL, 11, REPLY, "",
       "02000000 05000000 07000000 03000000 01000000 00000000 0000000000000000 0000000000000000")
        NO("@4 00000000", "type 0")
        YES("@4 1f000000", "the highest type")
        NO("@4 20000000", "a type above")
        NO("@8 00010000", "a right that does not exist")
        NO("@20 00010000", "reserved")

    OF(KERNEL, 12, REQUEST, "", "40000000")
        NO("@0 00000000", "slot 0")

    OF(KERNEL, 12, REPLY, "", "")

    OF(KERNEL, 13, REQUEST, "", "")

    OF(KERNEL, 13, REPLY, "", "ffffffffffffffff")

    OF(KERNEL, 14, REQUEST, "", "ffffffff")

    OF(KERNEL, 14, REPLY, "", "")

    /* unmap_frame: vspace_slot, page_count, va */
    OF(KERNEL, 15, REQUEST, "", "41000000 00020000 0010000000000000")
        NO("@4 00000000", "no page")
        NO("@4 01020000", "a page more than allowed")
        NO("@8 0110000000000000", "not aligned")

    OF(KERNEL, 15, REPLY, "", "")

    /* protect_frame: vspace_slot, page_count, va, rights, reserved0 */
    OF(KERNEL, 16, REQUEST, "", "41000000 01000000 0010000000000000 08000000 00000000")
        NO("@16 80000000", "control is no mapping right")
        NO("@20 01000000", "reserved")
        NO("@4 00000000", "no page")

    OF(KERNEL, 16, REPLY, "", "")

    /* retype: untyped_slot, object_type, count, target_slot */
    OF(KERNEL, 17, REQUEST, "", "20000000 02000000 01000000 00100000")
        YES("@4 01000000", "an untyped")
        NO("@4 00000000", "type 0")
        NO("@4 03000000", "an image")
        NO("@8 00000000", "none")
        YES("@8 00001000", "as many as allowed")
        NO("@8 01001000", "one more")
        NO("@12 00000000", "no target")

    OF(KERNEL, 17, REPLY, "", "")

    OF(KERNEL, 18, REQUEST, "", "00100000")
        NO("@0 00000000", "slot 0")

    OF(KERNEL, 18, REPLY, "", "")

    /* frame_read: frame_slot, count, offset_bytes; reply: count, bytes */
    OF(KERNEL, 19, REQUEST, "", "05000000 40030000 ffffffffffffffff")
        NO("@4 00000000", "no byte")
        NO("@4 41030000", "a byte more than a message holds")

    OF(KERNEL, 19, REPLY, "", "04000000 7f454c46")
        NO("@0 03000000", "a byte that the count does not say")
        NO("@0 05000000", "a byte less than the count says")
        NO("@0 04000001", "a count above its range")
        NO("=00000000", "no byte")
        YES("=01000000 aa", "one byte")

    /* frame_write: frame_slot, offset_bytes, count, bytes */
    OF(KERNEL, 20, REQUEST, "", "00100000 ff0f0000 02000000 beef")
        NO("@4 00100000", "an offset behind the page")
        NO("@8 00000000", "a count of 0 before bytes")
        NO("@8 41030000", "a count above its range")

    OF(KERNEL, 20, REPLY, "", "")

    /* frame_copy: source_slot, target_slot, source_offset, target_offset, count */
    OF(KERNEL, 21, REQUEST, "", "05000000 00100000 0010000000000000 00000000 00100000")
        NO("@16 00100000", "an offset behind the page")
        YES("@16 ff0f0000", "the last byte of the page")
        NO("@20 00000000", "no byte")
        NO("@20 01100000", "more than a page")

    OF(KERNEL, 21, REPLY, "", "")

    OF(KERNEL, 22, REQUEST, "", "f8030000")
        YES("@0 ffff0000", "the last port")
        NO("@0 00000100", "a port above")

    OF(KERNEL, 22, REPLY, "", "ff000000")
        NO("@0 00010000", "more than a byte")

    OF(KERNEL, 23, REQUEST, "", "f8030000 41000000")
        NO("@4 00010000", "more than a byte")
        NO("@0 00000100", "a port above")

    OF(KERNEL, 23, REPLY, "", "")

    OF(KERNEL, 24, REQUEST, "", "03000000 6f6b0a")
        NO("@0 00000000", "a count of 0")
        NO("@0 02000000", "a byte more than the count says")
        NO("@0 01010000", "a count above its range")

    OF(KERNEL, 24, REPLY, "", "")

    OF(KERNEL, 25, REQUEST, "", "ff000000 1f000000 07000000 fc000000")
        NO("@0 00010000", "bus 256")
        NO("@4 20000000", "device 32")
        NO("@8 08000000", "function 8")
        NO("@12 fd000000", "an offset above")

    OF(KERNEL, 25, REPLY, "", "ffffffff")

    OF(KERNEL, 26, REQUEST, "", "")

    OF(KERNEL, 26, REPLY, "", "0000000000000000")

    OF(KERNEL, 27, REQUEST, "", "")

    OF(KERNEL, 27, REPLY, "", "0000000000000000")

    OF(KERNEL, 28, REQUEST, "", "40000000 00100000")
        NO("@4 00000000", "no target")

    OF(KERNEL, 28, REPLY, "", "")

    /* fault: token, va, instruction_va, access, present; reply: verdict, reason */
    OF(EVENT, 32, REQUEST, "",
       "0500000000000000 0800000000000000 0010400000000000 02000000 01000000")
        NO("@24 03000000", "an unknown access")
        NO("@28 02000000", "present is 0 or 1")

    OF(EVENT, 32, REPLY, "", "01000000 0c000000")
        NO("@0 02000000", "an unknown verdict")
        NO("@4 0f000000", "past the last reason")

    /* process_terminated: token, reason, code, fault_va */
    OF(EVENT, 33, REQUEST, "", "0500000000000000 05000000 00000000 0000ad0b00000000")
        NO("@8 0f000000", "past the last reason")

    OF(EVENT, 33, REPLY, "", "")

    OF(STARTUP, 0x101, REQUEST, "", "04000000 45525844")
        NO("@0 00000000", "no byte")
        NO("@0 81030000", "more than an envelope")

    OF(STARTUP, 0x101, REPLY, "", "02000000 03000000")

    /* offer_modules: reserved0, count, modules: role, reserved0, image_offset, image_bytes,
     * end_ticks, budget_pages, reserved0 */
    OF(STARTUP, 0x102, REQUEST, "",
       "00000000 01000000"
       "00010000 00000000 0030000000000000 0110000000000000 8813000000000000 00000000 00000000")
        NO("@44 01000000", "reserved of a row")
        NO("@0 01000000", "reserved")
        NO("@4 00000000", "a row more than the count says")
        NO("@4 02000000", "a row less than the count says")
        NO("@4 11000000", "above the limit")
        NO("@8 00000000", "role 0")
        NO("@8 00000100", "a role past the last")
        YES("@12 01000000", "a limit of a page")
        NO("@16 01300000", "an offset off its page")
        NO("@24 00000000", "an empty module")
        YES("=00000000 00000000", "no module")

    OF(STARTUP, 0x102, REPLY, "", "")

    /* give_frames: vspace_slot, frame_slot, va, count, rights */
    OF(KERNEL, 29, REQUEST, "", "41000000 00100000 0000400000000000 01000000 18000000")
        YES("@16 04000000", "as many as a message brings")
        NO("@16 05000000", "one more")
        NO("@16 00000000", "none")
        NO("@8 0100400000000000", "one byte past a page")
        NO("@4 00000000", "no slot")
        NO("@20 40000000", "a right that is none of a mapping")

    OF(KERNEL, 29, REPLY, "", "")

    /* bind_interrupt: line, endpoint_slot, token */
    OF(KERNEL, 30, REQUEST, "", "04000000 02000000 8877665544332211")
        YES("@0 0f000000", "the last line")
        NO("@0 10000000", "one more")
        YES("@4 00000000", "nobody")
        NO("@4 00004000", "a slot past the last")

    OF(KERNEL, 30, REPLY, "", "")

    /* ack_interrupt: line */
    OF(KERNEL, 31, REQUEST, "", "04000000")
        NO("@0 10000000", "no such line")

    OF(KERNEL, 31, REPLY, "", "")

    /* mask_interrupt: line, masked */
    OF(KERNEL, 35, REQUEST, "", "04000000 01000000")
        YES("@4 00000000", "to open it")
        NO("@0 10000000", "no such line")
        NO("@4 02000000", "neither")

    OF(KERNEL, 35, REPLY, "", "")

    /* copy_startup: source_process_slot, target_process_slot */
    OF(KERNEL, 36, REQUEST, "", "40000000 48000000")
        NO("@0 00000000", "no slot")
        NO("@4 00000000", "no slot for it")

    OF(KERNEL, 36, REPLY, "", "")

    /* read_process_slot: process_slot, slot or 0 */
    OF(KERNEL, 37, REQUEST, "", "40000000 10000000")
        YES("@4 00000000", "from the first one on")
        NO("@0 00000000", "no slot")
        NO("@4 00004000", "no slot of a cspace")

    /* slot, object_type, rights, object, generation, reserved0, badge, token */
    OF(KERNEL, 37, REPLY, "",
       "10000000 04000000 02000000 03000000 05000000 00000000 0700000000000000 0900000000000000")
        YES("@0 00004000", "nothing is above")
        YES("@4 00000000", "nothing there")
        NO("@0 01004000", "no slot")
        NO("@4 ff000000", "no such type")
        NO("@20 01000000", "reserved")

    /* interrupt: token, line, reserved0 */
    OF(EVENT, 34, REQUEST, "", "8877665544332211 04000000 00000000")
        NO("@8 10000000", "no such line")
        NO("@12 01000000", "reserved")

    OF(EVENT, 34, REPLY, "", "")

    /* process_ended: process_id */
    OF(EVENT, 48, REQUEST, "", "0500000000000000")
        NO("@0 0000000000000000", "process 0")

    OF(EVENT, 48, REPLY, "", "")
};
/* clang-format on */

const unsigned codec_kernel_count = sizeof codec_kernel_fixtures / sizeof codec_kernel_fixtures[0];
