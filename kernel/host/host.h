/* SPDX-License-Identifier: ISC */
/* The host machine: one arena of memory with page records, behind machine.h. Deterministic, no
 * clock of its own: virtual time moves only by kernel_timer, which the world calls. There is one
 * host machine in a process, because machine.h has no context; the kernel's state stays the
 * caller's. */
#ifndef BASALT_KERNEL_HOST_HOST_H
#define BASALT_KERNEL_HOST_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/machine_record.h"
#include "kernel/core/kernel.h"

enum {
    HOST_MEMORY_BYTES_DEFAULT = 64 << 20,
    HOST_LOG_BYTES = 64 << 10,
    HOST_FIRST_PAGE = 1,      /* page 0 does not exist */
    HOST_FLUSH_NOTES = 64,    /* flushes that are remembered */
    HOST_TABLES_TO_A_PAGE = 4 /* from the root to the leaf */
};

/* Makes the machine with `memory_bytes` (0: the default; rounded up to pages) of zeroed memory, or
 * makes it anew with another size. Aborts the program when the host has no memory for it. */
void host_init(size_t memory_bytes);

/* As after host_init: undoes what was touched since (pages, records, log, halt), nothing else. A
 * boot image loaded by host_load_image stays, as do its records' zero state. Cost: pages
 * touched. */
void host_reset(void);

/* Copies a boot image into the last pages of the arena, where kernel_boot expects it; `size` 0
 * takes it out again. Aborts when it does not fit half of the arena. Implies host_reset. */
void host_load_image(const void *bytes, size_t size_bytes);

/* What the machine has, for kernel_boot: one range, and the image if one was loaded. */
struct kernel_boot_info host_boot_info(void);

/* The same with at most `pages` pages of free memory, to meet exhaustion early. */
struct kernel_boot_info host_boot_info_limited(uint32_t pages);

/* The serial log since the last reset: zero-terminated, cut at HOST_LOG_BYTES - 1; *count may be
 * null. */
const char *host_log(size_t *count);

/* Whether machine_halt was called since the last reset, and its code. */
bool host_halted(uint32_t *code);

/* Bytes that IOPORT_READ8 finds, first to last, then zeros; borrowed until the next reset. And the
 * last port write: port << 8 | value; 0: none. */
void host_port_input(const uint8_t *bytes, size_t count);
uint32_t host_port_last_write(void);

/* Registers of PCI configuration space, by their address as machine_pci_read32 has it; all others read
 * as all ones. Borrowed until the next reset. */
struct host_pci_register {
    uint32_t address;
    uint32_t value;
};
void host_pci(const struct host_pci_register *registers, size_t count);

/* Answers what the kernel reads from devices instead of the bytes above: a port (READ_PORT), a
 * register of PCI configuration space by its address (READ_PCI), or whether COM1 takes the byte of
 * host_port_last_write (READ_TAKEN; null: it does). Until the next reset; null: nobody. */
void host_on_read(uint32_t (*handler)(enum machine_read_kind kind, uint32_t address));

/* Hears of each byte that the kernel writes to a port. Until the next reset; null: nobody. */
void host_on_write(void (*handler)(uint16_t port, uint8_t value));

/* Whether a line is open, so that a device could interrupt; and an interrupt of one, as the metal
 * takes it. */
bool host_line_is_open(uint32_t line);
void host_interrupt(struct kernel *kernel, uint32_t line);

/* Number of machine_flush calls since the last reset, to prove that an unmap flushes. */
uint64_t host_flush_count(void);

/* Whether one of the last HOST_FLUSH_NOTES flushes was of `va` in the address space of `root_page`
 * while `tables` tables (1: the root alone) led to it: a processor keeps entries of tables as well as
 * those of pages, and a flush before a table is taken out of the one above is one too early. */
bool host_flushed(uint32_t root_page, uint64_t va, uint32_t tables);

/* Walks the page tables of process `index` for one access of `bytes` bytes (1 to 8, within one
 * page) at `va`: the host's address of those bytes, or null when the access faults (not present,
 * without the right, not a user address). FAULT_WRITE pointers may be written. */
void *host_user_translate(const struct kernel *kernel, uint32_t index, uint64_t va,
                          enum fault_access access);

/* Called by machine_panic before the program aborts; null: nothing. */
void host_on_panic(void (*handler)(const char *what, const char *file, int line));

#endif
