/* SPDX-License-Identifier: ISC */
/* Forgets the table macros, after a pass over the tables. No include guard on purpose. */
#undef OPERATION
#undef REQUEST
#undef END_REQUEST
#undef REPLY
#undef END_REPLY
#undef ROW
#undef END_ROW
#undef U32
#undef U64
#undef U32_RANGE
#undef U64_RANGE
#undef U32_ENUM
#undef U32_FLAGS
#undef VA
#undef PAGE_OFFSET
#undef SLOT
#undef SLOT_OR_NONE
#undef CAP
#undef CAP_OR_NONE
#undef U32S
#undef U64S
#undef CAPS
#undef RESERVED32
#undef U64_ZERO
#undef BYTES
#undef ROWS
