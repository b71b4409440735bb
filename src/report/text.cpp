/// The report for a terminal.
#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "report/formats.hpp"
#include "report/kernel_view.hpp"
#include "report/memory_view.hpp"
#include "report/printable.hpp"
#include "report/rows.hpp"
#include "report/text_page.hpp"
#include "report/text_sections.hpp"
#include "report/text_table.hpp"
#include "report/units.hpp"
#include "stats/exit_reason.hpp"

namespace kvmbench::report {
namespace {

using Align = TextColumn::Align;

class TextReport final {
 public:
  TextReport(const Report& report, const RenderOptions& options)
      : report_(report), options_(options), page_(options, Clock(report.snapshot.tsc_khz)) {}

  std::string render() {
    header();
    const Account whole = account_of(report_.snapshot);
    if (options_.split_phases) split_phases();
    if (whole.total.count == 0) {
      if (!report_.snapshot.traced()) {
        page_.heading("Exits");
        page_.paragraph("No exits were recorded.");
        page_.paragraph(kernel_exits_in_words(report_.snapshot));
      }
      operations_section(page_, report_);
      kernel();
      return page_.take();
    }
    const std::string of_the_run = options_.split_phases ? ", whole run" : "";
    page_.heading("Exits by reason" + of_the_run);
    reasons(whole);
    page_.paragraph(agreement(report_.snapshot, whole.total.count));
    page_.paragraph(kernel_exits_in_words(report_.snapshot));
    page_.paragraph(
        "Service time: from the return of KVM_RUN to the next KVM_RUN, spent in kvmbench; mean, p50, p99, "
        "p99.9 and "
        "max are of service time. Run: time in KVM_RUN before the exit, the guest's and the kernel's.");
    page_.empty_line();
    for (const std::string& sentence : advice(report_, whole)) page_.paragraph(sentence);
    page_.heading("Exits by key" + of_the_run);
    keys(whole);
    vcpus();
    phases();
    operations_section(page_, report_);
    kernel();
    sites_section(page_, report_);
    return page_.take();
  }

 private:
  void kernel() {
    for (const PlainTable& table : kernel_tables(report_)) add_text(page_, table);
    for (const PlainTable& table : memory_tables(report_)) add_text(page_, table);
  }

  void header() {
    page_.paragraph(fmt::format("kvmbench {}, run of {}", report_.kvmbench_version, report_.started));
    page_.paragraph(ending_of(report_));
    page_.facts("Machine", report_.machine);
    page_.facts("Host", host_of(report_));
  }

  void reasons(const Account& account) {
    TextTable table({{.title = "reason", .align = Align::left, .widest = 24},
                     {.title = "what it is", .align = Align::left, .takes_rest = true},
                     {.title = "count"},
                     {.title = "count %", .dropped = 8},
                     {.title = "service", .dropped = 1},
                     {.title = "time %", .dropped = 2},
                     {.title = "mean", .dropped = 3},
                     {.title = "p50", .dropped = 7},
                     {.title = "p99", .dropped = 5},
                     {.title = "p99.9", .dropped = 9},
                     {.title = "max", .dropped = 4},
                     {.title = "run", .dropped = 6}});
    const auto row = [&](const std::string& name, const std::string& what, const stats::ReasonStats& reason) {
      const stats::TimeStats& service = reason.service;
      return std::vector<std::string>{name,
                                      what,
                                      grouped(reason.count),
                                      per_cent(reason.count, account.total.count),
                                      page_.time(service.sum),
                                      per_cent(service.sum, account.total.service.sum),
                                      page_.time(service.mean()),
                                      page_.time(service.quantile(0.5)),
                                      page_.time(service.quantile(0.99)),
                                      page_.time(service.quantile(0.999)),
                                      page_.time(service.max),
                                      page_.time(reason.run.sum)};
    };
    for (const stats::ReasonStats& reason : account.reasons) {
      table.add(row(stats::userspace_reason_name(reason.reason), description_of(reason.reason), reason));
    }
    table.set_total(row("total", "", account.total));
    page_.table(table);
  }

  void keys(const Account& account) {
    constexpr std::ptrdiff_t transfers_column = 6;
    const bool transfers = account.total.transfers != account.total.count;
    std::vector<TextColumn> columns{{.title = "key", .align = Align::left},
                                    {.title = "device", .align = Align::left, .dropped = 2, .widest = 16},
                                    {.title = "register", .align = Align::left, .dropped = 3, .widest = 20},
                                    {.title = "dir", .align = Align::left, .dropped = 4},
                                    {.title = "width", .dropped = 9},
                                    {.title = "count"},
                                    {.title = "transfers", .dropped = 6},
                                    {.title = "service", .dropped = 1},
                                    {.title = "mean", .dropped = 5},
                                    {.title = "p50", .dropped = 10},
                                    {.title = "p99", .dropped = 7},
                                    {.title = "max", .dropped = 8},
                                    {.title = "run mean", .dropped = 11}};
    if (!transfers) columns.erase(columns.begin() + transfers_column);
    TextTable table(std::move(columns));
    const auto row = [&](const std::string& place, const std::string& device,
                         const std::string& register_name, const stats::ExitKey& key, const auto& sums) {
      const stats::TimeStats& service = sums.service;
      std::vector<std::string> cells{place,
                                     device,
                                     register_name,
                                     direction_of(key),
                                     width_of(key),
                                     grouped(sums.count),
                                     grouped(sums.transfers),
                                     page_.time(service.sum),
                                     page_.time(service.mean()),
                                     page_.time(service.quantile(0.5)),
                                     page_.time(service.quantile(0.99)),
                                     page_.time(service.max),
                                     page_.time(sums.run.mean())};
      if (!transfers) cells.erase(cells.begin() + transfers_column);
      return cells;
    };
    for (const stats::KeyStats& key : account.keys) {
      table.add(row(place_of(key.key), printable(device_of(report_, key.key)),
                    printable(report_.name_of(key.key).register_name), key.key, key));
    }
    table.set_total(row("total", "", "", {}, account.total));
    page_.table(table);
  }

  void vcpus() {
    if (report_.snapshot.vcpus.size() < 2) return;
    page_.heading("Exits by vCPU");
    const std::optional<std::uint64_t> kernel_exits = report_.snapshot.kernel_exits();
    std::vector<TextColumn> columns{
        {.title = "vCPU", .align = Align::left}, {.title = "count"}, {.title = "service"}, {.title = "run"}};
    if (kernel_exits) columns.push_back({.title = "hardware exits", .dropped = 1});
    TextTable table(std::move(columns));
    const auto row = [&](const std::string& name, const Sums& sums, std::optional<std::uint64_t> hardware) {
      std::vector<std::string> cells{name, grouped(sums.count), page_.time(sums.service),
                                     page_.time(sums.run)};
      if (hardware) cells.push_back(grouped(*hardware));
      return cells;
    };
    Sums total;
    for (const stats::VcpuSnapshot& vcpu : report_.snapshot.vcpus) {
      const Sums sums = sums_of(vcpu);
      table.add(row(std::to_string(vcpu.vcpu), sums, kernel_exits ? vcpu.kernel_exits : std::nullopt));
      total += sums;
    }
    table.set_total(row("total", total, kernel_exits));
    page_.table(table);
  }

  void phases() {
    const stats::Snapshot& snapshot = report_.snapshot;
    if (snapshot.phases.size() < 2) return;
    page_.heading("Phases");
    TextTable table({{.title = "phase", .align = Align::left, .widest = std::max(page_.width() / 3, 16u)},
                     {.title = "began", .dropped = 3},
                     {.title = "count"},
                     {.title = "service", .dropped = 1},
                     {.title = "run", .dropped = 4},
                     {.title = "vCPU time %", .dropped = 2}});
    const std::vector<Sums> sums = sums_by_phase(snapshot);
    Sums total;
    for (const Sums& phase : sums) total += phase;
    for (std::size_t i = 0; i < sums.size(); ++i) {
      const stats::Cycles began = snapshot.phases[i].first_began;
      table.add({printable(snapshot.phases[i].label.name()),
                 page_.time(began - std::min(began, snapshot.began)), grouped(sums[i].count),
                 page_.time(sums[i].service), page_.time(sums[i].run),
                 per_cent(sums[i].service + sums[i].run, total.service + total.run)});
    }
    table.set_total({"total", "", grouped(total.count), page_.time(total.service), page_.time(total.run),
                     per_cent(total.service + total.run, total.service + total.run)});
    page_.table(table);
  }

  void split_phases() {
    const stats::Snapshot& snapshot = report_.snapshot;
    const std::vector<Sums> sums = sums_by_phase(snapshot);
    for (std::size_t i = 0; i < sums.size(); ++i) {
      if (sums[i].count == 0) continue;
      const Account account = account_of(snapshot, i);
      const std::string name = snapshot.phases[i].label.name();
      page_.heading("Exits by reason, phase " + name);
      reasons(account);
      page_.heading("Exits by key, phase " + name);
      keys(account);
    }
  }

  const Report& report_;
  const RenderOptions& options_;
  TextPage page_;
};

}  // namespace

std::string to_text(const Report& report, const RenderOptions& options) {
  return TextReport(report, options).render();
}

}  // namespace kvmbench::report
