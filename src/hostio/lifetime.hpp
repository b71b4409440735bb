/// Keeps a handler that is already queued from touching an object that is gone: cancelling an operation of
/// Asio does not recall a completion that waits to be run.
#pragma once

#include <memory>
#include <utility>

namespace kvmbench::hostio {

/// A member of the object that the handlers refer to. For one thread.
class Lifetime final {
 public:
  Lifetime() = default;
  Lifetime(const Lifetime&) = delete;
  Lifetime& operator=(const Lifetime&) = delete;

  /// A handler that runs `action()` only while this object lives; the handler's own arguments are left out.
  template <typename Action>
  [[nodiscard]] auto guard(Action action) const {
    return [token = std::weak_ptr<const char>(token_), action = std::move(action)](const auto&...) {
      if (!token.expired()) action();
    };
  }

 private:
  std::shared_ptr<const char> token_ = std::make_shared<const char>('\0');
};

}  // namespace kvmbench::hostio
