/* SPDX-License-Identifier: ISC */
/* See kernel_drive.h. */
#include "props/tests/kernel/kernel_drive.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "props/base/digest.h"

struct kernel drive_kernel;

static uint32_t window_slot;
static uint32_t window_count;

static const char *result_name(unsigned status)
{
    return status == DRIVE_WAITING ? "(waits)" : status_name(status);
}

void expect_status(unsigned found, unsigned wanted, const char *what)
{
    if (found != wanted)
        printf("       found %s, wanted %s\n", result_name(found), result_name(wanted));
    expect(found == wanted, what);
}

static bool quiet;
static bool long_only;

void drive_quiet(bool on)
{
    quiet = on;
}

void drive_long(bool on)
{
    long_only = on;
}

static void check(const char *step)
{
    if (quiet)
        return;
    const char *wrong = kernel_check(&drive_kernel);
    if (wrong == NULL)
        return;
    expect_of(step, wrong, false);
    exit(tests_end("kernel_test")); /* nothing after this can be trusted */
}

void drive_boot(uint32_t pages, uint32_t root_budget)
{
    static uint8_t image[4 * PAGE_BYTES];
    for (uint32_t i = 0; i < sizeof image; i++)
        image[i] = (uint8_t)(1 + i / PAGE_BYTES);
    host_init(pages < 4000 ? 16 << 20 : 96 << 20);
    host_load_image(image, sizeof image);
    struct kernel_boot_info info = host_boot_info_limited(pages);
    info.root_budget_pages = root_budget;
    enum status status = kernel_boot_bare(&drive_kernel, &info);
    if (status != STATUS_OK) {
        printf("kernel: bare boot: %s\n", status_name(status));
        abort();
    }
    check("boot");
    drive_window(0, 0);
}

uint32_t drive_current(void)
{
    return drive_kernel.current;
}

bool drive_run(uint32_t index)
{
    for (uint32_t i = 0; i <= PROCESS_LIMIT; i++) {
        if (drive_kernel.current == index)
            return true;
        kernel_preempt(&drive_kernel);
        drive_work();
    }
    return false;
}

struct message *drive_message(uint32_t index)
{
    return kernel_message(&drive_kernel, index);
}

const struct receive_info *drive_info(uint32_t index)
{
    return kernel_receive_info(&drive_kernel, index);
}

unsigned drive_result(uint32_t index)
{
    const struct process *process = kernel_process(&drive_kernel, index);
    if (process == NULL || drive_kernel.halted ||
        (process->life != LIFE_READY && process->life != LIFE_CURRENT))
        return DRIVE_WAITING;
    return process->result;
}

uint32_t drive_work(void)
{
    uint32_t pieces = 0;
    for (; drive_kernel.current != KERNEL_IDLE && !drive_kernel.halted &&
           kernel_process(&drive_kernel, drive_kernel.current)->resume == RESUME_WORK;
         pieces++) {
        kernel_work(&drive_kernel);
        check("work");
    }
    return pieces;
}

static bool somebody_ends(void)
{
    for (uint32_t band = 0; band < BAND_COUNT; band++) {
        const struct process *first = kernel_process(&drive_kernel, drive_kernel.ready[band].first);
        if (first != NULL && first->ending != ENDING_NONE)
            return true;
    }
    return false;
}

/* Those that have ended take their turn, and `index` goes on; the others keep their order. */
static void let_end(uint32_t index)
{
    if (drive_kernel.current != index || !somebody_ends())
        return;
    kernel_preempt(&drive_kernel);
    drive_work();
    drive_run(index);
}

static unsigned syscall_make(uint32_t number, uint32_t slot, uint64_t deadline, uint32_t reply_slot)
{
    uint32_t index = drive_kernel.current;
    if (long_only)
        kernel_syscall_long(slot, deadline, reply_slot, &drive_kernel,
                            kernel_process(&drive_kernel, index), number);
    else
        kernel_syscall(&drive_kernel, number, slot, deadline, reply_slot);
    check("a syscall");
    drive_work();
    let_end(index);
    return drive_result(index);
}

unsigned drive_call(uint32_t slot, uint64_t deadline)
{
    struct message *message = drive_message(drive_kernel.current);
    message->header.window_slot = window_slot;
    message->header.window_count = (uint8_t)window_count;
    return syscall_make(SYSCALL_CALL, slot, deadline, 0);
}

unsigned drive_receive(uint32_t slot, uint64_t deadline)
{
    struct message *message = drive_message(drive_kernel.current);
    message->header.window_slot = window_slot;
    message->header.window_count = (uint8_t)window_count;
    return syscall_make(SYSCALL_RECV, slot, deadline, 0);
}

unsigned drive_reply(uint32_t slot)
{
    return syscall_make(SYSCALL_REPLY, slot, 0, 0);
}

unsigned drive_reply_receive(uint32_t reply_slot, uint32_t slot, uint64_t deadline)
{
    struct message *message = drive_message(drive_kernel.current);
    message->header.window_slot = window_slot;
    message->header.window_count = (uint8_t)window_count;
    return syscall_make(SYSCALL_REPLY_RECV, slot, deadline, reply_slot);
}

void drive_fault(uint64_t va, enum fault_access access, uint64_t instruction_va)
{
    struct kernel *kernel = &drive_kernel;
    if (long_only)
        kernel_fault_long(kernel, kernel_process(kernel, kernel->current), va, access,
                          instruction_va);
    else
        kernel_fault(kernel, va, access, instruction_va);
    check("a fault");
    drive_work();
}

void drive_window(uint32_t slot, uint32_t count)
{
    window_slot = slot;
    window_count = count;
}

const struct operation *drive_operation(uint16_t id)
{
    return operation_find(SERVICE_KERNEL, id);
}

unsigned drive_control(uint32_t slot, const struct operation *operation, const void *request,
                       void *reply)
{
    uint8_t scratch[MESSAGE_BODY_BYTES_MAX];
    struct message *message = drive_message(drive_kernel.current);
    message->header.request_id = 77;
    if (message_encode(operation->request, request, message) != STATUS_OK) {
        printf("kernel: a request of %s does not encode\n", operation->name);
        abort();
    }
    uint64_t before = quiet ? 0 : kernel_digest(&drive_kernel);
    unsigned status = drive_call(slot, DEADLINE_POLL);
    if (status == DRIVE_WAITING)
        return status;
    if (status == STATUS_OK) {
        status = reply_decode(operation->reply, message, reply != NULL ? reply : scratch);
        if (message->header.request_id != 77)
            expect(false, "a control reply repeats the request id");
    }
    if (status != STATUS_OK && !quiet && kernel_digest(&drive_kernel) != before) {
        printf("kernel: %s: %s\n", operation->name, result_name(status));
        expect(false, "E1: a refusal changes nothing");
    }
    return status;
}

/* --- all that is compared --------------------------------------------------------------------- */

static void add_words(struct digest *digest, const void *at, size_t size_bytes)
{
    const uint8_t *bytes = at;
    for (size_t i = 0; i < size_bytes; i += sizeof(uint64_t)) {
        uint64_t word;
        memcpy(&word, bytes + i, sizeof word);
        digest_fold(&digest->value, word);
    }
}

static void add_record(struct digest *digest, const struct process *process)
{
    struct process record;
    memcpy(&record, process, sizeof record);
    bool runs = record.life == LIFE_READY || record.life == LIFE_CURRENT;
    if (!runs || record.resume != RESUME_RESULT)
        record.result = 0;
    add_words(digest, &record, sizeof record);
}

static void add_pages(struct digest *digest, const struct kernel *kernel)
{
    add_words(digest, kernel->stocks, sizeof kernel->stocks);
    for (uint32_t i = 0; i < kernel->range_count; i++)
        add_words(digest, machine_page_record(kernel->ranges[i].first_page),
                  kernel->ranges[i].page_count * sizeof(struct page_record));
}

/* What the machine was told. */
static void add_machine(struct digest *digest)
{
    size_t log_bytes;
    (void)host_log(&log_bytes);
    digest_add_u64(digest, log_bytes);
    digest_add_u64(digest, host_port_last_write());
    digest_add_u64(digest, host_flush_count());
}

uint64_t drive_state(void)
{
    const struct kernel *kernel = &drive_kernel;
    struct digest digest = digest_start();
    add_pages(&digest, kernel);
    add_machine(&digest);
    digest_add_u64(&digest, kernel_digest(kernel));
    digest_add_u64(&digest, kernel->current);
    digest_add_u64(&digest, kernel->payer);
    digest_add_u64(&digest, kernel->unsettled);
    digest_add_u64(&digest, kernel->work_done);
    digest_add_u64(&digest, kernel_next_deadline(kernel));
    for (uint32_t i = 0; i < kernel->process_high; i++) {
        const struct process *process = kernel_process(kernel, i);
        const struct message *message = kernel_message(kernel, i);
        if (process != NULL)
            add_record(&digest, process);
        if (message != NULL)
            add_words(&digest, message, MESSAGE_PAGE_INFO_OFFSET + sizeof(struct receive_info));
    }
    return digest.value;
}

/* --- children --------------------------------------------------------------------------------- */

struct drive_child drive_stage(uint32_t slot, uint32_t budget)
{
    return drive_stage_in(slot, budget, 0);
}

struct drive_child drive_stage_in(uint32_t slot, uint32_t budget, uint32_t band)
{
    return drive_stage_of(LAUNCH, slot, budget, band);
}

struct drive_child drive_stage_of(uint32_t untyped, uint32_t slot, uint32_t budget, uint32_t band)
{
    struct kernel_create_staged_process_reply reply;
    drive_window(slot, 4);
    unsigned status = CONTROL_REPLY(PRO, CREATE_STAGED_PROCESS, &reply,
                                    (struct kernel_create_staged_process_request){
                                        .untyped_slot = untyped,
                                        .budget_pages = budget,
                                        .event_slot = SLOT_SERVICE_ENDPOINT,
                                        .band = band,
                                        .token = slot,
                                    });
    drive_window(0, 0);
    if (status != STATUS_OK) {
        printf("kernel: a child cannot be made: %s\n", status_name(status));
        abort();
    }
    return (struct drive_child){
        .index = kernel_slot(&drive_kernel, drive_kernel.current, slot)->object,
        .process = reply.process_slot,
        .vspace = reply.vspace_slot,
        .endpoint = reply.endpoint_slot,
        .grant = reply.grant_slot,
    };
}

void drive_start(const struct drive_child *child, uint32_t pager_slot)
{
    unsigned pager =
        CONTROL(PRO, REGISTER_PAGER,
                (struct kernel_register_pager_request){child->process, pager_slot, 1234});
    unsigned start =
        CONTROL(PRO, START_PROCESS,
                (struct kernel_start_process_request){child->process, 0, 0x400000, 0x800000, 99});
    if (pager != STATUS_OK || start != STATUS_OK) {
        printf("kernel: a child cannot be started: %s %s\n", status_name(pager),
               status_name(start));
        abort();
    }
}

struct drive_child drive_spawn(uint32_t slot, uint32_t pager_slot)
{
    struct drive_child child = drive_stage(slot, 32);
    drive_start(&child, pager_slot);
    return child;
}

unsigned drive_retype(uint32_t untyped, enum object_type type, uint32_t count, uint32_t target)
{
    return CONTROL(MEM, RETYPE, (struct kernel_retype_request){untyped, type, count, target});
}

unsigned drive_map(uint32_t slot, uint32_t vspace, uint32_t frame, uint64_t va, uint32_t rights)
{
    return CONTROL(slot, MAP_FRAME,
                   (struct kernel_map_frame_request){vspace, frame, va, 0, 1, rights});
}

unsigned drive_install(uint32_t grant, uint32_t source, uint32_t target, uint32_t rights,
                       uint64_t badge)
{
    return CONTROL(
        POP, CAP_COPY_ATTENUATED,
        (struct kernel_cap_copy_attenuated_request){grant, source, target, rights, badge});
}

/* --- messages --------------------------------------------------------------------------------- */

struct message *drive_compose(uint16_t operation, uint16_t body_bytes)
{
    struct message *message = drive_message(drive_kernel.current);
    memset(message, 0, sizeof *message);
    message->header.version = MESSAGE_VERSION;
    message->header.operation = operation;
    message->header.body_bytes = body_bytes;
    return message;
}

void drive_attach(struct message *message, uint32_t index, uint32_t slot, uint16_t rights,
                  uint8_t mode, uint64_t badge)
{
    memcpy(message->body + index * 4, &slot, 4);
    message->caps[message->header.cap_count++] = (struct message_cap){
        .field_offset = (uint16_t)(index * 4),
        .rights = rights,
        .mode = mode,
        .flags = badge != 0 ? TRANSFER_SET_BADGE : 0,
        .badge = badge,
    };
}
