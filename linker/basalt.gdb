# SPDX-License-Identifier: ISC
# Commands for a boot under the debugger: ./basalt boot --gdb [--profile NAME] in one terminal, then
# `gdb -q -x linker/basalt.gdb` at the root of the tree in another. `basalt` lists the commands.
set pagination off
set confirm off
set disassemble-next-line auto
set arch i386:x86-64
file build/image/kernel.elf
target remote build/gdb.sock
hbreak kernel_boot

define basalt
  echo current           who runs, and what it waits for\n
  echo proc N            the record of process N: life, budget, registers, fault\n
  echo cspace N          the capabilities that process N holds, by slot\n
  echo daemon NAME       take the symbols of build/image/NAME.elf for user addresses (memd, procd, ...)\n
  echo hbreak FUNCTION   stop there (hardware breakpoints work before paging is on)\n
  echo continue          go on; Ctrl-C stops the machine\n
end

# A page of physical memory, by the direct map (kernel/x86_64/layout.h).
define page_address
  set $page_va = 0xFFFF800000000000 + ((unsigned long)$arg0 << 12)
end

define proc
  set $entry = kernel.processes[$arg0]
  if $entry.record_page == 0
    printf "process %d: free; generation %lu\n", $arg0, $entry.generation
  else
    page_address $entry.record_page
    set $process = (struct process *)$page_va
    printf "process %d, generation %lu\n", $arg0, $entry.generation
    print (enum process_life)$process->life
    print (enum resume_kind)$process->resume
    print (enum status)$process->result
    printf "budget %u pages, %u drawn, %u pages mapped\n", $process->budget_pages, $process->drawn_pages, $process->mapped_pages
    print/x $process->fault
    print/x *(struct registers *)($page_va + PROCESS_MACHINE_OFFSET)
  end
end

define current
  if kernel.current == KERNEL_IDLE
    echo nobody can run\n
  else
    proc kernel.current
  end
end

define cspace
  set $entry = kernel.processes[$arg0]
  page_address $entry.record_page
  set $process = (struct process *)$page_va
  page_address $process->cspace_page
  set $leaves = (unsigned int *)$page_va
  set $leaf = 0
  while $leaf < CSPACE_LEAF_COUNT
    if $leaves[$leaf] != 0
      page_address $leaves[$leaf]
      set $caps = (struct capability *)$page_va
      set $i = 0
      while $i < CSPACE_LEAF_CAPS
        if $caps[$i].object_type != 0
          printf "slot %d: ", $leaf * CSPACE_LEAF_CAPS + $i
          print/x $caps[$i]
        end
        set $i = $i + 1
      end
    end
    set $leaf = $leaf + 1
  end
end

set $daemon_known = 0
define daemon
  if $daemon_known
    remove-symbol-file -a 0x400400 # in the first section of each
  end
  set $daemon_known = 1
  add-symbol-file build/image/$arg0.elf
end

basalt
