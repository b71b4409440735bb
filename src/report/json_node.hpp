/// A parsed document's values as the readers of a saved report meet them. It may come from anywhere: nothing
/// in it is taken on trust, and what is refused is named by its place.
#pragma once

#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "report/json_document.hpp"
#include "report/names.hpp"

namespace kvmbench::report {

/// A value of the document. It is copied cheaply; its place is found when it is asked for.
class Node final {
 public:
  /// The whole; `name` is the document's, for messages. Both outlive this and all that is taken from it.
  Node(const JsonDocument& document, const std::string& name) : Node(document, name, 0) {}

  [[noreturn]] void refuse(const std::string& what) const;

  /// An object with these members, all of them and no other but of the optional ones.
  void expect_members(std::initializer_list<std::string_view> members,
                      std::span<const std::string_view> optional = {}) const;

  /// A member of an object.
  [[nodiscard]] Node operator[](std::string_view member) const;
  /// Nothing where an object has no such member.
  [[nodiscard]] std::optional<Node> find(std::string_view member) const;

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
  [[nodiscard]] std::string text() const { return std::string(view()); }

  template <typename Enum, std::size_t n>
  [[nodiscard]] Enum one_of(const std::array<std::string_view, n>& names) const {
    const std::optional<Enum> found = named<Enum>(names, view());
    if (!found) refuse(fmt::format("{} where one of {} belongs", shown(), fmt::join(names, ", ")));
    return *found;
  }

 private:
  Node(const JsonDocument& document, const std::string& name, std::uint32_t index)
      : document_(&document), name_(&name), index_(index) {}

  [[nodiscard]] const JsonValue& value() const { return document_->values[index_]; }
  [[nodiscard]] bool is(JsonValue::Type type) const { return value().type == type; }
  void expect(bool is, const char* kind) const;
  [[nodiscard]] std::uint64_t integer(std::uint64_t most, std::uint64_t least) const;
  [[nodiscard]] std::string_view view() const;
  [[nodiscard]] std::string shown() const;
  /// "/vcpus/0/keys/12".
  [[nodiscard]] std::string place() const;

  const JsonDocument* document_;
  const std::string* name_;
  std::uint32_t index_;
};

class Node::Elements final {
 public:
  class Iterator final {
   public:
    explicit Iterator(const Node& element) : element_(element) {}
    [[nodiscard]] const Node& operator*() const { return element_; }
    Iterator& operator++() {
      element_.index_ = element_.value().next;
      return *this;
    }
    bool operator==(const Iterator& other) const { return element_.index_ == other.element_.index_; }

   private:
    Node element_;
  };

  explicit Elements(const Node& array) : array_(array) {}
  [[nodiscard]] std::size_t size() const { return array_.value().size; }
  [[nodiscard]] Iterator begin() const { return at(array_.index_ + 1); }
  [[nodiscard]] Iterator end() const { return at(array_.value().next); }

 private:
  [[nodiscard]] Iterator at(std::uint32_t index) const {
    return Iterator(Node(*array_.document_, *array_.name_, index));
  }

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
