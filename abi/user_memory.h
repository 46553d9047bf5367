/* SPDX-License-Identifier: ISC */
/* How helper programs touch the memory that a test is about: plain accesses in the image, a walk of
 * the core's page table that raises the same fault in the host world. `addr` is a virtual address
 * of the calling process, 8-byte aligned for loads and stores. An access that the pager resolves is
 * retried and succeeds; one that it does not resolve never returns: the process is ended. */
#ifndef BASALT_ABI_USER_MEMORY_H
#define BASALT_ABI_USER_MEMORY_H

#include <stdint.h>

uint64_t user_load64(uint64_t addr);
void user_store64(uint64_t addr, uint64_t value);

/* Jumps to `addr` as a function without arguments. Returns only if what is there returns; on the
 * host it returns at once after the execute access was found allowed. */
void user_exec(uint64_t addr);

/* Spends a little time and asks the kernel for nothing. In the host world, where nothing interrupts
 * a process between its entries into the kernel, this is where the timer does: a tick passes and
 * the process is preempted. */
void user_spin(void);

#endif
