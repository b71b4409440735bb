// kvmbench merge.

#include "cli/merge.hpp"

#include <memory>

#include "arguments/command.hpp"

namespace kvmbench::arguments {
namespace {

constexpr const char* examples = R"(
Examples:
  kvmbench merge run-*.json -o all.json              counts, sums and histograms added up, exactly
  kvmbench merge host-*.json --different-hosts -o fleet.json
)";

}  // namespace

Command add_merge(CLI::App& app) {
  CLI::App& merge = *app.add_subcommand("merge", "add saved reports up to one");
  merge.footer(examples);
  const auto options = std::make_shared<cli::MergeOptions>();
  merge.add_option("files", options->files, "reports that --report json has saved")->required();
  merge.add_option("-o,--output", options->output, "the sum, as JSON (default stdout)")->option_text("FILE");
  merge.add_flag("--different-hosts", options->different_hosts, "add up although the hosts differ");
  return {&merge, [options] { return cli::merge(*options); }};
}

}  // namespace kvmbench::arguments
