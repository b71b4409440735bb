/// The report as Markdown tables (GitHub Flavored Markdown), to be pasted into an issue or a paper.
#include <fmt/format.h>

#include <vector>

#include "report/formats.hpp"
#include "report/kernel_view.hpp"
#include "report/markdown_page.hpp"
#include "report/memory_view.hpp"
#include "report/operations.hpp"
#include "report/rows.hpp"
#include "report/sites.hpp"
#include "report/units.hpp"
#include "stats/exit_reason.hpp"

namespace kvmbench::report {
namespace {

using Column = MarkdownColumn;
using Align = Column::Align;

class MarkdownReport final {
 public:
  explicit MarkdownReport(const Report& report) : report_(report), clock_(report.snapshot.tsc_khz) {}

  std::string render(bool split_phases) {
    header();
    const Account whole = account_of(report_.snapshot);
    const std::string kernel_exits = kernel_exits_in_words(report_.snapshot);
    if (whole.total.count == 0) {
      if (!report_.snapshot.traced()) out_ += "\nNo exits were recorded. " + escaped(kernel_exits) + '\n';
      operations();
      kernel();
      return std::move(out_);
    }
    if (split_phases) {
      phases();
      for (std::size_t i = 0; i < report_.snapshot.phases.size(); ++i) {
        const Account account = account_of(report_.snapshot, i);
        if (account.total.count == 0) continue;
        tables(account, ", phase " + code(report_.snapshot.phases[i].label.name()));
      }
    }
    tables(whole, split_phases ? ", whole run" : "");
    out_ += '\n' + agreement(report_.snapshot, whole.total.count) + ' ' + escaped(kernel_exits) +
            " Service time: from the return of `KVM_RUN` to the next `KVM_RUN`. Run: time in `KVM_RUN` "
            "before the "
            "exit.\n\n";
    for (const std::string& sentence : advice(report_, whole)) out_ += escaped(sentence) + '\n';
    operations();
    kernel();
    sites();
    return std::move(out_);
  }

 private:
  void row(const std::vector<std::string>& cells) { out_ += markdown_row(cells); }
  void titles(const std::vector<Column>& columns) { out_ += markdown_titles(columns); }

  void header() {
    out_ = fmt::format("kvmbench {}, run of {}: {}\n", escaped(report_.kvmbench_version),
                       escaped(report_.started), escaped(ending_of(report_)));
    titles({{"fact", Align::left}, {"value", Align::left}});
    for (const Facts& facts : {report_.machine, host_of(report_)}) {
      for (const auto& [name, value] : facts) row({escaped(name), code_cell(value)});
    }
  }

  void tables(const Account& account, const std::string& of_what) {
    const stats::ReasonStats& total = account.total;
    out_ += fmt::format("\n### Exits by reason{}\n", of_what);
    titles({{"reason", Align::left},
            {"what it is", Align::left},
            {"count"},
            {"count %"},
            {"service"},
            {"time %"},
            {"mean"},
            {"p99"},
            {"run"}});
    for (const stats::ReasonStats& reason : account.reasons) {
      row({code_cell(stats::userspace_reason_name(reason.reason)), escaped(description_of(reason.reason)),
           grouped(reason.count), per_cent(reason.count, total.count), clock_.show(reason.service.sum),
           per_cent(reason.service.sum, total.service.sum), clock_.show(reason.service.mean()),
           clock_.show(reason.service.quantile(0.99)), clock_.show(reason.run.sum)});
    }
    row({bold("total"), "", bold(grouped(total.count)), per_cent(total.count, total.count),
         bold(clock_.show(total.service.sum)), per_cent(total.service.sum, total.service.sum),
         clock_.show(total.service.mean()), clock_.show(total.service.quantile(0.99)),
         clock_.show(total.run.sum)});

    out_ += fmt::format("\n### Exits by key{}\n", of_what);
    titles({{"key", Align::left},
            {"device", Align::left},
            {"register", Align::left},
            {"direction", Align::left},
            {"width"},
            {"count"},
            {"transfers"},
            {"service"},
            {"mean"},
            {"p99"},
            {"run mean"}});
    for (const stats::KeyStats& key : account.keys) {
      row({code_cell(place_of(key.key)), escaped(device_of(report_, key.key)),
           escaped(report_.name_of(key.key).register_name), direction_of(key.key), width_of(key.key),
           grouped(key.count), grouped(key.transfers), clock_.show(key.service.sum),
           clock_.show(key.service.mean()), clock_.show(key.service.quantile(0.99)),
           clock_.show(key.run.mean())});
    }
    row({bold("total"), "", "", "", "", bold(grouped(total.count)), bold(grouped(total.transfers)),
         bold(clock_.show(total.service.sum)), clock_.show(total.service.mean()),
         clock_.show(total.service.quantile(0.99)), clock_.show(total.run.mean())});
  }

  void phases() {
    const std::vector<Sums> sums = sums_by_phase(report_.snapshot);
    stats::Cycles total = 0;
    for (const Sums& phase : sums) total += phase.service + phase.run;
    out_ += "\n### Phases\n";
    titles({{"phase", Align::left}, {"count"}, {"service"}, {"run"}, {"vCPU time %"}});
    for (std::size_t i = 0; i < sums.size(); ++i) {
      row({code_cell(report_.snapshot.phases[i].label.name()), grouped(sums[i].count),
           clock_.show(sums[i].service), clock_.show(sums[i].run),
           per_cent(sums[i].service + sums[i].run, total)});
    }
  }

  void kernel() {
    for (const PlainTable& table : kernel_tables(report_)) out_ += markdown(table);
    for (const PlainTable& table : memory_tables(report_)) out_ += markdown(table);
  }

  void sites() {
    constexpr std::size_t most_of_a_key = 3;
    const std::vector<SiteRow> rows = top_sites(report_, most_of_a_key);
    if (rows.empty()) return;
    out_ += "\n### Where exits came from\n";
    titles({{"key", Align::left}, {"instruction", Align::left}, {"count"}, {"% of key"}, {"service"}});
    for (const SiteRow& site : rows) {
      row({code_cell(site.key), code_cell(site.place), grouped(site.count), per_cent(site.count, site.of_key),
           clock_.show(site.service)});
    }
  }

  void operations() {
    const std::vector<OperationRow> rows = operation_rows(report_);
    if (rows.empty()) return;
    out_ += "\n### Operations of devices\n";
    titles({{"device", Align::left},
            {"operation", Align::left},
            {"count"},
            {"exits"},
            {"exits each"},
            {"service each"}});
    for (const OperationRow& each : rows) {
      row({escaped(each.device), escaped(each.operation), grouped(each.count), grouped(each.exits.count),
           ratio(each.exits_each()), each.service_each() ? clock_.show(*each.service_each()) : "-"});
    }
  }

  const Report& report_;
  const Clock clock_;
  std::string out_;
};

}  // namespace

std::string to_markdown(const Report& report, bool split_phases) {
  return MarkdownReport(report).render(split_phases);
}

}  // namespace kvmbench::report
