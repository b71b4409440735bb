/// The page of a comparison.
#include <fmt/format.h>

#include "report/compare_cells.hpp"
#include "report/compare_charts.hpp"
#include "report/html/html.hpp"
#include "report/html/page.hpp"
#include "report/markup.hpp"

namespace kvmbench::report {
namespace {

constexpr double chart_width = 440;

class ComparisonPage final {
 public:
  explicit ComparisonPage(const Comparison& comparison) : comparison_(comparison), cells_(comparison) {}

  std::string render() {
    header();
    differences("host", "Hosts differ in", comparison_.host);
    differences("machine", "Machines differ in", comparison_.machine);
    rows("reasons", "reason", comparison_.reasons);
    rows("keys", "key", comparison_.keys);
    operations();
    std::string title = "kvmbench:";
    for (const Side& side : comparison_.sides) title += ' ' + side.label;
    return page(title, out_);
  }

 private:
  void header() {
    out_ += "<h1>Reports side by side</h1>\n";
    std::string content = "<ul>\n";
    for (std::size_t i = 0; i < comparison_.sides.size(); ++i) {
      content += fmt::format("<li>{}: {}</li>\n", letter_of(i), markup_escaped(cells_.description(i)));
    }
    content += "</ul>\n";
    for (const std::string& sentence : cells_.sentences()) content += paragraph(sentence);
    out_ += section("summary", "Summary", content);
  }

  void differences(std::string_view id, std::string_view heading,
                   const std::vector<FactDifference>& differences) {
    if (differences.empty()) return;
    std::vector<std::string> columns{"fact"};
    for (std::size_t i = 0; i < comparison_.sides.size(); ++i) columns.push_back(letter_of(i));
    HtmlTable table(fmt::format("{}-differences", id), columns);
    for (const FactDifference& fact : differences) {
      std::vector<Cell> cells{{fact.name, ""}};
      for (const std::string& value : fact.values) cells.push_back({value, ""});
      table.add(cells);
    }
    out_ += section(id, heading, table.render());
  }

  [[nodiscard]] std::vector<Cell> row(const ComparedRow& compared) const {
    std::vector<Cell> cells{{compared.name, ""}};
    const auto exact = [](const std::optional<Sums>& sums, auto member) {
      return sums ? fmt::to_string((*sums).*member) : std::string();
    };
    for (std::size_t i = 0; i < compared.sides.size(); ++i)
      cells.push_back({cells_.count(i, compared.sides[i]), exact(compared.sides[i], &Sums::count)});
    if (cells_.has_ratios()) cells.push_back({cells_.count_ratio(compared), ""});
    for (std::size_t i = 0; i < compared.sides.size(); ++i)
      cells.push_back({cells_.service(i, compared.sides[i]), exact(compared.sides[i], &Sums::service)});
    if (cells_.has_ratios()) cells.push_back({cells_.service_ratio(compared), ""});
    return cells;
  }

  void rows(const std::string& id, const std::string& name, const std::vector<ComparedRow>& compared) {
    std::vector<std::string> columns{name};
    const std::size_t sides = comparison_.sides.size();
    for (std::size_t i = 0; i < sides; ++i) columns.push_back('#' + letter_of(i) + " count");
    if (cells_.has_ratios()) columns.emplace_back("#B/A");
    for (std::size_t i = 0; i < sides; ++i) columns.push_back('#' + letter_of(i) + " service");
    if (cells_.has_ratios()) columns.emplace_back("#B/A time");
    HtmlTable table(name + "-table", columns);
    for (const ComparedRow& one : compared) table.add(row(one));
    table.set_total(row(comparison_.total));
    std::string charts;
    if (!compared.empty()) {
      charts = "<div class=\"charts\">\n" +
               compared_counts(comparison_, "Exits", compared, chart_width).element() +
               compared_times(comparison_, "Service time", compared, chart_width).element() + "</div>\n";
    }
    out_ += section(id, fmt::format("Exits by {}{}", name, cells_.divided()), charts + table.render());
  }

  void operations() {
    if (comparison_.operations.empty()) return;
    HtmlTable table("operation-table",
                    {"operation", "side", "devices", "#count", "#exits each", "#service each",
                     "#out of guest each", "#all exits each", "#hardware exits each"});
    for (const ComparedOperation& operation : comparison_.operations) {
      for (std::size_t i = 0; i < operation.sides.size(); ++i) {
        const std::optional<ServiceSide>& side = operation.sides[i];
        const ComparisonCells::Each each = cells_.each(i, side);
        table.add({{operation.service + ' ' + operation.operation, ""},
                   {letter_of(i), ""},
                   {cells_.devices(side), ""},
                   side ? figure(grouped(side->count), side->count) : Cell{"-", ""},
                   {each.exits, ""},
                   {each.service, ""},
                   {each.out_of_guest, ""},
                   {each.all_exits, ""},
                   {each.hardware_exits, ""}});
      }
    }
    out_ += section("operations", "Operations of devices", table.render());
  }

  const Comparison& comparison_;
  const ComparisonCells cells_;
  std::string out_;
};

}  // namespace

std::string to_html(const Comparison& comparison) {
  return ComparisonPage(comparison).render();
}

}  // namespace kvmbench::report
