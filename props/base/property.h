/* SPDX-License-Identifier: ISC */
/* Properties that must hold. A property that does not hold is our bug: it is reported with its id
 * from the list of properties, and the process aborts, which every engine takes for a finding. */
#ifndef BASALT_PROPS_BASE_PROPERTY_H
#define BASALT_PROPS_BASE_PROPERTY_H

/* id: as in the comments of the code, e.g. PROPERTY("M1", free + handed_out == total). */
#define PROPERTY(id, condition)                                                                    \
    do {                                                                                           \
        if (!(condition))                                                                          \
            property_failed(id, #condition, __FILE__, __LINE__);                                   \
    } while (0)

/* PROPERTY on two numbers, both of which are printed. */
#define PROPERTY_EQUAL(id, left, right)                                                            \
    do {                                                                                           \
        unsigned long long left_ = (unsigned long long)(left);                                     \
        unsigned long long right_ = (unsigned long long)(right);                                   \
        if (left_ != right_)                                                                       \
            property_unequal(id, #left, left_, #right, right_, __FILE__, __LINE__);                \
    } while (0)

__attribute__((noreturn)) void property_failed(const char *id, const char *condition,
                                               const char *file, int line);
__attribute__((noreturn)) void property_unequal(const char *id, const char *left_text,
                                                unsigned long long left, const char *right_text,
                                                unsigned long long right, const char *file,
                                                int line);

/* Who runs the input, and how it can be run again: printed with a failure. Null: nothing known. */
void property_origin(const char *reproduce);

#endif
