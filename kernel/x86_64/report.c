/* SPDX-License-Identifier: ISC */
/* What the log says of the processor's own events: the end of rootd, traps of the kernel,
 * non-maskable interrupts and machine checks. Decides which of those is the end. */
#include "kernel/x86_64/x86.h"

enum {
    PORT_SYSTEM_CONTROL = 0x61, /* (published) */
    CONTROL_FAILURES = 0xC0,    /* memory or bus parity, an expansion board */
    CONTROL_MISSING = 0xFF      /* what a machine without that port answers */
};
#define CHECK_VALID         (UINT64_C(1) << 63)
#define CHECK_ADDRESS_VALID (UINT64_C(1) << 58)

void machine_nmi(void);
__attribute__((noreturn)) void machine_check(void);

static volatile uint32_t nmi_count; /* machine_nmi adds, between any two instructions */
static uint32_t nmi_reported;

static void number(const char *name, uint64_t value)
{
    serial_text(name);
    serial_number(value);
}

void report_root_end(void)
{
    struct process *root = kernel_process(&kernel, KERNEL_ROOT_PROCESS);
    serial_text("BASALT_KERNEL:ROOTD_ENDED:");
    serial_text(end_reason_name(root->end_reason));
    number(" code ", root->end_code);
    number(" va ", root->end_fault_va);
    number(" rip ", machine_area_of(root)->registers.rip);
    serial_text("\n");
}

void report_left_out(uint64_t pages)
{
    if (pages == 0)
        return;
    number("BASALT_KERNEL:MEMORY_LEFT_OUT:", pages);
    serial_text("\n");
}

void report_trap(uint64_t vector, uint64_t error, uint64_t rip)
{
    uint64_t va;
    __asm__ volatile("movq %%cr2, %0" : "=r"(va));
    number("BASALT_KERNEL:TRAP:vector ", vector);
    number(" error ", error);
    number(" rip ", rip);
    number(" cr2 ", va);
    serial_text("\n");
}

/* The one that a failing machine raises says so at a port; nobody knows what any other means, and
 * it is told and survived. Runs between two instructions of anybody: it may not touch the log
 * unless it ends the machine. */
void machine_nmi(void)
{
    uint8_t control = port_read8(PORT_SYSTEM_CONTROL);
    if (control == CONTROL_MISSING || (control & CONTROL_FAILURES) == 0) {
        nmi_count++;
        return;
    }
    number("\nBASALT_KERNEL:NMI:port 0x61 says ", control);
    serial_text("\n");
    machine_panic("the machine failed", __FILE__, __LINE__);
}

void report_nmi(void)
{
    if (nmi_reported == nmi_count)
        return;
    nmi_reported = nmi_count;
    number("BASALT_KERNEL:NMI:of unknown cause, until now ", nmi_reported);
    serial_text("\n");
}

void machine_check(void)
{
    uint64_t banks = msr_read(MSR_CHECK_BANKS) & CHECK_BANK_COUNT;
    for (uint32_t i = 0; i < banks; i++) {
        uint32_t msr = MSR_CHECK_BANK0 + 4 * i;
        uint64_t status = msr_read(msr + 1);
        if ((status & CHECK_VALID) == 0)
            continue;
        number("BASALT_KERNEL:MACHINE_CHECK:bank ", i);
        number(" status ", status);
        if ((status & CHECK_ADDRESS_VALID) != 0)
            number(" address ", msr_read(msr + 2));
        serial_text("\n");
    }
    machine_panic("machine check", __FILE__, __LINE__);
}
