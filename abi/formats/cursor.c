/* SPDX-License-Identifier: ISC */
/* Ranges of untrusted numbers. The cursors themselves are inline, in cursor.h. */
#include "abi/formats/cursor.h"

bool range_overlaps(uint64_t a, uint64_t a_count, uint64_t b, uint64_t b_count)
{
    UNIT_ASSERT(a + a_count >= a && b + b_count >= b);
    return a_count != 0 && b_count != 0 && a < b + b_count && b < a + a_count;
}
