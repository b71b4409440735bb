/// Standard input, output and error as the caller left them: closed, full, or a pipe that nobody reads.
#pragma once

#include <string>
#include <string_view>

namespace kvmbench::cli {

/// Opens /dev/null in place of those that are closed: their numbers would go to the files opened next, and
/// the guest's output into one of them. Before anything else is opened.
void fill_closed_streams() noexcept;

/// "kvmbench: MESSAGE" and a newline on stderr. Where that cannot be written, nothing else is lost.
void tell(std::string_view message) noexcept;
/// The same, unless this program has told it so already. Any thread.
void tell_once(const std::string& message);

/// Throws HostError where what has been printed did not reach stdout.
void flush_stdout();

}  // namespace kvmbench::cli
