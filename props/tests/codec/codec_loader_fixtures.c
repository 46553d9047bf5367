/* SPDX-License-Identifier: ISC */
/* Literal messages of loaderd. */
#include "props/tests/codec/codec_test.h"

/* One fixture, its variations under it. */
/* clang-format off */
const struct codec_fixture codec_loader_fixtures[] = {
    /* flags, path_count, argument_bytes, environment_bytes, reserved0, count, bytes */
    OF(LOADERD, 0x5B0, REQUEST, "", "00000000 02000000 00000000 00000000 00000000 02000000 2f61")
        YES("@0 01000000", "by a dynamic linker")
        NO("@0 02000000", "a flag that there is not")
        NO("@4 00000000", "no path")
        YES("@4 a4010000", "a path longer than all bytes, which is loaderd's to refuse")
        NO("@4 a5010000", "a path too long")
        YES("@8 00010000", "a block that is not there, which is loaderd's to refuse")
        NO("@8 01010000", "a block too long")
        YES("@12 00010000", "an environment that is not there")
        NO("@12 01010000", "an environment too long")
        NO("@16 01000000", "reserved")
        NO("@20 01000000", "a byte more than the count says")
        NO("@20 89030000", "a count above")
        YES("@24 00ff", "any bytes, which are loaderd's to refuse")

    OF(LOADERD, 0x5B0, REPLY, "", "0300000001000000")
        NO("@0 0000000000000000", "no process")

    /* process_id, deadline_ticks */
    OF(LOADERD, 0x5B1, REQUEST, "", "0300000001000000 ffffffffffffffff")
        NO("@0 0000000000000000", "no process")
        YES("@8 0000000000000000", "at once")

    /* process_id, reason, code, fault_va */
    OF(LOADERD, 0x5B1, REPLY, "", "0300000001000000 01000000 2a000000 0000000000000000")
        NO("@0 0000000000000000", "no process")
        YES("@8 0e000000", "the last reason")
        NO("@8 0f000000", "a reason above")

    /* process_id, code, reserved0 */
    OF(LOADERD, 0x5B2, REQUEST, "", "0300000001000000 ffffffff 00000000")
        NO("@0 0000000000000000", "no process")
        NO("@12 01000000", "reserved")

    OF(LOADERD, 0x5B2, REPLY, "", "")

    OF(LOADERD, 0x5B3, REQUEST, "", "0300000001000000")
        NO("@0 0000000000000000", "no process")

    /* state, reason, code, reserved0, fault_va */
    OF(LOADERD, 0x5B3, REPLY, "", "02000000 05000000 00000000 00000000 00f0de0000000000")
        YES("@0 04000000", "the last state")
        NO("@0 05000000", "a state above")
        NO("@4 0f000000", "a reason above")
        NO("@12 01000000", "reserved")
};
/* clang-format on */

const unsigned codec_loader_count = sizeof codec_loader_fixtures / sizeof codec_loader_fixtures[0];
