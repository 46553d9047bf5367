/* SPDX-License-Identifier: ISC */
/* A plugin of QEMU's translator: which instructions run between two reads of the clock by one
 * program. `./basalt bench --profile` loads it and makes a table of what it writes.
 *
 * Arguments, NAME=VALUE:
 *   out=FILE       what is found
 *   kernel=ELF     then, in any order, for each program of the image
 *   NAME=ELF
 *   watch=NAME     after its ELF: the program whose reads of the clock count
 *   row=NAME:VA    an instruction of a program that runs at the end of each row of the bench; when it
 *                  reads the clock, the window that it closes belongs to the row, the one that it
 *                  opens to the next
 *   restart=VA     the kernel's entry of an exception after which the instruction runs again; each
 *
 * Output, a line each; shapes are written once, when they first occur:
 *   place PROGRAM VA          places are numbered from 0, in this order
 *   shape PLACE:COUNT ...     what ran in a window, so often; shapes are numbered from 0
 *   window VA COUNT SHAPE     from the read at VA (counted) to the next read (not counted)
 *   row                       that instruction ran; no window reaches over it
 *
 * Debian ships QEMU without a header for plugins, so that the functions are declared here. */
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPORTED __attribute__((visibility("default")))

enum {
    INTERFACE_VERSION = 1,
    READS_NO_REGISTERS = 0,
    ELF_LOADED = 1,
    ELF_EXECUTABLE = 1,
    PAGE_SIZE_BYTES = 4096,
    PROGRAM_LIMIT = 64,
    NAME_BYTES = 64,
    PLACE_LIMIT = 1 << 20,
    SHAPE_LIMIT = 1 << 20,
    RESTART_LIMIT = 32,
};

/* --- QEMU's side ------------------------------------------------------------------------------ */

struct qemu_plugin_tb;
struct qemu_plugin_insn;
typedef void translated(uint64_t plugin, struct qemu_plugin_tb *block);
typedef void executed(unsigned cpu, void *data);
void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t plugin, translated *call);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *instruction, executed *call,
                                            int registers, void *data);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *block);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *block, size_t index);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *instruction);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *instruction);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *instruction);
void *qemu_plugin_insn_haddr(const struct qemu_plugin_insn *instruction);
EXPORTED extern int qemu_plugin_version;
EXPORTED int qemu_plugin_install(uint64_t plugin, const void *about, int count, char **arguments);
int qemu_plugin_version = INTERFACE_VERSION;

/* --- state ------------------------------------------------------------------------------------ */

/* The text of one ELF file. */
struct program {
    char name[NAME_BYTES];
    const uint8_t *text;
    uint64_t va;
    uint64_t size_bytes;
};

/* An instruction of a program. */
struct place {
    uint64_t va;
    uint64_t key; /* a shape's name is the sum of the keys of what ran in it */
    uint32_t index;
    uint32_t count; /* in the window that is open, when `window` is that one's number */
    uint64_t window;
    uint8_t program; /* PROGRAM_LIMIT: none that we know */
    bool reads_clock;
    bool ends_row;
    bool restarts;
};

static struct program programs[PROGRAM_LIMIT]; /* [0]: the kernel */
static unsigned program_count;
static unsigned watched = PROGRAM_LIMIT;
static unsigned row_program = PROGRAM_LIMIT;
static uint64_t row_va;
static uint64_t restart_vas[RESTART_LIMIT];
static unsigned restart_count;
static FILE *out;

static struct place *places[2 * PLACE_LIMIT]; /* by a hash of program and address */
static uint32_t place_count;
static uint64_t shapes[2 * SHAPE_LIMIT]; /* names, by a hash; 0: free */
static uint32_t shape_numbers[2 * SHAPE_LIMIT];
static uint32_t shape_count;

static uint64_t window;                               /* number of the one that is open; 0: none */
static uint64_t windows;                              /* so many were opened */
static uint64_t window_va;                            /* of the read that opened it */
static uint64_t window_count;                         /* instructions so far */
static uint64_t window_shape;                         /* sum of their keys */
static struct place **met;                            /* places of the window */
static uint32_t met_count;                            /* so many */
static const struct place *last;                      /* what ran before */
static const struct place *broken[PROGRAM_LIMIT + 1]; /* by an exception; runs again */

static _Noreturn void stop(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    exit(2);
}

/* --- programs --------------------------------------------------------------------------------- */

static uint64_t number_at(const uint8_t *bytes, size_t width)
{
    uint64_t value = 0;
    memcpy(&value, bytes, width);
    return value;
}

static uint8_t *file_read(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0)
        stop("qemu_profile: %s cannot be read", path);
    *size = (size_t)ftell(file);
    rewind(file);
    uint8_t *bytes = malloc(*size + 1);
    if (bytes == NULL || fread(bytes, 1, *size, file) != *size)
        stop("qemu_profile: %s cannot be read", path);
    fclose(file);
    return bytes;
}

/* Adds a program: the one executable segment of its ELF file. */
static void program_add(const char *name, const char *path)
{
    size_t size = 0;
    const uint8_t *elf = file_read(path, &size);
    if (size < 64 || memcmp(elf, "\177ELF", 4) != 0 || program_count == PROGRAM_LIMIT)
        stop("qemu_profile: %s is no ELF file, or one too many", path);
    uint64_t at = number_at(elf + 32, 8);
    uint64_t step = number_at(elf + 54, 2);
    for (uint64_t left = number_at(elf + 56, 2); left > 0; left--, at += step) {
        if (at + 56 > size)
            stop("qemu_profile: %s is cut off", path);
        uint64_t offset = number_at(elf + at + 8, 8);
        uint64_t bytes = number_at(elf + at + 32, 8);
        if (number_at(elf + at, 4) != ELF_LOADED || !(elf[at + 4] & ELF_EXECUTABLE))
            continue;
        if (offset + bytes > size)
            stop("qemu_profile: %s is cut off", path);
        struct program *program = &programs[program_count++];
        *program = (struct program){
            .text = elf + offset, .va = number_at(elf + at + 16, 8), .size_bytes = bytes};
        snprintf(program->name, sizeof program->name, "%s", name);
        return;
    }
    stop("qemu_profile: %s has no text", path);
}

static unsigned program_named(const char *name)
{
    for (unsigned i = 0; i < program_count; i++) {
        if (strcmp(programs[i].name, name) == 0)
            return i;
    }
    stop("qemu_profile: no program %s", name);
}

/* Whose text lies in the page of memory where this instruction was found. All programs are linked
 * to the same addresses, so that the bytes must tell; of two with the same page it is the first. */
static unsigned program_at(uint64_t va, const uint8_t *memory)
{
    if (va >= programs[0].va && va - programs[0].va < programs[0].size_bytes)
        return 0;
    uint64_t page = va - va % PAGE_SIZE_BYTES;
    for (unsigned i = 1; i < program_count && memory != NULL; i++) {
        const struct program *program = &programs[i];
        if (page < program->va || page - program->va >= program->size_bytes)
            continue;
        uint64_t offset = page - program->va;
        uint64_t bytes = program->size_bytes - offset;
        if (bytes > PAGE_SIZE_BYTES)
            bytes = PAGE_SIZE_BYTES;
        if (memcmp(memory - va % PAGE_SIZE_BYTES, program->text + offset, bytes) == 0)
            return i;
    }
    return PROGRAM_LIMIT;
}

/* --- places ----------------------------------------------------------------------------------- */

static uint64_t mixed(uint64_t value)
{
    value = (value ^ value >> 31) * UINT64_C(0x9e3779b97f4a7c15);
    value = (value ^ value >> 29) * UINT64_C(0xbf58476d1ce4e5b9);
    return value ^ value >> 32;
}

static bool restarts(uint64_t va)
{
    for (unsigned i = 0; i < restart_count; i++) {
        if (restart_vas[i] == va)
            return true;
    }
    return false;
}

static struct place *place_of(unsigned program, uint64_t va, bool reads_clock)
{
    uint64_t hash = mixed(va + ((uint64_t)program << 48));
    uint64_t at = hash % (2 * PLACE_LIMIT);
    for (; places[at] != NULL; at = (at + 1) % (2 * PLACE_LIMIT)) {
        if (places[at]->va == va && places[at]->program == program)
            return places[at];
    }
    struct place *place = calloc(1, sizeof *place);
    if (place == NULL || place_count == PLACE_LIMIT)
        stop("qemu_profile: too many instructions");
    *place = (struct place){
        .va = va,
        .key = mixed(hash),
        .index = place_count++,
        .program = (uint8_t)program,
        .reads_clock = reads_clock && program == watched,
        .ends_row = va == row_va && program == row_program,
        .restarts = program == 0 && restarts(va),
    };
    places[at] = place;
    fprintf(out, "place %s %llx\n", program < program_count ? programs[program].name : "?",
            (unsigned long long)va);
    return place;
}

/* --- windows ---------------------------------------------------------------------------------- */

/* The number of the shape of the window that is open; written when it is new. */
static uint32_t shape_of(void)
{
    uint64_t name = window_shape | 1;
    uint64_t at = name % (2 * SHAPE_LIMIT);
    for (; shapes[at] != 0; at = (at + 1) % (2 * SHAPE_LIMIT)) {
        if (shapes[at] == name)
            return shape_numbers[at];
    }
    if (shape_count == SHAPE_LIMIT)
        stop("qemu_profile: no two windows are alike");
    shapes[at] = name;
    shape_numbers[at] = shape_count;
    fputs("shape", out);
    for (uint32_t i = 0; i < met_count; i++)
        fprintf(out, " %u:%u", met[i]->index, met[i]->count);
    fputc('\n', out);
    return shape_count++;
}

static void window_close(void)
{
    if (window != 0)
        fprintf(out, "window %llx %llu %u\n", (unsigned long long)window_va,
                (unsigned long long)window_count, shape_of());
    window = 0;
}

static void window_open(uint64_t va)
{
    window = ++windows;
    window_va = va;
    window_count = window_shape = met_count = 0;
}

static void count(struct place *place)
{
    if (place->window != window) {
        place->window = window;
        place->count = 0;
        met[met_count++] = place;
    }
    place->count++;
    window_count++;
    window_shape += place->key;
}

/* An instruction that an exception breaks off is seen once more when it runs again; the clock
 * counts it once. */
static bool runs_again(const struct place *place)
{
    bool again = broken[place->program] == place;
    broken[place->program] = NULL;
    if (place->restarts && last != NULL && last->program != 0)
        broken[last->program] = last;
    last = place;
    return again;
}

static void on_execution(unsigned cpu, void *data)
{
    struct place *place = data;
    (void)cpu;
    if (runs_again(place))
        return;
    if (place->reads_clock)
        window_close();
    if (place->ends_row) {
        window = 0;
        fputs("row\n", out);
        fflush(out);
    }
    if (place->reads_clock)
        window_open(place->va);
    if (window != 0)
        count(place);
}

static void on_translation(uint64_t plugin, struct qemu_plugin_tb *block)
{
    (void)plugin;
    for (size_t i = 0; i < qemu_plugin_tb_n_insns(block); i++) {
        struct qemu_plugin_insn *instruction = qemu_plugin_tb_get_insn(block, i);
        uint64_t va = qemu_plugin_insn_vaddr(instruction);
        bool reads_clock = qemu_plugin_insn_size(instruction) == 2 &&
                           memcmp(qemu_plugin_insn_data(instruction), "\x0f\x31", 2) == 0;
        unsigned program = program_at(va, qemu_plugin_insn_haddr(instruction));
        qemu_plugin_register_vcpu_insn_exec_cb(instruction, on_execution, READS_NO_REGISTERS,
                                               place_of(program, va, reads_clock));
    }
}

/* --- start ------------------------------------------------------------------------------------ */

static void take(const char *name, char *value)
{
    char *colon = strchr(value, ':');
    if (strcmp(name, "out") == 0) {
        out = fopen(value, "w");
    } else if (strcmp(name, "watch") == 0) {
        watched = program_named(value);
    } else if (strcmp(name, "restart") == 0 && restart_count < RESTART_LIMIT) {
        restart_vas[restart_count++] = strtoull(value, NULL, 16);
    } else if (strcmp(name, "row") == 0 && colon != NULL) {
        *colon = 0;
        row_program = program_named(value);
        row_va = strtoull(colon + 1, NULL, 16);
    } else {
        program_add(name, value);
    }
}

int qemu_plugin_install(uint64_t plugin, const void *about, int count_of, char **arguments)
{
    (void)about;
    for (int i = 0; i < count_of; i++) {
        char *equals = strchr(arguments[i], '=');
        if (equals == NULL)
            stop("qemu_profile: no value: %s", arguments[i]);
        *equals = 0;
        take(arguments[i], equals + 1);
    }
    met = calloc(PLACE_LIMIT, sizeof(struct place *));
    if (out == NULL || met == NULL || program_count == 0)
        stop("qemu_profile: no output or no kernel");
    qemu_plugin_register_vcpu_tb_trans_cb(plugin, on_translation);
    return 0;
}
