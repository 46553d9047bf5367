/* SPDX-License-Identifier: ISC */
/* Literal messages of the file namespace. */
#include "props/tests/codec/codec_test.h"

/* One fixture, its variations under it. */
/* clang-format off */
const struct codec_fixture codec_files_fixtures[] = {
    OF(VFSD, 0x590, REQUEST, "", "")

    OF(VFSD, 0x590, REPLY, "", "")

    /* flags, mode, reserved0, count, path */
    OF(VFSD, 0x591, REQUEST, "", "02000000 a4010000 00000000 02000000 2f61")
        YES("@0 7f000000", "every flag, which are vfsd's to refuse")
        NO("@0 80000000", "a flag that there is not")
        NO("@4 00100000", "a bit that is no mode's")
        NO("@8 01000000", "reserved")
        NO("@12 00000000", "no path")
        NO("@12 01000000", "a byte more than the count says")
        NO("@12 a5010000", "a path too long")
        YES("@16 6100", "any bytes, which are vfsd's to refuse")

    /* handle, file_id, size_bytes, version, owner, created_ticks, accessed_ticks, modified_ticks,
     * kind, mode, flags, read_only */
    OF(VFSD, 0x591, REPLY, "",
       "0001000000000000"
       "0100000000000001 0500000000000000 0200000000000000 0700000000000000"
       "e803000000000000 e803000000000000 e903000000000000"
       "00000000 a4010000 00000000 00000000")
        NO("@64 03000000", "a kind above")
        NO("@68 00100000", "a bit that is no mode's")
        NO("@72 02000000", "a flag that there is not")
        YES("@76 01000000", "read-only")
        NO("@76 02000000", "neither")

    /* handle */
    OF(VFSD, 0x592, REQUEST, "", "0001000000000000")

    OF(VFSD, 0x592, REPLY, "", "")

    /* handle, offset_bytes, count, reserved0 */
    OF(VFSD, 0x593, REQUEST, "", "0001000000000000 0010000000000000 40030000 00000000")
        YES("@16 00000000", "no bytes")
        NO("@16 41030000", "a count above")
        NO("@20 01000000", "reserved")

    /* reserved0, count, bytes */
    OF(VFSD, 0x593, REPLY, "", "00000000 03000000 00ff7f")
        YES("=00000000 00000000", "no bytes")
        NO("@0 01000000", "reserved")
        NO("@4 02000000", "a byte more than the count says")
        NO("@4 41030000", "a count above")

    /* handle, offset_bytes, reserved0, count, bytes */
    OF(VFSD, 0x594, REQUEST, "",
       "0001000000000000 0010000000000000 00000000 03000000 00ff7f")
        YES("=0001000000000000 0010000000000000 00000000 00000000", "no bytes")
        NO("@16 01000000", "reserved")
        NO("@20 02000000", "a byte more than the count says")
        NO("@20 41030000", "a count above")

    /* size_bytes */
    OF(VFSD, 0x594, REPLY, "", "0310000000000000")

    /* handle, cursor */
    OF(VFSD, 0x595, REQUEST, "", "0001000000000000 0300000000000000")

    /* file_id, next_cursor, kind, count, name */
    OF(VFSD, 0x595, REPLY, "", "0100000000000001 0300000000000000 02000000 02000000 6162")
        YES("=0000000000000000 0000000000000000 00000000 00000000", "the end")
        NO("@16 03000000", "a kind above")
        NO("@20 01000000", "a byte more than the count says")

    OF(VFSD, 0x596, REQUEST, "", "0001000000000000")

    OF(VFSD, 0x596, REPLY, "",
       "0100000000000001 0500000000000000 0200000000000000 0700000000000000"
       "e803000000000000 e803000000000000 e903000000000000"
       "00000000 a4010000 00000000 00000000")
        NO("@56 03000000", "a kind above")
        NO("@60 00100000", "a bit that is no mode's")
        NO("@64 02000000", "a flag that there is not")
        YES("@68 01000000", "read-only")
        NO("@68 02000000", "neither")

    /* flags, count, path */
    OF(VFSD, 0x597, REQUEST, "", "00000000 02000000 2f61")
        YES("@0 01000000", "a link is not followed")
        NO("@0 02000000", "a flag of OPEN alone")
        NO("@4 00000000", "no path")
        NO("@4 01000000", "a byte more than the count says")
        NO("@4 a5010000", "a path too long")
        YES("@8 6100", "any bytes, which are vfsd's to refuse")

    OF(VFSD, 0x597, REPLY, "",
       "0100000000000001 0500000000000000 0200000000000000 0700000000000000"
       "e803000000000000 e803000000000000 e903000000000000"
       "00000000 a4010000 00000000 00000000")
        NO("@56 03000000", "a kind above")
        NO("@60 00100000", "a bit that is no mode's")
        NO("@64 02000000", "a flag that there is not")
        YES("@68 01000000", "read-only")
        NO("@68 02000000", "neither")

    /* mode, count, path */
    OF(VFSD, 0x598, REQUEST, "", "ed010000 02000000 2f61")
        NO("@0 00100000", "a bit that is no mode's")
        NO("@4 00000000", "no path")
        NO("@4 01000000", "a byte more than the count says")
        NO("@4 a5010000", "a path too long")
        YES("@8 6100", "any bytes, which are vfsd's to refuse")

    OF(VFSD, 0x598, REPLY, "", "")

    /* reserved0, count, path */
    OF(VFSD, 0x599, REQUEST, "", "00000000 02000000 2f61")
        NO("@0 01000000", "reserved")
        NO("@4 00000000", "no path")
        NO("@4 01000000", "a byte more than the count says")
        NO("@4 a5010000", "a path too long")
        YES("@8 6100", "any bytes, which are vfsd's to refuse")

    OF(VFSD, 0x599, REPLY, "", "")

    OF(VFSD, 0x59a, REQUEST, "", "00000000 02000000 2f61")
        NO("@0 01000000", "reserved")
        NO("@4 00000000", "no path")
        NO("@4 01000000", "a byte more than the count says")
        NO("@4 a5010000", "a path too long")
        YES("@8 6100", "any bytes, which are vfsd's to refuse")

    OF(VFSD, 0x59a, REPLY, "", "")

    /* from_count, count, paths */
    OF(VFSD, 0x59b, REQUEST, "", "02000000 04000000 2f61 2f62")
        NO("@0 00000000", "no first path")
        NO("@0 a5010000", "a first path too long")
        YES("@0 04000000", "no second one, which is vfsd's to refuse")
        NO("@4 01000000", "a count below")
        NO("@4 49030000", "a count above")

    OF(VFSD, 0x59b, REPLY, "", "")

    /* handle, size_bytes */
    OF(VFSD, 0x59c, REQUEST, "", "0001000000000000 ffffffffffffffff")

    OF(VFSD, 0x59c, REPLY, "", "")

    /* path_count, count, path_and_target */
    OF(VFSD, 0x59d, REQUEST, "", "02000000 04000000 2f61 2f62")
        NO("@0 00000000", "no path")
        NO("@0 a5010000", "a path too long")
        YES("@0 04000000", "no target, which is vfsd's to refuse")
        NO("@4 01000000", "a count below")
        NO("@4 49030000", "a count above")

    OF(VFSD, 0x59d, REPLY, "", "")

    /* reserved0, count, path */
    OF(VFSD, 0x59e, REQUEST, "", "00000000 02000000 2f61")
        NO("@0 01000000", "reserved")
        NO("@4 00000000", "no path")
        NO("@4 01000000", "a byte more than the count says")
        NO("@4 a5010000", "a path too long")
        YES("@8 6100", "any bytes, which are vfsd's to refuse")

    /* reserved0, count, target */
    OF(VFSD, 0x59e, REPLY, "", "00000000 02000000 2f61")
        NO("@0 01000000", "reserved")
        NO("@4 00000000", "no target")
        NO("@4 a5010000", "a target too long")

    OF(VFSD, 0x59f, REQUEST, "", "02000000 04000000 2f61 2f62")
        NO("@0 00000000", "no first path")
        NO("@0 a5010000", "a first path too long")
        YES("@0 04000000", "no second one, which is vfsd's to refuse")
        NO("@4 01000000", "a count below")
        NO("@4 49030000", "a count above")

    OF(VFSD, 0x59f, REPLY, "", "")

    /* owner, accessed_ticks, modified_ticks, mask, mode, file_flags, flags, reserved0, count, path */
    OF(VFSD, 0x5a8, REQUEST, "",
       "0700000000000000 e803000000000000 e903000000000000"
       "1f000000 a4010000 01000000 01000000 00000000 02000000 2f61")
        YES("@24 00000000", "nothing of it")
        NO("@24 20000000", "a field that there is not")
        NO("@28 00100000", "a bit that is no mode's")
        NO("@32 02000000", "a flag that there is not")
        NO("@36 02000000", "a flag of OPEN alone")
        NO("@40 01000000", "reserved")
        NO("@44 00000000", "no path")
        NO("@44 01000000", "a byte more than the count says")
        NO("@44 a5010000", "a path too long")
        YES("@48 6100", "any bytes, which are vfsd's to refuse")

    OF(VFSD, 0x5a8, REPLY, "", "")

    /* provider_role, flags, source_count, count, source_and_path */
    OF(VFSD, 0x5a9, REQUEST, "", "12000000 01000000 03000000 04000000 72616d 2f")
        NO("@0 00000000", "no provider")
        YES("@0 ffff0000", "the highest role")
        NO("@0 00000100", "above it")
        YES("@4 00000000", "it may be changed")
        NO("@4 02000000", "a flag that there is not")
        NO("@8 00000000", "no source")
        NO("@8 19000000", "a source too long")
        YES("@8 04000000", "no path, which is vfsd's to refuse")
        NO("@12 01000000", "a count below")
        NO("@12 bd010000", "a count above")

    OF(VFSD, 0x5a9, REPLY, "", "")

    OF(VFSD, 0x5aa, REQUEST, "", "")

    /* mount_count, reserved0 */
    OF(VFSD, 0x5aa, REPLY, "", "02000000 00000000")
        NO("@4 01000000", "reserved")
};
/* clang-format on */

const unsigned codec_files_count = sizeof codec_files_fixtures / sizeof codec_files_fixtures[0];
