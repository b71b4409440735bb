// io-mix: exits and throughput against the share of work that is I/O.

#include <fmt/format.h>

#include <array>

#include "experiments/devices.hpp"
#include "experiments/experiment.hpp"
#include "experiments/scratch_file.hpp"
#include "report/units.hpp"

namespace kvmbench::experiments {

void run_io_mix(Context& context, report::ExperimentResult& result);

namespace {

using report::ExperimentCell;
using Unit = report::ExperimentColumn::Unit;

constexpr std::array<unsigned, 11> percents = {0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100};
constexpr std::uint64_t disk_bytes = 4 << 20;
// Of the guest, guests/share.c: the n-th share is the phase first_mark + n.
constexpr std::uint8_t first_mark = 0x70;

struct Way {
  std::string_view arm;
  std::string_view device;
  std::string_view disk;  ///< options of --disk
  std::string_view model;
};
constexpr std::array ways{
    Way{"ata", "ATA disk", "model=ata", "ata"},
    Way{"virtio-exit", "virtio-blk, exit", "model=virtio,kick=exit", "virtio"},
    Way{"virtio", "virtio-blk, ioeventfd", "model=virtio", "virtio"},
};
enum : std::size_t { emulated, by_exit, by_ioeventfd };

std::string figures_of(std::size_t share) {
  return fmt::format("share-{}", percents[share]);
}

std::uint8_t mark_of(std::size_t share) {
  return static_cast<std::uint8_t>(first_mark + share);
}

Arm arm_of(const Way& way, const std::string& shares, std::uint64_t steps, const std::string& disk) {
  Arm arm = guest_arm(std::string(way.arm), "@share",
                      fmt::format("model={} share={} n={} wait=irq", way.model, shares, steps));
  arm.options.disks = {fmt::format("{},{}", disk, way.disk)};
  return arm;
}

std::uint64_t steps_of(Context& context, const std::string& disk) {
  constexpr std::uint64_t tried = 50, least = 20, most = 5000;
  constexpr double repetitions = 4, share = 0.7;
  const ArmRun run = context.try_out(arm_of(ways[emulated], "100", tried, disk));
  const auto cycles = run.guest.figure("share-100", "elapsed");
  if (run.failed() || !cycles) return least;
  const double room = share * context.seconds_left() / repetitions / (ways.size() * percents.size());
  // A multiple of ten, so that each share is a whole number of steps.
  return rounds_within(room, run.seconds(*cycles) / static_cast<double>(tried), least, most) / 10 * 10;
}

double seconds_a_step(const ArmRun& run, std::size_t share, std::uint64_t steps) {
  return run.seconds(run.guest.figure(figures_of(share), "elapsed").value_or(0)) / static_cast<double>(steps);
}

double exits_a_step(const ArmRun& run, std::size_t share, std::uint64_t steps) {
  return static_cast<double>(exits_of_work(run, mark_of(share))) / static_cast<double>(steps);
}

/// Time and exits of a step as lines over the share of I/O; their quotient is the exit rate's model.
struct Model {
  LinearFit seconds, exits;

  [[nodiscard]] double rate(double share) const {
    const double time = seconds.at(share);
    return time > 0 ? exits.at(share) / time : 0;
  }
};

std::optional<Model> model_of(const std::vector<ArmRun>& runs, std::uint64_t steps) {
  std::vector<std::pair<double, double>> seconds, exits;
  for (std::size_t i = 0; i < percents.size(); ++i) {
    const double share = percents[i] / 100.0;
    const auto time =
        median_over(runs, [&](const ArmRun& run) { return std::optional(seconds_a_step(run, i, steps)); });
    const auto count =
        median_over(runs, [&](const ArmRun& run) { return std::optional(exits_a_step(run, i, steps)); });
    if (time) seconds.emplace_back(share, *time);
    if (count) exits.emplace_back(share, *count);
  }
  const auto of_seconds = fit_line(seconds), of_exits = fit_line(exits);
  if (!of_seconds || !of_exits) return std::nullopt;
  return Model{*of_seconds, *of_exits};
}

ExperimentCell less(const ExperimentCell& cell, double model) {
  const auto* spread = std::get_if<report::Spread>(&cell);
  return spread != nullptr ? ExperimentCell{residual(spread->median, model)} : ExperimentCell{};
}

std::vector<ExperimentCell> row_of(const Way& way, std::size_t share, const std::vector<ArmRun>& runs,
                                   const Model& model, std::uint64_t steps) {
  const double p = percents[share] / 100.0;
  const ExperimentCell exits =
      spread_over(runs, [&](const ArmRun& run) { return std::optional(exits_a_step(run, share, steps)); });
  const ExperimentCell time =
      spread_over(runs, [&](const ArmRun& run) { return std::optional(seconds_a_step(run, share, steps)); });
  const ExperimentCell rate = spread_over(runs, [&](const ArmRun& run) {
    return std::optional(exits_a_step(run, share, steps) / seconds_a_step(run, share, steps));
  });
  const ExperimentCell throughput = spread_over(
      runs, [&](const ArmRun& run) { return std::optional(1 / seconds_a_step(run, share, steps)); });
  return {std::string(way.device),
          p,
          exits,
          less(exits, model.exits.at(p)),
          time,
          less(time, model.seconds.at(p)),
          rate,
          less(rate, model.rate(p)),
          throughput};
}

/// How many exits a request of a sector is: guests/README.md.
void expect_exits(const Way& way, std::size_t share, const std::vector<ArmRun>& runs, std::uint64_t steps,
                  report::ExperimentResult& result) {
  const std::uint64_t requests = steps * percents[share] / 100;
  constexpr std::uint64_t of_ata = 12;       // ten registers written, status read, one string of data
  constexpr std::uint64_t an_interrupt = 2;  // InterruptStatus, InterruptACK
  const std::uint8_t mark = mark_of(share);
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const ArmRun& run = runs[i];
    if (run.failed()) continue;
    const std::string what = fmt::format("{} at {} %, repetition {}", way.arm, percents[share], i + 1);
    std::uint64_t expected = of_ata * requests;
    if (&way != &ways[emulated]) {
      const std::uint64_t notified = accesses(run, mark, VirtioRegister::queue_notify);
      result.expect(what + ": QueueNotify", &way == &ways[by_exit] ? requests : 0, notified);
      expected = notified + an_interrupt * accesses(run, mark, VirtioRegister::interrupt_status);
    }
    result.expect(what + ": all", expected, exits_of_work(run, mark));
  }
}

report::ExperimentTable table_of_models(const std::vector<std::optional<Model>>& models) {
  report::ExperimentTable table{.id = "io-mix-models",
                                .title = "The fitted lines: a step at share p",
                                .columns = {{"device", "device", Unit::words},
                                            {"exits_0", "exits at 0", Unit::ratio},
                                            {"exits_slope", "per p", Unit::ratio},
                                            {"exits_r2", "R2", Unit::ratio, 1},
                                            {"exits_residual", "off by at most", Unit::ratio, 3},
                                            {"time_0_s", "time at 0", Unit::seconds},
                                            {"time_slope_s", "per p", Unit::seconds},
                                            {"time_r2", "R2", Unit::ratio, 2},
                                            {"time_residual_s", "off by at most", Unit::seconds, 4}},
                                .rows = {},
                                .notes = {}};
  for (std::size_t i = 0; i < ways.size(); ++i) {
    if (!models[i]) {
      table.add_not_here({std::string(ways[i].device)}, "no line: its runs have failed");
      continue;
    }
    const auto& [seconds, exits] = *models[i];
    table.add({std::string(ways[i].device), exits.intercept, exits.slope, exits.r_squared,
               exits.greatest_residual, seconds.intercept, seconds.slope, seconds.r_squared,
               seconds.greatest_residual});
  }
  return table;
}

report::ExperimentPlot plot_of(const report::ExperimentTable& table, std::size_t column, std::string id,
                               std::string title, std::string y_title) {
  report::ExperimentPlot plot{.id = std::move(id),
                              .title = std::move(title),
                              .x_title = "share of steps that are requests",
                              .y_title = std::move(y_title),
                              .series = {}};
  for (const Way& way : ways) {
    report::ExperimentSeries series{.label = std::string(way.device), .points = {}};
    for (const report::ExperimentRow& row : table.rows) {
      if (!row.not_here.empty() || std::get<std::string>(row.cells[0]) != way.device) continue;
      const auto* spread = std::get_if<report::Spread>(&row.cells[column]);
      if (spread != nullptr) series.points.emplace_back(std::get<double>(row.cells[1]), spread->median);
    }
    plot.series.push_back(std::move(series));
  }
  return plot;
}

/// What the models give, beside what was measured.
void add_models(report::ExperimentPlot& plot, const std::vector<std::optional<Model>>& models) {
  for (std::size_t i = 0; i < ways.size(); ++i) {
    if (!models[i]) continue;
    report::ExperimentSeries series{.label = fmt::format("{}, model", ways[i].device), .points = {}};
    for (const unsigned percent : percents) {
      const double share = percent / 100.0;
      series.points.emplace_back(share, models[i]->rate(share));
    }
    plot.series.push_back(std::move(series));
  }
}

std::string answer_of(const std::vector<std::optional<Model>>& models) {
  if (!models[emulated] || !models[by_exit] || !models[by_ioeventfd])
    return "The figures support no answer: not all disks could be measured.";
  const Model &ata = *models[emulated], &virtio = *models[by_ioeventfd];
  constexpr double linear = 0.95;
  const bool times_fit = ata.seconds.r_squared >= linear && virtio.seconds.r_squared >= linear;
  const std::string times =
      times_fit ? fmt::format(
                      "a request costs {} more than computing by the ATA disk and {} by virtio-blk, "
                      "and time is linear in the share",
                      report::duration(ata.seconds.slope), report::duration(virtio.seconds.slope))
                : fmt::format("time varied too much for a line (R2 {:.2f} and {:.2f})", ata.seconds.r_squared,
                              virtio.seconds.r_squared);
  return fmt::format(
      "Exits grow by {:.1f} a request with the ATA disk, by {:.1f} with virtio-blk and by {:.1f} where it "
      "has an "
      "ioeventfd; {}.",
      ata.exits.slope, models[by_exit]->exits.slope, virtio.exits.slope, times);
}

}  // namespace

void run_io_mix(Context& context, report::ExperimentResult& result) {
  const ScratchFile disk("disk", disk_bytes);
  const std::uint64_t steps = steps_of(context, disk.path());
  const std::string shares = fmt::format("{}", fmt::join(percents, ","));
  std::vector<Arm> arms;
  for (const Way& way : ways) arms.push_back(arm_of(way, shares, steps, disk.path()));
  const std::vector<std::vector<ArmRun>> runs = context.interleave(arms);

  report::ExperimentTable table{.id = "io-mix",
                                .title = "Exits and throughput against the share of I/O",
                                .columns = {{"device", "device", Unit::words},
                                            {"share", "share", Unit::share},
                                            {"exits", "exits/step", Unit::ratio},
                                            {"exits_residual", "off line", Unit::ratio, 4},
                                            {"time_s", "time/step", Unit::seconds},
                                            {"time_residual_s", "off line", Unit::seconds, 1},
                                            {"exit_rate", "exits/s", Unit::per_second, 2},
                                            {"exit_rate_residual", "off model", Unit::per_second, 5},
                                            {"throughput", "steps/s", Unit::per_second, 3}},
                                .rows = {},
                                .notes = {}};
  std::vector<std::optional<Model>> models;
  for (std::size_t i = 0; i < ways.size(); ++i) {
    const auto why = failed(runs[i], result);
    models.push_back(why ? std::nullopt : model_of(runs[i], steps));
    for (std::size_t share = 0; share < percents.size(); ++share) {
      if (!models[i]) {
        table.add_not_here({std::string(ways[i].device), percents[share] / 100.0},
                           why.value_or("no figures"));
        continue;
      }
      table.add(row_of(ways[i], share, runs[i], *models[i], steps));
      expect_exits(ways[i], share, runs[i], steps, result);
    }
  }
  table.notes.push_back(
      fmt::format("{} steps each; off line: the median less what the line of the models' table gives there; "
                  "the exit rate's "
                  "model is the line of exits divided by that of time.",
                  steps));
  result.answer = answer_of(models);
  constexpr std::size_t rate_column = 6, throughput_column = 8;
  result.plots.push_back(
      plot_of(table, rate_column, "io-mix-rate", "Exit rate against the share of I/O", "exits/s"));
  add_models(result.plots.back(), models);
  result.plots.push_back(plot_of(table, throughput_column, "io-mix-throughput",
                                 "Throughput against the share of I/O", "steps/s"));
  result.tables.push_back(std::move(table));
  result.tables.push_back(table_of_models(models));
}

}  // namespace kvmbench::experiments
