/* SPDX-License-Identifier: ISC */
/* The frame layout of life steps, shared by the reader (life.c) and the assembler (life_text.c).
 *
 *   literal payload: expected u8 (status, or LIFE_NO_STATUS), on u8, operation u16, badge u64,
 *                    body_bytes u16, cap_count u8, version u8 (0: MESSAGE_VERSION), then
 *                    cap_count times {field_offset u16, rights u16, object_type u8, zero u8,
 *                    badge u64}, then the body
 *   action payload:  index u8, then up to four u64 */
#ifndef BASALT_PROPS_LIFE_LIFE_BYTES_H
#define BASALT_PROPS_LIFE_LIFE_BYTES_H

enum {
    LIFE_TAG_GENERATED = 0, /* tag % LIFE_TAG_COUNT: 0 to 4 generated, 5 literal, 6 and 7 action */
    LIFE_TAG_LITERAL = 5,
    LIFE_TAG_ACTION = 6,
    LIFE_TAG_COUNT = 8,
    LIFE_TAG_KNOWN = 0xF8, /* a tag, not modulo: what is generated is of those who are there */
    LIFE_FRAME_HEADER_BYTES = 2, /* tag and words */
    LIFE_NO_STATUS = 255
};

#endif
