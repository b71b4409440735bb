/// <linux/kvm.h>, fit for C++.
///
/// The UAPI headers of Linux 6.1 declare a trailing array behind an empty struct, whose size is 0 in C but 1
/// in C++: kvm_cpuid2 and others then get a wrong layout and their ioctls wrong numbers. Later headers have
/// mended it.
#pragma once

#include <linux/stddef.h>

#undef __DECLARE_FLEX_ARRAY
#define __DECLARE_FLEX_ARRAY(TYPE, NAME) TYPE NAME[]

#include <linux/kvm.h>

static_assert(sizeof(kvm_cpuid2) == 8);
static_assert(sizeof(kvm_irq_routing) == 8);
