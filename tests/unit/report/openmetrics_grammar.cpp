#include "openmetrics_grammar.hpp"

#include <charconv>
#include <cmath>
#include <optional>
#include <set>
#include <stdexcept>
#include <vector>

namespace kvmbench::report::testing {
namespace {

class Mistake final : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

void require(bool holds, const std::string& rule, std::string_view line) {
  if (!holds) throw Mistake(rule + ": " + std::string(line));
}

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

struct Label {
  std::string name, value;
};

struct Sample {
  std::string name;
  std::vector<Label> labels;
  double value = 0;
};

/// Takes a line from its beginning.
class Line final {
 public:
  explicit Line(std::string_view text) : whole_(text), rest_(text) {}

  std::string name(bool colons) {
    std::size_t size = 0;
    while (size < rest_.size() &&
           (is_letter(rest_[size]) || (colons && rest_[size] == ':') || (size > 0 && is_digit(rest_[size]))))
      ++size;
    require(size > 0, "a name is missing", whole_);
    return std::string(taken(size));
  }

  void expect(std::string_view text) {
    require(rest_.starts_with(text), "\"" + std::string(text) + "\" is missing", whole_);
    taken(text.size());
  }

  bool take(std::string_view text) {
    if (!rest_.starts_with(text)) return false;
    taken(text.size());
    return true;
  }

  /// Between quotes: a backslash is followed by n, a quote or a backslash.
  std::string escaped() {
    expect("\"");
    std::string value;
    for (;;) {
      require(!rest_.empty(), "a label is not closed", whole_);
      const char c = taken(1).front();
      if (c == '"') return value;
      if (c != '\\') {
        value += c;
        continue;
      }
      require(!rest_.empty(), "a label is not closed", whole_);
      const char escape = taken(1).front();
      require(escape == 'n' || escape == '"' || escape == '\\', "no such escape sequence", whole_);
      value += escape == 'n' ? '\n' : escape;
    }
  }

  std::string_view rest() { return taken(rest_.size()); }

 private:
  std::string_view taken(std::size_t size) {
    const std::string_view part = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return part;
  }

  std::string_view whole_, rest_;
};

double number(std::string_view text, std::string_view line) {
  if (text == "+Inf") return INFINITY;
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  require(error == std::errc{} && end == text.data() + text.size() && std::isfinite(value),
          "\"" + std::string(text) + "\" is no finite number", line);
  return value;
}

Sample sample_of(std::string_view text) {
  Line line(text);
  Sample sample;
  sample.name = line.name(true);
  if (line.take("{")) {
    std::set<std::string> names;
    while (!line.take("}")) {
      if (!sample.labels.empty()) line.expect(",");
      Label label{line.name(false), ""};
      line.expect("=");
      label.value = line.escaped();
      require(names.insert(label.name).second, "a label comes twice", text);
      sample.labels.push_back(std::move(label));
    }
  }
  line.expect(" ");
  sample.value = number(line.rest(), text);
  return sample;
}

/// All labels but this one, as a key.
std::string key_of(const Sample& sample, std::string_view without = "") {
  std::set<std::string> labels;
  for (const Label& label : sample.labels) {
    if (label.name != without) labels.insert(label.name + '=' + label.value);
  }
  std::string key;
  for (const std::string& label : labels) key += label + '\n';
  return key;
}

/// The buckets, count and sum of a histogram, one after the other.
class HistogramCheck final {
 public:
  void add(const Sample& sample, std::string_view suffix, std::string_view line) {
    const std::string key = key_of(sample, "le");
    if (key != key_ || (suffix == "_bucket" && counted_)) begin(key, line);
    if (suffix == "_bucket") return bucket(sample, line);
    require(closed_, "a histogram's last bucket is +Inf", line);
    if (suffix == "_count") {
      require(sample.value == last_, "a histogram's count is its last bucket", line);
      counted_ = true;
    }
  }

 private:
  void begin(const std::string& key, std::string_view line) {
    require(known_.insert(key).second, "a histogram is in two places", line);
    *this = HistogramCheck(std::move(known_), key);
  }

  void bucket(const Sample& sample, std::string_view line) {
    std::optional<std::string> le;
    for (const Label& label : sample.labels) {
      if (label.name == "le") le = label.value;
    }
    require(le.has_value(), "a bucket has a bound", line);
    const bool canonical = *le == "+Inf" || le->find_first_of(".e") != std::string::npos;
    require(canonical, "a bound is a canonical number", line);
    const double bound = number(*le, line);
    require(!(bound <= bound_) && sample.value >= last_ && !closed_, "buckets are cumulative and ascend",
            line);
    bound_ = bound;
    last_ = sample.value;
    closed_ = std::isinf(bound);
  }

  std::set<std::string> known_;
  std::string key_ = "none";
  double bound_ = -INFINITY, last_ = 0;
  bool closed_ = false, counted_ = false;

 public:
  HistogramCheck() = default;
  HistogramCheck(std::set<std::string> known, std::string key)
      : known_(std::move(known)), key_(std::move(key)) {}
};

class Checker final {
 public:
  void check(std::string_view text) {
    bool ended = false;
    while (!text.empty()) {
      require(!ended, "something follows the end", text);
      const std::size_t end = text.find('\n');
      require(end != std::string_view::npos, "a line is not ended", text);
      const std::string_view line = text.substr(0, end);
      text.remove_prefix(end + 1);
      if (line == "# EOF") {
        ended = true;
      } else if (line.starts_with('#')) {
        metadata(line);
      } else {
        add(line);
      }
    }
    require(ended, "the end is missing", "");
  }

 private:
  void metadata(std::string_view text) {
    Line line(text);
    line.expect("# ");
    const std::string kind = line.name(false);
    line.expect(" ");
    const std::string name = line.name(true);
    line.expect(" ");
    const std::string_view what = line.rest();
    if (kind == "TYPE") {
      require(families_.insert(name).second, "a family comes twice", text);
      family_ = name;
      type_ = what;
      said_.clear();
      sampled_ = false;
      histogram_ = {};
    }
    require(name == family_ && !sampled_, "metadata stands before its family's samples", text);
    require(said_.insert(kind).second, "metadata comes once", text);
    if (kind == "TYPE") {
      static const std::set<std::string, std::less<>> types{"counter", "gauge", "histogram", "info",
                                                            "unknown"};
      require(types.contains(what), "no such type", text);
    } else if (kind == "UNIT") {
      require(name.ends_with('_' + std::string(what)), "a unit is the end of the name", text);
    } else {
      require(kind == "HELP" && what.find('\\') == std::string_view::npos, "no such metadata", text);
    }
  }

  void add(std::string_view line) {
    const Sample sample = sample_of(line);
    require(sample.name.starts_with(family_) && !family_.empty(), "a sample is of its family", line);
    const std::string suffix = sample.name.substr(family_.size());
    sampled_ = true;
    require(samples_.insert(sample.name + '\n' + key_of(sample)).second, "a sample comes twice", line);
    if (type_ == "counter") {
      require(suffix == "_total" && sample.value >= 0, "a counter is a _total from 0", line);
    } else if (type_ == "info") {
      require(suffix == "_info" && sample.value == 1, "an info is 1", line);
    } else if (type_ == "histogram") {
      require(suffix == "_bucket" || suffix == "_count" || suffix == "_sum", "no part of a histogram", line);
      histogram_.add(sample, suffix, line);
    } else {
      require(suffix.empty(), "a sample has its family's name", line);
    }
  }

  std::set<std::string> families_, samples_, said_;
  std::string family_, type_;
  bool sampled_ = false;
  HistogramCheck histogram_;
};

}  // namespace

std::string violation(std::string_view text) {
  try {
    Checker().check(text);
    return "";
  } catch (const Mistake& mistake) {
    return mistake.what();
  }
}

}  // namespace kvmbench::report::testing
