/* SPDX-License-Identifier: ISC */
/* Generated pages are what the tables say, dictionaries are what the engines read, and rows name
 * senders that their services know. Runs at the root of the tree. With --no-golden it compares no
 * page: a command writes these. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "abi/message_type.h"
#include "abi/roles.h"
#include "props/base/testing.h"
#include "props/tests/tables_test.h"
#include "props/tools/tables.h"
#include "services/loaderd/loaderd.h"
#include "services/logd/logd.h"
#include "services/named/named.h"
#include "services/procd/procd.h"
#include "services/vspaced/vspaced.h"
#include "services/vfsd/vfsd.h"

/* What a function prints, as text. */
static char *printed(void (*print)(FILE *out))
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);
    if (out == NULL)
        exit(1);
    print(out);
    if (fclose(out) != 0)
        exit(1);
    return text;
}

static char *file_text(const char *path)
{
    static char text[1 << 20];
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return NULL;
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    return text;
}

static int page_is_current(const char *path, void (*print)(FILE *out))
{
    char *wanted = printed(print);
    const char *committed = file_text(path);
    int current = committed != NULL && strcmp(wanted, committed) == 0;
    free(wanted);
    return current;
}

/* Lines are comments or name="word" with a word that is not empty. */
static int dictionary_is_right(void (*print)(FILE *out))
{
    char *text = printed(print);
    unsigned words = 0;
    unsigned wrong = 0;
    for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        if (line[0] == '#')
            continue;
        char *quote = strstr(line, "=\"");
        size_t length = strlen(line);
        if (quote == NULL || line[length - 1] != '"' || length - (size_t)(quote - line) < 4)
            wrong++;
        words++;
    }
    free(text);
    return words > 100 && wrong == 0;
}

static void all_words(FILE *out)
{
    expect(tables_dictionary(out, 0, NULL), "dictionary of all parts");
}

static void all_texts(FILE *out)
{
    expect(tables_text_dictionary(out, 0, NULL), "text dictionary of all parts");
}

/* Processes of one role, as many as memd has guarantees for and procd has places for, on machines
 * of 24 MiB to 4 GiB: vspaced can set the regions aside that procd may ask for with each, and these
 * are as many as its own pages and a small image need (images_test looks at the real ones). Nothing
 * is taken off the memory for the foundation, which makes the check stricter. */
static void test_regions_suffice(void)
{
    enum { PAGES_PER_MIB = 1024 * 1024 / PAGE_BYTES };
    for (unsigned i = 0; i < role_count; i++) {
        const struct role *role = &role_table[i];
        unsigned short_of = 0;
        for (uint64_t mib = 24; mib <= 4096; mib++) {
            uint64_t pages = mib * PAGES_PER_MIB;
            uint64_t processes = pages / role_account_guarantee(role);
            if (processes > PROCD_PROCESS_LIMIT)
                processes = PROCD_PROCESS_LIMIT;
            short_of += processes * role_region_limit(role) >
                        VSPACED_PAGE_REGIONS * pages + VSPACED_SHARED_REGIONS;
        }
        char what[128];
        snprintf(what, sizeof what, "E6 regions suffice for all processes of %s", role->image);
        expect(short_of == 0, what);
        snprintf(what, sizeof what, "E6 pages of %s run out before its regions do", role->image);
        expect(role->page_limit + (uint64_t)PROCESS_SHARED_REGIONS <= role_region_limit(role),
               what);
    }
}

/* E6: what the role table can ask of discovery and of the log has a place there. */
static void test_places_suffice(void)
{
    expect(role_count <= LOGD_CLIENT_LIMIT, "E6 logd has a place for each role");
    expect(look_up_count <= NAMED_ENTRY_LIMIT, "E6 named has a place for whom each role finds");
    unsigned files = 1; /* loaderd, which holds vfsd's end, and each that finds it */
    for (unsigned i = 0; i < look_up_count; i++) {
        files += look_up_table[i].service == ROLE_VFSD;
        const struct role *service = role_find(look_up_table[i].service);
        expect(strlen(service->image) <= SERVICE_NAME_BYTES_MAX, "N1 a service's name is short");
    }
    expect(files * VFSD_CLIENT_HANDLE_LIMIT <= VFSD_HANDLE_LIMIT,
           "E6 vfsd has all the handles that each of its clients may have");
}

/* X5: each client of loaderd has a share of what memd lets it give away, in which the largest program
 * has room: what others run keeps nobody from that. As many as run in it have a place each. */
static void test_shares_suffice(void)
{
    const struct role *loaderd = role_find(ROLE_LOADERD);
    const struct role *program = role_find(ROLE_LOADED_PROGRAM);
    struct process_limits smallest = {.page_limit = 1 + STACK_RESERVE_BYTES / PAGE_BYTES +
                                                    LOADERD_HEAP_PAGES};
    const struct role small = role_lowered(program, &smallest);
    uint64_t share_pages = loaderd->child_pages / LOADERD_CLIENT_LIMIT;
    expect(role_account_limit(program) <= share_pages,
           "X5 the largest program fits in a client's share");
    expect(share_pages / role_account_limit(&small) <= LOADERD_PLACES,
           "X5 what runs in a client's share has a place");
    expect(LOADERD_CLIENT_LIMIT * LOADERD_PLACES <= loaderd->child_limit,
           "X5 procd has a place for each program of loaderd's");
    expect(role_limits_check(program, &smallest) == STATUS_OK,
           "X5 a small program has regions for all of its pages");
}

/* M9: a page limit and a guarantee are about the pages that a process touches, other than where a row
 * says that its pages may come with neighbours. Programs that measure what one page costs another, or
 * do harm, have no such row. */
static void test_faults_around(void)
{
    for (unsigned i = 0; i < role_count; i++) {
        uint32_t role = role_table[i].id;
        bool stated = role == ROLE_PHASE0_PROBE || role == ROLE_RAMFSD || role == ROLE_IMAGEFSD;
        expect(role_faults_around(&role_table[i]) == stated,
               "M9 the phase-0 probe and who touches all of its memory alone are given neighbours");
    }
}

/* What a role that is started again holds stays good: its peers are never started again themselves.
 * What the table says is critical or restarts; a role that is neither has no row. */
static void test_restarts(void)
{
    for (unsigned i = 0; i < restarts_count; i++) {
        const struct restarts *row = &restarts_table[i];
        unsigned intakes = 0;
        const struct intake *intake = role_intake(row->role, &intakes);
        char what[128];
        snprintf(what, sizeof what, "P4 the restarts of %s", role_find(row->role)->image);
        expect(role_restarts(row->role) == row, what); /* one for each role */
        expect(role_find(row->role)->kind != ROLE_KIND_FOUNDATION, what);
        /* Without loaderd a system only starts no more programs. */
        bool missed = row->critical || row->policy != RESTART_NEVER;
        expect(missed == (row->role != ROLE_LOADERD), what);
        expect(row->base_delay_ticks <= row->delay_cap_ticks, what);
        expect(row->policy == RESTART_NEVER ||
                   (row->budget_count != 0 && row->window_ticks != 0 && row->base_delay_ticks != 0),
               what);
        for (unsigned j = 0; row->policy != RESTART_NEVER && j < intakes; j++) {
            const struct restarts *peer = role_restarts(slot_peer_role(intake[j].slot));
            expect(peer == NULL || peer->policy == RESTART_NEVER, what);
        }
    }
}

static void test_pages(void)
{
    expect(page_is_current("abi/REFERENCE.md", tables_reference),
           "abi/REFERENCE.md is not what the tables say: ./basalt reference");
    expect(page_is_current("props/PROPERTIES.md", tables_properties),
           "props/PROPERTIES.md is not what properties.def says: ./basalt reference");
}

int main(int count, char **arguments)
{
    test_masks();
    test_regions_suffice();
    test_places_suffice();
    test_shares_suffice();
    test_faults_around();
    test_restarts();
    if (count != 2 || strcmp(arguments[1], "--no-golden") != 0)
        test_pages();
    expect(dictionary_is_right(all_words), "dictionary");
    expect(dictionary_is_right(all_texts), "text dictionary");
    return tests_end(arguments[0]);
}
