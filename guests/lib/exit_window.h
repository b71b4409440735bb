/// How many exits there were between two moments, for which reasons, from the exit-count page: taking it
/// costs no exit. The page is as of the CPU's last exit to user space, such as a phase mark.
#pragma once

#include <stdbool.h>

#include "lib/kvmbench_guest.h"

/// Asks the host to keep the page (1 exit). False where it has none; the functions below do nothing then.
bool exit_window_prepare(void);

/// Begins and ends the window.
void exit_window_open(void);
void exit_window_close(void);

/// Within a line of results (lib/result.h): `exits` is KVM's own count of all in the window, less `own` of
/// them, or left out where KVM keeps none; `hw48` that of hardware reason 48, where these are counted; `us2`
/// that of KVM_EXIT_2.
void exit_window_result(uint64_t own);
