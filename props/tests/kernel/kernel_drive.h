/* SPDX-License-Identifier: ISC */
/* Drives a kernel core on the host machine as its processes would, for tests: every step is
 * followed by kernel_check, and a refused kernel-control request must leave kernel_digest as it was
 * (E1). Decides nothing about the kernel; failures are counted and named. */
#ifndef BASALT_PROPS_TESTS_KERNEL_KERNEL_DRIVE_H
#define BASALT_PROPS_TESTS_KERNEL_KERNEL_DRIVE_H

#include "abi/codec.h"
#include "abi/message_type.h"
#include "abi/messages/kernel.h"
#include "kernel/host/host.h"
#include "props/base/testing.h"

extern struct kernel drive_kernel;

/* A status, or DRIVE_WAITING; both are named when they differ. */
void expect_status(unsigned found, unsigned wanted, const char *what);

/* A fresh bare system: `pages` of memory (half of them rootd's pool), rootd's budget, the standard
 * image of 4 pages whose bytes are its page numbers. rootd is current. */
void drive_boot(uint32_t pages, uint32_t root_budget);

/* While on, steps are not followed by the checks: for systems of a thousand processes. */
void drive_quiet(bool on);

/* While on, system calls and faults enter by the long ways alone. */
void drive_long(bool on);

/* All that a short way must leave as the long one does (K14), to the byte of every record, message
 * page and page record, and how often the machine was told something; but only who comes back from a
 * system call has a result. */
uint64_t drive_state(void);

/* Makes `index` the current process by preempting the others; false: it cannot run. */
bool drive_run(uint32_t index);
uint32_t drive_current(void);
struct message *drive_message(uint32_t index);
const struct receive_info *drive_info(uint32_t index);

/* Raw syscalls of the current process. The result is of the process that made it, once it is there;
 * drive_waiting: it waits. */
enum { DRIVE_WAITING = 0xFFFF };
unsigned drive_call(uint32_t slot, uint64_t deadline);
unsigned drive_receive(uint32_t slot, uint64_t deadline);
unsigned drive_reply(uint32_t slot);
unsigned drive_reply_receive(uint32_t reply_slot, uint32_t slot, uint64_t deadline);

void drive_fault(uint64_t va, enum fault_access access, uint64_t instruction_va);

/* All that is left to do in the kernel, piece by piece, with kernel_check after each; syscalls do it
 * themselves. How many pieces there were. */
uint32_t drive_work(void);
unsigned drive_result(uint32_t index); /* of a process that waited: its result, or DRIVE_WAITING */

/* A kernel-control request of the current process by its row; the verdict, transport errors
 * included. `reply` may be null. The window is where the reply's capabilities go. */
unsigned drive_control(uint32_t slot, const struct operation *operation, const void *request,
                       void *reply);
void drive_window(uint32_t slot, uint32_t count);

#define CONTROL(slot, name, ...)                                                                   \
    drive_control(slot, drive_operation(OP_KERNEL_##name), &__VA_ARGS__, NULL)
#define CONTROL_REPLY(slot, name, reply, ...)                                                      \
    drive_control(slot, drive_operation(OP_KERNEL_##name), &__VA_ARGS__, reply)
const struct operation *drive_operation(uint16_t id);

/* Slots of rootd in these tests. */
enum {
    BULK = SLOT_UNTYPED_BASE,
    LAUNCH = SLOT_UNTYPED_BASE + 1,
    MEM = SLOT_KERNEL_MEM_ENDPOINT,
    VSP = SLOT_KERNEL_VSPACE_ENDPOINT,
    PRO = SLOT_KERNEL_PROCESS_ENDPOINT,
    POP = SLOT_KERNEL_CHILD_POPULATE_ENDPOINT,
    FREE_SLOT = 5000 /* from here on slots are the tests' */
};

/* A child of the current process, its four capabilities from `slot` on: staged, or started with the
 * pager at pager_slot (0: none). Aborts the test program when it cannot be made. */
struct drive_child {
    uint32_t index;
    uint32_t process;
    uint32_t vspace;
    uint32_t endpoint;
    uint32_t grant;
};
struct drive_child drive_stage(uint32_t slot, uint32_t budget);
struct drive_child drive_stage_in(uint32_t slot, uint32_t budget, uint32_t band);
struct drive_child drive_stage_of(uint32_t untyped, uint32_t slot, uint32_t budget, uint32_t band);
struct drive_child drive_spawn(uint32_t slot, uint32_t pager_slot);
void drive_start(const struct drive_child *child, uint32_t pager_slot);

unsigned drive_retype(uint32_t untyped, enum object_type type, uint32_t count, uint32_t target);
unsigned drive_map(uint32_t slot, uint32_t vspace, uint32_t frame, uint64_t va, uint32_t rights);
unsigned drive_install(uint32_t grant, uint32_t source, uint32_t target, uint32_t rights,
                       uint64_t badge);

/* An empty message of `body_bytes` zeros in the current process's message page. */
struct message *drive_compose(uint16_t operation, uint16_t body_bytes);

/* Adds a descriptor for body field `index` (u32) that names `slot`. */
void drive_attach(struct message *message, uint32_t index, uint32_t slot, uint16_t rights,
                  uint8_t mode, uint64_t badge);

void kernel_test_boot(void);
void kernel_test_limits(void);
void kernel_test_work(void);
void kernel_test_memory(void);
void kernel_test_vspace(void);
void kernel_test_ipc(void);
void kernel_test_reply_recv(void);
void kernel_test_short(void);
void kernel_test_transfer(void);
void kernel_test_life(void);
void kernel_test_fault(void);
void kernel_test_self(void);
void kernel_test_run(void);
void kernel_test_interrupts(void);

/* `lives` systems of their own, from as many seeds, for `steps` entries each. */
void kernel_test_random(uint32_t lives, uint32_t steps);

#endif
