#include "report/printable.hpp"

#include <catch2/catch.hpp>
#include <string>

namespace kvmbench::report {
namespace {

TEST_CASE("control characters are written out") {
  CHECK(printable("a\x1b[2Jb") == "a\\x1b[2Jb");
  CHECK(printable("one\ntwo\r\tthree") == "one\\x0atwo\\x0d\\x09three");
  CHECK(printable(std::string("a\0b", 3)) == "a\\x00b");
  CHECK(printable("\x7f") == "\\x7f");
}

TEST_CASE("C1 control characters in UTF-8 are written out") {
  CHECK(printable("\u009b2J") == "\\u009b2J");
}

TEST_CASE("characters that reorder or hide text are written out") {
  CHECK(printable("a\u202eb\u200bc\ufeff") == "a\\u202eb\\u200bc\\ufeff");
}

TEST_CASE("text in any language stays as it is") {
  const std::string text = "µs größer 日本 🙂 e\u0301";
  CHECK(printable(text) == text);
}

TEST_CASE("bytes that are not UTF-8 are written out") {
  CHECK(printable("\xff") == "\\xff");
  CHECK(printable("\xc2") == "\\xc2");                             // the second byte is missing
  CHECK(printable("\xc0\xaf") == "\\xc0\\xaf");                    // '/' in two bytes
  CHECK(printable("\xed\xa0\x80") == "\\xed\\xa0\\x80");           // a surrogate
  CHECK(printable("\xf4\x90\x80\x80") == "\\xf4\\x90\\x80\\x80");  // above U+10FFFF
  CHECK(printable("\xe2\x82x") == "\\xe2\\x82x");
}

TEST_CASE("width is counted in columns, not bytes") {
  CHECK(display_width("12.3 µs") == 7);
  CHECK(display_width("日本") == 4);
  CHECK(display_width("e\u0301") == 1);
  CHECK(display_width("") == 0);
}

TEST_CASE("a cut text ends in an ellipsis and fits") {
  CHECK(cut("register", 8) == "register");
  CHECK(cut("register", 7) == "regist…");
  CHECK(cut("µµµµ", 3) == "µµ…");
  CHECK(cut("日本語", 4) == "日…");  // half of a wide character cannot be shown
  CHECK(cut("register", 0).empty());
}

TEST_CASE("lines break at spaces, and within a word that is longer than the line") {
  using Lines = std::vector<std::string>;
  CHECK(wrap("one two three", 7) == Lines{"one two", "three"});
  CHECK(wrap("abcdefgh", 3) == Lines{"abc", "def", "gh"});
  CHECK(wrap("ab cdefgh", 4) == Lines{"ab", "cdef", "gh"});
  CHECK(wrap("", 10) == Lines{""});
  CHECK(wrap("日本", 1) == Lines{"日", "本"});
}

}  // namespace
}  // namespace kvmbench::report
