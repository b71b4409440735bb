/// Counts and times the hardware's exits where KVM announces them, by programs in the kernel
/// (exit_tracer.bpf.c). They are gone with this object, or with this process however it ends.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "trace/trace_fs.hpp"
#include "trace/traced_memory.hpp"

namespace kvmbench::trace {

/// How much the tracer has room for; its memory is taken when it is attached, about 10 KiB a reason of a
/// thread.
struct TracerRoom {
  std::uint32_t threads = 64;
  std::uint32_t reasons = 64 * 24;  ///< of all threads together; at most 65,535
  std::uint32_t details = 8192;     ///< likewise

  [[nodiscard]] static TracerRoom for_vcpus(std::uint32_t vcpus) noexcept;
};

class ExitTracer final {
 public:
  enum class Whose { chosen_processes, every_process };

  /// Loads and attaches the programs: every exit from here on is counted. Throws TracingUnavailable, which
  /// says what is missing: the build's tools, a privilege, the kernel's events.
  ExitTracer(Whose whose, const TracerRoom& room);
  ExitTracer(const ExitTracer&) = delete;
  ExitTracer& operator=(const ExitTracer&) = delete;
  ~ExitTracer();

  /// Traces the VMs of this process too. (Whose::chosen_processes) Throws TracingUnavailable.
  void add(pid_t process);
  void remove(pid_t process) noexcept;

  [[nodiscard]] const TracedMemory& memory() const noexcept;
  /// One relaxed load each.
  [[nodiscard]] UsedRecords used() const noexcept;
  /// Events of threads for which there was no room.
  [[nodiscard]] std::uint64_t events_without_thread() const noexcept;
  /// Times that a program was not run, as another one was running on that CPU.
  [[nodiscard]] std::uint64_t missed_events() const noexcept;
  /// Events that this kernel does not have, or not with the fields that are needed: "kvm_hypercall".
  [[nodiscard]] const std::vector<std::string>& absent_events() const noexcept;

  /// What keeps an ExitTracer from being made; "" where nothing does. Attaches and detaches one.
  [[nodiscard]] static std::string obstacle();

 private:
  class Programs;
  std::unique_ptr<Programs> programs_;
};

}  // namespace kvmbench::trace
