/* SPDX-License-Identifier: ISC */
/* AFL++'s side of a harness: main() comes from libAFLDriver, marks become edges. honggfuzz numbers guards
 * in the same way, at a call of the same name. */
#include "fuzz/harness.h"
#include "props/base/input_limits.h"

/* One coverage guard per mark, besides those of the instrumented code: the runtime numbers the
 * whole section at start-up, so that a mark is an edge of its own in the map. */
__attribute__((section("__sancov_guards"), used)) static uint32_t mark_guards[MARK_LIMIT];

void __sanitizer_cov_trace_pc_guard(uint32_t *guard);

void mark_engine(unsigned index)
{
    __sanitizer_cov_trace_pc_guard(&mark_guards[index]);
}

/* Called by the driver before the first input. */
int LLVMFuzzerInitialize(int *argument_count, char ***arguments);
int LLVMFuzzerInitialize(int *argument_count, char ***arguments)
{
    (void)argument_count;
    (void)arguments;
    memory_limit_hold();
    return 0;
}
