#include "cli/report_reader.hpp"

#include <malloc.h>

#include <algorithm>
#include <utility>

#include "cli/saved_report.hpp"

namespace kvmbench::cli {

namespace {

/// What one report took is there for the next one, instead of going back to the kernel and coming again as
/// pages to be cleared: a third of the time that many reports take. 32 MiB is the most that mallopt(3) takes.
void keep_freed_memory() {
  constexpr int bytes = 32 << 20;
  ::mallopt(M_MMAP_THRESHOLD, bytes);
  ::mallopt(M_TRIM_THRESHOLD, bytes);
}

}  // namespace

ReportReader::ReportReader(const std::vector<std::string>& files) : files_(files) {
  keep_freed_memory();
  constexpr std::size_t most_threads = 8, ahead = 2;  // reports kept for each thread
  const std::size_t cpus = std::max(std::thread::hardware_concurrency(), 1u);
  const std::size_t threads = std::min({cpus, most_threads, std::max<std::size_t>(files.size(), 1)});
  slots_.resize(ahead * threads);
  for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { read(); });
}

ReportReader::~ReportReader() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
}

ReportReader::Slot ReportReader::result_of(const std::string& file) {
  try {
    return read_report(file);
  } catch (...) {
    return std::current_exception();
  }
}

void ReportReader::read() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock,
                  [this] { return stop_ || begun_ == files_.size() || begun_ < given_ + slots_.size(); });
    if (stop_ || begun_ == files_.size()) return;
    const std::size_t number = begun_++;
    lock.unlock();
    Slot result = result_of(files_[number]);
    lock.lock();
    slots_[number % slots_.size()] = std::move(result);
    changed_.notify_all();
  }
}

report::Report ReportReader::next() {
  std::unique_lock lock(mutex_);
  Slot& slot = slots_[given_ % slots_.size()];
  changed_.wait(lock, [&slot] { return !std::holds_alternative<std::monostate>(slot); });
  Slot result = std::exchange(slot, std::monostate{});
  ++given_;
  lock.unlock();
  changed_.notify_all();
  if (const auto* error = std::get_if<std::exception_ptr>(&result)) std::rethrow_exception(*error);
  return std::get<report::Report>(std::move(result));
}

}  // namespace kvmbench::cli
