#include "report/json_node.hpp"

#include <cmath>

#include "base/error.hpp"
#include "report/json_format.hpp"
#include "report/printable.hpp"

namespace kvmbench::report {

Place Place::below(Step step) const noexcept {
  Place place = *this;
  if (place.depth_ < deepest) place.steps_[place.depth_++] = step;
  return place;
}

std::string Place::text() const {
  if (depth_ == 0) return "/";
  std::string text;
  for (std::size_t i = 0; i < depth_; ++i) {
    const Step& step = steps_[i];
    text += '/' + (step.member != nullptr ? std::string(step.member) : std::to_string(step.index));
  }
  return text;
}

void Node::refuse(const std::string& what) const {
  throw UsageError(
      fmt::format("{}: not a kvmbench report: at {}: {}", *name_, place_.text(), printable(what)));
}

void Node::expect(bool is, const char* kind) const {
  if (!is) refuse(fmt::format("{} where {} belongs", shown(), kind));
}

void Node::expect_members(std::initializer_list<std::string_view> members,
                          std::span<const std::string_view> optional) const {
  expect(value_->is_object(), "an object");
  for (const std::string_view member : members) {
    if (!value_->contains(member)) refuse(fmt::format("\"{}\" is missing", member));
  }
  for (const auto& [member, ignored] : value_->items()) {
    const auto is_in = [&name = member](auto names) {
      return std::find(names.begin(), names.end(), name) != names.end();
    };
    if (!is_in(members) && !is_in(optional)) refuse(fmt::format("\"{}\" is not known here", member));
  }
}

Node Node::operator[](const char* member) const {
  expect(value_->is_object(), "an object");
  const std::optional<Node> found = find(member);
  if (!found) refuse(fmt::format("\"{}\" is missing", member));
  return *found;
}

std::optional<Node> Node::find(const char* member) const {
  const auto found = value_->find(member);
  if (found == value_->end()) return std::nullopt;
  return Node(*found, place_ / member, *name_);
}

Node::Elements Node::elements(std::size_t most) const {
  expect(value_->is_array(), "an array");
  if (value_->size() > most)
    refuse(fmt::format("{} elements, at most {} are possible", value_->size(), most));
  return Elements(*this);
}

std::uint64_t Node::integer(std::uint64_t most, std::uint64_t least) const {
  const bool in_range = value_->is_number_unsigned() && value_->get<std::uint64_t>() <= most &&
                        value_->get<std::uint64_t>() >= least;
  if (!in_range) refuse(fmt::format("{} where an integer from {} to {} belongs", shown(), least, most));
  return value_->get<std::uint64_t>();
}

std::optional<std::uint64_t> Node::number_or_null() const {
  if (value_->is_null()) return std::nullopt;
  return number();
}

int Node::status() const {
  constexpr std::int64_t most = std::numeric_limits<int>::max();
  constexpr std::int64_t least = std::numeric_limits<int>::min();
  const bool too_large_for_int64 =
      value_->is_number_unsigned() &&
      value_->get<std::uint64_t>() > std::uint64_t{std::numeric_limits<std::int64_t>::max()};
  const bool in_range = value_->is_number_integer() && !too_large_for_int64 &&
                        value_->get<std::int64_t>() <= most && value_->get<std::int64_t>() >= least;
  if (!in_range) refuse(shown() + " where an exit status belongs");
  return value_->get<int>();
}

double Node::seconds() const {
  const bool possible =
      value_->is_number() && std::isfinite(value_->get<double>()) && value_->get<double>() >= 0;
  if (!possible) refuse(shown() + " where a number from 0 belongs");
  return value_->get<double>();
}

std::string Node::text() const {
  expect(value_->is_string(), "a string");
  return value_->get<std::string>();
}

std::string Node::shown() const {
  if (value_->is_structured()) return value_->is_object() ? "an object" : "an array";
  return cut(printable(value_->dump(-1, ' ', false, Json::error_handler_t::replace)), 40);
}

}  // namespace kvmbench::report
