/* SPDX-License-Identifier: ISC */
/* All that the core asks of a machine: pages of memory, their records, translation flushes, the
 * serial log, ports, lines of interrupts, and an end. kernel/host answers in one process, kernel/x86_64 on the metal.
 * Time is not asked for: the machine brings it (kernel_timer), and reads kernel_next_deadline when
 * it wants to know how long it may sleep.
 *
 * Pages are named by page numbers (physical address / PAGE_BYTES), 1 to KERNEL_PAGE_LIMIT - 1. The
 * core names only pages that the machine gave it at boot (struct kernel_boot_info). */
#ifndef BASALT_KERNEL_CORE_MACHINE_H
#define BASALT_KERNEL_CORE_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/limits.h"

/* What the core keeps about one page; all zero at first. Only the core looks inside. */
struct page_record {
    uint64_t generation; /* of the frame on it; a capability with another one is dead (K3) */
    uint8_t kind;        /* enum page_kind */
    uint8_t use;         /* enum frame_use; free page: whether all of it is known to be zero */
    uint16_t untyped;    /* the pool that it was drawn from */
    union {
        uint32_t cap_count;   /* frame: live capabilities */
        uint32_t entry_lines; /* page table: bit i: an entry of line i was written (vspace.c) */
    };
    uint32_t mapping_count; /* frame, image, message page: mappings; page table: present entries */
    uint32_t link;          /* mapped page: first mapping; leaf table: its links page; free
                               page: the next one; 0: none */
    uint32_t leaf_number;   /* leaf table: va / 2 MiB */
    uint16_t process;       /* kernel memory: whose budget pays for it */
    uint16_t check_count;   /* kernel_check's own; 0 outside of it */
};
_Static_assert(sizeof(struct page_record) == 32, "one per page: the memory price of the core");

/* Where the kernel sees page 0; the other pages follow. The machine sets it before the core runs. It is
 * never in another object file than the core, which the compiler is told: one load less. A pointer,
 * as the core keeps none: the compiler knows that nothing it writes changes this one. */
extern uint8_t *machine_first_page __attribute__((visibility("hidden")));

/* The kernel's view of a page, PAGE_BYTES long. Inline, as every entry asks for dozens; the compiler
 * is told that no page is at address 0, which it cannot know by itself. */
__attribute__((always_inline, no_sanitize("unreachable"))) static inline void *
machine_page(uint32_t page)
{
    uintptr_t address = (uintptr_t)machine_first_page + ((uintptr_t)page << PAGE_SHIFT);
    if (address == 0)
        __builtin_unreachable();
    return (void *)address;
}

/* Records of all pages, by number; the machine sets it before the core runs. */
extern struct page_record *machine_page_records __attribute__((visibility("hidden")));

/* The record of a page that the core was given. */
static inline struct page_record *machine_page_record(uint32_t page)
{
    return &machine_page_records[page];
}

/* The core will use a page that it has not used since boot: page and record may change from now
 * on. */
void machine_page_begin(uint32_t page);

/* Fills a page with zeros. */
void machine_page_zero(uint32_t page);

/* The core has made `root_page`, zeroed, the top table of a new address space. The machine enters
 * its own half (entries 256 to 511); the core touches entries 0 to 255 only. */
void machine_vspace_init(uint32_t root_page);

/* The address space of `root_page` is about to be freed: the machine leaves it when it is the
 * loaded one, and forgets all that the processor remembers of it. */
void machine_vspace_destroy(uint32_t root_page);

/* Forgets what the processor may remember of `va` in the address space of `root_page`. Called after
 * an entry was removed or lost rights, and before its page can be used for anything else (K2). */
void machine_flush(uint32_t root_page, uint64_t va);

/* Bytes for the serial log; nothing is added. */
void machine_log(const void *bytes, size_t count);

/* One byte from or to an i/o port; the core has checked that the port belongs to the kind used. A byte
 * to PORT_COM1 goes to the line that the log has as well: false, it takes none now (K15). */
enum { PORT_COM1 = 0x3F8 };
uint8_t machine_port_read8(uint16_t port);
bool machine_port_write8(uint16_t port, uint8_t value);

/* The register of PCI configuration space at bus << 16 | device << 11 | function << 8 | offset, which
 * is a multiple of 4. */
uint32_t machine_pci_read32(uint32_t address);

/* Opens or closes a line; all are closed at first. An open line that interrupts is closed by the
 * machine itself before it tells the core (kernel_interrupt). */
void machine_line_open(uint32_t line, bool open);

/* The system has ended in order; `code` is rootd's exit code or KERNEL_HALT_*. May return (the host
 * does): kernel->halted is set then, nobody is current, and every entry does nothing. */
void machine_halt(uint32_t code);

/* A broken invariant of our own (never a user's doing, K6). Does not return. `what`, `file` are
 * constant strings. */
__attribute__((noreturn)) void machine_panic(const char *what, const char *file, int line);

#endif
