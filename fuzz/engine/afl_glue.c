/* SPDX-License-Identifier: ISC */
/* AFL++'s side of a harness: main() comes from libAFLDriver, marks become edges. honggfuzz numbers guards
 * in the same way, at a call of the same name. Steps are counted in a file that the campaign reads
 * (fuzz/tool/engines.py), since AFL++ ends these processes by kill. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz/harness.h"
#include "props/base/input_limits.h"

/* One coverage guard per mark (MARKS, with -DMARK_GUARDS), besides those of the instrumented code: the
 * runtime numbers the whole section at start-up, so that a mark is an edge of its own in the map. */
void __sanitizer_cov_trace_pc_guard(uint32_t *guard);

/* Of props/life/life.c, when the harness links it. */
uint64_t life_step_count(void) __attribute__((weak));

/* Where the steps of all processes are added up, or NULL; and those of this process that are in it. */
static uint64_t *steps_of_all;
static uint64_t steps_told;

/* Steps after the last mark of a process are lost: there is a mark at nearly each. */
static void steps_tell(void)
{
    uint64_t taken = life_step_count();
    if (taken == steps_told)
        return;
    __atomic_fetch_add(steps_of_all, taken - steps_told, __ATOMIC_RELAXED);
    steps_told = taken;
}

void mark_engine(unsigned index)
{
    __sanitizer_cov_trace_pc_guard(&mark_guards[index]);
    if (steps_of_all != NULL)
        steps_tell();
}

/* A file of eight bytes, shared by all that map it. */
static uint64_t *steps_map(const char *path)
{
    int file = open(path, O_RDWR | O_CLOEXEC);
    struct stat stat;
    if (file < 0)
        return NULL;
    void *at = MAP_FAILED;
    if (fstat(file, &stat) == 0 && stat.st_size == sizeof *steps_of_all)
        at = mmap(NULL, sizeof *steps_of_all, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    return at == MAP_FAILED ? NULL : at;
}

/* Called by the driver before the first input. */
int LLVMFuzzerInitialize(int *argument_count, char ***arguments);
int LLVMFuzzerInitialize(int *argument_count, char ***arguments)
{
    (void)argument_count;
    (void)arguments;
    memory_limit_hold();
    oracle_defer(ORACLE_STRIDE);
    const char *path = getenv("BASALT_STEPS");
    if (path != NULL && life_step_count != NULL)
        steps_of_all = steps_map(path);
    return 0;
}
