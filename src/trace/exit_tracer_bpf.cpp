/// The tracer's programs: loaded and attached by libbpf.
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fmt/format.h>
#include <linux/perf_event.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>

#include "exit_tracer.skel.h"
#include "trace/capabilities.hpp"
#include "trace/exit_tracer.hpp"

namespace kvmbench::trace {
namespace {

using Skeleton = exit_tracer_bpf;
using Settings = std::remove_pointer_t<decltype(Skeleton::rodata)>;

struct WantedField {
  const char* name;
  trace_field Settings::*place;
};

/// An event, its program, and the fields that the program reads.
struct WantedEvent {
  const char* name;
  bpf_program* decltype(Skeleton::progs)::*program;
  bpf_link* decltype(Skeleton::links)::*link;
  std::array<WantedField, 3> fields;  // those without a name are none
  bool required;
};

using Programs_ = decltype(Skeleton::progs);
using Links = decltype(Skeleton::links);

// In the order of attaching. kvm_exit is the last: what is counted from then on is whole.
constexpr std::array<WantedEvent, 5> classic_events{{
    {"kvm_cpuid", &Programs_::on_cpuid, &Links::on_cpuid, {{{"function", &Settings::cpuid_function}}}, false},
    {"kvm_page_fault",
     &Programs_::on_page_fault,
     &Links::on_page_fault,
     {{{"fault_address", &Settings::fault_address}}},
     false},
    {"kvm_apic",
     &Programs_::on_apic,
     &Links::on_apic,
     {{{"rw", &Settings::apic_rw}, {"reg", &Settings::apic_reg}}},
     false},
    {"kvm_hypercall",
     &Programs_::on_hypercall,
     &Links::on_hypercall,
     {{{"nr", &Settings::hypercall_nr}}},
     false},
    {"kvm_exit",
     &Programs_::on_exit,
     &Links::on_exit,
     {{{"exit_reason", &Settings::exit_reason},
       {"isa", &Settings::exit_isa},
       {"vcpu_id", &Settings::exit_vcpu}}},
     true},
}};

/// An event whose program takes nothing but the first arguments of the tracepoint, or only its moment.
struct RawEvent {
  const char* name;
  bpf_program* decltype(Skeleton::progs)::*program;
  bpf_link* decltype(Skeleton::links)::*link;
  bool required;
};

constexpr std::array<RawEvent, 6> raw_events{{
    {"kvm_entry", &Programs_::on_entry, &Links::on_entry, true},
    {"kvm_emulate_insn", &Programs_::on_emulation, &Links::on_emulation, false},
    {"kvm_userspace_exit", &Programs_::on_return, &Links::on_return, false},
    {"kvm_pio", &Programs_::on_pio, &Links::on_pio, false},
    {"kvm_mmio", &Programs_::on_mmio, &Links::on_mmio, false},
    {"kvm_msr", &Programs_::on_msr, &Links::on_msr, false},
}};

/// libbpf says on stderr what goes wrong, unless told otherwise; errors here are the caller's to show.
void silence_libbpf() {
  libbpf_set_print([](libbpf_print_level, const char*, va_list) { return 0; });
}

TracingUnavailable refusal(const std::string& doing, int error) {
  const std::string missing = missing_capabilities({Capability::bpf, Capability::perfmon});
  const std::string privileges =
      missing.empty() ? "it takes CAP_BPF and CAP_PERFMON, and a kernel that allows BPF (lockdown?)"
                      : fmt::format("it takes {}, which this process lacks", missing);
  const bool denied = error == EPERM || error == EACCES;
  return TracingUnavailable(fmt::format("cannot {}: {}{}{}", doing, std::strerror(error), denied ? "; " : "",
                                        denied ? privileges : ""));
}

/// Looks the fields up; false where one is not there in a size that the programs can read.
bool place_fields(const WantedEvent& wanted, const EventFormat& format, Settings& settings,
                  std::string& lacking) {
  for (const WantedField& field : wanted.fields) {
    if (field.name == nullptr) continue;
    const EventField* found = format.find(field.name);
    if (found == nullptr || (found->size != 4 && found->size != 8)) {
      lacking = field.name;
      return false;
    }
    settings.*field.place = {.offset = found->offset, .size = found->size};
  }
  return true;
}

/// In a PID namespace of its own, this process knows itself and others by other numbers than the kernel's
/// programs do, unless they ask for that namespace's.
void set_namespace(Settings& settings) {
  constexpr ino_t first_pid_namespace = 0xEFFFFFFC;  // PROC_PID_INIT_INO
  struct stat own {};
  if (::stat("/proc/self/ns/pid", &own) != 0 || own.st_ino == first_pid_namespace) return;
  settings.namespace_dev = own.st_dev;
  settings.namespace_ino = own.st_ino;
}

UniqueFd open_tracepoint(std::uint64_t id) {
  perf_event_attr attributes{};
  attributes.type = PERF_TYPE_TRACEPOINT;
  attributes.size = sizeof(attributes);
  attributes.config = id;
  attributes.sample_period = 1;
  attributes.wakeup_events = 1;
  // A program is run wherever the event happens, whatever CPU the descriptor was opened for.
  return UniqueFd(static_cast<int>(
      ::syscall(SYS_perf_event_open, &attributes, -1 /* any process */, 0, -1, PERF_FLAG_FD_CLOEXEC)));
}

/// An array of the programs, as this process sees it.
template <typename Element>
class MappedArray final {
 public:
  MappedArray() = default;
  MappedArray(bpf_map* map, std::uint32_t count) {
    static_assert(sizeof(Element) % 8 == 0);
    void* at = ::mmap(nullptr, count * sizeof(Element), PROT_READ, MAP_SHARED, bpf_map__fd(map), 0);
    if (at == MAP_FAILED) throw refusal("map the tracer's memory", errno);
    elements_ = {static_cast<const Element*>(at), count};
  }
  MappedArray(MappedArray&& other) noexcept : elements_(std::exchange(other.elements_, {})) {}
  MappedArray& operator=(MappedArray&& other) noexcept {
    std::swap(elements_, other.elements_);
    return *this;
  }
  ~MappedArray() {
    if (!elements_.empty()) ::munmap(const_cast<Element*>(elements_.data()), elements_.size_bytes());
  }
  [[nodiscard]] std::span<const Element> elements() const noexcept { return elements_; }

 private:
  std::span<const Element> elements_;
};

}  // namespace

class ExitTracer::Programs final {
 public:
  Programs(Whose whose, const TracerRoom& room) {
    silence_libbpf();
    skeleton_.reset(exit_tracer_bpf__open());
    if (!skeleton_) throw refusal("open the tracer's programs", errno);
    configure(whose, room);
    find_events();
    if (const int error = exit_tracer_bpf__load(skeleton_.get()))
      throw refusal("load the tracer's programs", -error);
    threads_ = {skeleton_->maps.threads, room.threads};
    records_ = {skeleton_->maps.records, room.reasons};
    details_ = {skeleton_->maps.details, room.details};
    memory_ = TracedMemory(threads_.elements(), records_.elements(), details_.elements());
    attach();
  }

  void add(pid_t process) {
    const auto key = static_cast<std::uint32_t>(process);
    const std::uint8_t present = 1;
    if (bpf_map__update_elem(skeleton_->maps.processes, &key, sizeof(key), &present, sizeof(present),
                             BPF_ANY) != 0)
      throw refusal(fmt::format("trace process {}", process), errno);
  }

  void remove(pid_t process) noexcept {
    const auto key = static_cast<std::uint32_t>(process);
    bpf_map__delete_elem(skeleton_->maps.processes, &key, sizeof(key), 0);
  }

  [[nodiscard]] const TracedMemory& memory() const noexcept { return memory_; }
  [[nodiscard]] UsedRecords used() const noexcept {
    return {read_shared(skeleton_->bss->threads_used), read_shared(skeleton_->bss->records_used),
            read_shared(skeleton_->bss->details_used)};
  }
  [[nodiscard]] std::uint64_t events_without_thread() const noexcept {
    return read_shared(skeleton_->bss->events_without_thread);
  }
  [[nodiscard]] std::uint64_t missed_events() const noexcept {
    std::uint64_t missed = 0;
    bpf_program* program = nullptr;
    bpf_object__for_each_program(program, skeleton_->obj) {
      bpf_prog_info info{};
      std::uint32_t size = sizeof(info);
      if (bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &size) == 0)
        missed += info.recursion_misses;
    }
    return missed;
  }
  [[nodiscard]] const std::vector<std::string>& absent_events() const noexcept { return absent_; }

 private:
  struct Destroy {
    void operator()(Skeleton* skeleton) const noexcept { exit_tracer_bpf__destroy(skeleton); }
  };

  void configure(Whose whose, const TracerRoom& room) {
    Settings& settings = *skeleton_->rodata;
    settings.every_process = whose == Whose::every_process ? 1 : 0;
    settings.max_threads = room.threads;
    settings.max_records = room.reasons;
    settings.max_details = room.details;
    set_namespace(settings);
    const auto& maps = skeleton_->maps;
    // The index of threads also holds those of threads that have ended.
    for (const auto& [map, entries] :
         {std::pair(maps.threads, room.threads), std::pair(maps.thread_index, room.threads),
          std::pair(maps.records, room.reasons), std::pair(maps.details, room.details),
          std::pair(maps.detail_index, room.details)}) {
      if (const int error = bpf_map__set_max_entries(map, entries))
        throw refusal("size the tracer's memory", -error);
    }
  }

  void find_events() {
    const TraceFs files;
    for (std::size_t i = 0; i < classic_events.size(); ++i) {
      const WantedEvent& wanted = classic_events[i];
      std::string lacking;
      try {
        const EventFormat format = files.kvm_event(wanted.name);
        if (place_fields(wanted, format, *skeleton_->rodata, lacking)) {
          ids_[i] = format.id;
          continue;
        }
      } catch (const TracingUnavailable&) {
        if (wanted.required) throw;
      }
      if (wanted.required) {
        throw TracingUnavailable(fmt::format(
            "this kernel's event kvm:{} has no field {} of 4 or 8 bytes, without which exits have no reasons",
            wanted.name, lacking));
      }
      absent_.emplace_back(wanted.name);
      bpf_program__set_autoload(skeleton_->progs.*wanted.program, false);
    }
  }

  void attach() {
    for (const RawEvent& event : raw_events) attach(event);
    for (std::size_t i = 0; i < classic_events.size(); ++i) {
      if (!ids_[i]) continue;
      const WantedEvent& wanted = classic_events[i];
      UniqueFd event = open_tracepoint(*ids_[i]);
      if (!event) throw refusal(fmt::format("open the event kvm:{}", wanted.name), errno);
      bpf_link* link = bpf_program__attach_perf_event(skeleton_->progs.*wanted.program, event.get());
      if (link == nullptr) throw refusal(fmt::format("attach to the event kvm:{}", wanted.name), errno);
      (void)event.release();  // the link's from now on
      skeleton_->links.*wanted.link = link;
    }
  }

  void attach(const RawEvent& event) {
    bpf_link* link = bpf_program__attach_raw_tracepoint(skeleton_->progs.*event.program, event.name);
    if (link == nullptr && event.required)
      throw refusal(fmt::format("attach to the event kvm:{}", event.name), errno);
    if (link == nullptr) absent_.emplace_back(event.name);
    skeleton_->links.*event.link = link;
  }

  std::unique_ptr<Skeleton, Destroy> skeleton_;
  std::array<std::optional<std::uint64_t>, classic_events.size()> ids_;  ///< of the events that are there
  std::vector<std::string> absent_;
  MappedArray<trace_thread> threads_;
  MappedArray<trace_record> records_;
  MappedArray<trace_detail> details_;
  TracedMemory memory_{{}, {}, {}};
};

ExitTracer::ExitTracer(Whose whose, const TracerRoom& room)
    : programs_(std::make_unique<Programs>(whose, room)) {}

ExitTracer::~ExitTracer() = default;

void ExitTracer::add(pid_t process) {
  programs_->add(process);
}
void ExitTracer::remove(pid_t process) noexcept {
  programs_->remove(process);
}
const TracedMemory& ExitTracer::memory() const noexcept {
  return programs_->memory();
}
UsedRecords ExitTracer::used() const noexcept {
  return programs_->used();
}
std::uint64_t ExitTracer::events_without_thread() const noexcept {
  return programs_->events_without_thread();
}
std::uint64_t ExitTracer::missed_events() const noexcept {
  return programs_->missed_events();
}
const std::vector<std::string>& ExitTracer::absent_events() const noexcept {
  return programs_->absent_events();
}

}  // namespace kvmbench::trace
