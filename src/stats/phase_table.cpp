#include "stats/phase_table.hpp"

#include <algorithm>

namespace kvmbench::stats {

PhaseTable::PhaseTable(Cycles began) {
  phases_.reserve(max_phases);
  phases_.push_back({PhaseLabel{}, began});
}

void PhaseTable::mark(PhaseLabel::Kind kind, std::uint32_t value, Cycles now) {
  if (kind != PhaseLabel::Kind::post_code) {
    enter(kind, kind == PhaseLabel::Kind::mark ? value : 0, {}, now);
    return;
  }
  std::atomic<std::uint16_t>& phase = post_code_phases_[value & 0xff];
  if (const std::uint16_t known = phase.load(std::memory_order_relaxed); known != 0) {
    current_.store(known, std::memory_order_relaxed);
  } else {
    phase.store(enter(kind, value & 0xff, {}, now), std::memory_order_relaxed);
  }
}

void PhaseTable::mark(PhaseLabel::Kind kind, std::string_view text, Cycles now) {
  enter(kind, 0, text.substr(0, max_text), now);
}

std::uint16_t PhaseTable::enter(PhaseLabel::Kind kind, std::uint32_t value, std::string_view text,
                                Cycles now) {
  const std::lock_guard lock(mutex_);
  const auto is_sought = [&](const Phase& phase) {
    return phase.label.kind == kind && phase.label.value == value && phase.label.text == text;
  };
  auto at = std::find_if(phases_.begin(), phases_.end(), is_sought);
  if (at == phases_.end()) {
    if (phases_.size() + 1 < max_phases) {
      phases_.push_back({PhaseLabel{kind, value, std::string(text)}, now});
    } else if (phases_.size() < max_phases) {
      phases_.push_back({PhaseLabel{PhaseLabel::Kind::further, 0, {}}, now});
    }
    at = phases_.end() - 1;
  }
  const auto index = static_cast<std::uint16_t>(at - phases_.begin());
  current_.store(index, std::memory_order_relaxed);
  return index;
}

bool PhaseTable::is_guests_own() const {
  const std::lock_guard lock(mutex_);
  const PhaseLabel::Kind kind = phases_[current()].label.kind;
  return kind == PhaseLabel::Kind::named || kind == PhaseLabel::Kind::mark;
}

std::vector<Phase> PhaseTable::phases() const {
  const std::lock_guard lock(mutex_);
  return phases_;
}

}  // namespace kvmbench::stats
