/// The grammar of budgets, docs/budget.md.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/error.hpp"
#include "report/budget.hpp"
#include "report/budget_hardware.hpp"
#include "report/budget_scanner.hpp"
#include "stats/exit_reason.hpp"

namespace kvmbench::report {
namespace {

class Parser final : private BudgetScanner {
 public:
  Parser(std::string_view text, const std::string& place) : BudgetScanner(text, place) {}

  Expectation parse() {
    Expectation expectation{std::string(whole()), place(), quantity(), std::nullopt, {}, 0, Unit::none};
    if (take("/")) expectation.divided_by = quantity();
    expectation.relation = relation();
    limit(expectation);
    check_unit(expectation);
    return expectation;
  }

 private:
  static std::string joined(const std::vector<std::string>& words, std::size_t from = 0) {
    return fmt::format("{}", fmt::join(words.begin() + static_cast<std::ptrdiff_t>(from), words.end(), " "));
  }

  Quantity quantity() {
    ExitQuantity exits;
    for (;;) {
      const std::string_view name = word();
      if (name == "operations") return operations(exits);
      if (name == "hardware") return hardware(exits);
      if (figure(name, exits)) return exits;
      if (!selector(name, exits.selection))
        refuse(fmt::format("\"{}\" is no reason, selector or figure", name));
      if (!take(".")) return exits;
    }
  }

  Quantity operations(const ExitQuantity& before) {
    if (!is_empty(before.selection))
      refuse("operations are those of the whole run: nothing stands before them");
    const std::vector<std::string> names = words("operations");
    if (names.size() == 1) return OperationQuantity{std::nullopt, names[0]};
    return OperationQuantity{names[0], joined(names, 1)};
  }

  /// "hardware", "hardware.NPF.count", "hardware.reason(0x404).out_of_guest.p99".
  Quantity hardware(const ExitQuantity& before) {
    Selection others = before.selection;
    others.vcpu.reset();
    if (!is_empty(others)) refuse("of hardware exits only vcpu() can be selected before them");
    HardwareQuantity hardware;
    hardware.vcpu = before.selection.vcpu;
    while (take(".")) {
      const std::string_view name = word();
      if (hardware_figure(name, hardware)) return hardware;
      if (name == "reason") {
        const std::string given = joined(words(name));
        if (!number<std::uint32_t>(given)) refuse(fmt::format("\"{}\" is no number of a reason", given));
        once(hardware.reason, given, name);
      } else if (is_hardware_reason(name)) {
        once(hardware.reason, std::string(name), name);
      } else {
        refuse(fmt::format("\"{}\" is no exit reason of VMX or SVM, and no figure of theirs", name));
      }
    }
    return hardware;
  }

  bool hardware_figure(std::string_view name, HardwareQuantity& quantity) {
    using enum HardwareFigure;
    constexpr std::pair<std::string_view, HardwareFigure> figures[] = {
        {"count", count},       {"rate", rate},       {"share", share},
        {"returned", returned}, {"outside", outside}, {"out_of_guest", out_of_guest}};
    for (const auto& [known, figure] : figures) {
      if (name != known) continue;
      quantity.figure = figure;
      const bool time = figure == out_of_guest || figure == outside;
      if (time && take(".")) statistic(quantity.statistic, quantity.quantile);
      return true;
    }
    return false;
  }

  static bool is_empty(const Selection& of) {
    return !of.reason && !of.phase && !of.vcpu && !of.device && !of.address && !of.direction && !of.width;
  }

  template <typename T>
  void once(std::optional<T>& part, T value, std::string_view name) {
    if (part) refuse(fmt::format("\"{}\" selects what has been selected before", name));
    part = std::move(value);
  }

  bool selector(std::string_view name, Selection& selection) {
    if (name == "exits") return true;
    if (name == "phase") {
      once(selection.phase, joined(words(name)), name);
    } else if (name == "device") {
      once(selection.device, joined(words(name)), name);
    } else if (name == "vcpu") {
      const std::optional<std::uint32_t> vcpu = number<std::uint32_t>(joined(words(name)));
      if (!vcpu) refuse("a vCPU has a number");
      once(selection.vcpu, *vcpu, name);
    } else if (name == "key") {
      key(words(name), selection);
    } else {
      for (const stats::ReasonText& reason : stats::userspace_reasons()) {
        if (name != reason.short_name && name != reason.name) continue;
        once(selection.reason, reason.reason, name);
        return true;
      }
      return false;
    }
    return true;
  }

  /// "uart0 THR out 1": a device and its register, or a place and its number; direction and width if wanted.
  void key(std::vector<std::string> words, Selection& selection) {
    if (words.size() > 2) {
      if (const auto width = number<std::uint8_t>(words.back())) {
        once(selection.width, *width, "key");
        words.pop_back();
      }
    }
    if (words.size() > 2) {
      const std::string& last = words.back();
      const bool read = last == "in" || last == "read";
      if (read || last == "out" || last == "write") {
        once(selection.direction, read ? Direction::read : Direction::write, "key");
        words.pop_back();
      }
    }
    if (words.size() < 2)
      refuse("a key is a device and its register, or port, gpa, rdmsr or wrmsr and a number");
    const auto address = words.size() == 2 ? number<std::uint64_t>(words[1]) : std::nullopt;
    const std::string& kind = words[0];
    const bool is_place = kind == "port" || kind == "gpa" || kind == "rdmsr" || kind == "wrmsr";
    if (is_place) {
      if (!address) refuse(fmt::format("\"{}\" is no address", joined(words, 1)));
      (void)selector(kind == "port" ? "io" : kind == "gpa" ? "mmio" : kind, selection);
      once(selection.address, *address, "key");
    } else {
      once(selection.device, words[0], "key");
      once(selection.register_name, joined(words, 1), "key");
    }
  }

  bool figure(std::string_view name, ExitQuantity& quantity) {
    constexpr std::pair<std::string_view, Figure> figures[] = {
        {"count", Figure::count}, {"transfers", Figure::transfers}, {"rate", Figure::rate},
        {"share", Figure::share}, {"service", Figure::service},     {"run", Figure::run}};
    for (const auto& [known, figure] : figures) {
      if (name != known) continue;
      quantity.figure = figure;
      const bool time = figure == Figure::service || figure == Figure::run;
      if (time && take(".")) statistic(quantity.statistic, quantity.quantile);
      return true;
    }
    return false;
  }

  void statistic(Statistic& statistic, double& quantile) {
    const std::string_view name = word();
    constexpr std::pair<std::string_view, Statistic> statistics[] = {
        {"sum", Statistic::sum}, {"min", Statistic::min}, {"mean", Statistic::mean}, {"max", Statistic::max}};
    for (const auto& [known, each] : statistics) {
      if (name == known) {
        statistic = each;
        return;
      }
    }
    std::string digits(name.substr(1));
    if (take(".")) digits += '.' + std::string(word());
    const bool written = name.front() == 'p' && !digits.empty() && digits.front() != '.' &&
                         digits.find_first_not_of("0123456789.") == std::string::npos;
    double per_cent = -1;
    if (written) std::from_chars(digits.data(), digits.data() + digits.size(), per_cent);
    if (per_cent < 0 || per_cent > 100)
      refuse(fmt::format("\"{}\" is none of sum, min, mean, max, p50, p99, p99.9, ...", name));
    statistic = Statistic::quantile;
    quantile = per_cent / 100;
  }

  Relation relation() {
    constexpr std::pair<std::string_view, Relation> relations[] = {
        {"<=", Relation::at_most},   {">=", Relation::at_least}, {"==", Relation::equal},
        {"!=", Relation::not_equal}, {"<", Relation::less},      {">", Relation::more}};
    for (const auto& [sign, relation] : relations) {
      if (take(sign)) return relation;
    }
    refuse(fmt::format("one of < <= == != >= > belongs where \"{}\" is", rest_shown()));
  }

  void limit(Expectation& expectation) {
    const std::string_view digits = this->digits();
    const char* end = digits.data();
    const bool written = !digits.empty() && digits.front() != '.' && digits.size() < 40;
    if (written) end = std::from_chars(digits.data(), digits.data() + digits.size(), expectation.limit).ptr;
    if (!written || end != digits.data() + digits.size())
      refuse(fmt::format("a number from 0 belongs where \"{}\" is", rest_shown()));
    unit(expectation);
  }

  void unit(Expectation& expectation) {
    const std::string_view unit = trimmed(rest());
    struct Known {
      std::string_view name;
      Unit unit;
      long double scale;
    };
    constexpr Known units[] = {{"", Unit::none, 1},
                               {"ns", Unit::nanoseconds, 1},
                               {"us", Unit::nanoseconds, 1e3},
                               {"ms", Unit::nanoseconds, 1e6},
                               {"s", Unit::nanoseconds, 1e9},
                               {"cycles", Unit::cycles, 1},
                               {"%", Unit::per_cent, 1}};
    const auto found = std::find_if(std::begin(units), std::end(units),
                                    [=](const Known& known) { return known.name == unit; });
    if (found == std::end(units))
      refuse(fmt::format("\"{}\" is none of the units ns, us, ms, s, cycles and %", unit));
    expectation.unit = found->unit;
    expectation.limit *= found->scale;
  }

  /// A time is measured in one, a share in per cent, and all else is a number.
  void check_unit(const Expectation& expectation) const {
    const Dimension dimension = dimension_of(expectation.quantity);
    const bool time = dimension == Dimension::time, share = dimension == Dimension::share;
    const bool unit_of_time = expectation.unit == Unit::nanoseconds || expectation.unit == Unit::cycles;
    if (time != unit_of_time)
      refuse(time ? "a time has a unit: ns, us, ms, s or cycles" : "only a time has a unit of time");
    if (share != (expectation.unit == Unit::per_cent))
      refuse(share ? "a share is in %" : "only a share is in %");
    if (expectation.unit == Unit::cycles && std::holds_alternative<HardwareQuantity>(expectation.quantity))
      refuse("the tracer's times are in ns, us, ms or s, not in cycles");
    if (!expectation.divided_by) return;
    if (dimension_of(*expectation.divided_by) != Dimension::number) refuse("only a count can divide");
    if (share || dimension == Dimension::rate) refuse("a share or a rate is not divided");
  }
};

}  // namespace

Dimension dimension_of(const Quantity& quantity) {
  if (const auto* exits = std::get_if<ExitQuantity>(&quantity)) {
    if (exits->figure == Figure::service || exits->figure == Figure::run) return Dimension::time;
    if (exits->figure == Figure::share) return Dimension::share;
    if (exits->figure == Figure::rate) return Dimension::rate;
  }
  if (const auto* hardware = std::get_if<HardwareQuantity>(&quantity)) {
    using enum HardwareFigure;
    if (hardware->figure == out_of_guest || hardware->figure == outside) return Dimension::time;
    if (hardware->figure == share) return Dimension::share;
    if (hardware->figure == rate) return Dimension::rate;
  }
  return Dimension::number;
}

Expectation parse_expectation(std::string_view text, const std::string& place) {
  const std::string_view expression = trimmed(without_comment(text));
  if (expression.empty()) throw UsageError(place + ": there is no expression");
  return Parser(expression, place).parse();
}

std::vector<Expectation> parse_budget(std::string_view text, const std::string& name) {
  std::vector<Expectation> expectations;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (trimmed(without_comment(line)).empty()) continue;
    expectations.push_back(parse_expectation(line, fmt::format("{}:{}", name, number)));
  }
  return expectations;
}

}  // namespace kvmbench::report
