/* SPDX-License-Identifier: ISC */
/* The transport's buffer of a unit under test (sys_message of abi/system.h), for all who stand behind
 * the seam but the world, where each process has a page. */
#ifndef BASALT_PROPS_BASE_MESSAGE_PAGE_H
#define BASALT_PROPS_BASE_MESSAGE_PAGE_H

#include "abi/message.h"

/* What stands behind a call, a receive or a reply says so when it is done with `message`: the buffer
 * holds nothing else from now on. Of a message that lies elsewhere it held a copy. Whoever reads
 * there what an earlier message left reads nonsense. */
void message_page_used(const struct message *message);

/* The same for who writes nothing there but messages, each as long as its header says. He says first
 * what the unit sends, and where oracles are deferred (oracle.h) no more is filled with nonsense than
 * such messages used; elsewhere all is, whatever the unit wrote behind its own. */
void message_page_sent(const struct message *message);
void message_page_written(void); /* by somebody who is not so careful: anything may lie there */
void message_page_exchanged(const struct message *message);

#endif
