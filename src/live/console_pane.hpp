/// The guest's console while the terminal shows something else: its last lines.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "devices/character_sink.hpp"

namespace kvmbench::live {

/// Keeps the last lines of what is put into it; what is longer or older is forgotten.
class ConsolePane final : public CharacterSink {
 public:
  static constexpr std::size_t most_lines = 200;
  static constexpr std::size_t most_characters = 500;  ///< of a line, in bytes

  ConsolePane();

  /// A carriage return begins the line anew, as on a terminal; escape sequences are left out.
  void put(std::uint8_t byte) noexcept override;

  /// From the oldest to the one being written. Any thread.
  [[nodiscard]] std::vector<std::string> lines() const;

 private:
  enum class State { text, escape, sequence };

  mutable std::mutex mutex_;
  std::vector<std::string> lines_;  // a ring; all of it is allocated once, as put() may not
  std::size_t current_ = 0;
  std::size_t begun_ = 1;
  bool returned_ = false;
  State state_ = State::text;
};

}  // namespace kvmbench::live
