/// A comparison as Markdown tables.
#include <fmt/format.h>

#include "report/compare_cells.hpp"
#include "report/markdown_page.hpp"

namespace kvmbench::report {
namespace {

using Column = MarkdownColumn;
using Align = Column::Align;

class ComparisonMarkdown final {
 public:
  explicit ComparisonMarkdown(const Comparison& comparison) : comparison_(comparison), cells_(comparison) {}

  std::string render() {
    for (std::size_t i = 0; i < comparison_.sides.size(); ++i)
      out_ += fmt::format("- {}: {}\n", letter_of(i), escaped(cells_.description(i)));
    differences("Hosts differ in", comparison_.host);
    differences("Machines differ in", comparison_.machine);
    rows("reason", comparison_.reasons);
    out_ += '\n';
    for (const std::string& sentence : cells_.sentences()) out_ += escaped(sentence) + '\n';
    hardware();
    rows("key", comparison_.keys);
    operations();
    return std::move(out_);
  }

 private:
  void differences(const std::string& title, const std::vector<FactDifference>& differences) {
    if (differences.empty()) return;
    out_ += "\n### " + title + '\n';
    std::vector<Column> columns{{"fact", Align::left}};
    for (std::size_t i = 0; i < comparison_.sides.size(); ++i) columns.push_back({letter_of(i), Align::left});
    out_ += markdown_titles(columns);
    for (const FactDifference& fact : differences) {
      std::vector<std::string> cells{escaped(fact.name)};
      for (const std::string& value : fact.values) cells.push_back(code_cell(value));
      out_ += markdown_row(cells);
    }
  }

  [[nodiscard]] std::string row(const ComparedRow& compared) const {
    std::vector<std::string> cells{code_cell(compared.name)};
    for (std::size_t i = 0; i < compared.sides.size(); ++i)
      cells.push_back(cells_.count(i, compared.sides[i]));
    if (cells_.has_ratios()) cells.push_back(cells_.count_ratio(compared));
    for (std::size_t i = 0; i < compared.sides.size(); ++i)
      cells.push_back(cells_.service(i, compared.sides[i]));
    if (cells_.has_ratios()) cells.push_back(cells_.service_ratio(compared));
    return markdown_row(cells);
  }

  void titles(const std::string& name, const std::string& time) {
    std::vector<Column> columns{{name, Align::left}};
    const std::size_t sides = comparison_.sides.size();
    for (std::size_t i = 0; i < sides; ++i) columns.push_back({letter_of(i) + " count"});
    if (cells_.has_ratios()) columns.push_back({"B/A"});
    for (std::size_t i = 0; i < sides; ++i) columns.push_back({letter_of(i) + ' ' + time});
    if (cells_.has_ratios()) columns.push_back({"B/A time"});
    out_ += markdown_titles(columns);
  }

  void rows(const std::string& name, const std::vector<ComparedRow>& compared) {
    out_ += fmt::format("\n### Exits by {}{}\n", name, escaped(cells_.divided()));
    titles(name, "service");
    for (const ComparedRow& one : compared) out_ += row(one);
    out_ += row(comparison_.total);
  }

  [[nodiscard]] std::string row(const ComparedHardwareRow& compared) const {
    std::vector<std::string> cells{code_cell(compared.name)};
    for (std::size_t i = 0; i < compared.sides.size(); ++i)
      cells.push_back(cells_.count(i, compared.sides[i]));
    if (cells_.has_ratios()) cells.push_back(cells_.count_ratio(compared));
    for (std::size_t i = 0; i < compared.sides.size(); ++i)
      cells.push_back(cells_.out_of_guest(i, compared.sides[i]));
    if (cells_.has_ratios()) cells.push_back(cells_.time_ratio(compared));
    return markdown_row(cells);
  }

  void hardware() {
    if (comparison_.hardware_reasons.empty()) return;
    out_ += fmt::format("\n### Hardware exits by reason{}\n", escaped(cells_.divided()));
    titles("hardware reason", "out of guest");
    for (const ComparedHardwareRow& one : comparison_.hardware_reasons) out_ += row(one);
    out_ += row(comparison_.hardware_total);
  }

  void operations() {
    if (comparison_.operations.empty()) return;
    out_ += "\n### Operations of devices\n";
    out_ += markdown_titles({{"operation", Align::left},
                             {"side", Align::left},
                             {"devices", Align::left},
                             {"count"},
                             {"exits each"},
                             {"service each"},
                             {"out of guest each"},
                             {"all exits each"},
                             {"hardware exits each"}});
    for (const ComparedOperation& operation : comparison_.operations) {
      for (std::size_t i = 0; i < operation.sides.size(); ++i) {
        const std::optional<ServiceSide>& side = operation.sides[i];
        const ComparisonCells::Each each = cells_.each(i, side);
        out_ += markdown_row({escaped(operation.service + ' ' + operation.operation), letter_of(i),
                              escaped(cells_.devices(side)), side ? grouped(side->count) : "-", each.exits,
                              each.service, each.out_of_guest, each.all_exits, each.hardware_exits});
      }
    }
  }

  const Comparison& comparison_;
  const ComparisonCells cells_;
  std::string out_;
};

}  // namespace

std::string to_markdown(const Comparison& comparison) {
  return ComparisonMarkdown(comparison).render();
}

}  // namespace kvmbench::report
