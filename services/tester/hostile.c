/* SPDX-License-Identifier: ISC */
/* Profile hostile: what must not notice a program that tries to do harm (K5). The hostile client
 * has run by now: rootd launches it first. */
#include "services/probes/expectations.h"
#include "services/tester/internal.h"

enum {
    SPIN_PLACE = TESTER_RUN_LIMIT - 1, /* tester_run_helpers uses the others */
    HOG_PLACE = 0,
    VECTORS_PLACE = 1
};

/* One that wants more memory than its account has, alongside the spinner. */
static enum status run_hog(struct tester *tester)
{
    enum status status = tester_start(tester, &hog_run, HOG_PLACE);
    return status == STATUS_OK ? tester_wait(tester, &hog_run, HOG_PLACE) : status;
}

/* Two that compute with vector registers, alongside each other and the spinner, which has none. The
 * hog runs between their starts: the first one computes when the second one looks at its
 * registers. */
static enum status run_hog_and_vectors(struct tester *tester)
{
    enum status status = tester_start(tester, &vectors_runs[0], VECTORS_PLACE);
    if (status == STATUS_OK)
        status = run_hog(tester);
    if (status == STATUS_OK)
        status = tester_start(tester, &vectors_runs[1], HOG_PLACE);
    if (status == STATUS_OK)
        status = tester_wait(tester, &vectors_runs[0], VECTORS_PLACE);
    return status == STATUS_OK ? tester_wait(tester, &vectors_runs[1], HOG_PLACE) : status;
}

static enum status stop_spinner(struct tester *tester)
{
    enum status status = tester_stop(tester, SPIN_PLACE, TEST_SPIN_STOP_CODE);
    return status == STATUS_OK ? tester_wait(tester, &spin_run, SPIN_PLACE) : status;
}

enum status tester_run_hostile(struct tester *tester)
{
    enum status status = tester_start(tester, &spin_run, SPIN_PLACE);
    if (status == STATUS_OK)
        status = run_hog_and_vectors(tester);
    if (status == STATUS_OK)
        status = tester_run_helpers(tester);
    if (status == STATUS_OK)
        status = stop_spinner(tester);
    if (status != STATUS_OK)
        return status;
    tester_report(tester, "SPINNER_STOPPED", "");
    return tester_run_helpers(tester);
}
