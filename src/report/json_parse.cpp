#include "report/json_parse.hpp"

#include <fmt/format.h>

#include <cmath>
#include <vector>

#include "base/error.hpp"
#include "report/json_node.hpp"
#include "report/printable.hpp"

namespace kvmbench::report {
namespace {

using Json = nlohmann::json;

/// Puts the document together as the parser meets its parts.
class Builder final : public nlohmann::json_sax<Json> {
 public:
  explicit Builder(const std::string& name) : name_(name) {}

  [[nodiscard]] Json take() { return std::move(root_); }

  bool null() override { return add(nullptr); }
  bool boolean(bool value) override { return add(value); }
  bool number_integer(number_integer_t value) override { return add(value); }
  bool number_unsigned(number_unsigned_t value) override { return add(value); }
  bool number_float(number_float_t value, const string_t& text) override {
    if (!std::isfinite(value)) refuse(fmt::format("the number {} is out of range", shown(text)));
    return add(value);
  }
  bool string(string_t& value) override { return add(std::move(value)); }
  bool binary(binary_t&) override { refuse("it holds binary data"); }
  bool start_object(std::size_t) override { return open(Json::object()); }
  bool start_array(std::size_t) override { return open(Json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(string_t& name) override {
    const auto [at, is_new] = open_.back()->get_ref<Json::object_t&>().try_emplace(std::move(name));
    if (!is_new) refuse(fmt::format("member \"{}\" comes twice in one object", shown(at->first)));
    member_ = &at->second;
    return true;
  }

  bool parse_error(std::size_t, const std::string&, const Json::exception& error) override {
    // "[json.exception.parse_error.101] parse error at line 1, ...": the library's own number says nothing.
    const std::string_view what = error.what();
    const std::size_t number = what.find("] ");
    throw UsageError(
        fmt::format("{}: not JSON: {}", name_,
                    printable(number == std::string_view::npos ? what : what.substr(number + 2))));
  }

 private:
  static std::string shown(std::string_view text) { return cut(printable(text), 40); }

  [[noreturn]] void refuse(const std::string& what) const {
    throw UsageError(fmt::format("{}: not a kvmbench report: {}", name_, what));
  }

  /// Where the next value goes: the document, an array's end or the member just named.
  Json& place() {
    if (open_.empty()) return root_;
    Json& parent = *open_.back();
    return parent.is_array() ? parent.get_ref<Json::array_t&>().emplace_back() : *member_;
  }

  bool add(Json value) {
    place() = std::move(value);
    return true;
  }

  bool open(Json container) {
    if (open_.size() >= Place::deepest) refuse("nested too deeply");
    Json& here = place();
    here = std::move(container);
    open_.push_back(&here);
    return true;
  }

  bool close() {
    open_.pop_back();
    return true;
  }

  const std::string& name_;
  Json root_;
  std::vector<Json*> open_;  ///< objects and arrays, the innermost last
  Json* member_ = nullptr;
};

}  // namespace

Json parse_json(std::string_view text, const std::string& name) {
  Builder builder(name);
  Json::sax_parse(text.begin(), text.end(), &builder);
  return builder.take();
}

}  // namespace kvmbench::report
