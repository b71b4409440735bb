/// Sections are of the OpenMetrics specification, version 1.0.0.
#include "report/openmetrics.hpp"

#include <fmt/format.h>

#include <cmath>
#include <map>
#include <set>
#include <tuple>
#include <vector>

#include "report/openmetrics_text.hpp"
#include "report/rows.hpp"
#include "report/units.hpp"
#include "stats/exit_reason.hpp"
#include "stats/hardware_reasons.hpp"

namespace kvmbench::report {
namespace {

/// Upper bounds of the histograms, in seconds: 2^(n/2).
constexpr int lowest_bound = -48, highest_bound = 6;

double bound(int half_power) {
  return std::exp2(half_power / 2.0);
}

/// A number as a label has it: with a point where it is whole (2.5, Histogram; 3.2.1, Canonical Numbers).
std::string canonical(double number) {
  const std::string digits = fmt::format("{}", number);
  return digits.find_first_of(".e") == std::string::npos ? digits + ".0" : digits;
}

class OpenMetrics final {
 public:
  explicit OpenMetrics(const Report& report)
      : report_(report), clock_(report.snapshot.tsc_khz), image_(label_value(image())) {}

  std::string render() {
    info();
    exits();
    kernel_exits();
    kernel_counters();
    operations();
    traced_exits();
    traced_returns();
    out_of_guest_time();
    if (clock_.known()) {
      run_time();
      service_time();
    }
    out_ += "# EOF\n";
    return std::move(out_);
  }

 private:
  [[nodiscard]] std::string image() const {
    for (const auto& [name, fact] : report_.machine) {
      if (name == "image") return fact;
    }
    return "";
  }

  void family(const char* name, const char* type, const char* unit, const char* help) {
    out_ += report::family(name, type, unit, help);
  }

  [[nodiscard]] static std::string labels(std::uint32_t vcpu, std::uint32_t reason) {
    return fmt::format("vcpu=\"{}\",reason=\"{}\"", vcpu, label_value(stats::userspace_reason_name(reason)));
  }

  void info() {
    family("kvmbench_vm", "info", "", "The virtual machine.");
    out_ += fmt::format("kvmbench_vm_info{{image=\"{}\",version=\"{}\",tsc_khz=\"{}\"}} 1\n", image_,
                        label_value(report_.kvmbench_version), report_.snapshot.tsc_khz);
  }

  void exits() {
    family("kvmbench_exits", "counter", "", "Returns of KVM_RUN.");
    using Place = std::tuple<std::uint32_t, std::string, std::string>;  // vCPU, reason, device
    std::map<Place, std::uint64_t> counts;
    for (const stats::VcpuSnapshot& vcpu : report_.snapshot.vcpus) {
      for (const stats::KeyStats& key : vcpu.keys) {
        counts[{vcpu.vcpu, stats::userspace_reason_name(key.key.reason), device_of(report_, key.key)}] +=
            key.count;
      }
    }
    for (const auto& [place, count] : counts) {
      const auto& [vcpu, reason, device] = place;
      out_ += fmt::format("kvmbench_exits_total{{vcpu=\"{}\",reason=\"{}\",device=\"{}\"}} {}\n", vcpu,
                          label_value(reason), label_value(device), count);
    }
  }

  void kernel_exits() {
    if (!report_.snapshot.kernel_exits()) return;
    family("kvmbench_hardware_exits", "counter", "",
           "Hardware exits by KVM's own count, those it served itself included.");
    for (const stats::VcpuSnapshot& vcpu : report_.snapshot.vcpus) {
      out_ += fmt::format("kvmbench_hardware_exits_total{{vcpu=\"{}\"}} {}\n", vcpu.vcpu,
                          vcpu.kernel_exits.value_or(0));
    }
  }

  /// By KVM's own names, in the units that the exponent gives.
  void kernel_counters() {
    bool first = true;
    for (const stats::VcpuSnapshot& vcpu : report_.snapshot.vcpus) {
      std::set<std::string> named;
      for (const stats::KernelCounter& counter : vcpu.counters) {
        if (counter.is_histogram() || counter.values.size() != 1) continue;
        if (!named.insert(counter.name).second) continue;  // of one name, another kernel's in a merged report
        if (first) family("kvmbench_kvm_counter", "unknown", "", "KVM's own counters, by its names.");
        first = false;
        out_ += fmt::format("kvmbench_kvm_counter{{vcpu=\"{}\",counter=\"{}\"}} {}\n", vcpu.vcpu,
                            label_value(counter.name), counter.values.front());
      }
    }
  }

  /// Of each vCPU that a tracer saw, the hardware's reasons.
  template <typename Use>
  void for_each_hardware_reason(const Use& use) const {
    for (const stats::VcpuSnapshot& vcpu : report_.snapshot.vcpus) {
      if (!vcpu.traced) continue;
      for (const stats::HardwareReasonStats& reason : vcpu.traced->reasons) {
        use(fmt::format("vcpu=\"{}\",reason=\"{}\"", vcpu.vcpu,
                        label_value(stats::hardware_reason_name(vcpu.traced->vendor, reason.reason))),
            reason);
      }
    }
  }

  void traced_exits() {
    if (!report_.snapshot.traced()) return;
    family("kvmbench_traced_exits", "counter", "", "Hardware exits that the tracer saw.");
    for_each_hardware_reason([this](const std::string& labels, const stats::HardwareReasonStats& reason) {
      out_ += fmt::format("kvmbench_traced_exits_total{{{}}} {}\n", labels, reason.count);
    });
  }

  void traced_returns() {
    if (!report_.snapshot.traced()) return;
    family("kvmbench_traced_exits_to_userspace", "counter", "",
           "Hardware exits that the tracer saw and after which KVM_RUN returned.");
    for_each_hardware_reason([this](const std::string& labels, const stats::HardwareReasonStats& reason) {
      out_ += fmt::format("kvmbench_traced_exits_to_userspace_total{{{}}} {}\n", labels, reason.returned);
    });
  }

  /// Of a tracer's times, which are nanoseconds.
  void out_of_guest_time() {
    if (!report_.snapshot.traced()) return;
    constexpr std::uint64_t khz = 1'000'000;
    family("kvmbench_out_of_guest_seconds", "histogram", "seconds",
           "Time from hardware exits to the next entry of the vCPU.");
    for_each_hardware_reason([this](const std::string& labels, const stats::HardwareReasonStats& reason) {
      histogram("kvmbench_out_of_guest_seconds", labels, reason.out_of_guest, Clock(khz));
    });
  }

  /// What devices have done: requests, bytes, packets.
  void operations() {
    if (report_.snapshot.operations.empty()) return;
    family("kvmbench_operations", "counter", "", "What devices have done, by their own count.");
    for (const stats::DeviceOperations& device : report_.snapshot.operations) {
      for (const stats::OperationCount& operation : device.counts) {
        out_ += fmt::format("kvmbench_operations_total{{device=\"{}\",operation=\"{}\"}} {}\n",
                            label_value(device.device), label_value(operation.name), operation.count);
      }
    }
  }

  /// Of each vCPU, sums by reason.
  template <typename Use>
  void for_each_reason(const Use& use) const {
    for (const stats::VcpuSnapshot& vcpu : report_.snapshot.vcpus) {
      for (const stats::ReasonStats& reason : stats::by_reason(vcpu.keys)) use(vcpu.vcpu, reason);
    }
  }

  void run_time() {
    family("kvmbench_run_seconds", "counter", "seconds", "Time in KVM_RUN, the guest's and the kernel's.");
    for_each_reason([this](std::uint32_t vcpu, const stats::ReasonStats& reason) {
      out_ += fmt::format("kvmbench_run_seconds_total{{{}}} {}\n", labels(vcpu, reason.reason),
                          clock_.seconds(static_cast<double>(reason.run.sum)));
    });
  }

  void service_time() {
    family("kvmbench_service_seconds", "histogram", "seconds",
           "Time from a return of KVM_RUN to the next KVM_RUN.");
    for_each_reason([this](std::uint32_t vcpu, const stats::ReasonStats& reason) {
      histogram("kvmbench_service_seconds", labels(vcpu, reason.reason), reason.service, clock_);
    });
  }

  /// Buckets are cumulative, in ascending order, and the last is +Inf (2.5, Histogram).
  void histogram(const char* name, const std::string& labels, const stats::TimeStats& times,
                 const Clock& clock) {
    std::size_t bucket = 0;
    std::uint64_t cumulative = 0;
    for (int power = lowest_bound; power <= highest_bound; ++power) {
      for (; bucket < stats::buckets::count &&
             clock.seconds(static_cast<double>(stats::buckets::middle(bucket))) <= bound(power);
           ++bucket) {
        cumulative += times.histogram.in_bucket(bucket);
      }
      out_ +=
          fmt::format("{}_bucket{{{},le=\"{}\"}} {}\n", name, labels, canonical(bound(power)), cumulative);
    }
    out_ += fmt::format("{}_bucket{{{},le=\"+Inf\"}} {}\n", name, labels, times.count());
    out_ += fmt::format("{}_count{{{}}} {}\n", name, labels, times.count());
    out_ += fmt::format("{}_sum{{{}}} {}\n", name, labels, clock.seconds(static_cast<double>(times.sum)));
  }

  const Report& report_;
  const Clock clock_;
  const std::string image_;
  std::string out_;
};

}  // namespace

std::string to_openmetrics(const Report& report) {
  return OpenMetrics(report).render();
}

}  // namespace kvmbench::report
