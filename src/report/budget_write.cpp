/// A budget from a report.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "report/budget.hpp"
#include "report/budget_hardware.hpp"
#include "report/operations.hpp"
#include "report/printable.hpp"
#include "report/rows.hpp"
#include "report/units.hpp"
#include "stats/exit_reason.hpp"

namespace kvmbench::report {
namespace {

class BudgetWriter final {
 public:
  BudgetWriter(const Report& report, double slack) : report_(report), slack_(slack) {}

  std::string write() {
    const Account account = account_of(report_.snapshot);
    out_ = fmt::format("# Exits of {}, with a slack of {:g} %.\n", printable(image()), 100 * slack_);
    if (!of_another_program(report_)) userspace(account);
    hardware();
    return std::move(out_);
  }

 private:
  [[nodiscard]] std::string image() const {
    for (const auto& [name, value] : report_.machine) {
      if (name == "image") return value;
    }
    return "a run";
  }

  void userspace(const Account& account) {
    limit("exits", account.total.count);
    comment("By reason.");
    for (const stats::ReasonStats& reason : account.reasons) {
      if (stats::userspace_reason(reason.reason) != nullptr)
        limit(stats::userspace_reason_name(reason.reason), reason.count);
    }
    keys(account);
    phases();
    operations();
  }

  void hardware() {
    const auto counts = hardware_counts(report_);
    if (!counts.empty()) comment("By the hardware's reason.");
    for (const auto& [reason, count] : counts) limit("hardware." + reason, count);
  }

  void comment(const char* text) { out_ += fmt::format("\n# {}\n", text); }

  void limit(const std::string& quantity, std::uint64_t count) {
    const long double most =
        std::floor(static_cast<long double>(count) * (1 + static_cast<long double>(slack_)));
    out_ += fmt::format("{}.count <= {:.0f}\n", quantity, most);
  }

  /// A register may be at several addresses: they are one to an expression.
  void keys(const Account& account) {
    std::vector<std::pair<std::string, std::uint64_t>> counts;
    for (const stats::KeyStats& key : account.keys) {
      const std::string name = key_of(key.key);
      if (name.empty()) continue;
      const auto known =
          std::find_if(counts.begin(), counts.end(), [&](const auto& count) { return count.first == name; });
      known == counts.end() ? counts.emplace_back(name, key.count).second : known->second += key.count;
    }
    comment("By key.");
    for (const auto& [name, count] : counts) limit(name, count);
  }

  void phases() {
    const std::vector<Sums> sums = sums_by_phase(report_.snapshot);
    if (sums.size() < 2) return;
    comment("By phase.");
    for (std::size_t i = 0; i < sums.size(); ++i) {
      const std::string name = report_.snapshot.phases[i].label.name();
      if (!name.empty() && can_be_quoted(name)) limit(fmt::format("phase({})", word(name)), sums[i].count);
    }
  }

  /// As an expression names it; "" where it cannot be named: a quote or a line's end in a name.
  [[nodiscard]] std::string key_of(const stats::ExitKey& key) const {
    const KeyName name = report_.name_of(key);
    std::string place;
    if (name != KeyName{}) {
      place = word(name.device) + ' ' + word(name.register_name);
      if (name.device.empty() || name.register_name.empty() ||
          !can_be_quoted(name.device + name.register_name))
        return {};
    } else {
      place = place_of(key);
      const bool known = place.starts_with("port ") || place.starts_with("gpa ") ||
                         place.starts_with("rdmsr ") || place.starts_with("wrmsr ");
      if (!known) return {};
    }
    for (const std::string& part : {direction_of(key), width_of(key)}) {
      if (!part.empty()) place += ' ' + part;
    }
    return fmt::format("key({})", place);
  }

  static bool can_be_quoted(std::string_view name) {
    return name.find_first_of("\"\n") == std::string_view::npos;
  }
  static std::string word(const std::string& name) {
    return name.find_first_of(" \t\r()#") == std::string::npos ? name : '"' + name + '"';
  }

  void operations() {
    bool first = true;
    for (const OperationRow& row : operation_rows(report_)) {
      if (row.count == 0 || !can_be_quoted(row.device + row.operation) || row.device.empty()) continue;
      if (first) comment("Exits for each operation of a device.");
      first = false;
      const double each = *row.exits_each() * (1 + slack_);
      // Rounded up, so that the run itself holds it.
      out_ += fmt::format("device({}).count / operations({} {}) <= {:.6f}\n", word(row.device),
                          word(row.device), word(row.operation), std::ceil(each * 1e6) / 1e6);
    }
  }

  const Report& report_;
  const double slack_;
  std::string out_;
};

}  // namespace

std::string budget_of(const Report& report, double slack) {
  return BudgetWriter(report, slack).write();
}

}  // namespace kvmbench::report
