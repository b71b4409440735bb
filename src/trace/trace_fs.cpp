#include "trace/trace_fs.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace kvmbench::trace {
namespace {

constexpr const char* usual_place = "/sys/kernel/tracing";

UniqueFd open_directory(const std::string& path) {
  return UniqueFd(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
}

/// fsopen(2), fsconfig(2), fsmount(2); glibc 2.36 declares them.
UniqueFd mount_unseen(const char* type) {
  const UniqueFd context(::fsopen(type, FSOPEN_CLOEXEC));
  if (!context || ::fsconfig(context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) != 0) return {};
  return UniqueFd(::fsmount(context.get(), FSMOUNT_CLOEXEC, 0));
}

}  // namespace

UniqueFd open_kernel_files(const char* type, const char* usual_place, const char* entry) {
  UniqueFd root = open_directory(usual_place);
  // EACCES: it is there, and whoever reads in it will be told.
  if (root && (::faccessat(root.get(), entry, F_OK, 0) == 0 || errno == EACCES)) return root;
  return mount_unseen(type);
}

TraceFs::TraceFs() : root_(open_kernel_files("tracefs", usual_place, "events")) {
  if (!root_) {
    throw TracingUnavailable(
        fmt::format("tracefs is not mounted at {}, and this process may not mount it (CAP_SYS_ADMIN): {}; "
                    "mount -t tracefs tracefs {} as root does it",
                    usual_place, std::strerror(errno), usual_place));
  }
}

TraceFs::TraceFs(const std::string& root) : root_(open_directory(root)) {
  if (!root_) throw TracingUnavailable(fmt::format("{}: {}", root, std::strerror(errno)));
}

EventFormat TraceFs::kvm_event(std::string_view name) const {
  const std::string path = fmt::format("events/kvm/{}/format", name);
  const UniqueFd file(::openat(root_.get(), path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file && errno == EACCES) {
    throw TracingUnavailable(
        fmt::format("{}/{} may not be read: it takes CAP_DAC_READ_SEARCH, or root", usual_place, path));
  }
  if (!file) {
    throw TracingUnavailable(fmt::format(
        "this kernel has no event kvm:{} ({}/{}: {}); it takes a kernel with CONFIG_FTRACE and a loaded kvm",
        name, usual_place, path, std::strerror(errno)));
  }
  std::string text;
  std::array<char, 16 << 10> part;
  ssize_t got = 0;
  while ((got = ::read(file.get(), part.data(), part.size())) > 0)
    text.append(part.data(), static_cast<std::size_t>(got));
  auto format = EventFormat::parse(text);
  if (!format) throw TracingUnavailable(fmt::format("{}/{} is no event format", usual_place, path));
  return std::move(*format);
}

}  // namespace kvmbench::trace
