/* SPDX-License-Identifier: ISC */
/* Marks: places worth reaching. Edge coverage forgets the state an operation met, so harnesses mark
 * (state, operation, result) triples and named paths. One mark feeds three readers: libFuzzer's
 * extra counters, AFL++'s edge map (a coverage guard a mark), and a record with readable names that
 * the replayer compares with corpus/<harness>/FLOORS. */
#ifndef BASALT_PROPS_BASE_MARKS_H
#define BASALT_PROPS_BASE_MARKS_H

#include <stdbool.h>
#include <stdint.h>

/* The counters of a harness: 2^bits of them, to which marks are hashed with the salt, so that a mark
 * has the same counter in every process and every build. Of two that share one the engines do not
 * see the second: the salt is one with which no two marks that the corpus reaches do, and replay
 * refuses any other and names one that is good. A mark that is new shares with a probability of
 * marks / counters. Engines read all counters at each input: of 16384 the small codecs pay a
 * tenth of their executions, of 4096 nothing that could be measured; for 32768 and 65536 lives pay
 * 5 % (memd_life 11.3 and 11.9 s of CPU for 60,000 executions of libFuzzer's fast build). */
enum { MARK_BITS_MAX = 16 };
struct mark_table {
    unsigned bits; /* at most MARK_BITS_MAX */
    uint32_t salt;
};
extern const struct mark_table mark_table;
extern uint8_t mark_counters[];

/* Defines them; stands beside harness_name. Programs without it get those of marks_default.c. */
#define MARKS(bits, salt)                                                                          \
    __attribute__((section("__libfuzzer_extra_counters"))) uint8_t mark_counters[1u << (bits)];    \
    MARK_ENGINE_ARRAY(1u << (bits))                                                                \
    const struct mark_table mark_table = {(bits), (salt)}

/* What an engine that does not read these counters wants of each mark: -DMARK_GUARDS of AFL++ and
 * honggfuzz, -DMARK_FEATURES of centipede (fuzz/engine). */
#if defined(MARK_GUARDS)
#define MARK_ENGINE_ARRAY(count)                                                                   \
    __attribute__((section("__sancov_guards"), used)) uint32_t mark_guards[count];
extern uint32_t mark_guards[];
#elif defined(MARK_FEATURES)
#define MARK_ENGINE_ARRAY(count)                                                                   \
    __attribute__((section("__centipede_extra_features"), used)) uint64_t mark_features[count];
extern uint64_t mark_features[];
#else
#define MARK_ENGINE_ARRAY(count)
#endif

/* Not 0 when an input has run: without instrumentation, as in a build for reports of coverage,
 * libFuzzer ends when its first inputs reach nothing. */
extern uint8_t mark_input;

/* The counter of a mark by its hash. */
unsigned mark_counter(uint64_t hash, struct mark_table table);

/* A named path, e.g. MARK("pagerd: second faulter joined"). One line, at most 95 bytes. */
#define MARK(name)                                                                                 \
    __extension__({                                                                                \
        static uint64_t mark_hash_;                                                                \
        mark_named(&mark_hash_, "" name);                                                          \
    })
void mark_named(uint64_t *hash, const char *name); /* *hash: 0 until it is known */
void mark_name(const char *name);                  /* one of several that a table has */

/* MARK when the condition holds; the value of the condition. */
#define MARK_IF(name, condition) ((condition) ? (MARK(name), true) : false)

/* Operation met in a state, with its result (an enum status). `group` names the service, constant.
 * `operation` is a row's id; pass 0 for numbers without a row, or each of them would be a mark.
 * `state` is the harness's own small number: what the operation depends on, not everything. */
void mark_triple(const char *group, unsigned state, unsigned operation, unsigned result);

/* What an operation came to: "decode: reply memd.alloc_frames OK". `what` is constant; `operation`
 * is a row's id. */
void mark_operation(const char *what, unsigned operation, unsigned result);

/* The record; off until asked for. It has room for MARKS_RECORDED_MAX: those that come after are
 * left out, which is said once in a process, on stderr, and counted each time that one is reached.
 * Names go to `visit` in order of first reach, with the hash of each. Marks whose results are no
 * status may share a name. */
enum { MARKS_RECORDED_MAX = 8192 };
void marks_record(bool on);
void marks_forget(void); /* empties the record */
void marks_visit(void (*visit)(const char *name, uint64_t hash, void *context), void *context);
bool marks_reached(const char *name);
unsigned marks_count(void);
uint64_t marks_left_out(void);

/* What the engine wants at each mark besides the counter: nothing, except for AFL++
 * (fuzz/engine). */
void mark_engine(unsigned index);

#endif
