/* SPDX-License-Identifier: ISC */
/* The helper programs. Each takes the argument it was started with and returns its exit
 * code; what is expected of each is in expectations.h. They touch tested memory only through
 * abi/user_memory.h, so the same unit runs on the metal and in the host world. */
#ifndef BASALT_SERVICES_PROBES_PROBES_H
#define BASALT_SERVICES_PROBES_PROBES_H

#include <stdint.h>

uint32_t phase0_probe_main(uint64_t argument);
uint32_t phase0_exit_main(uint64_t argument);
uint32_t phase0_fault_kill_main(uint64_t argument);
uint32_t phase0_isolation_a_main(uint64_t argument);
uint32_t phase0_isolation_b_main(uint64_t argument);
uint32_t phase0_stock_main(uint64_t argument);

/* Of the hostile image. */
uint32_t test_spin_main(uint64_t argument);
uint32_t test_hostile_main(uint64_t argument);
uint32_t test_vectors_main(uint64_t argument);
uint32_t attack_client_main(uint64_t argument);
uint32_t attack_child_main(uint64_t argument);

/* Services of the image whose launches are tested. The first data word of each (services/probes/layout.h)
 * says for how many ticks it is silent before it looks at its envelope; as built it does so at once. */
uint32_t test_service_main(uint64_t argument);
uint32_t test_user_main(uint64_t argument);
uint32_t test_apart_main(uint64_t argument);
uint32_t test_last_main(uint64_t argument);
uint32_t test_driver_main(uint64_t argument);

/* Clients of the services that are found by name: EXIT(0) when every answer was the stated one. */
uint32_t phase1_lookup_client_main(uint64_t argument);
uint32_t phase1_time_client_main(uint64_t argument);
uint32_t phase1_crash_client_main(uint64_t argument);
uint32_t phase2_irq_client_main(uint64_t argument);

/* A client of vfsd: EXIT(0) when every answer was the stated one. */
uint32_t phase4_files_main(uint64_t argument);
uint32_t phase4_loader_main(uint64_t argument);
/* In its place, beside a procd whose first six transfers fail (services/faults/loader_cleanup.c): after
 * each everything is as it was before. */
uint32_t loader_cleanup_main(uint64_t argument);
/* And beside a ramfsd whose files change while they are read (services/faults/loader_changed.c). */
uint32_t loader_changed_main(uint64_t argument);

/* What test-operator launches (mapper.h). */
uint32_t test_mapper_main(uint64_t argument);

/* A service that dies again and again, and a client that goes on: EXIT(0) when it saw what is stated. */
uint32_t test_mortal_main(uint64_t argument);
uint32_t test_frail_main(uint64_t argument);
uint32_t test_survivor_main(uint64_t argument);
uint32_t test_reaper_main(uint64_t argument);

/* In archives of files, not in images (expectations.h). */
uint32_t loaded_hello_main(uint64_t argument);
uint32_t loaded_look_main(uint64_t argument);
uint32_t loaded_linger_main(uint64_t argument);
uint32_t loaded_fault_main(uint64_t argument);

/* Of no image: tests put it in the place of a service (ready.h). */
uint32_t test_ready_main(uint64_t argument);

#endif
