#include "report/json_node.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "report/printable.hpp"

namespace kvmbench::report {

using Type = JsonValue::Type;

std::string Node::place() const {
  const std::vector<JsonValue>& values = document_->values;
  std::string place;
  // From the whole down to the value: each time into what holds it.
  for (std::uint32_t at = 0; at != index_;) {
    const bool object = values[at].type == Type::object;
    std::uint32_t child = at + 1;
    std::size_t number = 0;
    for (; values[child + (object ? 1 : 0)].next <= index_; ++number)
      child = values[child + (object ? 1 : 0)].next;
    place += '/' + (object ? printable(values[child].text()) : std::to_string(number));
    at = child + (object ? 1 : 0);
  }
  return place.empty() ? "/" : place;
}

void Node::refuse(const std::string& what) const {
  throw UsageError(fmt::format("{}: not a kvmbench report: at {}: {}", *name_, place(), printable(what)));
}

void Node::expect(bool is, const char* kind) const {
  if (!is) refuse(fmt::format("{} where {} belongs", shown(), kind));
}

void Node::expect_members(std::initializer_list<std::string_view> members,
                          std::span<const std::string_view> optional) const {
  expect(is(Type::object), "an object");
  for (const std::string_view member : members) {
    if (!find(member)) refuse(fmt::format("\"{}\" is missing", member));
  }
  const std::vector<JsonValue>& values = document_->values;
  for (std::uint32_t at = index_ + 1; at < value().next; at = values[at + 1].next) {
    const std::string_view name = values[at].text();
    const auto is_in = [name](auto names) {
      return std::find(names.begin(), names.end(), name) != names.end();
    };
    if (!is_in(members) && !is_in(optional)) refuse(fmt::format("\"{}\" is not known here", name));
  }
}

Node Node::operator[](std::string_view member) const {
  expect(is(Type::object), "an object");
  const std::optional<Node> found = find(member);
  if (!found) refuse(fmt::format("\"{}\" is missing", member));
  return *found;
}

std::optional<Node> Node::find(std::string_view member) const {
  if (!is(Type::object)) return std::nullopt;
  const std::vector<JsonValue>& values = document_->values;
  for (std::uint32_t at = index_ + 1; at < value().next; at = values[at + 1].next) {
    if (values[at].text() == member) return Node(*document_, *name_, at + 1);
  }
  return std::nullopt;
}

Node::Elements Node::elements(std::size_t most) const {
  expect(is(Type::array), "an array");
  if (value().size > most) refuse(fmt::format("{} elements, at most {} are possible", value().size, most));
  return Elements(*this);
}

std::uint64_t Node::integer(std::uint64_t most, std::uint64_t least) const {
  const bool in_range = is(Type::integer) && value().integer <= most && value().integer >= least;
  if (!in_range) refuse(fmt::format("{} where an integer from {} to {} belongs", shown(), least, most));
  return value().integer;
}

std::optional<std::uint64_t> Node::number_or_null() const {
  if (is(Type::null)) return std::nullopt;
  return number();
}

int Node::status() const {
  constexpr int most = std::numeric_limits<int>::max(), least = std::numeric_limits<int>::min();
  if (is(Type::integer) && value().integer <= std::uint64_t{most}) return static_cast<int>(value().integer);
  if (is(Type::negative) && value().negative >= least) return static_cast<int>(value().negative);
  refuse(shown() + " where an exit status belongs");
}

double Node::seconds() const {
  double seconds = -1;
  if (is(Type::integer)) seconds = static_cast<double>(value().integer);
  if (is(Type::negative)) seconds = static_cast<double>(value().negative);
  if (is(Type::real)) seconds = value().real;
  if (!(seconds >= 0)) refuse(shown() + " where a number from 0 belongs");
  return seconds;
}

std::string_view Node::view() const {
  expect(is(Type::string), "a string");
  return value().text();
}

std::string Node::shown() const {
  switch (value().type) {
    case Type::null:
      return "null";
    case Type::boolean:
      return value().integer != 0 ? "true" : "false";
    case Type::integer:
      return fmt::to_string(value().integer);
    case Type::negative:
      return fmt::to_string(value().negative);
    case Type::real: {
      const std::string digits = fmt::to_string(value().real);
      return digits.find_first_of(".e") == std::string::npos ? digits + ".0" : digits;
    }
    case Type::string:
      return cut(fmt::format("\"{}\"", printable(value().text())), 40);
    case Type::array:
      return "an array";
    case Type::object:
      break;
  }
  return "an object";
}

}  // namespace kvmbench::report
