/// A parsed document's values as the readers of a saved report meet them. It may come from anywhere: nothing
/// in it is taken on trust, and what is refused is named by its place.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "report/names.hpp"

namespace kvmbench::report {

/// Where in a document: "/vcpus/0/keys/12". A value that is copied cheaply; its text is made when it is asked
/// for.
class Place final {
 public:
  /// Objects and arrays within one another; a report has fewer.
  static constexpr std::size_t deepest = 16;

  /// `member` is a literal.
  [[nodiscard]] Place operator/(const char* member) const noexcept { return below({member, 0}); }
  [[nodiscard]] Place operator/(std::size_t index) const noexcept { return below({nullptr, index}); }
  [[nodiscard]] std::string text() const;

 private:
  struct Step {
    const char* member;  ///< null: an element
    std::size_t index;
  };
  [[nodiscard]] Place below(Step step) const noexcept;

  std::array<Step, deepest> steps_{};
  std::size_t depth_ = 0;
};

/// A value of the document and where it is.
class Node final {
 public:
  using Json = nlohmann::json;

  /// `name` is the document's, for messages.
  Node(const Json& value, const Place& place, const std::string& name)
      : value_(&value), place_(place), name_(&name) {}

  [[noreturn]] void refuse(const std::string& what) const;

  /// An object with these members, all of them and no other but of the optional ones.
  void expect_members(std::initializer_list<std::string_view> members,
                      std::span<const std::string_view> optional = {}) const;

  /// A member of an object; `member` is a literal.
  [[nodiscard]] Node operator[](const char* member) const;
  /// Nothing where an object has no such member.
  [[nodiscard]] std::optional<Node> find(const char* member) const;

  /// An array's, of at most `most`.
  class Elements;
  [[nodiscard]] Elements elements(std::size_t most) const;

  template <typename Unsigned = std::uint64_t>
  [[nodiscard]] Unsigned number(std::uint64_t most = std::numeric_limits<Unsigned>::max(),
                                std::uint64_t least = 0) const {
    return static_cast<Unsigned>(integer(most, least));
  }
  /// An integer or null.
  [[nodiscard]] std::optional<std::uint64_t> number_or_null() const;
  [[nodiscard]] int status() const;
  [[nodiscard]] double seconds() const;
  [[nodiscard]] std::string text() const;

  template <typename Enum, std::size_t n>
  [[nodiscard]] Enum one_of(const std::array<std::string_view, n>& names) const {
    const std::optional<Enum> found = named<Enum>(names, text());
    if (!found) refuse(fmt::format("{} where one of {} belongs", shown(), fmt::join(names, ", ")));
    return *found;
  }

 private:
  void expect(bool is, const char* kind) const;
  [[nodiscard]] std::uint64_t integer(std::uint64_t most, std::uint64_t least) const;
  [[nodiscard]] std::string shown() const;

  const Json* value_;
  Place place_;
  const std::string* name_;
};

class Node::Elements final {
 public:
  class Iterator final {
   public:
    Iterator(const Elements& elements, std::size_t index) : elements_(&elements), index_(index) {}
    [[nodiscard]] Node operator*() const { return (*elements_)[index_]; }
    Iterator& operator++() {
      ++index_;
      return *this;
    }
    friend bool operator==(const Iterator& left, const Iterator& right) {
      return left.index_ == right.index_;
    }

   private:
    const Elements* elements_;
    std::size_t index_;
  };

  explicit Elements(const Node& array) : array_(array) {}
  [[nodiscard]] std::size_t size() const { return array_.value_->size(); }
  /// `index` is below size().
  [[nodiscard]] Node operator[](std::size_t index) const {
    return {(*array_.value_)[index], array_.place_ / index, *array_.name_};
  }
  [[nodiscard]] Iterator begin() const { return {*this, 0}; }
  [[nodiscard]] Iterator end() const { return {*this, size()}; }

 private:
  Node array_;
};

/// Sums over a whole report stay below 2^64, so that no figure made of them wraps.
class BoundedSum final {
 public:
  void add(std::uint64_t more, const Node& at) {
    if (__builtin_add_overflow(sum_, more, &sum_)) at.refuse("the report's sum of this passes 2^64");
  }

 private:
  std::uint64_t sum_ = 0;
};

}  // namespace kvmbench::report
