/* SPDX-License-Identifier: ISC */
/* See watch.h. Decides nothing of what is wrong: the process dies as it would have. */
#include "fuzz/engine/watch.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "fuzz/harness.h"
#include "props/base/input_limits.h"

static const struct input *running;
static char kept_at[512];
static unsigned seconds_max = INPUT_SECONDS_MAX;
static volatile sig_atomic_t is_late; /* a second has passed */

void watch_keep(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(kept_at, sizeof kept_at, format, arguments);
    va_end(arguments);
}

void watch_allow(unsigned seconds)
{
    seconds_max = seconds;
}

/* Of the process's own time, which is looked at from the second on that nearly no input comes to: all
 * others pay for the alarm alone, as those did whose rates are written down (fuzz/RATES.md). */
static void own_time_set(unsigned seconds)
{
    struct itimerval own = {.it_value.tv_sec = seconds};
    setitimer(ITIMER_PROF, &own, NULL);
}

void watch_begin(const struct input *input)
{
    running = input;
    alarm(1);
}

void watch_end(void)
{
    alarm(0);
    if (is_late)
        own_time_set(0);
    is_late = 0;
    running = NULL;
}

static void on_second(int number)
{
    (void)number;
    is_late = 1;
    own_time_set(seconds_max - 1);
}

/* Names the input that killed the process. A random one is written down first. */
static void report_running(void)
{
    if (running == NULL)
        return;
    if (running->path == NULL) {
        mkdir("findings", 0777);
        FILE *file = fopen(kept_at, "wb");
        if (file != NULL) {
            fwrite(running->bytes, 1, running->size_bytes, file);
            fclose(file);
        }
    }
    fprintf(stderr, "failing input: %s (%s)\n", running->path ? running->path : kept_at,
            harness_name);
    fflush(stderr);
    running = NULL;
}

static void on_signal(int number)
{
    if (number == SIGPROF && running != NULL)
        fprintf(stderr, "hang: no end after %u s\n", seconds_max);
    report_running();
    signal(number, SIG_DFL);
    raise(number);
}

void __sanitizer_set_death_callback(void (*callback)(void)) __attribute__((weak));

void watch_for_death(void)
{
    static uint8_t stack[65536];
    stack_t alternate = {.ss_sp = stack, .ss_size = sizeof stack};
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_ONSTACK};
    struct sigaction second = {.sa_handler = on_second, .sa_flags = SA_ONSTACK | SA_RESTART};
    sigaction(SIGALRM, &second, NULL);
    sigaction(SIGABRT, &action, NULL);
    sigaction(SIGPROF, &action, NULL);
    if (&__sanitizer_set_death_callback != NULL) {
        __sanitizer_set_death_callback(report_running);
        return;
    }
    sigaltstack(&alternate, NULL);
    sigaction(SIGSEGV, &action, NULL);
    sigaction(SIGBUS, &action, NULL);
    sigaction(SIGILL, &action, NULL);
    sigaction(SIGFPE, &action, NULL);
}
