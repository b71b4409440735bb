/// A comparison for a terminal.
#include "report/compare_cells.hpp"
#include "report/printable.hpp"
#include "report/text_page.hpp"

namespace kvmbench::report {
namespace {

using Align = TextColumn::Align;

/// Sides beyond the second go first where the terminal is narrow.
constexpr unsigned least_important = 10;

class ComparisonText final {
 public:
  ComparisonText(const Comparison& comparison, const RenderOptions& options)
      : comparison_(comparison), cells_(comparison), page_(options, Clock(0)) {}

  std::string render() {
    Facts sides;
    for (std::size_t i = 0; i < comparison_.sides.size(); ++i)
      sides.emplace_back(letter_of(i), cells_.description(i));
    page_.facts("Compared", sides);
    differences("Hosts differ in", comparison_.host);
    differences("Machines differ in", comparison_.machine);
    page_.heading("Exits by reason" + cells_.divided());
    rows("reason", comparison_.reasons);
    for (const std::string& sentence : cells_.sentences()) page_.paragraph(sentence);
    hardware();
    page_.heading("Exits by key" + cells_.divided());
    rows("key", comparison_.keys);
    operations();
    return page_.take();
  }

 private:
  void differences(const std::string& title, const std::vector<FactDifference>& differences) {
    Facts facts;
    for (const FactDifference& fact : differences) {
      std::string values;
      for (std::size_t i = 0; i < fact.values.size(); ++i) {
        values += letter_of(i) + ": " + (fact.values[i].empty() ? "-" : fact.values[i]);
        if (i + 1 < fact.values.size()) values += "; ";
      }
      facts.emplace_back(fact.name, values);
    }
    page_.facts(title, facts);
  }

  [[nodiscard]] std::vector<TextColumn> columns(const std::string& name, const std::string& time) const {
    std::vector<TextColumn> columns{{.title = name, .align = Align::left}};
    const auto dropped = [](std::size_t side, unsigned otherwise) {
      return side < 2 ? otherwise : least_important + static_cast<unsigned>(side);
    };
    for (std::size_t i = 0; i < comparison_.sides.size(); ++i)
      columns.push_back({.title = letter_of(i) + " count", .dropped = dropped(i, 0)});
    if (cells_.has_ratios()) columns.push_back({.title = "B/A", .dropped = 1});
    for (std::size_t i = 0; i < comparison_.sides.size(); ++i)
      columns.push_back({.title = letter_of(i) + ' ' + time, .dropped = dropped(i, i == 0 ? 4 : 3)});
    if (cells_.has_ratios()) columns.push_back({.title = "B/A time", .dropped = 2});
    return columns;
  }

  [[nodiscard]] std::vector<std::string> row(const ComparedRow& compared) const {
    std::vector<std::string> cells{printable(compared.name)};
    for (std::size_t i = 0; i < compared.sides.size(); ++i)
      cells.push_back(cells_.count(i, compared.sides[i]));
    if (cells_.has_ratios()) cells.push_back(cells_.count_ratio(compared));
    for (std::size_t i = 0; i < compared.sides.size(); ++i)
      cells.push_back(aligned_time(cells_.service(i, compared.sides[i])));
    if (cells_.has_ratios()) cells.push_back(cells_.service_ratio(compared));
    return cells;
  }

  void rows(const std::string& name, const std::vector<ComparedRow>& compared) {
    TextTable table(columns(name, "service"));
    for (const ComparedRow& one : compared) table.add(row(one));
    table.set_total(row(comparison_.total));
    page_.table(table);
  }

  [[nodiscard]] std::vector<std::string> row(const ComparedHardwareRow& compared) const {
    std::vector<std::string> cells{printable(compared.name)};
    for (std::size_t i = 0; i < compared.sides.size(); ++i)
      cells.push_back(cells_.count(i, compared.sides[i]));
    if (cells_.has_ratios()) cells.push_back(cells_.count_ratio(compared));
    for (std::size_t i = 0; i < compared.sides.size(); ++i)
      cells.push_back(aligned_time(cells_.out_of_guest(i, compared.sides[i])));
    if (cells_.has_ratios()) cells.push_back(cells_.time_ratio(compared));
    return cells;
  }

  void hardware() {
    if (comparison_.hardware_reasons.empty()) return;
    page_.heading("Hardware exits by reason" + cells_.divided());
    TextTable table(columns("hardware reason", "out of guest"));
    for (const ComparedHardwareRow& one : comparison_.hardware_reasons) table.add(row(one));
    table.set_total(row(comparison_.hardware_total));
    page_.table(table);
  }

  void operations() {
    if (comparison_.operations.empty()) return;
    page_.heading("Operations of devices");
    std::vector<TextColumn> columns{{.title = "operation", .align = Align::left},
                                    {.title = "side", .align = Align::left},
                                    {.title = "devices", .align = Align::left, .dropped = 5, .widest = 24},
                                    {.title = "count"},
                                    {.title = "exits each", .dropped = 1},
                                    {.title = "service each", .dropped = 2}};
    if (cells_.has_hardware()) columns.push_back({.title = "out of guest each", .dropped = 3});
    columns.push_back({.title = "all exits each", .dropped = cells_.has_hardware() ? 6u : 3u});
    columns.push_back({.title = "hardware exits each", .dropped = cells_.has_hardware() ? 7u : 4u});
    TextTable table(columns);
    for (const ComparedOperation& operation : comparison_.operations) {
      for (std::size_t i = 0; i < operation.sides.size(); ++i) {
        const std::optional<ServiceSide>& side = operation.sides[i];
        const ComparisonCells::Each each = cells_.each(i, side);
        std::vector<std::string> cells{printable(operation.service + ' ' + operation.operation),
                                       letter_of(i),
                                       printable(cells_.devices(side)),
                                       side ? grouped(side->count) : "-",
                                       each.exits,
                                       aligned_time(each.service)};
        if (cells_.has_hardware()) cells.push_back(aligned_time(each.out_of_guest));
        cells.push_back(each.all_exits);
        cells.push_back(each.hardware_exits);
        table.add(cells);
      }
    }
    page_.table(table);
    page_.paragraph(
        "Exits and service time each: those at the registers of the service's devices, by the operation's "
        "count. All exits and hardware exits: those of the whole run, whatever they were for.");
    if (cells_.has_hardware()) {
      page_.paragraph(
          "Out of guest each: from the hardware's exits at those registers to the next entries; those that "
          "KVM "
          "served itself, such as a doorbell by an ioeventfd, are among them.");
    }
  }

  const Comparison& comparison_;
  const ComparisonCells cells_;
  TextPage page_;
};

}  // namespace

std::string to_text(const Comparison& comparison, const RenderOptions& options) {
  return ComparisonText(comparison, options).render();
}

}  // namespace kvmbench::report
