#include "report/json_parse.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <random>

#include "base/error.hpp"
#include "report/json_node.hpp"

namespace kvmbench::report {
namespace {

using Catch::Contains;

/// The text of the string that is the document.
std::string string_in(const std::string& text) {
  const JsonDocument document = parse_json(text, "a.json");
  return Node(document, "a.json").text();
}

std::string refusal(const std::string& text) {
  try {
    (void)parse_json(text, "a.json");
  } catch (const UsageError& error) {
    return error.what();
  }
  return "";
}

TEST_CASE("values come in the order of the text, each with where the next one begins") {
  const std::string text = R"( {"a": [1, [], {"b": null}], "c": -2.5e1} )";
  const JsonDocument document = parse_json(text, "a.json");
  const std::string name = "a.json";
  const Node root(document, name);
  std::size_t elements = 0;
  for (const Node& element : root["a"].elements(10)) {
    (void)element;
    ++elements;
  }
  CHECK(elements == 3);
  CHECK(document.values[0].next == document.values.size());
  CHECK(document.values.back().real == -25);
}

TEST_CASE("strings have their escape sequences resolved") {
  CHECK(string_in(R"("a\"\\\/\b\f\n\r\tz")") == "a\"\\/\b\f\n\r\tz");
  CHECK(string_in(R"("\u0041\u00e9\u20ac\ud83d\ude00")") == "A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
  CHECK(string_in("\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"") == "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
  CHECK(string_in("\"\"") == "");
}

TEST_CASE("strings that are none are refused") {
  for (const char* text :
       {R"("\x41")", R"("\u12")", R"("\u12g4")", R"("\ud83d")", R"("\ud83dA")", R"("\ude00")",
        R"("\ud83d\u0041")", "\"a", "\"a\\", "\"a\nb\"", "\"\t\"", "\"\xff\"", "\"\xc0\x80\"",
        "\"\xed\xa0\x80\"", "\"\xe2\x82\"", "\"\xf4\x90\x80\x80\"", "\"\xf0\x8f\xbf\xbf\""}) {
    INFO(text);
    CHECK_THAT(refusal(text), Contains("a.json: not JSON: line 1, column "));
  }
}

TEST_CASE("numbers that are none are refused") {
  for (const char* text :
       {"01", "-", "+1", ".5", "1.", "1e", "1e+", "0x10", "NaN", "Infinity", "-Infinity", "1_000"}) {
    INFO(text);
    CHECK_THAT(refusal(text), Contains("a.json: not JSON: "));
  }
  CHECK_THAT(refusal("1e999"), Contains("the number 1e999 is out of range"));
  CHECK_THAT(refusal("-1" + std::string(400, '0')), Contains("is out of range"));
}

TEST_CASE("an integer beyond 64 bits is no integer") {
  const JsonDocument document =
      parse_json("[18446744073709551615,18446744073709551616,-9223372036854775809]", "a");
  CHECK(document.values[1].type == JsonValue::Type::integer);
  CHECK(document.values[1].integer == ~std::uint64_t{0});
  CHECK(document.values[2].type == JsonValue::Type::real);
  CHECK(document.values[3].type == JsonValue::Type::real);
}

TEST_CASE("what is wrong is told with its line and column") {
  CHECK_THAT(refusal("{\n  \"a\": }"), Contains("line 2, column 8: a value is missing"));
  CHECK_THAT(refusal("[1 2]"), Contains("column 4: a comma or \"]\" is missing"));
  CHECK_THAT(refusal("{\"a\" 1}"), Contains("a colon is missing"));
  CHECK_THAT(refusal("{1: 1}"), Contains("a member's name is missing"));
  CHECK_THAT(refusal("[1,]"), Contains("a value is missing"));
  CHECK_THAT(refusal("{\"a\": 1,}"), Contains("a member's name is missing"));
  CHECK_THAT(refusal("[]]"), Contains("something follows the document"));
  CHECK_THAT(refusal("nul"), Contains("a value is missing"));
  CHECK_THAT(refusal(" "), Contains("it ends where a value belongs"));
}

TEST_CASE("a member that comes twice is refused, in small objects and in large ones, escaped or not") {
  CHECK_THAT(refusal(R"({"a": 1, "b": 2, "a": 3})"), Contains("member \"a\" comes twice in one object"));
  CHECK_THAT(refusal(R"({"a": 1, "\u0061": 3})"), Contains("member \"a\" comes twice"));
  std::string many = "{";
  for (int i = 0; i < 10'000; ++i) many += "\"" + std::to_string(i) + "\": {\"x\": 1}, ";
  CHECK(refusal(many + "\"x\": 1}").empty());
  CHECK_THAT(refusal(many + "\"77\": 1}"), Contains("member \"77\" comes twice"));
}

TEST_CASE("nesting beyond a report's is refused, however deep") {
  CHECK(refusal(std::string(16, '[') + std::string(16, ']')).empty());
  CHECK_THAT(refusal(std::string(17, '[') + std::string(17, ']')), Contains("nested too deeply"));
  CHECK_THAT(refusal(std::string(10'000'000, '[')), Contains("nested too deeply"));
}

TEST_CASE("the same texts are JSON here as by another parser") {
  const std::string seed = R"({"a": [1, -2.5e3, true, null, "x\u00e9\n"], "b": {"c": [], "d": false}})";
  std::mt19937 random(1);
  const auto below = [&](std::size_t limit) {
    return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random);
  };
  constexpr std::string_view characters = "{}[]\",:\\ 0123456789.-+eEtrufalsn\xc3\xa9\x80\x01";
  for (int i = 0; i < 20'000; ++i) {
    std::string text = seed;
    for (std::size_t changes = 1 + below(3); changes > 0; --changes) {
      const std::size_t at = below(text.size());
      if (below(3) == 0) {
        text.erase(at, 1 + below(3));
      } else {
        text[at] = characters[below(characters.size())];
      }
      if (text.empty()) text = " ";
    }
    INFO(text);
    const std::string why = refusal(text);
    const bool doubled = why.find("comes twice") != std::string::npos;
    const bool beyond = why.find("is out of range") != std::string::npos;
    if (!doubled && !beyond) CHECK(nlohmann::json::accept(text) == why.empty());
  }
}

}  // namespace
}  // namespace kvmbench::report
