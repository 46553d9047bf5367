/* SPDX-License-Identifier: ISC */
/* Marks: places worth reaching. Edge coverage forgets the state an operation met, so harnesses mark
 * (state, operation, result) triples and named paths. One mark feeds three readers: libFuzzer's
 * extra counters, AFL++'s edge map (a coverage guard a mark), and a record with readable names that
 * the replayer compares with corpus/<harness>/FLOORS. */
#ifndef BASALT_PROPS_BASE_MARKS_H
#define BASALT_PROPS_BASE_MARKS_H

#include <stdbool.h>
#include <stdint.h>

/* Counters; marks are hashed into them. Where two share one, the engine does not see the second: 25
 * of 900 marks, of 4096 counters 100. Engines read all counters at each input: 65536 cost the small
 * codecs a third of their executions, these a tenth, and the lives nothing that could be
 * measured. */
enum { MARK_LIMIT = 16384 };

/* A named path, e.g. MARK("pagerd: second faulter joined"). One line, at most 95 bytes. */
void mark_name(const char *name);
#define MARK(name) mark_name("" name)

/* MARK when the condition holds; the value of the condition. */
#define MARK_IF(name, condition) ((condition) ? (MARK(name), true) : false)

/* Operation met in a state, with its result (an enum status). `group` names the service, constant.
 * `operation` is a row's id; pass 0 for numbers without a row, or each of them would be a mark.
 * `state` is the harness's own small number: what the operation depends on, not everything. */
void mark_triple(const char *group, unsigned state, unsigned operation, unsigned result);

/* What an operation came to: "decode: reply memd.alloc_frames OK". `what` is constant; `operation`
 * is a row's id. */
void mark_operation(const char *what, unsigned operation, unsigned result);

/* The record; off until asked for. Names go to `visit` in order of first reach. */
void marks_record(bool on);
void marks_forget(void); /* empties the record */
void marks_visit(void (*visit)(const char *name, void *context), void *context);
bool marks_reached(const char *name);
unsigned marks_count(void);

/* The counters, for engines. Extern so that the engine's section keeps one name in all builds. */
extern uint8_t mark_counters[MARK_LIMIT];

/* What the engine wants at each mark besides the counter: nothing, except for AFL++
 * (fuzz/engine). */
void mark_engine(unsigned index);

#endif
