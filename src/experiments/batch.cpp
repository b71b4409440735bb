// batch: virtio requests per notification.

#include <fmt/format.h>

#include <array>

#include "experiments/devices.hpp"
#include "experiments/experiment.hpp"
#include "experiments/scratch_file.hpp"

namespace kvmbench::experiments {

void run_batch(Context& context, report::ExperimentResult& result);

namespace {

using report::ExperimentCell;
using Unit = report::ExperimentColumn::Unit;

constexpr std::array<std::uint64_t, 7> batches = {1, 2, 4, 8, 16, 32, 64};
constexpr std::uint64_t depth = 64;
constexpr std::uint64_t disk_bytes = 4 << 20;
constexpr std::string_view figures = "write";  // of the guest, guests/disk.c
constexpr std::uint8_t work_mark = 0x51;
constexpr std::uint64_t flushes = 1;  // of the guest, after its work

struct Way {
  std::string_view name;
  std::string_view kick;
  bool event_idx;  ///< and the driver rings only where the device asks for it
};
constexpr std::array ways{
    Way{"exit", "exit", false},
    Way{"exit-event_idx", "exit", true},
    Way{"ioeventfd", "ioeventfd", false},
    Way{"ioeventfd-event_idx", "ioeventfd", true},
};

struct Point {
  const Way* way;
  std::uint64_t batch;
};

Arm arm_of(const Point& point, std::uint64_t requests, const std::string& disk) {
  Arm arm = guest_arm(
      fmt::format("{}-{}", point.way->name, point.batch), "@disk",
      fmt::format("model=virtio op=write size=512 n={} depth={} batch={} event_idx={} suppress={} "
                  "print=result",
                  requests, depth, point.batch, point.way->event_idx ? 1 : 0, point.way->event_idx ? 1 : 0));
  arm.options.disks = {fmt::format("{},model=virtio,kick={}", disk, point.way->kick)};
  return arm;
}

std::uint64_t requests_of(Context& context, const std::string& disk) {
  constexpr std::uint64_t tried = 128, least = 128, most = 32768;
  constexpr double repetitions = 3, share = 0.5;
  const ArmRun run = context.try_out(arm_of({&ways[0], 1}, tried, disk));
  const auto cycles = run.guest.figure(figures, "cycles");
  if (run.failed() || !cycles) return least;
  constexpr double arms = ways.size() * batches.size();
  // What a machine costs before and after its guest's work is not the work's.
  const double room = share * context.seconds_left() / repetitions / arms;
  const double each = run.seconds(*cycles) / static_cast<double>(tried);
  return rounds_within(room, each, least, most) / depth * depth;
}

/// Notifications of the queue: those that KVM counted on an eventfd, or the exits.
std::optional<std::uint64_t> notifications(const ArmRun& run, const Way& way) {
  if (way.kick == "exit") return accesses(run, work_mark, VirtioRegister::queue_notify);
  const auto all = operations_of(run, "virtio-blk0", "doorbells");
  return all && *all >= flushes ? std::optional(*all - flushes) : std::nullopt;
}

double per_request(std::uint64_t count, std::uint64_t requests) {
  return static_cast<double>(count) / static_cast<double>(requests);
}

std::vector<ExperimentCell> row_of(const Point& point, const std::vector<ArmRun>& runs,
                                   std::uint64_t requests) {
  const auto exits = [&](const ArmRun& run) -> std::optional<double> {
    return per_request(exits_of_work(run, work_mark), requests);
  };
  const auto notified = [&](const ArmRun& run) -> std::optional<double> {
    const auto count = notifications(run, *point.way);
    return count ? std::optional(per_request(*count, requests)) : std::nullopt;
  };
  const auto throughput = [&](const ArmRun& run) -> std::optional<double> {
    const auto cycles = run.guest.figure(figures, "cycles");
    return cycles && *cycles > 0 ? std::optional(static_cast<double>(requests) / run.seconds(*cycles))
                                 : std::nullopt;
  };
  return {std::string(point.way->kick),      std::string(point.way->event_idx ? "yes" : "no"),
          static_cast<double>(point.batch),  spread_over(runs, exits),
          spread_over(runs, notified),       spread_over(runs, throughput),
          seconds_of(runs, figures, "mean"), seconds_of(runs, figures, "p99")};
}

/// A driver that rings after each batch makes as many notifications as there are batches; each is an exit, or
/// none is.
void expect_exits(const Point& point, const std::vector<ArmRun>& runs, std::uint64_t requests,
                  report::ExperimentResult& result) {
  const std::uint64_t rung = (requests + point.batch - 1) / point.batch;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    if (runs[i].failed()) continue;
    const std::string what = fmt::format("{} by {}, repetition {}", point.way->name, point.batch, i + 1);
    const bool by_exit = point.way->kick == "exit";
    if (!by_exit) result.expect(what + ": exits", 0, exits_of_work(runs[i], work_mark));
    if (point.way->event_idx) continue;
    if (by_exit) result.expect(what + ": exits", rung, exits_of_work(runs[i], work_mark));
    if (const auto notified = notifications(runs[i], *point.way))
      result.expect(what + ": notifications", rung, *notified);
  }
}

enum Column : std::size_t { exits_column = 3, throughput_column = 5 };

/// The series of one way's column against the batch.
report::ExperimentSeries series_of(const report::ExperimentTable& table, std::size_t way, Column column) {
  report::ExperimentSeries series{.label = std::string(ways[way].name), .points = {}};
  for (std::size_t i = 0; i < batches.size(); ++i) {
    const auto& cells = table.rows[way * batches.size() + i].cells;
    const auto* spread = column < cells.size() ? std::get_if<report::Spread>(&cells[column]) : nullptr;
    if (spread != nullptr) series.points.emplace_back(static_cast<double>(batches[i]), spread->median);
  }
  return series;
}

report::ExperimentPlot plot_of(const report::ExperimentTable& table, Column column, std::string title,
                               std::string y_title) {
  report::ExperimentPlot plot{.id = column == exits_column ? "batch-exits" : "batch-throughput",
                              .title = std::move(title),
                              .x_title = "requests per notification",
                              .y_title = std::move(y_title),
                              .series = {}};
  for (std::size_t way = 0; way < ways.size(); ++way) plot.series.push_back(series_of(table, way, column));
  return plot;
}

/// From one request to 64 per notification.
std::string answer_of(const report::ExperimentTable& table) {
  const auto at = [&](std::size_t way, std::size_t batch, Column column) {
    const auto& cells = table.rows[way * batches.size() + batch].cells;
    return column < cells.size() ? std::get_if<report::Spread>(&cells[column]) : nullptr;
  };
  constexpr std::size_t last = batches.size() - 1;
  const auto *alone = at(0, 0, exits_column), *together = at(0, last, exits_column);
  const auto *slow = at(0, 0, throughput_column), *fast = at(0, last, throughput_column);
  if (alone == nullptr || together == nullptr || slow == nullptr || fast == nullptr)
    return "The figures support no answer: the batches could not be compared.";
  const std::string_view throughput = clearly_less(*slow, *fast) ? "throughput grows"
                                      : clearly_less(*fast, *slow)
                                          ? "throughput falls"
                                          : "throughput changes by no more than it varies";
  return fmt::format(
      "Without EVENT_IDX or an ioeventfd, {} requests per notification instead of one take {:.4f} exits a "
      "request "
      "instead of {:.4f}; {}, from {:.0f} to {:.0f} requests/s.",
      batches[last], together->median, alone->median, throughput, slow->median, fast->median);
}

}  // namespace

void run_batch(Context& context, report::ExperimentResult& result) {
  const ScratchFile disk("disk", disk_bytes);
  const std::uint64_t requests = requests_of(context, disk.path());
  std::vector<Point> points;
  std::vector<Arm> arms;
  for (const Way& way : ways) {
    for (const std::uint64_t batch : batches) {
      points.push_back({&way, batch});
      arms.push_back(arm_of(points.back(), requests, disk.path()));
    }
  }
  const std::vector<std::vector<ArmRun>> runs = context.interleave(arms);

  report::ExperimentTable table{.id = "batch",
                                .title = "Requests per notification of virtio-blk",
                                .columns = {{"kick", "notified by", Unit::words},
                                            {"event_idx", "EVENT_IDX", Unit::words},
                                            {"batch", "batch", Unit::count},
                                            {"exits", "exits/request", Unit::ratio},
                                            {"notifications", "notified/request", Unit::ratio, 1},
                                            {"throughput", "requests/s", Unit::per_second},
                                            {"mean_s", "mean", Unit::seconds, 2},
                                            {"p99_s", "p99", Unit::seconds, 3}},
                                .rows = {},
                                .notes = {}};
  for (std::size_t i = 0; i < points.size(); ++i) {
    const Point& point = points[i];
    if (const auto why = failed(runs[i], result)) {
      table.add_not_here({std::string(point.way->kick), std::string(point.way->event_idx ? "yes" : "no"),
                          static_cast<double>(point.batch)},
                         *why);
      continue;
    }
    table.add(row_of(point, runs[i], requests));
    expect_exits(point, runs[i], requests, result);
  }
  table.notes.push_back(fmt::format(
      "{} writes of 512 bytes with at most {} in flight; without EVENT_IDX the driver notifies the "
      "device of every batch, with it only where the device asks for that.",
      requests, depth));
  result.answer = answer_of(table);
  result.plots.push_back(plot_of(table, exits_column, "Exits a request", "exits/request"));
  result.plots.push_back(plot_of(table, throughput_column, "Throughput", "requests/s"));
  result.tables.push_back(std::move(table));
}

}  // namespace kvmbench::experiments
