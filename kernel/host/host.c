/* SPDX-License-Identifier: ISC */
/* The host machine. Decides nothing of the system: memory is one arena, the log a buffer, ports are
 * bytes the harness laid ready. Its one subtlety is the list of touched pages, which makes a reset
 * cost what the run cost. */
#include "kernel/host/host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct flush_note {
    uint32_t root_page; /* 0: none */
    uint32_t tables;
    uint64_t va;
};

static struct {
    uint8_t *memory;   /* page_count pages */
    uint32_t *touched; /* pages whose memory or record may not be zero any more */
    uint8_t *is_touched;
    uint32_t page_count;
    uint32_t touched_count;
    uint32_t image_pages;
    uint64_t image_bytes;
    char log[HOST_LOG_BYTES];
    size_t log_count;
    bool halted;
    uint32_t halt_code;
    const uint8_t *port_bytes;
    size_t port_count;
    uint32_t port_last_write;
    const struct host_pci_register *pci;
    size_t pci_count;
    uint32_t open_lines; /* bit i: line i */
    uint32_t (*on_read)(enum machine_read_kind kind, uint32_t address);
    void (*on_write)(uint16_t port, uint8_t value);
    uint64_t flush_count;
    struct flush_note
        flushes[HOST_FLUSH_NOTES]; /* the last ones; the next takes the oldest's place */
    void (*on_panic)(const char *what, const char *file, int line);
} host;

uint8_t *machine_first_page;
struct page_record *machine_page_records;

static void *take_memory(size_t bytes)
{
    void *memory = NULL;
    if (posix_memalign(&memory, PAGE_BYTES, bytes) != 0) {
        fprintf(stderr, "host machine: no memory (%zu bytes)\n", bytes);
        abort();
    }
    memset(memory, 0, bytes);
    return memory;
}

static uint32_t image_first_page(void)
{
    return host.page_count - host.image_pages;
}

void host_init(size_t memory_bytes)
{
    if (memory_bytes == 0)
        memory_bytes = HOST_MEMORY_BYTES_DEFAULT;
    uint32_t pages = (uint32_t)((memory_bytes + PAGE_BYTES - 1) / PAGE_BYTES) + HOST_FIRST_PAGE;
    if (pages == host.page_count) {
        host_load_image(NULL, 0);
        return;
    }
    free(host.memory);
    free(machine_page_records);
    free(host.touched);
    free(host.is_touched);
    host.page_count = pages;
    host.image_pages = 0;
    host.image_bytes = 0;
    host.touched_count = 0;
    host.memory = take_memory((size_t)pages * PAGE_BYTES);
    machine_first_page = host.memory;
    machine_page_records = take_memory(pages * sizeof machine_page_records[0]);
    host.touched = take_memory(pages * sizeof host.touched[0]);
    host.is_touched = take_memory(pages);
    host_reset();
}

void host_reset(void)
{
    for (uint32_t i = 0; i < host.touched_count; i++) {
        uint32_t page = host.touched[i];
        host.is_touched[page] = 0;
        if (page < image_first_page())
            memset(host.memory + (size_t)page * PAGE_BYTES, 0, PAGE_BYTES);
        machine_page_records[page] = (struct page_record){0};
    }
    host.touched_count = 0;
    host.log[0] = '\0';
    host.log_count = 0;
    host.halted = false;
    host.halt_code = 0;
    host.port_bytes = NULL;
    host.port_count = 0;
    host.port_last_write = 0;
    host.pci = NULL;
    host.pci_count = 0;
    host.open_lines = 0;
    host.on_read = NULL;
    host.on_write = NULL;
    host.flush_count = 0;
    memset(host.flushes, 0, sizeof host.flushes);
}

void host_load_image(const void *bytes, size_t size_bytes)
{
    host_reset();
    uint32_t pages = (uint32_t)((size_bytes + PAGE_BYTES - 1) / PAGE_BYTES);
    if (pages > host.page_count / 2) {
        fprintf(stderr, "host machine: an image of %zu bytes is too large\n", size_bytes);
        abort();
    }
    memset(host.memory + (size_t)image_first_page() * PAGE_BYTES, 0,
           (size_t)host.image_pages * PAGE_BYTES);
    host.image_pages = pages;
    host.image_bytes = size_bytes;
    if (size_bytes != 0)
        memcpy(host.memory + (size_t)image_first_page() * PAGE_BYTES, bytes, size_bytes);
}

struct kernel_boot_info host_boot_info(void)
{
    return (struct kernel_boot_info){
        .range_count = 1,
        .ranges = {{HOST_FIRST_PAGE, image_first_page() - HOST_FIRST_PAGE}},
        .image_first_page = image_first_page(),
        .image_bytes = host.image_bytes,
    };
}

struct kernel_boot_info host_boot_info_limited(uint32_t pages)
{
    struct kernel_boot_info info = host_boot_info();
    if (info.ranges[0].page_count > pages)
        info.ranges[0].page_count = pages;
    return info;
}

/* --- what harnesses look at --- */

const char *host_log(size_t *count)
{
    if (count != NULL)
        *count = host.log_count;
    return host.log;
}

bool host_halted(uint32_t *code)
{
    if (code != NULL)
        *code = host.halt_code;
    return host.halted;
}

void host_port_input(const uint8_t *bytes, size_t count)
{
    host.port_bytes = bytes;
    host.port_count = count;
}

uint32_t host_port_last_write(void)
{
    return host.port_last_write;
}

void host_pci(const struct host_pci_register *registers, size_t count)
{
    host.pci = registers;
    host.pci_count = count;
}

void host_on_write(void (*handler)(uint16_t port, uint8_t value))
{
    host.on_write = handler;
}

void host_on_read(uint32_t (*handler)(enum machine_read_kind kind, uint32_t address))
{
    host.on_read = handler;
}

bool host_line_is_open(uint32_t line)
{
    return (host.open_lines >> line & 1) != 0;
}

void host_interrupt(struct kernel *kernel, uint32_t line)
{
    machine_line_open(line, false);
    kernel_interrupt(kernel, line);
}

uint64_t host_flush_count(void)
{
    return host.flush_count;
}

bool host_flushed(uint32_t root_page, uint64_t va, uint32_t tables)
{
    for (uint32_t i = 0; i < HOST_FLUSH_NOTES; i++) {
        const struct flush_note *note = &host.flushes[i];
        if (note->root_page == root_page && note->va == va && note->tables == tables)
            return true;
    }
    return false;
}

void host_on_panic(void (*handler)(const char *what, const char *file, int line))
{
    host.on_panic = handler;
}

void *host_user_translate(const struct kernel *kernel, uint32_t index, uint64_t va,
                          enum fault_access access)
{
    static const uint16_t needed[] = {RIGHT_READ, RIGHT_WRITE, RIGHT_EXECUTE};
    uint16_t rights;
    uint32_t page = kernel_translate(kernel, index, va, &rights);
    if (page == 0 || (rights & needed[access]) == 0)
        return NULL;
    return host.memory + (size_t)page * PAGE_BYTES + va % PAGE_BYTES;
}

/* --- machine.h -------------------------------------------------------------------------------- */

void machine_page_begin(uint32_t page)
{
    if (host.is_touched[page])
        return;
    host.is_touched[page] = 1;
    host.touched[host.touched_count++] = page;
}

void machine_page_zero(uint32_t page)
{
    memset(host.memory + (size_t)page * PAGE_BYTES, 0, PAGE_BYTES);
}

/* There is no kernel half to map; but the machine's half is not zero, as on the metal, so that a
 * root that is given back as known to be zero is noticed (K2). */
void machine_vspace_init(uint32_t root_page)
{
    if (machine_page_record(root_page)->kind != PAGE_TABLE)
        machine_panic("the root of an address space is no table", __FILE__, __LINE__);
    memset(host.memory + (size_t)root_page * PAGE_BYTES + PAGE_BYTES / 2, 0xA5, PAGE_BYTES / 2);
}

void machine_vspace_destroy(uint32_t root_page)
{
    (void)root_page;
    host.flush_count++;
}

/* How many tables lead to `va`, the root among them. */
static uint32_t tables_to(uint32_t root_page, uint64_t va)
{
    uint32_t table = root_page;
    for (uint32_t count = 1; count < HOST_TABLES_TO_A_PAGE; count++) {
        uint32_t index = (uint32_t)(va >> (48 - 9 * count)) % TABLE_ENTRIES;
        uint64_t entry = ((const uint64_t *)machine_page(table))[index];
        if (entry == 0)
            return count;
        table = (uint32_t)(entry >> PAGE_SHIFT);
    }
    return HOST_TABLES_TO_A_PAGE;
}

void machine_flush(uint32_t root_page, uint64_t va)
{
    host.flushes[host.flush_count++ % HOST_FLUSH_NOTES] =
        (struct flush_note){root_page, tables_to(root_page, va), va};
}

void machine_log(const void *bytes, size_t count)
{
    size_t room = HOST_LOG_BYTES - 1 - host.log_count;
    size_t kept = count < room ? count : room;
    memcpy(host.log + host.log_count, bytes, kept);
    host.log_count += kept;
    host.log[host.log_count] = '\0';
}

uint8_t machine_port_read8(uint16_t port)
{
    if (host.on_read != NULL)
        return (uint8_t)host.on_read(READ_PORT, port);
    if (host.port_count == 0)
        return 0;
    host.port_count--;
    return *host.port_bytes++;
}

uint32_t machine_pci_read32(uint32_t address)
{
    if (host.on_read != NULL)
        return host.on_read(READ_PCI, address);
    for (size_t i = 0; i < host.pci_count; i++) {
        if (host.pci[i].address == address)
            return host.pci[i].value;
    }
    return UINT32_MAX;
}

bool machine_port_write8(uint16_t port, uint8_t value)
{
    host.port_last_write = (uint32_t)port << 8 | value;
    if (host.on_write != NULL)
        host.on_write(port, value);
    return port != PORT_COM1 || host.on_read == NULL || host.on_read(READ_TAKEN, port) != 0;
}

void machine_line_open(uint32_t line, bool open)
{
    host.open_lines &= ~(1u << line);
    host.open_lines |= (uint32_t)open << line;
}

void machine_halt(uint32_t code)
{
    host.halted = true;
    host.halt_code = code;
}

void machine_panic(const char *what, const char *file, int line)
{
    fprintf(stderr, "kernel panic: %s at %s:%d\n", what, file, line);
    if (host.on_panic != NULL)
        host.on_panic(what, file, line);
    abort();
}
