/// What the tables of SVM's exit codes share.
#pragma once

#include <cstdint>

#include "stats/reasons/shared_texts.hpp"

namespace kvmbench::stats::reasons {

/// A row; the short name is the manual's without the VMEXIT_ that all have.
consteval ReasonText svm(std::uint32_t code, std::string_view name, std::string_view description,
                         std::string_view cause, std::string_view remedy) {
  constexpr std::string_view prefix = "VMEXIT_";
  return {code, name, name.substr(prefix.size()), description, cause, remedy};
}

}  // namespace kvmbench::stats::reasons
