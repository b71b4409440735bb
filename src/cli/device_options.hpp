/// What follows --disk, --net, --console and --rng: a value and then options,
/// "disk.img,model=virtio,readonly".
///
///     DeviceOptions options("--disk", text);
///     path = options.value();
///     readonly = options.flag("readonly");
///     queues = options.number("queues", 1, 16).value_or(1);
///     options.finish();
///
/// Each call takes its option out; finish() refuses what nobody has taken. Every error is a UsageError that
/// names the option, what was given and what can be given.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vmm/virtio_slot.hpp"

namespace kvmbench::cli {

class DeviceOptions final {
 public:
  /// `option` is how the user calls it ("--disk"). What comes first without a '=' is the value; a value with
  /// a
  /// '=' in it (file:a=b) is one where what precedes the '=' has a ':' or '/'.
  DeviceOptions(std::string option, std::string_view text);

  /// "" where there is none.
  [[nodiscard]] const std::string& value() const noexcept { return value_; }

  /// KEY=TEXT, any text but none.
  std::optional<std::string> text(const std::string& key);
  /// KEY, KEY=on or KEY=off.
  bool flag(const std::string& key, bool otherwise = false);
  /// KEY=N, decimal or 0x hexadecimal, from `least` to `most`.
  std::optional<std::uint64_t> number(const std::string& key, std::uint64_t least, std::uint64_t most);
  /// KEY=SIZE in bytes: a number with K, M, G or T (powers of 1024) or none behind it.
  std::optional<std::uint64_t> size(const std::string& key, std::uint64_t least, std::uint64_t most);
  /// KEY=TIME: a whole number with ns, us, ms or s behind it, from 0 up to `most`.
  std::optional<std::chrono::nanoseconds> duration(const std::string& key, std::chrono::nanoseconds most);
  /// KEY=WORD, one of `words`; which of them.
  std::optional<std::size_t> choice(const std::string& key, std::span<const std::string_view> words);

  /// Throws UsageError where an option is left, and names those that were asked for.
  void finish() const;

  /// "--disk disk.img,qeues=4: " and `problem`: the UsageError of this option.
  [[noreturn]] void refuse(const std::string& problem) const;

 private:
  [[nodiscard]] std::optional<std::string> take(const std::string& key);
  [[nodiscard]] std::optional<std::string> take_text(const std::string& key);

  std::string option_;
  std::string whole_;
  std::string value_;
  std::map<std::string, std::optional<std::string>, std::less<>> given_;
  std::vector<std::string> known_;
};

/// The options that every virtio device has: kick=ioeventfd|exit, ring=split|packed, batch=N, timeout=TIME,
/// hold=doorbell|interrupt|both.
[[nodiscard]] VirtioOptions take_virtio_options(DeviceOptions& options);

}  // namespace kvmbench::cli
