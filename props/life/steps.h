/* SPDX-License-Identifier: ISC */
/* Mutation of life inputs by step. An input of steps is a row of frames: tag u8, words u8, then
 * words * 4 bytes of payload (props/life/life.h gives them their meaning). */
#ifndef BASALT_PROPS_LIFE_STEPS_H
#define BASALT_PROPS_LIFE_STEPS_H

#include <stddef.h>
#include <stdint.h>

enum { STEP_HEADER_BYTES = 2, STEP_WORD_BYTES = 4 };

/* How an engine changes bytes in place: returns the new size, at most `limit`. */
typedef size_t (*byte_mutator)(uint8_t *bytes, size_t size_bytes, size_t limit_bytes,
                               void *context);

/* What a mutator does besides dropping, repeating, swapping and inserting steps and changing their
 * bytes. `./basalt fuzzbench` measures each. */
enum {
    STEPS_LITERALS = 1, /* literals are copies of others of the input, field by field, with badges,
                           numbers and operations that occur in it: no strangers */
    STEPS_SWARM = 2,    /* for a while, inserted steps are of a few kinds, and whole kinds are left
                           out of an input */
    STEPS_HOSTILE = 4,  /* the first steps stay, literals with wild fields come behind them */
    STEPS_CROSS = 8,    /* two inputs are cut between steps and joined */
    STEPS_KNOWN = 16,   /* new steps name whoever and whatever is there */
    STEPS_USUAL = STEPS_LITERALS | STEPS_SWARM | STEPS_HOSTILE | STEPS_CROSS | STEPS_KNOWN
};

/* What a text of words such as "literals+swarm" asks for ("steps": nothing besides); STEPS_USUAL
 * when it is null. */
unsigned steps_features(const char *text);

/* The kinds that are inserted, for a while: 0 is all of them. */
struct steps_plan {
    unsigned features;
    uint64_t swarm;
};

/* Changes one input in place: a change of steps, of one step's payload or of the whole input, of
 * which the latter two are handed to `mutate`. An input above the limit is cut first. Returns the
 * new size, at most `limit_bytes`. Same plan and seed, same result. */
size_t steps_mutate(uint8_t *bytes, size_t size_bytes, size_t limit_bytes, struct steps_plan plan,
                    uint64_t seed, byte_mutator mutate, void *context);

/* Joins the first steps of one input and the last of another, or puts a few of the other's between
 * those of the first. Returns the bytes written to `target`, at most `limit_bytes`. */
size_t steps_cross(const uint8_t *first, size_t first_bytes, const uint8_t *second,
                   size_t second_bytes, uint8_t *target, size_t limit_bytes, uint64_t seed);

/* Bytes of the frame that starts at `offset`; never more than what is left. */
size_t step_bytes(const uint8_t *bytes, size_t size_bytes, size_t offset_bytes);

#endif
