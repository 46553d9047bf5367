/* SPDX-License-Identifier: ISC */
/* Builds one input for each call that can fail. Decides nothing: a property of the harness ends the
 * program. */
#include "fuzz/engine/fail_each.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "fuzz/harness.h"
#include "props/life/steps.h"

enum { CALLS_MAX = 4096 };

/* Of props/life/life.c, when the harness links it. */
void life_watch(uint64_t step) __attribute__((weak));
bool life_watch_failed(void) __attribute__((weak));

/* The life with a failure planned before the step at `offset`: whether that step met it. */
static bool fails(const struct input *input, size_t offset, uint64_t step, uint64_t call,
                  unsigned variant, uint64_t (*run)(const struct input *input))
{
    static uint8_t bytes[FILE_BYTES_MAX];
    uint8_t *planned = bytes + offset;
    size_t count = harness_plan_failure(call, variant, planned);
    if (count == 0 || count + input->size_bytes > sizeof bytes)
        return false;
    memcpy(bytes, input->bytes, offset);
    memcpy(planned + count, input->bytes + offset, input->size_bytes - offset);
    struct input changed = {
        .name = input->name, .bytes = bytes, .size_bytes = input->size_bytes + count};
    life_watch(step + 2); /* the plan is a step, too */
    run(&changed);
    return life_watch_failed();
}

static uint64_t fail_steps(const struct input *input, uint64_t (*run)(const struct input *input))
{
    uint64_t failures = 0;
    uint64_t step = 0;
    for (size_t at = 0; at < input->size_bytes; step++) {
        for (unsigned variant = 0; variant < HARNESS_FAILURES; variant++)
            for (uint64_t call = 0; call < CALLS_MAX; call++, failures++)
                if (!fails(input, at, step, call, variant, run))
                    break;
        at += step_bytes(input->bytes, input->size_bytes, at);
    }
    return failures;
}

int fail_each(const struct corpus *corpus, uint64_t part, uint64_t parts,
              uint64_t (*run)(const struct input *input))
{
    uint64_t failures = 0;
    size_t traces = 0;
    size_t all_traces = 0;
    if (part >= parts)
        fail("there are parts 0 to PARTS - 1");
    if (harness_plan_failure == NULL)
        fail("%s: this harness plans no failures", harness_name);
    for (size_t i = 0; i < corpus->count; i++) {
        if (!corpus->inputs[i].is_trace || all_traces++ % parts != part)
            continue;
        traces++;
        failures += fail_steps(&corpus->inputs[i], run);
    }
    printf("%s: %" PRIu64 " failures in %zu traces, each as predicted\n", harness_name, failures,
           traces);
    return failures == 0 ? 1 : 0;
}
