/* SPDX-License-Identifier: ISC */
/* Work in pieces. Whatever grows with what processes built is counted in steps, and an entry does
 * only so many (K8); what is left is noted in the record of the process whose work it is, which
 * goes on with it before it runs on. Decides when to stop and who finishes; never what has to be
 * done. */
#include "kernel/core/control.h"
#include "kernel/core/vspace.h"

/* --- pieces: true when the work is done --- */

/* Others may have unmapped some of it meanwhile, or ended the process. */
static bool unmap_piece(struct kernel *kernel, struct work *work)
{
    struct process *process = process_find(kernel, work->object, work->generation);
    if (process == NULL || process_has_ended(process))
        return true;
    struct vspace_range range = vspace_range_find(process, work->at, work->count);
    mappings_remove(kernel, process, &range);
    work->at = range.va;
    work->count = range.count;
    return work->count == 0;
}

static bool driver_piece(struct kernel *kernel)
{
    while (work_may(kernel)) {
        if (!endpoint_drain_step(kernel, &kernel->driver_endpoint))
            return true;
    }
    return false;
}

/* What one has begun for others, in that order before its own end. */
static bool others_piece(struct kernel *kernel, struct work *work)
{
    bool done = true;
    if (work->kind == WORK_DESTROY)
        done = frame_destroy_piece(kernel, work->object);
    else if (work->kind == WORK_UNMAP)
        done = unmap_piece(kernel, work);
    else if (work->kind == WORK_DRIVER)
        done = driver_piece(kernel);
    if (done)
        work->kind = WORK_NONE;
    return done;
}

static bool abort_piece(struct kernel *kernel, const struct work *work)
{
    struct process *process = process_at(kernel, work->object);
    if (!others_piece(kernel, &process->work) || !process_tear_down(kernel, process))
        return false;
    loan_end(kernel, process);
    process_finish_ending(kernel, process);
    return true;
}

/* Those two ask their question again; what is left after it they say themselves. */
static bool again_piece(struct kernel *kernel, struct process *process)
{
    struct work work = process->work;
    process->resume = RESUME_RESULT;
    if (work.kind == WORK_SCAN) {
        control_call(kernel, process, OBJECT_KERNEL_SELF);
    } else {
        process->work.kind = WORK_NONE;
        ipc_receive(kernel, process, work.object, work.at);
    }
    return process->resume != RESUME_WORK;
}

static bool work_piece(struct kernel *kernel, struct process *process)
{
    struct work *work = &process->work;
    switch ((enum work_kind)work->kind) {
    case WORK_ABORT:
        return abort_piece(kernel, work);
    case WORK_DESTROY:
    case WORK_UNMAP:
    case WORK_DRIVER:
        return others_piece(kernel, work);
    case WORK_SCAN:
    case WORK_RECEIVE:
        return again_piece(kernel, process);
    case WORK_NONE:
        break;
    }
    return true;
}

/* --- who does it ------------------------------------------------------------------------------ */

void work_leave(struct process *process, struct work work)
{
    process->work = work;
    process->resume = RESUME_WORK;
}

void work_start(struct kernel *kernel, struct process *process, struct work work)
{
    process->work = work;
    if (work_piece(kernel, process)) {
        process->work.kind = WORK_NONE;
        return;
    }
    process->resume = RESUME_WORK;
    if (work.kind == WORK_ABORT) /* K7: who waits for that one waits for this one now */
        loan_make(kernel, process_at(kernel, work.object), process);
}

void work_orphan(struct kernel *kernel, struct process *process)
{
    struct work work = process->work;
    if (work.kind == WORK_ABORT || work.kind == WORK_SCAN || work.kind == WORK_RECEIVE)
        process->work.kind = WORK_NONE;
    if (work.kind == WORK_ABORT)
        process_abort(kernel, process_at(kernel, work.object));
}

/* Its own end, after what it had begun for others. */
static void end_go_on(struct kernel *kernel, struct process *process)
{
    if (!process_tear_down(kernel, process))
        return;
    process_leave(kernel, process);
    process_finish_ending(kernel, process);
}

void kernel_work(struct kernel *kernel)
{
    if (kernel->halted)
        return;
    KERNEL_ASSERT(kernel->current != KERNEL_IDLE);
    struct process *process = process_at(kernel, kernel->current);
    KERNEL_ASSERT(process->resume == RESUME_WORK);
    work_begin(kernel);
    if (process->work.kind != WORK_NONE) {
        bool again = process->work.kind == WORK_SCAN || process->work.kind == WORK_RECEIVE;
        if (work_piece(kernel, process) && !again)
            process->work.kind = WORK_NONE;
        if (process->work.kind == WORK_NONE && process->ending == ENDING_NONE && !again)
            process->resume = RESUME_RESULT;
    } else {
        end_go_on(kernel, process);
    }
    kernel_settle(kernel);
}
