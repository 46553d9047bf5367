/* SPDX-License-Identifier: ISC */
/* Properties that must hold. One that does not hold is our bug: it is reported with its id from
 * props/properties.def, and the process aborts, which every engine takes for a finding.
 *
 *   PROPERTY(M1, free + handed_out == total);
 *   PROPERTY(K1, "badge", real->badge == cap->badge);    the second argument says which part of K1
 *   PROPERTY_EQUAL(M5, before, after);                   both numbers are printed
 *   HARNESS(event_count < EVENTS);                       a bug of the harness or stand-in itself
 *
 * An id that is not in the table does not compile. What is printed starts with `property M1 does not
 * hold`, `property K1-badge does not hold` or `harness does not hold`. */
#ifndef BASALT_PROPS_BASE_PROPERTY_H
#define BASALT_PROPS_BASE_PROPERTY_H

#include <stdint.h>

enum property {
#define PROPERTY_FAMILY(letter, title)
#define PROPERTY_ROW(id, sentence) PROPERTY_##id,
#include "props/properties.def"
#undef PROPERTY_ROW
#undef PROPERTY_FAMILY
    PROPERTY_COUNT
};

/* PROPERTY(id, condition) or PROPERTY(id, "detail", condition). */
#define PROPERTY(...)                                      PROPERTY_PICK_3(__VA_ARGS__, PROPERTY_PART, PROPERTY_WHOLE, )(__VA_ARGS__)
#define PROPERTY_PICK_3(first, second, third, picked, ...) picked
#define PROPERTY_WHOLE(id, condition)                      PROPERTY_PART(id, "", condition)
#define PROPERTY_PART(id, detail, condition)                                                       \
    do {                                                                                           \
        if (!(condition))                                                                          \
            property_##id##_fails(detail, #condition, __FILE__, __LINE__);                         \
    } while (0)

/* PROPERTY_EQUAL(id, left, right) or PROPERTY_EQUAL(id, "detail", left, right). */
#define PROPERTY_EQUAL(...)                                                                        \
    PROPERTY_PICK_4(__VA_ARGS__, PROPERTY_EQUAL_PART, PROPERTY_EQUAL_WHOLE, )(__VA_ARGS__)
#define PROPERTY_PICK_4(first, second, third, fourth, picked, ...) picked
#define PROPERTY_EQUAL_WHOLE(id, left, right)                      PROPERTY_EQUAL_PART(id, "", left, right)
#define PROPERTY_EQUAL_PART(id, detail, left, right)                                               \
    do {                                                                                           \
        unsigned long long left_ = (unsigned long long)(left);                                     \
        unsigned long long right_ = (unsigned long long)(right);                                   \
        if (left_ != right_)                                                                       \
            property_##id##_differs(detail, #left, left_, #right, right_, __FILE__, __LINE__);     \
    } while (0)

/* What a harness, a model or a stand-in must do right by itself. */
#define HARNESS(condition)                                                                         \
    do {                                                                                           \
        if (!(condition))                                                                          \
            harness_failed(#condition, __FILE__, __LINE__);                                        \
    } while (0)

/* Who collects failures of many machines tells them apart by the functions on the stack below
 * abort() and by nothing else: by three at most. So each property ends the process in a function of
 * its own, which its caller calls itself, and which calls one that is named after the operation
 * that was going on, where there is one:
 *
 *   during_memd_close_account, property_M5_differs, memd_life_check
 *
 * (clusterfuzz; other names than these would do, but not some of those that it passes over, such as
 * any with `assert` in it: unit_assert_failed() below a unit is no frame, the unit's own are.)
 * detail: which part of the property, in one word; "" for all of it. */
#define PROPERTY_FAILS(name)                                                                       \
    void name(const char *detail, const char *condition, const char *file, int line)
#define PROPERTY_DIFFERS(name)                                                                     \
    void name(const char *detail, const char *left_text, unsigned long long left,                  \
              const char *right_text, unsigned long long right, const char *file, int line)
#define PROPERTY_FAMILY(letter, title)
#define PROPERTY_ROW(id, sentence)                                                                 \
    __attribute__((noreturn)) PROPERTY_FAILS(property_##id##_fails);                               \
    __attribute__((noreturn)) PROPERTY_DIFFERS(property_##id##_differs);
#include "props/properties.def"
#undef PROPERTY_ROW
#undef PROPERTY_FAMILY

/* For an id that is chosen as the program runs; PROPERTY_COUNT has a row, too. */
extern PROPERTY_FAILS((*const property_fails_of[PROPERTY_COUNT + 1]));
extern PROPERTY_DIFFERS((*const property_differs_of[PROPERTY_COUNT + 1]));

__attribute__((noreturn)) void harness_failed(const char *condition, const char *file, int line);

/* The property of a name, for units that name one themselves ("M1"); PROPERTY_COUNT: none has it. */
enum property property_find(const char *name);

/* What a harness adds to the report of a failure: `say` prints lines to standard error, before the
 * line of the property; *operation is then the id of the row that is going on, 0 for none. */
void property_context(void (*say)(void), const uint16_t *operation);

#endif
