/* SPDX-License-Identifier: ISC */
/* Writes down the inputs and events of a run (abi/machine_record.h) to QEMU's debug console, port
 * 0xE9, when the kernel's command line has the word "record"; the word "clock" puts the processor's
 * cycles since the kernel's entry before each line of the log (under -icount shift=0:
 * instructions). Decides nothing and changes nothing that a process can see. */
#include "kernel/x86_64/x86.h"

#include "abi/machine_record.h"

enum { PORT_DEBUG_CONSOLE = 0xE9 };

bool recording;
static bool clock_shown;

/* Kept for each process behind its registers; zero when the process is new. */
struct record_state {
    struct registers registers;
    uint64_t entry_count;
    uint32_t slot;
    uint8_t number;
    bool syscall_open;
};
_Static_assert(sizeof(struct record_state) <= PAGE_BYTES - PROCESS_MACHINE_OFFSET, "fits");

static void write_out(const void *bytes, size_t count)
{
    __asm__ volatile("rep outsb" : "+S"(bytes), "+c"(count) : "d"(PORT_DEBUG_CONSOLE) : "memory");
}

static struct record_state *state_of(uint32_t process)
{
    return kernel_machine_area(&kernel, process);
}

static bool has_word(const char *line, const char *word)
{
    for (; *line != '\0'; line++) {
        size_t i = 0;
        while (word[i] != '\0' && line[i] == word[i])
            i++;
        if (word[i] == '\0')
            return true;
    }
    return false;
}

void record_init(const char *command_line)
{
    recording = has_word(command_line, "record");
    clock_shown = has_word(command_line, "clock");
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
        record.entry = state_of(kernel.current)->entry_count + 1;
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

void record_syscall_entry(uint32_t number, uint32_t slot)
{
    struct record_state *state = state_of(kernel.current);
    state->entry_count++;
    state->number = (uint8_t)number;
    state->slot = slot;
    state->syscall_open = true;
}

void record_fault_entry(uint64_t va, enum fault_access access)
{
    if (!recording)
        return;
    struct machine_record record = {.kind = RECORD_FAULT,
                                    .process = kernel.current,
                                    .slot = access,
                                    .entry = ++state_of(kernel.current)->entry_count,
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
    struct record_state *state = state_of(process->index);
    if (!state->syscall_open || process->resume != RESUME_RESULT)
        return;
    state->syscall_open = false;
    struct machine_record record = {.kind = RECORD_SYSCALL,
                                    .number = state->number,
                                    .process = process->index,
                                    .slot = state->slot,
                                    .entry = state->entry_count,
                                    .value = process->result};
    write_out(&record, sizeof record);
    if (process->result == STATUS_OK && state->number != SYSCALL_REPLY)
        write_message(kernel_message(&kernel, process->index));
}
