#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/error.hpp"
#include "report/formats.hpp"

namespace kvmbench::report {
namespace {

using Catch::Contains;
namespace fs = std::filesystem;

class Directory final {
 public:
  Directory() {
    std::string name = (fs::temp_directory_path() / "kvmbench-report-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~Directory() { fs::remove_all(path_); }

  [[nodiscard]] std::string file(const std::string& name) const { return (path_ / name).string(); }
  [[nodiscard]] std::size_t entries() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(path_), fs::directory_iterator()));
  }

 private:
  fs::path path_;
};

std::string content(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

mode_t permissions(const std::string& path) {
  struct stat status {};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  return status.st_mode & 07777;
}

std::string refusal(const std::string& path, std::string_view text = "new") {
  try {
    write_file(path, text);
  } catch (const UsageError& error) {
    return error.what();
  }
  return "";
}

TEST_CASE("a file is written whole and leaves nothing beside it") {
  const Directory directory;
  const std::string text(3'000'000, 'x');
  write_file(directory.file("report"), text);
  CHECK(content(directory.file("report")) == text);
  CHECK(directory.entries() == 1);
}

TEST_CASE("a new file has the permissions that the umask leaves") {
  const Directory directory;
  const mode_t before = ::umask(027);
  write_file(directory.file("report"), "new");
  ::umask(before);
  CHECK(permissions(directory.file("report")) == 0640);
}

TEST_CASE("a file that is replaced keeps its permissions") {
  const Directory directory;
  const std::string path = directory.file("report");
  std::ofstream(path) << "old and longer";
  fs::permissions(path, fs::perms{0600});
  write_file(path, "new");
  CHECK(content(path) == "new");
  CHECK(permissions(path) == 0600);
}

TEST_CASE("a symbolic link stays one, and what it names is replaced") {
  const Directory directory;
  std::ofstream(directory.file("real")) << "old";
  fs::create_symlink("real", directory.file("link"));
  write_file(directory.file("link"), "new");
  CHECK(fs::is_symlink(directory.file("link")));
  CHECK(content(directory.file("real")) == "new");
}

TEST_CASE("a full device is reported as such") {
  CHECK(refusal("/dev/full") == "cannot write report /dev/full: writing failed: No space left on device");
}

TEST_CASE("a device is written to, not replaced") {
  write_file("/dev/null", "new");
  CHECK(fs::is_character_file("/dev/null"));
}

TEST_CASE("a directory is refused") {
  const Directory directory;
  CHECK_THAT(refusal(directory.file("")), Contains("Is a directory"));
  CHECK(directory.entries() == 0);
}

TEST_CASE("a path through a missing directory is refused by its name") {
  const Directory directory;
  const std::string path = directory.file("missing/report");
  CHECK(refusal(path) ==
        "cannot write report " + path + ": cannot create a file beside it: No such file or directory");
}

TEST_CASE("after a failed write the old file is whole and nothing is beside it") {
  const Directory directory;
  const std::string path = directory.file("report");
  std::ofstream(path) << "old";
  // A limit on a file's size is what a full disk is: a write that fails half way.
  struct rlimit limit {};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &limit) == 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const struct rlimit small { 4'096, limit.rlim_max };
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
  const std::string message = refusal(path, std::string(100'000, 'x'));
  ::setrlimit(RLIMIT_FSIZE, &limit);
  std::signal(SIGXFSZ, handler);

  CHECK_THAT(message, Contains("writing failed: File too large"));
  CHECK(content(path) == "old");
  CHECK(directory.entries() == 1);
}

}  // namespace
}  // namespace kvmbench::report
