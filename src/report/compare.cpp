#include "report/compare.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <functional>
#include <map>
#include <tuple>

#include "base/error.hpp"
#include "report/compare_hardware.hpp"
#include "report/names.hpp"
#include "report/operations.hpp"
#include "report/printable.hpp"
#include "report/service.hpp"
#include "report/units.hpp"
#include "stats/exit_reason.hpp"

namespace kvmbench::report {
namespace {

std::string value_of(const Facts& facts, std::string_view name) {
  std::string values;  // a fact may come several times: a machine's modules
  for (const auto& [fact, value] : facts) {
    if (fact == name) values += (values.empty() ? "" : ", ") + value;
  }
  return values;
}

std::vector<FactDifference> differences(const std::vector<Side>& sides, const Facts Report::*facts) {
  std::vector<std::string> names;
  for (const Side& side : sides) {
    for (const auto& [name, value] : side.report->*facts) {
      if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    }
  }
  std::vector<FactDifference> found;
  for (const std::string& name : names) {
    FactDifference fact{name, {}};
    for (const Side& side : sides) fact.values.push_back(value_of(side.report->*facts, name));
    if (std::adjacent_find(fact.values.begin(), fact.values.end(), std::not_equal_to<>()) !=
        fact.values.end())
      found.push_back(std::move(fact));
  }
  return found;
}

/// Where KVM does not know the frequency it was measured, never twice the same.
void add_clock_difference(std::vector<FactDifference>& found, const std::vector<Side>& sides) {
  constexpr double measuring_error = 0.001;
  std::uint64_t least = ~std::uint64_t{0}, most = 0;
  FactDifference fact{"tsc frequency", {}};
  for (const Side& side : sides) {
    const std::uint64_t khz = side.report->snapshot.tsc_khz;
    least = std::min(least, khz);
    most = std::max(most, khz);
    fact.values.push_back(host_of(*side.report).back().second);
  }
  if (static_cast<double>(most - least) > measuring_error * static_cast<double>(most))
    found.push_back(std::move(fact));
}

/// Rows of all sides under their identities, in the order in which they are shown.
template <typename Identity>
class Rows final {
 public:
  explicit Rows(std::size_t sides) : sides_(sides) {}

  Sums& at(const Identity& identity, std::size_t side, const std::string& name) {
    ComparedRow& row = rows_.try_emplace(identity, ComparedRow{name, {}}).first->second;
    row.sides.resize(sides_);
    if (!row.sides[side]) row.sides[side].emplace();
    return *row.sides[side];
  }

  [[nodiscard]] std::vector<ComparedRow> sorted() const {
    std::vector<ComparedRow> rows;
    for (const auto& [identity, row] : rows_) rows.push_back(row);
    const auto weight = [](const ComparedRow& row) {
      std::pair<stats::Cycles, std::uint64_t> most;
      for (const std::optional<Sums>& side : row.sides) {
        if (side) most = std::max(most, std::pair(side->service, side->count));
      }
      return most;
    };
    std::stable_sort(rows.begin(), rows.end(), [&](const ComparedRow& left, const ComparedRow& right) {
      return weight(left) > weight(right);
    });
    return rows;
  }

 private:
  std::size_t sides_;
  std::map<Identity, ComparedRow> rows_;
};

/// What makes two keys of different machines the same.
using KeyIdentity =
    std::tuple<std::uint32_t, std::string, std::string, std::uint64_t, Direction, std::uint8_t>;

KeyIdentity identity_of(const stats::ExitKey& key, const KeyName& name) {
  const bool named = name != KeyName{};
  return {key.reason, name.device, name.register_name, named ? 0 : key.address, key.direction, key.width};
}

std::string key_name(const stats::ExitKey& key, const KeyName& name) {
  std::string text = name == KeyName{} ? place_of(key) : name.device + ' ' + name.register_name;
  for (const std::string& part : {direction_of(key), width_of(key)}) {
    if (!part.empty()) text += ' ' + part;
  }
  return text;
}

void add_rows(Comparison& comparison) {
  const std::size_t sides = comparison.sides.size();
  Rows<std::uint32_t> reasons(sides);
  Rows<KeyIdentity> keys(sides);
  comparison.total = {"total", std::vector<std::optional<Sums>>(sides, Sums{})};
  for (std::size_t i = 0; i < sides; ++i) {
    const Report& report = *comparison.sides[i].report;
    for (const stats::VcpuSnapshot& vcpu : report.snapshot.vcpus) {
      for (const stats::KeyStats& stats : vcpu.keys) {
        const KeyName name = report.name_of(stats.key);
        reasons.at(stats.key.reason, i, stats::userspace_reason_name(stats.key.reason)).add(stats);
        keys.at(identity_of(stats.key, name), i, key_name(stats.key, name)).add(stats);
        comparison.total.sides[i]->add(stats);
      }
    }
    comparison.hardware_exits.push_back(report.snapshot.kernel_exits());
  }
  comparison.reasons = reasons.sorted();
  comparison.keys = keys.sorted();
}

/// The devices of a service are one on each side; an operation that only some of them count is theirs alone.
void add_operations(Comparison& comparison) {
  const auto row = [&](const std::string& service, const std::string& operation) -> ComparedOperation& {
    for (ComparedOperation& known : comparison.operations) {
      if (known.service == service && known.operation == operation) return known;
    }
    comparison.operations.push_back({service, operation, {}});
    comparison.operations.back().sides.resize(comparison.sides.size());
    return comparison.operations.back();
  };
  for (std::size_t i = 0; i < comparison.sides.size(); ++i) {
    for (const OperationRow& counted : operation_rows(*comparison.sides[i].report)) {
      const std::string_view service = service_of(counted.device);
      std::optional<ServiceSide>& side =
          row(service.empty() ? counted.device : std::string(service), counted.operation).sides[i];
      if (!side) side.emplace();
      side->devices.push_back(counted.device);
      side->count += counted.count;
      side->exits += counted.exits;
      if (counted.out_of_guest) side->out_of_guest = side->out_of_guest.value_or(0) + *counted.out_of_guest;
    }
  }
}

/// What the devices of a side have counted under that name.
std::uint64_t counted(const Report& report, std::string_view operation) {
  const std::size_t space = operation.find(' ');
  const std::string_view place = operation.substr(0, space);
  const std::string_view at_place = space == std::string_view::npos ? "" : operation.substr(space + 1);
  std::uint64_t count = 0;
  for (const OperationRow& row : operation_rows(report)) {
    const bool is_place = row.device == place || service_of(row.device) == place;
    if (row.operation == operation || (is_place && row.operation == at_place)) count += row.count;
  }
  return count;
}

void divide(Comparison& comparison, const Per& per) {
  comparison.per = per.operation;
  for (const Side& side : comparison.sides) {
    const std::uint64_t count = per.count ? *per.count : counted(*side.report, per.operation);
    if (count == 0) {
      throw UsageError(
          fmt::format("--per {}: the devices of {} have counted none; give the number: --per {}=N",
                      printable(per.operation), printable(side.label), printable(per.operation)));
    }
    comparison.counts.push_back(count);
  }
}

}  // namespace

Per Per::parse(std::string_view text) {
  const std::size_t equals = text.find('=');
  Per per{std::string(text.substr(0, equals)), std::nullopt};
  if (per.operation.empty()) throw UsageError("--per: an operation has a name, such as requests=10000");
  if (equals == std::string_view::npos) return per;
  const std::string_view digits = text.substr(equals + 1);
  std::uint64_t count = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), count);
  if (error != std::errc{} || end != digits.data() + digits.size() || count == 0) {
    throw UsageError(fmt::format("--per {}: \"{}\" is no number from 1", printable(text), printable(digits)));
  }
  per.count = count;
  return per;
}

Comparison compare(std::vector<Side> sides, const std::optional<Per>& per) {
  Comparison comparison;
  comparison.sides = std::move(sides);
  comparison.host = host_differences(comparison.sides);
  comparison.machine = differences(comparison.sides, &Report::machine);
  add_rows(comparison);
  add_hardware_rows(comparison);
  add_operations(comparison);
  if (per) divide(comparison, *per);
  return comparison;
}

std::vector<FactDifference> host_differences(const std::vector<Side>& sides) {
  std::vector<FactDifference> found = differences(sides, &Report::host);
  add_clock_difference(found, sides);
  return found;
}

void require_same_host(const std::vector<FactDifference>& host) {
  if (host.empty()) return;
  std::string facts;
  for (const FactDifference& fact : host) {
    std::string values;
    for (const std::string& value : fact.values)
      values += fmt::format("{}{}", values.empty() ? "" : " / ", value.empty() ? "-" : printable(value));
    facts += fmt::format("{}{} ({})", facts.empty() ? "" : ", ", printable(fact.name), values);
  }
  throw UsageError(fmt::format(
      "these are reports of different hosts, which differ in {}; --different-hosts takes them all the same",
      facts));
}

std::optional<double> count_ratio(const std::optional<Sums>& from, const std::optional<Sums>& to) {
  if (!from || !to || from->count == 0) return std::nullopt;
  return static_cast<double>(to->count) / static_cast<double>(from->count);
}

std::optional<double> time_ratio(const Comparison& comparison, stats::Cycles from, stats::Cycles to) {
  const auto khz = [&](std::size_t side) {
    return static_cast<double>(comparison.sides[side].report->snapshot.tsc_khz);
  };
  if (from == 0 || khz(0) == 0 || khz(1) == 0) return std::nullopt;
  return static_cast<double>(to) / khz(1) / (static_cast<double>(from) / khz(0));
}

std::string paging_of(const Report& report) {
  const std::string paging = value_of(report.host, "paging");
  return paging.empty() ? "unknown" : paging;
}

}  // namespace kvmbench::report
