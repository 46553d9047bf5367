/* SPDX-License-Identifier: ISC */
/* What a harness includes. A harness is one file, fuzz/<name>.c, that defines harness_name and
 * LLVMFuzzerTestOneInput and nothing engine-specific: libFuzzer, AFL++, the replayer and the random
 * runner link it as it is. It draws from `struct choices`, resets everything it touches, marks what
 * it reaches, digests replies and final state, and states properties. It reads no clock, no file,
 * no environment and no random source. */
#ifndef BASALT_FUZZ_HARNESS_H
#define BASALT_FUZZ_HARNESS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "props/base/choices.h"
#include "props/base/digest.h"
#include "props/base/marks.h"
#include "props/base/oracle.h"
#include "props/base/property.h"
#include "props/base/trace.h"

/* The file's name without ".c"; its inputs lie in corpus/<name>/. */
extern const char harness_name[];

/* One input. Always returns 0. Begins with harness_begin(). */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size_bytes);

/* Starts the digest of an input and gives its bytes as choices. What a property says that fails before
 * the first step is not of the input before. */
static inline struct choices harness_begin(const uint8_t *bytes, size_t size_bytes)
{
    mark_input = 1;
    property_context(NULL, NULL);
    oracle_begin(bytes, size_bytes, LLVMFuzzerTestOneInput);
    digest_reset();
    return choices_over(bytes, size_bytes);
}

/* A state that is emptied at the cost of what was used is as new: replayers look at all of it. */
static inline void harness_check_zero(const void *state, size_t size_bytes)
{
    const uint8_t *bytes = state;
    HARNESS(oracle_deferred() || (bytes[0] == 0 && memcmp(bytes, bytes + 1, size_bytes - 1) == 0));
}

/* A life harness also defines this: it turns a .trace text into the bytes of an input. Returns the
 * bytes written, or 0 with `problem` filled with one line that names the text's line. Others leave
 * it out; the replayer then refuses .trace files. props/life/life.h has the shared
 * implementation. */
size_t harness_assemble(const char *text, size_t text_bytes, uint8_t *bytes, size_t limit_bytes,
                        char *problem, size_t problem_bytes) __attribute__((weak));

/* A life harness also defines this: writes the step that makes the call-th call from now on (0: the
 * next) fail, in one of at most HARNESS_FAILURES ways. Returns its bytes; 0: there is no such
 * way. */
enum { HARNESS_FAILURES = 4 };
size_t harness_plan_failure(uint64_t call, unsigned way, uint8_t *bytes) __attribute__((weak));

/* Optional: how one input is mutated by step instead of by byte. Set by life harnesses (1). */
extern const int harness_has_steps __attribute__((weak));

#endif
