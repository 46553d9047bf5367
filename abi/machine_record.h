/* SPDX-License-Identifier: ISC */
/* What a machine writes down of a run, when asked to: what went in (time, preemption), and what
 * processes learned at the seam. props/world reads it: the inputs can be fed to a run of the host
 * world, and the events must then be the same (E3). Records follow each other without gaps,
 * little-endian:
 *
 *   0  kind u8       4  slot u32 or access u32     16  value u64: ticks, or virtual address
 *   1  number u8     8  entry u64: which entry     24  RECORD_SYSCALL with status OK of CALL or
 * RECV: 2  process u16      of that process                the message's header, its declared
 * descriptors, its declared body
 *
 * RECORD_TIMER, RECORD_PREEMPT, RECORD_INTERRUPT (value: the line): an input, which came before entry number `entry` of the process
 * that ran (counted from 1; each kernel_work is one; RECORD_NOBODY: nobody could run, entry is 0). RECORD_SYSCALL: process
 * `process` came back from the system call `number` on `slot` with status `value`. RECORD_FAULT: it
 * touched `value`. RECORD_READ: in that entry the kernel read `value` for it from a device, an input as
 * well. RECORD_MEMORY, the first one: the core was given `value` pages of memory. */
#ifndef BASALT_ABI_MACHINE_RECORD_H
#define BASALT_ABI_MACHINE_RECORD_H

#include <stddef.h>
#include <stdint.h>

enum machine_record_kind {
    RECORD_TIMER = 1,
    RECORD_PREEMPT = 2,
    RECORD_SYSCALL = 3,
    RECORD_FAULT = 4,
    RECORD_MEMORY = 5,
    RECORD_INTERRUPT = 6,
    RECORD_READ = 7
};

/* What RECORD_READ read, its `number`; `slot` is the port, or the address as
 * machine_pci_read32 has it. READ_TAKEN: whether the port took a byte that was written to it. */
enum machine_read_kind { READ_PORT = 1, READ_PCI = 2, READ_TAKEN = 3 };

enum { RECORD_NOBODY = 0xFFFF, RECORD_BYTES = 24 };

struct machine_record {
    uint8_t kind;
    uint8_t number;
    uint16_t process;
    uint32_t slot;
    uint64_t entry;
    uint64_t value;
};

_Static_assert(sizeof(struct machine_record) == RECORD_BYTES, "file layout");

#endif
