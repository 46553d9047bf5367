/* SPDX-License-Identifier: ISC */
/* Writes down the inputs and events of a run (abi/machine_record.h) to QEMU's debug console, port
 * 0xE9, when the kernel's command line has the word "record"; the word "clock" puts the processor's
 * cycles since the kernel's entry before each line of the log (under -icount shift=0:
 * instructions). Decides nothing and changes nothing that a process can see. */
#include "kernel/x86_64/x86.h"

#include "abi/machine_record.h"
#include "kernel/machine/words.h"

enum { PORT_DEBUG_CONSOLE = 0xE9 };

bool recording;
static bool clock_shown;

static void write_out(const void *bytes, size_t count)
{
    __asm__ volatile("rep outsb" : "+S"(bytes), "+c"(count) : "d"(PORT_DEBUG_CONSOLE) : "memory");
}

static struct machine_area *area_of(uint32_t process)
{
    return kernel_machine_area(&kernel, process);
}

void record_init(const char *command_line)
{
    recording = words_have(command_line, "record");
    clock_shown = words_have(command_line, "clock");
}

void record_log_clock(uint64_t start_cycles)
{
    enum { WIDTH = 14 };
    char text[WIDTH + 3];
    if (!clock_shown)
        return;
    uint64_t cycles = cpu_cycles() - start_cycles;
    text[0] = '[';
    for (int i = WIDTH; i > 0; i--) {
        text[i] = cycles != 0 || i == WIDTH ? (char)('0' + cycles % 10) : ' ';
        cycles /= 10;
    }
    text[WIDTH + 1] = ']';
    text[WIDTH + 2] = ' ';
    serial_write(text, sizeof text);
}

void record_memory(const struct kernel_boot_info *info)
{
    if (!recording)
        return;
    struct machine_record record = {.kind = RECORD_MEMORY};
    for (uint32_t i = 0; i < info->range_count; i++)
        record.value += info->ranges[i].page_count;
    write_out(&record, sizeof record);
}

/* An input comes before the next entry of who runs now; a process that waits for nobody's entry
 * cannot tell it from one just before (abi/machine_record.h). */
static void input(enum machine_record_kind kind, uint64_t value)
{
    if (!recording)
        return;
    struct machine_record record = {
        .kind = (uint8_t)kind, .process = kernel.current, .value = value};
    if (kernel.current != KERNEL_IDLE)
        record.entry = area_of(kernel.current)->record.entry_count + 1;
    write_out(&record, sizeof record);
}

void record_timer(uint64_t now_ticks)
{
    input(RECORD_TIMER, now_ticks);
}

void record_preempt(void)
{
    input(RECORD_PREEMPT, 0);
}

void record_interrupt(uint32_t line)
{
    input(RECORD_INTERRUPT, line);
}

/* Of the entry that is going on. */
void record_read(enum machine_read_kind kind, uint32_t address, uint32_t value)
{
    if (!recording)
        return;
    struct machine_record record = {.kind = RECORD_READ,
                                    .number = (uint8_t)kind,
                                    .process = kernel.current,
                                    .slot = address,
                                    .entry = area_of(kernel.current)->record.entry_count,
                                    .value = value};
    write_out(&record, sizeof record);
}

/* A piece of work is an entry of the process whose work it is. */
void record_work_entry(void)
{
    area_of(kernel.current)->record.entry_count++;
}

void record_syscall_entry(uint32_t number, uint32_t slot)
{
    struct machine_area *area = area_of(kernel.current);
    area->record.entry_count++;
    area->record.number = (uint8_t)number;
    area->record.slot = slot;
    area->record.syscall_open = true;
}

void record_fault_entry(uint64_t va, enum fault_access access)
{
    struct machine_record record = {.kind = RECORD_FAULT,
                                    .process = kernel.current,
                                    .slot = access,
                                    .entry = ++area_of(kernel.current)->record.entry_count,
                                    .value = va};
    write_out(&record, sizeof record);
}

static void write_message(const struct message *message)
{
    const struct message_header *header = &message->header;
    write_out(header, sizeof *header);
    write_out(message->caps, header->cap_count * sizeof message->caps[0]);
    write_out(message->body, header->body_bytes);
}

void record_resume(const struct process *process)
{
    struct machine_area *area = area_of(process->index);
    if (!area->record.syscall_open || process->resume != RESUME_RESULT)
        return;
    area->record.syscall_open = false;
    struct machine_record record = {.kind = RECORD_SYSCALL,
                                    .number = area->record.number,
                                    .process = process->index,
                                    .slot = area->record.slot,
                                    .entry = area->record.entry_count,
                                    .value = process->result};
    write_out(&record, sizeof record);
    if (process->result == STATUS_OK && area->record.number != SYSCALL_REPLY)
        write_message(kernel_message(&kernel, process->index));
}
