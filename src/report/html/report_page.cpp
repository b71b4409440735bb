/// The page of one report.
#include <fmt/format.h>

#include <set>

#include "report/hardware_charts.hpp"
#include "report/html/html.hpp"
#include "report/html/page.hpp"
#include "report/kernel_view.hpp"
#include "report/markup.hpp"
#include "report/memory_view.hpp"
#include "report/operations.hpp"
#include "report/report_charts.hpp"
#include "report/rows.hpp"
#include "report/sites.hpp"
#include "report/units.hpp"
#include "stats/exit_reason.hpp"

namespace kvmbench::report {
namespace {

constexpr double chart_width = 440;  // of a phone; the style lets them grow

class ReportPage final {
 public:
  ReportPage(const Report& report, const HtmlOptions& options)
      : report_(report),
        options_(options),
        clock_(report.snapshot.tsc_khz),
        whole_(account_of(report.snapshot)) {}

  std::string render() {
    header();
    if (whole_.total.count != 0) {
      reasons();
      phases();
      latency();
      if (options_.timeline != nullptr && !options_.timeline->intervals().empty()) over_time();
      keys();
      sites();
      vcpus();
    }
    operations();
    hardware();
    for (const PlainTable& table : kernel_tables(report_)) out_ += html(table);
    for (const PlainTable& table : memory_tables(report_)) out_ += html(table);
    facts();
    if (whole_.total.count != 0) descriptions();
    return page("kvmbench: " + image(), out_, options_.reload_seconds);
  }

 private:
  [[nodiscard]] std::string image() const {
    for (const std::string_view wanted : {"image", "name", "program"}) {
      for (const auto& [name, fact] : report_.machine) {
        if (name == wanted) return fact;
      }
    }
    return "report";
  }

  void header() {
    const stats::ReasonStats& total = whole_.total;
    out_ += fmt::format("<h1>Exits of {}</h1>\n", markup_escaped(image()));
    out_ += fmt::format("<p class=\"faint\">kvmbench {}, started {}: {}</p>\n",
                        markup_escaped(report_.kvmbench_version), markup_escaped(report_.started),
                        markup_escaped(ending_of(report_)));
    std::string content = "<div class=\"tiles\">\n";
    const auto tile = [&content](const std::string& value, const char* what) {
      content += fmt::format("<div class=\"tile\"><b>{}</b><span>{}</span></div>\n", value, what);
    };
    tile(grouped(report_.snapshot.exits()), "returns of KVM_RUN");
    if (const auto kernel = report_.snapshot.kernel_exits())
      tile(grouped(*kernel), "hardware exits, by KVM's own count");
    tile(clock_.show(total.service.sum), "service time, in kvmbench");
    tile(clock_.show(total.run.sum), "run time, in guest and kernel");
    tile(fmt::to_string(report_.snapshot.vcpus.size()),
         report_.snapshot.vcpus.size() == 1 ? "vCPU" : "vCPUs");
    content += "</div>\n";
    if (total.count == 0 && !report_.snapshot.traced()) content += paragraph("No exits were recorded.");
    std::string words;
    for (const std::string& sentence : advice(report_, whole_)) words += sentence + ' ';
    if (!words.empty()) content += paragraph(words);
    if (total.count != 0) content += paragraph(agreement(report_.snapshot, total.count));
    content += paragraph(kernel_exits_in_words(report_.snapshot));
    out_ += section("summary", "Summary", content);
  }

  void reasons() {
    const std::string by_time = reasons_chart(report_, whole_, ReasonOrder::service, chart_width).element();
    const std::string by_count = reasons_chart(report_, whole_, ReasonOrder::count, chart_width).element();
    std::string content =
        "<div class=\"switch\">\n"
        "<input type=\"radio\" name=\"order\" id=\"by-time\" checked><label for=\"by-time\">time</label>\n"
        "<input type=\"radio\" name=\"order\" id=\"by-count\" class=\"to-second\">"
        "<label for=\"by-count\">count</label>\n<div class=\"first\">\n" +
        by_time + "</div>\n<div class=\"second\">\n" + by_count + "</div>\n</div>\n";
    HtmlTable table("reason-table", {"reason", "#count", "#count %", "#service", "#time %", "#min", "#mean",
                                     "#p50", "#p99", "#p99.9", "#max", "#run"});
    const auto row = [this](const std::string& name, const stats::ReasonStats& sums) {
      const stats::TimeStats& service = sums.service;
      const auto time = [this](stats::Cycles cycles) { return figure(clock_.show(cycles), cycles); };
      return std::vector<Cell>{{name, ""},
                               figure(grouped(sums.count), sums.count),
                               figure(per_cent(sums.count, whole_.total.count), sums.count),
                               time(service.sum),
                               figure(per_cent(service.sum, whole_.total.service.sum), service.sum),
                               time(service.min),
                               figure(clock_.show(service.mean()), service.mean()),
                               time(service.quantile(0.5)),
                               time(service.quantile(0.99)),
                               time(service.quantile(0.999)),
                               time(service.max),
                               time(sums.run.sum)};
    };
    for (const stats::ReasonStats& reason : whole_.reasons) {
      table.add(row(stats::userspace_reason_name(reason.reason), reason));
    }
    table.set_total(row("total", whole_.total));
    content += table.render();
    content += paragraph(
        "Service time: from the return of KVM_RUN to the next KVM_RUN, spent in kvmbench; min to max are of "
        "service time. Run: time in KVM_RUN before the exit, the guest's and the kernel's.");
    out_ += section("reasons", "Exits by reason", content);
  }

  void phases() {
    if (report_.snapshot.phases.size() < 2) return;
    HtmlTable table("phase-table", {"phase", "#exits", "#service", "#run"});
    const std::vector<Sums> sums = sums_by_phase(report_.snapshot);
    for (std::size_t i = 0; i < sums.size(); ++i) {
      table.add({{report_.snapshot.phases[i].label.name(), ""},
                 figure(grouped(sums[i].count), sums[i].count),
                 figure(clock_.show(sums[i].service), sums[i].service),
                 figure(clock_.show(sums[i].run), sums[i].run)});
    }
    out_ += section("phases", "Time by phase",
                    "<div class=\"charts\">\n" + phases_chart(report_, chart_width).element() + "</div>\n" +
                        table.render());
  }

  void latency() {
    std::string charts;
    for (Distribution& distribution : service_distributions(whole_)) {
      charts += histogram_chart("", {std::move(distribution)}, clock_, chart_width).element();
    }
    out_ += section("latency", "Latency",
                    paragraph("Of each reason, exits by their service time; bars that are higher hold more "
                              "exits. The axis of time is logarithmic.") +
                        "<div class=\"charts\">\n" + charts + "</div>\n");
  }

  /// Charts of what a tracer saw; its tables follow.
  void hardware() {
    const auto traced = report_.snapshot.traced();
    if (!traced || traced->reasons.empty()) return;
    std::string charts = hardware_reasons_chart(*traced, ReasonOrder::service, chart_width).element() +
                         hardware_reasons_chart(*traced, ReasonOrder::count, chart_width).element();
    for (Distribution& distribution : out_of_guest_distributions(*traced))
      charts += histogram_chart("", {std::move(distribution)}, Clock(tracer_khz), chart_width).element();
    out_ += section("hardware", "Hardware exits", "<div class=\"charts\">\n" + charts + "</div>\n");
  }

  void over_time() {
    out_ += section(
        "time", "Increase over time",
        "<div class=\"charts\">\n" + timeline_chart(*options_.timeline, chart_width).element() + "</div>\n");
  }

  void keys() {
    HtmlTable table("key-table", {"reason", "key", "device", "register", "direction", "#width", "#count",
                                  "#transfers", "#service", "#mean", "#p99", "#max", "#run mean"});
    for (const stats::KeyStats& key : whole_.keys) {
      table.add({{stats::userspace_reason_name(key.key.reason), ""},
                 {place_of(key.key), ""},
                 {device_of(report_, key.key), ""},
                 {report_.name_of(key.key).register_name, ""},
                 {direction_of(key.key), ""},
                 figure(width_of(key.key), std::uint64_t{key.key.width}),
                 figure(grouped(key.count), key.count),
                 figure(grouped(key.transfers), key.transfers),
                 figure(clock_.show(key.service.sum), key.service.sum),
                 figure(clock_.show(key.service.mean()), key.service.mean()),
                 figure(clock_.show(key.service.quantile(0.99)), key.service.quantile(0.99)),
                 figure(clock_.show(key.service.max), key.service.max),
                 figure(clock_.show(key.run.mean()), key.run.mean())});
    }
    out_ += section("keys", "The keys behind each reason", table.render());
  }

  void sites() {
    constexpr std::size_t most_of_a_key = 10;
    const std::vector<SiteRow> rows = top_sites(report_, most_of_a_key);
    if (rows.empty()) return;
    HtmlTable table("site-table", {"key", "instruction", "#count", "#% of key", "#service"});
    for (const SiteRow& row : rows) {
      table.add({{row.key, ""},
                 {row.place, ""},
                 figure(grouped(row.count), row.count),
                 figure(per_cent(row.count, row.of_key), row.count),
                 figure(clock_.show(row.service), row.service)});
    }
    out_ += section("sites", "Where exits came from", table.render());
  }

  void operations() {
    const std::vector<OperationRow> rows = operation_rows(report_);
    if (rows.empty()) return;
    HtmlTable table("operation-table",
                    {"device", "operation", "#count", "#exits", "#exits each", "#service each"});
    for (const OperationRow& row : rows) {
      const auto service = row.service_each();
      table.add({{row.device, ""},
                 {row.operation, ""},
                 figure(grouped(row.count), row.count),
                 figure(grouped(row.exits.count), row.exits.count),
                 figure(ratio(row.exits_each()), row.exits_each().value_or(-1)),
                 figure(service ? clock_.show(*service) : "-", service.value_or(-1))});
    }
    out_ += section("operations", "Operations of devices",
                    table.render() + paragraph("Exits and service time are those at the device's registers, "
                                               "for each of its operations alike."));
  }

  void vcpus() {
    if (report_.snapshot.vcpus.size() < 2) return;
    HtmlTable table("vcpu-table", {"#vCPU", "#exits", "#hardware exits", "#service", "#run"});
    for (const stats::VcpuSnapshot& vcpu : report_.snapshot.vcpus) {
      const Sums sums = sums_of(vcpu);
      const Cell kernel =
          vcpu.kernel_exits ? figure(grouped(*vcpu.kernel_exits), *vcpu.kernel_exits) : Cell{"unknown", ""};
      table.add({figure(fmt::to_string(vcpu.vcpu), std::uint64_t{vcpu.vcpu}),
                 figure(grouped(vcpu.exits), vcpu.exits), kernel,
                 figure(clock_.show(sums.service), sums.service), figure(clock_.show(sums.run), sums.run)});
    }
    out_ += section("vcpus", "vCPUs", table.render());
  }

  void facts() {
    out_ += section("machine", "Machine", facts_table("machine-facts", report_.machine));
    out_ += section("host", "Host", facts_table("host-facts", host_of(report_)));
  }

  void descriptions() {
    HtmlTable table("description-table",
                    {"reason", "#count", "what it is", "usual cause", "what lessens it"});
    for (const stats::ReasonStats& reason : whole_.reasons) {
      const stats::ReasonText* text = stats::userspace_reason(reason.reason);
      table.add(
          {{text != nullptr ? std::string(text->name) : stats::userspace_reason_name(reason.reason), ""},
           figure(grouped(reason.count), reason.count),
           {description_of(reason.reason), ""},
           {text != nullptr ? std::string(text->cause) : "", ""},
           {text != nullptr ? std::string(text->remedy) : "", ""}});
    }
    out_ += section("descriptions", "What the reasons are", table.render());
  }

  const Report& report_;
  const HtmlOptions& options_;
  const Clock clock_;
  const Account whole_;
  std::string out_;
};

}  // namespace

std::string to_html(const Report& report, const HtmlOptions& options) {
  return ReportPage(report, options).render();
}

}  // namespace kvmbench::report
