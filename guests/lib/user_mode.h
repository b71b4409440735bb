/// Ring 3 for what a guest does between its exits. A hypervisor without VT-x or AMD-V may have to emulate
/// ring 0 instruction by instruction, a hundred times slower than ring 3, which it lets the CPU execute; so
/// what is measured is the device and not the guest. Elsewhere there is no difference.
#pragma once

/// Calls the function in ring 3, on the same stack, and comes back in ring 0. It can use memory and the
/// registers of devices in memory, but no port, MSR or control register, and cannot halt; interrupts stay
/// off. An exception prints itself and ends the guest.
void user_mode_call(void (*function)(void*), void* argument);

/// The same with interrupts enabled for as long.
void user_mode_call_interrupted(void (*function)(void*), void* argument);

/// Calls a function that does not return in ring 0, from wherever. For what ends the guest: printing takes
/// ports.
__attribute__((noreturn)) void user_mode_abandon(void (*end)(void));
