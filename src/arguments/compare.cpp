// kvmbench compare.

#include "cli/compare.hpp"

#include <memory>

#include "arguments/command.hpp"
#include "arguments/formats.hpp"

namespace kvmbench::arguments {
namespace {

constexpr const char* examples = R"(
Examples:
  kvmbench compare emulated.json virtio.json                    exits and times of both, and their ratio
  kvmbench compare emulated.json virtio.json --per requests     for each request that the devices counted
  kvmbench compare a.json b.json --per packets=10000 --format markdown
  kvmbench compare ept.json shadow.json --different-hosts       although the host's paging differs
)";

}  // namespace

Command add_compare(CLI::App& app) {
  CLI::App& compare = *app.add_subcommand("compare", "hold reports of the same work side by side");
  compare.footer(examples);
  const auto options = std::make_shared<cli::CompareOptions>();
  compare.add_option("files", options->files, "two reports that --report json has saved, or more")
      ->required()
      ->expected(2, 26);
  takes_format(*compare.add_option("--format", options->format, "how to show it (default text)"));
  compare.add_option("-o,--output", options->output, "where to (default stdout)")->option_text("FILE");
  compare
      .add_option("--per", options->per,
                  "divide by a number of operations, or by what the devices have counted of them")
      ->option_text("OPERATION[=N]");
  compare.add_flag("--different-hosts", options->different_hosts, "compare although the hosts differ");
  return {&compare, [options] { return cli::compare(*options); }};
}

}  // namespace kvmbench::arguments
