/* SPDX-License-Identifier: ISC */
/* What a machine decides without touching one (kernel/machine), each unit against a model that knows
 * its contract alone: spans of memory against one flag per page (K13), the log's ring against a
 * queue that never wraps (K9), words against a splitter (K11); kernel_machine_time.c has the units
 * that are about time, kernel_machine_turns.c what they make of turns, kernel_machine_line.c who may
 * send to the serial port. The first byte of an input picks the unit, the others are what happens
 * to it. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "abi/limits.h"
#include "fuzz/kernel/kernel_machine.h"
#include "kernel/machine/log_ring.h"
#include "kernel/machine/span.h"
#include "kernel/machine/words.h"

const char harness_name[] = "kernel_machine";
MARKS(12, 0);

/* --- spans of memory --- */

enum {
    MODEL_PAGES = 1024, /* rows lie here, or run past the last address */
    COMB_TEETH_MAX = 300,
    SPAN_STEPS = 24,
};

static struct {
    struct span_list list;
    uint64_t limit_pages;
    uint64_t left_out_bytes;
    bool listed[MODEL_PAGES]; /* is in a span */
} memory;

/* Numbers of pages, [first, end). */
struct pages {
    uint64_t first;
    uint64_t end;
};

static uint64_t row_end(uint64_t first, uint64_t bytes)
{
    unsigned __int128 end = (unsigned __int128)first + bytes;
    return end > UINT64_MAX ? UINT64_MAX : (uint64_t)end;
}

static uint64_t pages_up(uint64_t bytes)
{
    return bytes / PAGE_BYTES + (bytes % PAGE_BYTES != 0);
}

static struct pages pages_inside(uint64_t first, uint64_t bytes)
{
    return (struct pages){pages_up(first), row_end(first, bytes) / PAGE_BYTES};
}

static struct pages pages_touched(uint64_t first, uint64_t bytes)
{
    return (struct pages){first / PAGE_BYTES, bytes == 0 ? 0 : pages_up(row_end(first, bytes))};
}

static void model_set(struct pages pages, bool listed)
{
    for (uint64_t page = pages.first; page < pages.end && page < memory.limit_pages; page++)
        memory.listed[page] = listed;
}

/* Every page of a span is one that the model has, and is named once. */
static void spans_read(bool named[MODEL_PAGES])
{
    memset(named, 0, MODEL_PAGES * sizeof *named);
    PROPERTY(K13, "span-count", memory.list.count <= SPAN_LIMIT);
    digest_u64(memory.list.count);
    for (uint32_t i = 0; i < memory.list.count; i++) {
        struct span span = memory.list.spans[i];
        digest_u64(span.first);
        digest_u64(span.end);
        PROPERTY(K13, "span-whole-pages", (span.first | span.end) % PAGE_BYTES == 0);
        PROPERTY(K13, "span-limit", span.first < span.end);
        PROPERTY(K13, "span-limit", span.end / PAGE_BYTES <= memory.limit_pages);
        for (uint64_t page = span.first / PAGE_BYTES; page < span.end / PAGE_BYTES; page++) {
            PROPERTY(K13, "span-free", memory.listed[page]);
            PROPERTY(K13, "span-once", !named[page]);
            named[page] = true;
        }
    }
}

/* What the model has and the list has not is counted, and there is such a page only when the list
 * had no room. The model goes on with what is in the list. */
static void spans_compare(bool had_room)
{
    static bool named[MODEL_PAGES];
    uint64_t missing = 0;
    spans_read(named);
    for (uint64_t page = 0; page < MODEL_PAGES; page++)
        missing += memory.listed[page] && !named[page];
    MARK_IF("kernel_machine: no room in the list", missing != 0);
    PROPERTY(K13, "span-dropped", missing == 0 || !had_room);
    memory.left_out_bytes += missing * PAGE_BYTES;
    PROPERTY_EQUAL(K13, "span-left-out", memory.list.left_out_bytes, memory.left_out_bytes);
    memcpy(memory.listed, named, sizeof named);
}

static void spans_add(uint64_t first, uint64_t bytes)
{
    struct pages pages = pages_inside(first, bytes);
    bool room = memory.list.count < SPAN_LIMIT;
    for (uint64_t page = pages.first; page < pages.end && page < MODEL_PAGES; page++)
        room |= memory.listed[page]; /* it only makes a span longer */
    TRACE("add %#llx, %#llx bytes", (unsigned long long)first, (unsigned long long)bytes);
    span_add(&memory.list, first, bytes);
    model_set(pages, true);
    if (pages.first < memory.limit_pages)
        pages.first = memory.limit_pages;
    if (pages.first < pages.end) {
        MARK("kernel_machine: a row above the limit");
        memory.left_out_bytes += (pages.end - pages.first) * PAGE_BYTES;
    }
    spans_compare(room);
}

static void spans_remove(uint64_t first, uint64_t bytes)
{
    uint32_t count = memory.list.count;
    TRACE("remove %#llx, %#llx bytes", (unsigned long long)first, (unsigned long long)bytes);
    span_remove(&memory.list, first, bytes);
    model_set(pages_touched(first, bytes), false);
    MARK_IF("kernel_machine: a span is cut in two", memory.list.count > count);
    spans_compare(count < SPAN_LIMIT);
}

/* Address 0 says that there is none, so page 0 is nobody's, as on the machine. */
static void spans_take(struct choices *choices)
{
    static struct span_list before;
    uint64_t bytes = choices_between(choices, 1, 40) * PAGE_BYTES;
    uint64_t limit = choices_below(choices, MODEL_PAGES + 1) * PAGE_BYTES;
    spans_remove(0, 1);
    before = memory.list;
    uint64_t first = span_take(&memory.list, bytes, limit);
    TRACE("take %#llx bytes below %#llx: %#llx", (unsigned long long)bytes,
          (unsigned long long)limit, (unsigned long long)first);
    uint64_t wanted = 0;
    for (uint32_t i = before.count; i > 0; i--) {
        struct span span = before.spans[i - 1];
        if (span.first + bytes <= span.end && span.first + bytes <= limit)
            wanted = span.first;
    }
    PROPERTY_EQUAL(K13, "span-take", first, wanted);
    digest_u64(first);
    MARK_IF("kernel_machine: no span is long enough", first == 0);
    if (first != 0)
        model_set(pages_inside(first, bytes), false);
    spans_compare(true);
}

/* The free pages as runs, in order; how many. */
static uint32_t model_runs(struct pages runs[MODEL_PAGES])
{
    uint32_t count = 0;
    for (uint64_t page = 0; page < MODEL_PAGES; page++) {
        if (!memory.listed[page])
            continue;
        if (page == 0 || !memory.listed[page - 1])
            runs[count++] = (struct pages){page, page};
        runs[count - 1].end = page + 1;
    }
    return count;
}

/* Each span is a whole run, in order; no run that is left out is longer than one that is kept. */
static void spans_settle(uint32_t count)
{
    static struct pages runs[MODEL_PAGES];
    uint64_t shortest_kept = UINT64_MAX, longest_left_out = 0;
    uint32_t run_count = model_runs(runs), kept = 0;
    TRACE("settle to %u of %u", count, run_count);
    span_settle(&memory.list, count);
    PROPERTY_EQUAL(K13, "settle-count", memory.list.count, run_count < count ? run_count : count);
    for (uint32_t i = 0; i < run_count; i++) {
        uint64_t length = runs[i].end - runs[i].first;
        struct span span = memory.list.spans[kept < SPAN_LIMIT ? kept : 0];
        if (kept < memory.list.count && span.first == runs[i].first * PAGE_BYTES) {
            PROPERTY_EQUAL(K13, "settle-whole-run", span.end, runs[i].end * PAGE_BYTES);
            shortest_kept = length < shortest_kept ? length : shortest_kept;
            kept++;
        } else {
            longest_left_out = length > longest_left_out ? length : longest_left_out;
        }
    }
    PROPERTY_EQUAL(K13, "settle-order", kept, memory.list.count);
    PROPERTY(K13, "settle-largest", longest_left_out <= shortest_kept);
    MARK_IF("kernel_machine: more runs than ranges", longest_left_out != 0);
    spans_compare(run_count <= count);
}

static uint64_t draw_row_bytes(struct choices *choices, uint64_t first)
{
    uint64_t odd = choices_flag(choices) ? choices_below(choices, PAGE_BYTES) : 0;
    switch (choices_below(choices, 8)) {
    case 0: /* around the last address */
        MARK("kernel_machine: a row about the last address");
        return UINT64_MAX - first - 1 + choices_below(choices, 4);
    case 1:
        return UINT64_MAX - odd;
    case 2:
    case 3:
        return choices_below(choices, MODEL_PAGES) * PAGE_BYTES + odd;
    default:
        return choices_below(choices, 24) * PAGE_BYTES + odd;
    }
}

static uint64_t draw_row_first(struct choices *choices)
{
    uint64_t odd = choices_flag(choices) ? choices_below(choices, PAGE_BYTES) : 0;
    if (choices_below(choices, 32) == 31)
        return UINT64_MAX - choices_below(choices, 4) * PAGE_BYTES - odd;
    return choices_below(choices, MODEL_PAGES) * PAGE_BYTES + odd;
}

/* Every second page of a part, as a firmware may leave it. */
static void spans_comb(struct choices *choices)
{
    uint64_t first = choices_below(choices, MODEL_PAGES);
    uint64_t teeth = choices_below(choices, COMB_TEETH_MAX + 1);
    for (uint64_t i = 0; i < teeth; i++)
        spans_add((first + 2 * i) % MODEL_PAGES * PAGE_BYTES, PAGE_BYTES);
}

static void spans_step(struct choices *choices)
{
    uint64_t kind = choices_below(choices, 8);
    if (kind == 5) {
        spans_comb(choices);
    } else if (kind == 6) {
        spans_take(choices);
    } else if (kind == 7) {
        spans_settle((uint32_t)choices_between(choices, 1, SPAN_LIMIT));
    } else {
        uint64_t first = draw_row_first(choices);
        uint64_t bytes = draw_row_bytes(choices, first);
        if (kind < 3)
            spans_add(first, bytes);
        else
            spans_remove(first, bytes);
    }
}

static void run_spans(struct choices *choices)
{
    memset(&memory, 0, sizeof memory);
    memory.limit_pages = MODEL_PAGES - choices_below(choices, MODEL_PAGES);
    span_list_init(&memory.list, memory.limit_pages * PAGE_BYTES);
    for (unsigned i = 0; i < SPAN_STEPS && !choices_empty(choices); i++) {
        uint64_t end = MODEL_PAGES;
        spans_step(choices);
        while (end > 0 && !memory.listed[end - 1])
            end--;
        PROPERTY_EQUAL(K13, "span-end", span_end(&memory.list), end * PAGE_BYTES);
    }
    spans_settle((uint32_t)choices_between(choices, 1, 64));
}

/* --- the log's ring --- */

enum {
    WRITE_BYTES_MAX = LOG_RING_BYTES + 600,
    QUEUE_BYTES = 6 * LOG_RING_BYTES,
    TOLD_BYTES_MAX = 64,
    LINE_BYTES_ENDLESS = 200 /* one line, however long; below that, lines of so many bytes */
};

static struct {
    struct log_ring ring;
    char queue[QUEUE_BYTES]; /* all that ever goes in; it never wraps */
    size_t head;             /* what is before it came out */
    size_t tail;
    uint64_t untold_lines; /* lost, and no line of the log has said so */
    bool losing;
    bool line_lost; /* the line that is being written has lost a byte */
} serial;

/* When half of the ring is free, what is lost is told, in a line of its own; unless it was the rest
 * of a line that is told already. */
static void queue_tell(void)
{
    if (!serial.losing || serial.tail - serial.head > LOG_RING_BYTES / 2)
        return;
    serial.losing = false;
    if (MARK_IF("kernel_machine: a loss of nothing more", serial.untold_lines == 0))
        return;
    bool open = serial.tail != 0 && serial.queue[serial.tail - 1] != '\n';
    int length =
        snprintf(&serial.queue[serial.tail], TOLD_BYTES_MAX, "%sBASALT_KERNEL:LOG_LOST:%llu\n",
                 open ? "\n" : "", (unsigned long long)serial.untold_lines);
    MARK_IF("kernel_machine: a cut line ends before the count", open);
    MARK("kernel_machine: a loss is told");
    serial.tail += (size_t)length;
    serial.untold_lines = 0;
}

/* A byte goes in when its write has room and its line has lost none; else its line is lost. */
static void queue_write(const char *bytes, size_t count)
{
    queue_tell();
    if (count > LOG_RING_BYTES - (serial.tail - serial.head))
        serial.losing = true;
    MARK_IF("kernel_machine: the rest of a lost line", serial.line_lost && !serial.losing);
    for (size_t i = 0; i < count; i++) {
        if (!serial.losing && !serial.line_lost) {
            serial.queue[serial.tail++] = bytes[i];
        } else if (!serial.line_lost) {
            serial.line_lost = true;
            serial.untold_lines++;
        }
        serial.line_lost = serial.line_lost && bytes[i] != '\n';
    }
}

static size_t draw_length(struct choices *choices)
{
    static const size_t longest[] = {80, 80, 5000, WRITE_BYTES_MAX};
    return (size_t)choices_below(choices, longest[choices_below(choices, 4)] + 1);
}

static void ring_write(struct choices *choices)
{
    size_t count = draw_length(choices);
    size_t line_bytes = (size_t)choices_between(choices, 1, LINE_BYTES_ENDLESS);
    bool ends = choices_flag(choices);
    char *bytes = malloc(count != 0 ? count : 1); /* so that a read past the end is seen */
    HARNESS(bytes != NULL);
    for (size_t i = 0; i < count; i++)
        bytes[i] = (char)(line_bytes != LINE_BYTES_ENDLESS && i % line_bytes == line_bytes - 1
                              ? '\n'
                              : 'a' + i % 26);
    if (count != 0)
        bytes[count - 1] = ends ? '\n' : 'z';
    log_ring_write(&serial.ring, bytes, count);
    queue_write(bytes, count);
    free(bytes);
    TRACE("write %zu bytes, lines of %zu%s", count, line_bytes, serial.losing ? ": lost" : "");
}

/* Takes up to `count` bytes; what comes out is what the queue has, and nothing when it is empty. */
static void ring_drain(size_t count)
{
    for (; count > 0; count--) {
        uint8_t byte = 0;
        bool taken = log_ring_take(&serial.ring, &byte);
        queue_tell();
        PROPERTY_EQUAL(K9, "log-empty", taken, serial.head != serial.tail);
        if (!taken)
            break;
        PROPERTY_EQUAL(K9, "log-byte", byte, (uint8_t)serial.queue[serial.head]);
        serial.head++;
    }
}

static void run_ring(struct choices *choices)
{
    memset(&serial.ring, 0, sizeof serial.ring);
    serial.head = serial.tail = 0;
    serial.untold_lines = 0;
    serial.losing = serial.line_lost = false;
    while (!choices_empty(choices) &&
           serial.tail + WRITE_BYTES_MAX + 2 * TOLD_BYTES_MAX < QUEUE_BYTES) {
        if (choices_below(choices, 3) != 0)
            ring_write(choices);
        else
            ring_drain(draw_length(choices));
        PROPERTY(K9, "log-room", serial.ring.count <= LOG_RING_BYTES);
    }
    ring_drain(SIZE_MAX);
    PROPERTY(K9, "log-told", !serial.losing && serial.untold_lines == 0);
    digest_bytes(serial.queue, serial.tail);
}

/* --- words of the command line --- */

enum { WORD_BYTES_MAX = 6, LINE_BYTES_MAX = 64, WORD_STEPS = 64 };

/* Some letters and the zero, in an allocation of their size. */
static char *draw_text(struct choices *choices, size_t length, const char *letters)
{
    char *text = malloc(length + 1);
    HARNESS(text != NULL);
    for (size_t i = 0; i < length; i++)
        text[i] = letters[choices_below(choices, strlen(letters))];
    text[length] = '\0';
    return text;
}

static bool model_has(const char *line, const char *word)
{
    size_t length = strlen(word);
    for (size_t first = 0, end; line[first] != '\0'; first = end + (line[end] == ' ')) {
        for (end = first; line[end] != ' ' && line[end] != '\0';)
            end++;
        if (end - first == length && memcmp(line + first, word, length) == 0)
            return true;
    }
    return false;
}

static void run_words(struct choices *choices)
{
    for (unsigned i = 0; i < WORD_STEPS && !choices_empty(choices); i++) {
        char *word = draw_text(choices, (size_t)choices_between(choices, 1, WORD_BYTES_MAX), "ab");
        char *line = draw_text(choices, (size_t)choices_below(choices, LINE_BYTES_MAX), "a b");
        bool has = words_have(line, word);
        TRACE("\"%s\" in \"%s\": %s", word, line, has ? "yes" : "no");
        PROPERTY_EQUAL(K11, "word", has, model_has(line, word));
        MARK_IF("kernel_machine: a word", has);
        MARK_IF("kernel_machine: a part of a word alone", !has && strstr(line, word) != NULL);
        digest_u64(has);
        free(line);
        free(word);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size_bytes)
{
    static void (*const parts[])(struct choices * choices) = {
        run_spans,     run_ring,     run_words,     machine_scales,
        machine_meter, machine_rate, machine_turns, machine_line};
    struct choices choices = harness_begin(bytes, size_bytes);
    uint64_t part = choices_below(&choices, sizeof parts / sizeof parts[0]);
    parts[part](&choices);
    digest_u64(part);
    return 0;
}
