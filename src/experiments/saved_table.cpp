#include "experiments/saved_table.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <optional>

#include "base/error.hpp"
#include "cli/input_file.hpp"
#include "report/json_parse.hpp"
#include "report/printable.hpp"

namespace kvmbench::experiments {
namespace {

using report::JsonDocument;
using report::JsonValue;
using Type = JsonValue::Type;

/// A value of the document; what is not there is null.
class Json final {
 public:
  Json() = default;
  Json(const JsonDocument& document, std::uint32_t index) : document_(&document), index_(index) {}

  [[nodiscard]] bool is(Type type) const { return value().type == type; }
  [[nodiscard]] std::string text() const {
    return is(Type::string) ? report::printable(value().text()) : std::string();
  }
  [[nodiscard]] std::optional<double> number() const {
    if (is(Type::integer)) return static_cast<double>(value().integer);
    if (is(Type::negative)) return static_cast<double>(value().negative);
    if (is(Type::real)) return value().real;
    return std::nullopt;
  }
  [[nodiscard]] std::optional<std::uint64_t> count() const {
    return is(Type::integer) ? std::optional(value().integer) : std::nullopt;
  }

  /// `use(name, value)` for each member of an object; of what is none, nothing.
  template <class Use>
  void for_members(const Use& use) const {
    if (!is(Type::object)) return;
    std::uint32_t at = index_ + 1;
    for (std::uint32_t i = 0; i < value().size; ++i) {
      const Json member(*document_, at + 1);
      use(document_->values[at].text(), member);
      at = document_->values[at + 1].next;
    }
  }
  /// `use(value)` for each element of an array; of what is none, nothing.
  template <class Use>
  void for_elements(const Use& use) const {
    if (!is(Type::array)) return;
    std::uint32_t at = index_ + 1;
    for (std::uint32_t i = 0; i < value().size; ++i, at = document_->values[at].next)
      use(Json(*document_, at));
  }

  [[nodiscard]] Json member(std::string_view name) const {
    Json found;
    for_members([&](std::string_view one, const Json& value) {
      if (one == name) found = value;
    });
    return found;
  }
  /// The first element that is an object whose `key` is `wanted`.
  [[nodiscard]] Json named(std::string_view key, std::string_view wanted) const {
    Json found;
    for_elements([&](const Json& element) {
      if (found.is(Type::null) && element.member(key).text() == wanted) found = element;
    });
    return found;
  }

 private:
  [[nodiscard]] const JsonValue& value() const {
    static const JsonValue null;
    return document_ != nullptr ? document_->values[index_] : null;
  }
  const JsonDocument* document_ = nullptr;
  std::uint32_t index_ = 0;
};

report::ExperimentCell cell_of(const Json& value) {
  if (value.is(Type::string)) return value.text();
  if (const auto number = value.number()) return *number;
  const std::optional<std::uint64_t> repetitions = value.member("repetitions").count();
  if (!repetitions) return {};
  return report::Spread{.median = value.member("median").number().value_or(0),
                        .least = value.member("min").number().value_or(0),
                        .most = value.member("max").number().value_or(0),
                        .repetitions = *repetitions};
}

}  // namespace

SavedTable SavedTable::read(const std::string& path, std::string_view experiment, std::string_view table) {
  const cli::InputFile file(path);
  const auto bytes = file.bytes();
  return parse({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, path, experiment, table);
}

SavedTable SavedTable::parse(std::string_view text, const std::string& name, std::string_view experiment,
                             std::string_view table) {
  const JsonDocument parsed = report::parse_json(text, name);
  const Json document(parsed, 0);
  if (document.member("format").text() != "kvmbench-experiments")
    throw UsageError(fmt::format(
        "{}: this is no result of experiments: give what kvmbench bench {} has saved", name, experiment));
  const Json found =
      document.member("experiments").named("name", experiment).member("tables").named("id", table);
  std::string first;  // key of the first column
  found.member("columns").for_elements([&first](const Json& column) {
    if (first.empty()) first = column.member("key").text();
  });
  if (first.empty())
    throw UsageError(fmt::format("{}: it has no result of the experiment {}", name, experiment));
  SavedTable saved;
  found.member("rows").for_elements([&](const Json& row) {
    if (!row.is(Type::object)) return;
    Cells& cells = saved.rows_[row.member(first).text()];
    row.for_members(
        [&cells](std::string_view key, const Json& value) { cells[std::string(key)] = cell_of(value); });
  });
  document.member("host").for_elements(
      [&saved](const Json& one) { saved.host_[one.member("name").text()] = one.member("value").text(); });
  return saved;
}

report::ExperimentCell SavedTable::cell(std::string_view row, std::string_view column) const {
  const auto cells = rows_.find(row);
  if (cells == rows_.end()) return {};
  const auto found = cells->second.find(column);
  return found == cells->second.end() ? report::ExperimentCell{} : found->second;
}

std::string SavedTable::host_fact(std::string_view name) const {
  const auto found = host_.find(name);
  return found == host_.end() ? "unknown" : found->second;
}

}  // namespace kvmbench::experiments
