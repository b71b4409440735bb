// net: the same small frames through an e1000 and through virtio-net.

#include <fmt/format.h>

#include <array>

#include "experiments/devices.hpp"
#include "experiments/experiment.hpp"
#include "report/units.hpp"

namespace kvmbench::experiments {

void run_net(Context& context, report::ExperimentResult& result);

namespace {

using report::ExperimentCell;
using report::Spread;
using Unit = report::ExperimentColumn::Unit;

struct Way {
  std::string_view arm;
  std::string_view device;
  std::string_view notified;  ///< how the device is told of a frame
  std::string_view waits;     ///< how the guest waits for the answer
  std::string_view network;
  std::string_view options;
};

// The paravirtual arm that does the same as its emulated one, but for the device, follows it.
constexpr std::array ways{
    Way{"e1000-poll", "e1000", "exit", "polls", "echo,model=e1000", "model=e1000 wait=poll"},
    Way{"virtio-poll", "virtio-net", "exit", "polls", "echo,model=virtio,kick=exit",
        "model=virtio wait=poll"},
    Way{"virtio-poll-ioeventfd", "virtio-net", "ioeventfd", "polls", "echo,model=virtio",
        "model=virtio wait=poll"},
    Way{"e1000-irq", "e1000", "exit", "halts", "echo,model=e1000", "model=e1000 wait=irq"},
    Way{"virtio-irq", "virtio-net", "exit", "halts", "echo,model=virtio,kick=exit", "model=virtio wait=irq"},
    Way{"virtio-irq-ioeventfd", "virtio-net", "ioeventfd", "halts", "echo,model=virtio",
        "model=virtio wait=irq"},
};
enum : std::size_t {
  e1000_poll,
  virtio_poll,
  virtio_poll_ioeventfd,
  e1000_irq,
  virtio_irq,
  virtio_irq_ioeventfd
};

constexpr std::string_view figures = "echo";  // of the guest, guests/net.c
constexpr std::uint8_t work_mark = 0x61;
constexpr std::uint64_t refill = 32;  // received frames that go back to the device at once

Arm arm_of(const Way& way, std::uint64_t rounds) {
  Arm arm = guest_arm(std::string(way.arm), "@net", fmt::format("{} n={} print=result", way.options, rounds));
  arm.options.networks = {std::string(way.network)};
  return arm;
}

/// So many that all arms fit into the budget often enough.
std::uint64_t rounds_of(Context& context) {
  constexpr std::uint64_t tried = 64, least = 100, most = 50000;
  constexpr double repetitions = 5, share = 0.7;
  const ArmRun run = context.try_out(arm_of(ways[e1000_irq], tried));
  const auto cycles = run.guest.figure(figures, "cycles");
  if (run.failed() || !cycles) return least;
  const double each = run.seconds(*cycles) / static_cast<double>(tried);
  return rounds_within(share * context.seconds_left() / repetitions / ways.size(), each, least, most);
}

/// A frame sent and its answer are two packets.
double packets(std::uint64_t rounds) {
  return 2 * static_cast<double>(rounds);
}

ExperimentCell difference(const std::vector<ArmRun>& runs, std::string_view high, std::string_view low) {
  return spread_over(runs, [&](const ArmRun& run) -> std::optional<double> {
    const auto more = run.guest.figure(figures, high), less = run.guest.figure(figures, low);
    return more && less ? std::optional(run.seconds(*more - *less)) : std::nullopt;
  });
}

std::vector<ExperimentCell> row_of(const Way& way, const std::vector<ArmRun>& runs, std::uint64_t rounds) {
  return {std::string(way.device),
          std::string(way.notified),
          std::string(way.waits),
          spread_over(runs,
                      [&](const ArmRun& run) {
                        const auto exits = static_cast<double>(exits_of_work(run, work_mark));
                        return std::optional(exits / packets(rounds));
                      }),
          seconds_of(runs, figures, "mean"),
          seconds_of(runs, figures, "p50"),
          seconds_of(runs, figures, "p99"),
          seconds_of(runs, figures, "sd"),
          difference(runs, "p99", "p50"),
          static_cast<double>(packets(rounds))};
}

/// Where the guest polls, nothing but its own accesses makes exits.
void expect_exits(std::size_t number, const std::vector<ArmRun>& runs, std::uint64_t rounds,
                  report::ExperimentResult& result) {
  if (number > virtio_poll_ioeventfd) return;
  // The answer to the guest's question for its peer (ARP) has come before.
  const std::uint64_t expected = number == virtio_poll_ioeventfd ? 0 : rounds + (rounds + 1) / refill;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    if (runs[i].failed()) continue;
    result.expect(fmt::format("{}, repetition {}", ways[number].arm, i + 1), expected,
                  exits_of_work(runs[i], work_mark));
  }
}

enum Column : std::size_t { exits_column = 3, mean_column = 4 };

const Spread* spread_at(const report::ExperimentTable& table, std::size_t row, Column column) {
  const auto& cells = table.rows[row].cells;
  return column < cells.size() ? std::get_if<Spread>(&cells[column]) : nullptr;
}

/// "0.516 exits a packet by e1000, 0.000 by virtio-net"; "" where one of them is missing.
std::string comparison(const report::ExperimentTable& table, std::size_t emulated, std::size_t paravirtual) {
  const Spread *of_e1000 = spread_at(table, emulated, exits_column),
               *of_virtio = spread_at(table, paravirtual, exits_column);
  const Spread *e1000_mean = spread_at(table, emulated, mean_column),
               *virtio_mean = spread_at(table, paravirtual, mean_column);
  if (of_e1000 == nullptr || of_virtio == nullptr || e1000_mean == nullptr || virtio_mean == nullptr)
    return {};
  const std::string_view latency =
      clearly_less(*virtio_mean, *e1000_mean)   ? "virtio-net's answers come sooner"
      : clearly_less(*e1000_mean, *virtio_mean) ? "e1000's answers come sooner"
                                                : "their latencies do not differ by more than they vary";
  return fmt::format(
      "{:.3f} exits a packet by e1000 and {:.3f} by virtio-net with its ioeventfd; {} ({} and {})",
      of_e1000->median, of_virtio->median, latency, report::duration(e1000_mean->median),
      report::duration(virtio_mean->median));
}

std::string answer_of(const report::ExperimentTable& table) {
  const std::string polled = comparison(table, e1000_poll, virtio_poll_ioeventfd);
  const std::string interrupted = comparison(table, e1000_irq, virtio_irq_ioeventfd);
  if (polled.empty() && interrupted.empty())
    return "The figures support no answer: one of the cards could not be measured.";
  std::string answer;
  if (!polled.empty()) answer = "Polled, " + polled;
  if (!interrupted.empty())
    answer += (answer.empty() ? "With interrupts, " : "; with interrupts, ") + interrupted;
  return answer + ".";
}

}  // namespace

void run_net(Context& context, report::ExperimentResult& result) {
  const std::uint64_t rounds = rounds_of(context);
  std::vector<Arm> arms;
  for (const Way& way : ways) arms.push_back(arm_of(way, rounds));
  const std::vector<std::vector<ArmRun>> runs = context.interleave(arms);

  report::ExperimentTable table{.id = "net",
                                .title = "A frame of 60 bytes and its answer",
                                .columns = {{"device", "device", Unit::words},
                                            {"notified", "notified by", Unit::words},
                                            {"waits", "guest", Unit::words},
                                            {"exits", "exits/packet", Unit::ratio},
                                            {"mean_s", "mean", Unit::seconds},
                                            {"p50_s", "p50", Unit::seconds, 3},
                                            {"p99_s", "p99", Unit::seconds, 1},
                                            {"deviation_s", "deviation", Unit::seconds, 2},
                                            {"p99_p50_s", "p99-p50", Unit::seconds, 4},
                                            {"packets", "packets", Unit::count, 5}},
                                .rows = {},
                                .notes = {}};
  for (std::size_t i = 0; i < ways.size(); ++i) {
    if (const auto why = failed(runs[i], result)) {
      table.add_not_here(
          {std::string(ways[i].device), std::string(ways[i].notified), std::string(ways[i].waits)}, *why);
      continue;
    }
    table.add(row_of(ways[i], runs[i], rounds));
    expect_exits(i, runs[i], rounds, result);
  }
  table.notes.emplace_back(
      "Exits are returns of KVM_RUN, those of interrupts among them; latency is from the frame's sending to "
      "its "
      "answer, by the guest's own clock; deviation and p99-p50 are its jitter.");
  result.answer = answer_of(table);
  result.tables.push_back(std::move(table));
}

}  // namespace kvmbench::experiments
