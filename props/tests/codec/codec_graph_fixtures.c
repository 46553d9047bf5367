/* SPDX-License-Identifier: ISC */
/* Literal messages of the services above the foundation. */
#include "props/tests/codec/codec_test.h"

/* One fixture, its variations under it. */
/* clang-format off */
const struct codec_fixture codec_graph_fixtures[] = {
    /* service_role, client_role, rights, count, name */
    OF(NAMED, 0x500, REQUEST, "", "07000000 09000000 01000000 04000000 6c6f6764")
        NO("@0 00000000", "no service")
        YES("@0 ffff0000", "the highest role")
        NO("@0 00000100", "above it")
        NO("@4 00000000", "no client")
        NO("@4 00000100", "a client above")
        YES("@8 05000000", "both rights")
        YES("@8 00000000", "none, which is named's to refuse")
        NO("@8 02000000", "RECEIVE")
        NO("@12 00000000", "no name")
        NO("@12 03000000", "a byte more than the count says")
        YES("=07000000 09000000 01000000 0f000000 ffffffffffffffffffffffffffffff",
            "fifteen bytes of anything")
        NO("=07000000 09000000 01000000 10000000 61616161616161616161616161616161", "sixteen")

    OF(NAMED, 0x500, REPLY, "", "")

    OF(NAMED, 0x501, REQUEST, "", "")

    /* entry_count, reserved0 */
    OF(NAMED, 0x501, REPLY, "", "00020000 00000000")
        NO("@4 01000000", "reserved")

    /* client_role, service_slot, count, name */
    OF(NAMED, 0x502, REQUEST, "0400 0500 00000500" NO_BADGE,
       "09000000 40000000 04000000 6c6f6764")
        NO("@0 00000000", "no client")
        NO("@0 00000100", "a client above")
        NO("@4 00000000", "no capability")
        NO("@8 00000000", "no name")
        NO("@8 10000000", "a name too long")
        CAPS_NO("0400 0100 00000500" NO_BADGE, "TRANSFER is missing")
        CAPS_NO("0400 0400 00000500" NO_BADGE, "SEND is missing")
        CAPS_YES("0400 0700 00000500" NO_BADGE, "RECEIVE too, which is named's to refuse")

    OF(NAMED, 0x502, REPLY, "", "")

    /* count, name */
    OF(NAMED, 0x503, REQUEST, "", "04000000 6c6f6764")
        NO("@0 00000000", "no name")
        NO("@0 05000000", "a byte fewer than the count says")

    /* service_slot, reserved0 */
    OF(NAMED, 0x503, REPLY, "0000 0100 00000500" NO_BADGE, "40000000 00000000")
        NO("@0 00000000", "no capability")
        NO("@4 01000000", "reserved")
        CAPS_NO("0000 0400 00000500" NO_BADGE, "SEND is missing")
        CAPS_YES("0000 0500 00000500" NO_BADGE, "it may be passed on")

    /* role, reserved0 */
    OF(NAMED, 0x504, REQUEST, "", "05000000 00000000")
        NO("@0 00000000", "no role")
        NO("@0 00000100", "a role above")
        NO("@4 01000000", "reserved")

    /* end_slot, reserved0 */
    OF(NAMED, 0x504, REPLY, "0000 0500 00000500" NO_BADGE, "40000000 00000000")
        NO("@0 00000000", "no capability")
        NO("@4 01000000", "reserved")
        CAPS_NO("0000 0100 00000500" NO_BADGE, "TRANSFER is missing")

    /* severity, count, text */
    OF(LOGD, 0x510, REQUEST, "", "02000000 05000000 68656c6c6f")
        NO("@0 04000000", "a severity above")
        NO("@4 00000000", "no text")
        NO("@4 04000000", "a byte more than the count says")
        NO("@4 01010000", "a count above")
        YES("@8 000a1b7fff", "any bytes, which are logd's to refuse")

    /* record_id, ticks */
    OF(LOGD, 0x510, REPLY, "", "0100000000000000 e803000000000000")
        NO("@0 0000000000000000", "record 0")

    /* cursor */
    OF(LOGD, 0x511, REQUEST, "", "0100000000000000")
        NO("@0 0000000000000000", "cursor 0")
        YES("@0 ffffffffffffffff", "the highest cursor")

    /* record_id, missed_count, ticks, role, severity, reserved0, count, text */
    OF(LOGD, 0x511, REPLY, "",
       "0300000000000000 0200000000000000 e803000000000000"
       "07000000 02000000 00000000 05000000 68656c6c6f")
        NO("@0 0000000000000000", "record 0")
        YES("@8 0000000000000000", "nothing missed")
        NO("@24 00000000", "nobody's record")
        NO("@24 00000100", "a role above")
        NO("@28 04000000", "a severity above")
        NO("@32 01000000", "reserved")
        NO("@36 00000000", "no text")
        NO("@36 06000000", "a byte fewer than the count says")

    OF(TIMED, 0x530, REQUEST, "", "")

    /* now_ticks */
    OF(TIMED, 0x530, REPLY, "", "e803000000000000")
        YES("@0 ffffffffffffffff", "any clock")

    OF(TIMED, 0x531, REQUEST, "", "")

    /* epoch_seconds, second_ticks, reserved0 */
    OF(TIMED, 0x531, REPLY, "", "0100000000000000 e7030000 00000000")
        NO("@8 e8030000", "a whole second")
        NO("@12 01000000", "reserved")

    /* deadline_ticks */
    OF(TIMED, 0x532, REQUEST, "", "e803000000000000")
        YES("@0 0000000000000000", "long past")
        YES("@0 feffffffffffffff", "the last one")
        NO("@0 ffffffffffffffff", "for ever")

    OF(TIMED, 0x532, REPLY, "", "e803000000000000")

    /* number, process_id, owner_id, role, reason, code, reserved0, fault_va, ended_ticks */
    OF(CRASHD, 0x520, REQUEST, "",
       "0100000000000000 0300000000000000 0200000000000000 00010000 05000000 00000000 00000000"
       "0000400000000000 e803000000000000")
        NO("@0 0000000000000000", "number 0")
        NO("@8 0000000000000000", "nobody")
        YES("@16 0000000000000000", "the administrator's")
        NO("@24 00000000", "no role")
        NO("@24 00000100", "a role above")
        NO("@28 00000000", "it has not ended")
        NO("@28 01000000", "it exited: no KILLED event")
        YES("@28 02000000", "killed by who may")
        YES("@28 0e000000", "the last reason")
        NO("@28 0f000000", "a reason above")
        YES("@32 ffffffff", "any code")
        NO("@36 01000000", "reserved")

    /* report_id, ticks */
    OF(CRASHD, 0x520, REPLY, "", "0100000000000000 e803000000000000")
        NO("@0 0000000000000000", "report 0")

    /* cursor */
    OF(CRASHD, 0x521, REQUEST, "", "0100000000000000")
        NO("@0 0000000000000000", "cursor 0")
        YES("@0 ffffffffffffffff", "the highest cursor")

    /* report_id, missed_count, lost_count, ticks, number, process_id, owner_id, role, reason, code,
     * reserved0, fault_va, ended_ticks */
    OF(CRASHD, 0x521, REPLY, "",
       "0300000000000000 0200000000000000 0100000000000000 e803000000000000 0400000000000000"
       "0300000000000000 0200000000000000 00010000 05000000 00000000 00000000 0000400000000000"
       "e703000000000000")
        NO("@0 0000000000000000", "report 0")
        YES("@8 0000000000000000", "nothing missed")
        YES("@16 0000000000000000", "nothing lost")
        NO("@32 0000000000000000", "number 0")
        NO("@40 0000000000000000", "nobody")
        NO("@56 00000000", "no role")
        NO("@60 01000000", "it exited")
        NO("@60 0f000000", "a reason above")
        NO("@68 01000000", "reserved")
    /* role, page_limit, image_offset, image_bytes, ready_ticks, named_slot or 0, budget_pages */
    OF(DEVICED, 0x550, REQUEST, "",
       "24010000 00000000 0010000000000000 204e000000000000 6400000000000000 00000000 00000000")
        NO("@32 40000000", "an end without its descriptor")
        CAPS_NO("2000 0500 00000500" NO_BADGE, "for the empty field")

    OF(DEVICED, 0x550, REQUEST, "2000 0500 00000500" NO_BADGE,
       "19000000 00000000 0010000000000000 204e000000000000 6400000000000000 40000000 00000000")
        YES("@4 ffffffff", "more pages than any role has, which is deviced's to refuse")
        YES("@24 c027090000000000", "ten minutes")
        NO("@0 00000000", "no role")
        NO("@32 00000000", "a descriptor without its end")
        YES("@36 ffffffff", "more kernel memory than any role has, which is deviced's to refuse")
        CAPS_NO("2000 0100 00000500" NO_BADGE, "TRANSFER is missing")
        CAPS_NO("2000 0400 00000500" NO_BADGE, "SEND is missing")
        NO("@8 0110000000000000", "not on a page")
        NO("@16 0000000000000000", "an empty module")
        NO("@24 0000000000000000", "no time")
        NO("@24 c127090000000000", "a tick more")

    OF(DEVICED, 0x550, REPLY, "", "")

    /* role, reserved0 */
    OF(DEVICED, 0x551, REQUEST, "", "19000000 00000000")
        NO("@0 00000100", "no role")
        NO("@4 01000000", "reserved")

    OF(DEVICED, 0x551, REPLY, "", "")

    OF(DEVICED, 0x552, REQUEST, "", "19000000 00000000")
        NO("@0 00000000", "no role")

    OF(DEVICED, 0x552, REPLY, "", "")

    OF(DEVICED, 0x553, REQUEST, "", "19000000 00000000")
        NO("@0 00000000", "no role")

    /* state, cause, reason, code, process_id */
    OF(DEVICED, 0x553, REPLY, "", "05000000 00000000 00000000 00000000 0900000000000000")
        NO("@0 07000000", "a state above")
        NO("@4 ff000000", "a status above")
        NO("@8 ff000000", "a reason above")

    OF(DEVICED, 0x554, REQUEST, "", "")

    /* binding_count, reserved0 */
    OF(DEVICED, 0x554, REPLY, "", "03000000 00000000")
        NO("@4 01000000", "reserved")

    /* line, role */
    OF(IRQD, 0x540, REQUEST, "", "04000000 19000000")
        YES("@0 0f000000", "the last line")
        NO("@0 10000000", "a line above")
        NO("@4 00000000", "no role")
        NO("@4 00000100", "a role above")

    OF(IRQD, 0x540, REPLY, "", "")

    /* line, endpoint_slot, token */
    OF(IRQD, 0x541, REQUEST, "0400 0100 00000500" NO_BADGE, "04000000 40000000 7700000000000000")
        NO("@0 10000000", "a line above")
        NO("@4 00000000", "no capability")
        CAPS_NO("0400 0400 00000500" NO_BADGE, "SEND is missing")

    OF(IRQD, 0x541, REPLY, "", "")

    /* line, masked */
    OF(IRQD, 0x542, REQUEST, "", "04000000 00000000")
        YES("@4 01000000", "closed")
        NO("@0 10000000", "a line above")
        NO("@4 02000000", "neither")

    OF(IRQD, 0x542, REPLY, "", "")

    /* line, reserved0 */
    OF(IRQD, 0x543, REQUEST, "", "04000000 00000000")
        NO("@0 10000000", "a line above")
        NO("@4 01000000", "reserved")

    OF(IRQD, 0x543, REPLY, "", "")

    OF(IRQD, 0x544, REQUEST, "", "")

    /* seed_count, reserved0 */
    OF(IRQD, 0x544, REPLY, "", "03000000 00000000")
        NO("@4 01000000", "reserved")

    /* count, bytes */
    OF(DRV_SERIAL, 0x5a0, REQUEST, "", "04000000 6f6b0d0a")
        NO("@0 00000000", "no bytes")
        NO("@0 03000000", "a byte more than the count says")
        NO("@0 81030000", "a count above")
        YES("@4 00ff1b7f", "any bytes")

    /* taken_count, reserved0 */
    OF(DRV_SERIAL, 0x5a0, REPLY, "", "04000000 00000000")
        YES("@0 00000000", "the line takes nothing")
        NO("@0 81030000", "more than a message has")
        NO("@4 01000000", "reserved")

    /* wait_ticks */
    OF(DRV_SERIAL, 0x5a1, REQUEST, "", "e803000000000000")
        YES("@0 0000000000000000", "no wait")
        YES("@0 c027090000000000", "ten minutes")
        NO("@0 c127090000000000", "a tick more")

    /* lost_count, reserved0, count, bytes */
    OF(DRV_SERIAL, 0x5a1, REPLY, "", "0200000000000000 00000000 04000000 6c730d0a")
        YES("@0 0000000000000000", "nothing lost")
        NO("@8 01000000", "reserved")
        NO("@12 00000000", "bytes that are not counted")
        NO("@12 81030000", "a count above")
        YES("@16 00ff1b7f", "any bytes")

    /* count, bytes */
    OF(SERIALD, 0x560, REQUEST, "", "04000000 6f6b0d0a")
        NO("@0 00000000", "no bytes")
        NO("@0 03000000", "a byte more than the count says")
        NO("@0 81030000", "a count above")
        YES("@4 00ff1b7f", "any bytes")

    /* taken_count, reserved0 */
    OF(SERIALD, 0x560, REPLY, "", "04000000 00000000")
        YES("@0 00000000", "the line takes nothing")
        NO("@0 81030000", "more than a message has")
        NO("@4 01000000", "reserved")

    /* wait_ticks */
    OF(SERIALD, 0x561, REQUEST, "", "e803000000000000")
        YES("@0 0000000000000000", "no wait")
        YES("@0 c027090000000000", "ten minutes")
        NO("@0 c127090000000000", "a tick more")

    /* lost_count, reserved0, count, bytes */
    OF(SERIALD, 0x561, REPLY, "", "0200000000000000 00000000 04000000 6c730d0a")
        YES("@0 0000000000000000", "nothing lost")
        NO("@8 01000000", "reserved")
        NO("@12 00000000", "bytes that are not counted")
        NO("@12 81030000", "a count above")
        YES("@16 00ff1b7f", "any bytes")

    /* reserved0, count, source */
    OF(RAMFSD, 0x580, REQUEST, "", "00000000 03000000 72616d")
        NO("@0 01000000", "reserved")
        NO("@4 00000000", "no source")
        NO("@4 02000000", "a byte more than the count says")
        YES("@8 00ff2f", "any bytes, which are ramfsd's to refuse")

    /* root_node, read_only, reserved0 */
    OF(RAMFSD, 0x580, REPLY, "", "0100100000000000 00000000 00000000")
        YES("@8 01000000", "read-only")
        NO("@8 02000000", "neither")
        NO("@12 01000000", "reserved")

    /* directory_node, reserved0, count, name */
    OF(RAMFSD, 0x581, REQUEST, "", "0100100000000000 00000000 02000000 6162")
        NO("@12 00000000", "no name")
        NO("@12 01000000", "a byte more than the count says")
        NO("@8 01000000", "reserved")
        YES("@16 2f00", "any bytes, which are ramfsd's to refuse")

    /* node, size_bytes, version, owner, created_ticks, accessed_ticks, modified_ticks, kind, mode,
     * flags, link_count */
    OF(RAMFSD, 0x581, REPLY, "",
       "0100100000000000 0500000000000000 0200000000000000 0700000000000000"
       "e803000000000000 e803000000000000 e903000000000000"
       "00000000 a4010000 00000000 01000000")
        NO("@56 03000000", "a kind above")
        NO("@60 00100000", "a bit that is no mode's")
        NO("@64 02000000", "a flag that there is not")
        NO("@68 02000000", "two names")

    OF(RAMFSD, 0x582, REQUEST, "", "0100100000000000")

    OF(RAMFSD, 0x582, REPLY, "",
       "0100100000000000 0500000000000000 0200000000000000 0700000000000000"
       "e803000000000000 e803000000000000 e903000000000000"
       "00000000 a4010000 00000000 01000000")
        NO("@56 03000000", "a kind above")
        NO("@60 00100000", "a bit that is no mode's")
        NO("@64 02000000", "a flag that there is not")
        NO("@68 02000000", "two names")

    /* node, offset_bytes, count, reserved0 */
    OF(RAMFSD, 0x583, REQUEST, "", "0100100000000000 0010000000000000 40030000 00000000")
        YES("@16 00000000", "no bytes")
        NO("@16 41030000", "a count above")
        NO("@20 01000000", "reserved")

    /* reserved0, count, bytes */
    OF(RAMFSD, 0x583, REPLY, "", "00000000 03000000 00ff7f")
        YES("=00000000 00000000", "no bytes")
        NO("@0 01000000", "reserved")
        NO("@4 02000000", "a byte more than the count says")
        NO("@4 41030000", "a count above")

    /* node, account, offset_bytes, reserved0, count, bytes */
    OF(RAMFSD, 0x584, REQUEST, "",
       "0100100000000000 0700000000000000 0010000000000000 00000000 03000000 00ff7f")
        YES("=0100100000000000 0700000000000000 0010000000000000 00000000 00000000", "no bytes")
        NO("@24 01000000", "reserved")
        NO("@28 02000000", "a byte more than the count says")
        NO("@28 41030000", "a count above")

    /* size_bytes */
    OF(RAMFSD, 0x584, REPLY, "", "0310000000000000")

    /* directory_node, account, kind, mode, reserved0, count, name */
    OF(RAMFSD, 0x585, REQUEST, "",
       "0100100000000000 0700000000000000 00000000 a4010000 00000000 02000000 6162")
        YES("@16 01000000", "a directory")
        NO("@16 02000000", "a link has its own message")
        YES("@20 ff0f0000", "every bit of a mode")
        NO("@20 00100000", "a bit that is no mode's")
        NO("@24 01000000", "reserved")
        NO("@28 00000000", "no name")
        NO("@28 03000000", "a byte fewer than the count says")

    OF(RAMFSD, 0x585, REPLY, "",
       "0100100000000000 0500000000000000 0200000000000000 0700000000000000"
       "e803000000000000 e803000000000000 e903000000000000"
       "00000000 a4010000 00000000 01000000")
        NO("@56 03000000", "a kind above")
        NO("@60 00100000", "a bit that is no mode's")
        NO("@64 02000000", "a flag that there is not")
        NO("@68 02000000", "two names")

    /* directory_node, account, name_count, count, name_and_target */
    OF(RAMFSD, 0x586, REQUEST, "",
       "0100100000000000 0700000000000000 01000000 04000000 612f6263")
        NO("@16 00000000", "no name")
        NO("@16 00010000", "a name too long")
        YES("@16 04000000", "no target, which is ramfsd's to refuse")
        NO("@20 01000000", "a count below")
        NO("@20 a4020000", "a count above")

    OF(RAMFSD, 0x586, REPLY, "",
       "0100100000000000 0500000000000000 0200000000000000 0700000000000000"
       "e803000000000000 e803000000000000 e903000000000000"
       "00000000 a4010000 00000000 01000000")
        NO("@56 03000000", "a kind above")
        NO("@60 00100000", "a bit that is no mode's")
        NO("@64 02000000", "a flag that there is not")
        NO("@68 02000000", "two names")

    OF(RAMFSD, 0x587, REQUEST, "", "0100100000000000")

    /* reserved0, count, target */
    OF(RAMFSD, 0x587, REPLY, "", "00000000 02000000 2f61")
        NO("@0 01000000", "reserved")
        NO("@4 00000000", "no target")
        NO("@4 a5010000", "a target too long")

    /* directory_node, reserved0, count, name */
    OF(RAMFSD, 0x588, REQUEST, "", "0100100000000000 00000000 02000000 6162")
        NO("@12 00000000", "no name")
        NO("@12 01000000", "a byte more than the count says")
        NO("@8 01000000", "reserved")
        YES("@16 2f00", "any bytes, which are ramfsd's to refuse")

    OF(RAMFSD, 0x588, REPLY, "", "")

    OF(RAMFSD, 0x589, REQUEST, "", "0100100000000000 00000000 02000000 6162")
        NO("@12 00000000", "no name")
        NO("@12 01000000", "a byte more than the count says")
        NO("@8 01000000", "reserved")
        YES("@16 2f00", "any bytes, which are ramfsd's to refuse")

    OF(RAMFSD, 0x589, REPLY, "", "")

    /* from_directory, to_directory, from_count, count, names */
    OF(RAMFSD, 0x58A, REQUEST, "", "0100100000000000 0100100000000000 01000000 03000000 616263")
        NO("@16 00000000", "no first name")
        NO("@16 00010000", "a first name too long")
        YES("@16 03000000", "no second one, which is ramfsd's to refuse")
        NO("@20 01000000", "a count below")
        NO("@20 ff010000", "a count above")

    OF(RAMFSD, 0x58A, REPLY, "", "")

    /* node, size_bytes */
    OF(RAMFSD, 0x58B, REQUEST, "", "0100100000000000 ffffffffffffffff")

    OF(RAMFSD, 0x58B, REPLY, "", "")

    /* directory_node, cursor */
    OF(RAMFSD, 0x58C, REQUEST, "", "0100100000000000 0300000000000000")

    /* node, next_cursor, kind, count, name */
    OF(RAMFSD, 0x58C, REPLY, "", "0100100000000000 0300000000000000 02000000 02000000 6162")
        YES("=0000000000000000 0000000000000000 00000000 00000000", "the end")
        NO("@16 03000000", "a kind above")
        NO("@20 01000000", "a byte more than the count says")

    /* node, mask, mode, flags, reserved0, owner, accessed_ticks, modified_ticks */
    OF(RAMFSD, 0x58D, REQUEST, "",
       "0100100000000000 1f000000 a4010000 01000000 00000000 0700000000000000"
       "e803000000000000 e903000000000000")
        YES("@8 00000000", "nothing of it")
        NO("@8 20000000", "a field that there is not")
        NO("@12 00100000", "a bit that is no mode's")
        NO("@16 02000000", "a flag that there is not")
        NO("@20 01000000", "reserved")

    OF(RAMFSD, 0x58D, REPLY, "", "")

    OF(RAMFSD, 0x58E, REQUEST, "", "0100100000000000")

    OF(RAMFSD, 0x58E, REPLY, "", "")

    OF(RAMFSD, 0x58F, REQUEST, "", "0100100000000000")

    OF(RAMFSD, 0x58F, REPLY, "", "")
};
/* clang-format on */

const unsigned codec_graph_count = sizeof codec_graph_fixtures / sizeof codec_graph_fixtures[0];
