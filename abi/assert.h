/* SPDX-License-Identifier: ISC */
/* Assertions of units: what our own code promises itself. One that does not hold is our bug, never
 * an answer to a request: nothing that a peer or a client sends can decide one. They stay on in the
 * image. Who links the unit says what becomes of a failed one:
 *
 *   services/runtime   the process ends by EXIT with ASSERT_EXIT_BASE + line, which is in its
 *                      terminal event; a debugger that stops at unit_assert_failed shows the rest.
 *                      An answer that waits is not sent, since nothing that the unit says is to be
 *                      believed any more: whoever is owed one is told PEER_DIED (E5)
 *   kernel/x86_64      a kernel panic with the condition, the file and the line
 *   props/base         the condition, the file and the line on stderr, then an abort: a finding */
#ifndef BASALT_ABI_ASSERT_H
#define BASALT_ABI_ASSERT_H

/* No exit code of ours looks like these: "EXITED:0xa55e00f3" is an assertion in line 0xf3. */
#define ASSERT_EXIT_BASE 0xA55E0000u

#define UNIT_ASSERT(condition)                                                                     \
    ((condition) ? (void)0 : unit_assert_failed(#condition, __FILE__, __LINE__))

__attribute__((noreturn, cold)) void unit_assert_failed(const char *condition, const char *file,
                                                        int line);

#endif
