#include "devices/cmos_rtc.hpp"

#include <algorithm>
#include <ratio>

#include "devices/register_access.hpp"

namespace kvmbench {

namespace {

using std::chrono::nanoseconds;
using std::chrono::seconds;
using std::chrono::sys_seconds;

// Offsets from port 0x70.
enum : std::uint64_t { index_port = 0, data_port = 1 };

enum : std::uint8_t {
  seconds_index = 0x00,
  seconds_alarm = 0x01,
  minutes_index = 0x02,
  minutes_alarm = 0x03,
  hours_index = 0x04,
  hours_alarm = 0x05,
  day_of_week = 0x06,
  day_of_month = 0x07,
  month = 0x08,
  year = 0x09,
  register_a = 0x0a,
  register_b = 0x0b,
  register_c = 0x0c,
  register_d = 0x0d,
  // CMOS memory, as a PC's firmware uses it.
  equipment = 0x14,
  base_memory = 0x15,
  extended_memory = 0x17,
  checksum_first = 0x10,
  checksum_last = 0x2d,
  checksum = 0x2e,
  extended_memory_found = 0x30,
  century = 0x32,
  memory_above_16m = 0x34,
  memory_above_4g = 0x5b,

  index_bits = 0x7f,  // bit 7 of the index port masks the NMI
};

// Registers A to D.
enum : std::uint8_t {
  a_rs = 0x0f,
  a_dv = 0x70,
  a_dv_normal = 0x20,
  a_uip = 0x80,
  b_24_hours = 0x02,
  b_dm = 0x04,
  b_uie = 0x10,
  b_aie = 0x20,
  b_pie = 0x40,
  b_set = 0x80,
  c_uf = 0x10,
  c_af = 0x20,
  c_pf = 0x40,
  c_irqf = 0x80,
  d_vrt = 0x80,
};

constexpr std::uint8_t a_1024_hz = 0x06;
constexpr std::uint8_t equipment_fpu = 0x02;

constexpr std::int64_t oscillator_frequency = 32'768;
/// UIP is set at least this long before the time changes (table 6, t_BUC); the change itself takes no time
/// here.
constexpr std::chrono::microseconds update_warning{244};

bool is_time(std::uint8_t index) noexcept {
  switch (index) {
    case seconds_index:
    case minutes_index:
    case hours_index:
    case day_of_week:
    case day_of_month:
    case month:
    case year:
    case century:
      return true;
    default:
      return false;
  }
}

/// Whole cycles of the 32,768 Hz oscillator.
std::int64_t cycles(WallClock::TimePoint time) noexcept {
  const sys_seconds whole = std::chrono::floor<seconds>(time);
  return whole.time_since_epoch().count() * oscillator_frequency +
         (time - whole).count() * oscillator_frequency / std::nano::den;
}

/// When the oscillator has made that many cycles.
WallClock::TimePoint time_of(std::int64_t cycles) noexcept {
  const std::int64_t part = cycles % oscillator_frequency;
  return sys_seconds(seconds(cycles / oscillator_frequency)) +
         nanoseconds((part * std::nano::den + oscillator_frequency - 1) / oscillator_frequency);
}

/// log2 of the oscillator cycles between periodic interrupts (table 5, 32,768 Hz time base) for a rate select
/// of 1 to 15.
int period_log2(std::uint8_t rate_select) noexcept {
  return rate_select <= 2 ? rate_select + 6 : rate_select - 1;
}

}  // namespace

CmosRtc::CmosRtc(InterruptLine& line, const WallClock& clock, MemorySize memory)
    : line_(line), clock_(clock), advanced_to_(clock.now()) {
  ram_[register_a] = a_dv_normal | a_1024_hz;
  ram_[register_b] = b_24_hours;
  store_memory_size(memory);
}

std::uint64_t CmosRtc::read(std::uint64_t offset, unsigned width) noexcept {
  bool rearm = false;
  const std::uint64_t value = read_bytes(offset, width, size, [&](std::uint64_t at) -> std::uint8_t {
    if (at == index_port) return 0xff;  // write-only
    const std::lock_guard lock(mutex_);
    const std::uint8_t byte = read_byte(index_);
    rearm = deadline_moved();
    return byte;
  });
  if (rearm) deadline_listener_->rearm();
  return value;
}

void CmosRtc::write(std::uint64_t offset, unsigned width, std::uint64_t value) noexcept {
  bool rearm = false;
  write_bytes(offset, width, value, size, [&](std::uint64_t at, std::uint8_t byte) {
    const std::lock_guard lock(mutex_);
    if (at == index_port) {
      index_ = byte & index_bits;
      return;
    }
    write_byte(index_, byte);
    rearm = deadline_moved();
  });
  if (rearm) deadline_listener_->rearm();
}

std::string CmosRtc::register_name(std::uint64_t offset, Direction) const {
  if (offset == index_port) return "INDEX";
  if (offset == data_port) return "DATA";
  return unnamed_register(offset);
}

std::optional<WallClock::TimePoint> CmosRtc::next_deadline() const noexcept {
  const std::lock_guard lock(mutex_);
  return deadline();
}

void CmosRtc::tick() noexcept {
  bool rearm = false;
  {
    const std::lock_guard lock(mutex_);
    advance();
    drive_line();
    rearm = deadline_moved();
  }
  if (rearm) deadline_listener_->rearm();
}

std::uint8_t CmosRtc::read_byte(std::uint8_t index) noexcept {
  switch (index) {
    case register_a:
      return static_cast<std::uint8_t>(ram_[register_a] | (update_in_progress() ? a_uip : 0));
    case register_c: {
      advance();
      const auto flags = static_cast<std::uint8_t>(ram_[register_c] | (interrupt_requested() ? c_irqf : 0));
      ram_[register_c] = 0;
      drive_line();
      return flags;
    }
    case register_d:
      return d_vrt;
    default:
      if (is_time(index) && time_runs()) store_time();
      return ram_[index];
  }
}

void CmosRtc::write_byte(std::uint8_t index, std::uint8_t value) noexcept {
  if (index == register_c || index == register_d) return;  // read-only
  advance();
  if (index == register_a) {
    write_register_a(value);
  } else if (index == register_b) {
    write_register_b(value);
  } else if (is_time(index) && time_runs()) {
    store_time();
    ram_[index] = value;
    run_from_stored_time();
  } else {
    ram_[index] = value;
  }
  drive_line();
}

void CmosRtc::write_register_a(std::uint8_t value) noexcept {
  const bool divider_ran = divider_runs();
  const bool time_ran = time_runs();
  if (time_ran) store_time();
  ram_[register_a] = value & (a_dv | a_rs);
  if (!divider_ran && divider_runs()) {
    // The first update is half a second after the chain is let go (register A, DV).
    const TimePoint now = clock_.now();
    const nanoseconds shift = std::chrono::milliseconds(500) - (now - std::chrono::floor<seconds>(now));
    divider_shift_ = shift < nanoseconds(0) ? shift + seconds(1) : shift;
    advanced_to_ = divider_now();
  }
  if (!time_ran && time_runs()) run_from_stored_time();
}

void CmosRtc::write_register_b(std::uint8_t value) noexcept {
  const bool time_ran = time_runs();
  if (time_ran) store_time();
  // SET going high clears UIE (register B, UIE).
  if ((value & b_set) != 0) value = static_cast<std::uint8_t>(value & ~b_uie);
  ram_[register_b] = value;
  if (!time_ran && time_runs()) run_from_stored_time();
}

/// In KiB from 0 and from 1 MiB, and in units of 64 KiB from 16 MiB and from 4 GiB; each as high as its bytes
/// go.
void CmosRtc::store_memory_size(MemorySize memory) noexcept {
  const auto store = [this](std::uint8_t index, unsigned bytes, std::uint64_t units) {
    units = std::min(units, all_ones(bytes));
    for (unsigned i = 0; i < bytes; ++i) ram_[index + i] = static_cast<std::uint8_t>(units >> (8 * i));
  };
  const auto above = [&](std::uint64_t start) { return memory.below_4g - std::min(memory.below_4g, start); };
  store(base_memory, 2, std::min<std::uint64_t>(memory.below_4g >> 10, 640));
  store(extended_memory, 2, above(1u << 20) >> 10);
  store(extended_memory_found, 2, above(1u << 20) >> 10);
  store(memory_above_16m, 2, above(16u << 20) >> 16);
  store(memory_above_4g, 3, memory.above_4g >> 16);
  ram_[equipment] = equipment_fpu;

  unsigned sum = 0;
  for (unsigned i = checksum_first; i <= checksum_last; ++i) sum += ram_[i];
  ram_[checksum] = static_cast<std::uint8_t>(sum >> 8);
  ram_[checksum + 1] = static_cast<std::uint8_t>(sum);
}

RtcFormat CmosRtc::format() const noexcept {
  return {.binary = (ram_[register_b] & b_dm) != 0, .hours_24 = (ram_[register_b] & b_24_hours) != 0};
}

RtcAlarm CmosRtc::alarm() const noexcept {
  return {ram_[seconds_alarm], ram_[minutes_alarm], ram_[hours_alarm]};
}

bool CmosRtc::divider_runs() const noexcept {
  return (ram_[register_a] & a_dv) == a_dv_normal;
}

bool CmosRtc::time_runs() const noexcept {
  return divider_runs() && (ram_[register_b] & b_set) == 0;
}

bool CmosRtc::update_in_progress() const noexcept {
  const TimePoint now = divider_now();
  return time_runs() && now - std::chrono::floor<seconds>(now) >= seconds(1) - update_warning;
}

sys_seconds CmosRtc::shown_at(TimePoint divider) const noexcept {
  return std::chrono::floor<seconds>(divider) + offset_;
}

void CmosRtc::store_time() noexcept {
  const RtcTime time = to_rtc(shown_at(divider_now()), format());
  ram_[seconds_index] = time.seconds;
  ram_[minutes_index] = time.minutes;
  ram_[hours_index] = time.hours;
  ram_[day_of_week] = time.day_of_week;
  ram_[day_of_month] = time.day_of_month;
  ram_[month] = time.month;
  ram_[year] = time.year;
  ram_[century] = time.century;
}

void CmosRtc::run_from_stored_time() noexcept {
  const RtcTime time = {.seconds = ram_[seconds_index],
                        .minutes = ram_[minutes_index],
                        .hours = ram_[hours_index],
                        .day_of_week = ram_[day_of_week],
                        .day_of_month = ram_[day_of_month],
                        .month = ram_[month],
                        .year = ram_[year],
                        .century = ram_[century]};
  offset_ = from_rtc(time, format()) - std::chrono::floor<seconds>(divider_now());
}

void CmosRtc::advance() noexcept {
  const TimePoint before = advanced_to_;
  const TimePoint now = divider_now();
  advanced_to_ = now;
  if (now <= before) return;  // also where the host's clock was set back
  const std::uint8_t rate_select = ram_[register_a] & a_rs;
  if (divider_runs() && rate_select != 0) {
    const int period = period_log2(rate_select);
    if (cycles(now) >> period != cycles(before) >> period) ram_[register_c] |= c_pf;
  }
  if (!time_runs() || shown_at(now) == shown_at(before)) return;
  ram_[register_c] |= c_uf;
  const auto due = next_alarm(alarm(), format(), shown_at(before));
  if (due && *due <= shown_at(now)) ram_[register_c] |= c_af;
}

/// IRQF: a flag is set whose enable bit, at the same place in register B, is set.
bool CmosRtc::interrupt_requested() const noexcept {
  return (ram_[register_c] & ram_[register_b] & (b_pie | b_aie | b_uie)) != 0;
}

void CmosRtc::drive_line() noexcept {
  const bool asserted = interrupt_requested();
  if (asserted == line_asserted_) return;
  line_asserted_ = asserted;
  line_.set(asserted);
}

std::optional<WallClock::TimePoint> CmosRtc::deadline() const noexcept {
  if (interrupt_requested()) return {};
  const std::uint8_t enabled = ram_[register_b];
  std::optional<TimePoint> earliest;
  const auto consider = [&earliest](TimePoint time) {
    earliest = earliest ? std::min(*earliest, time) : time;
  };
  const std::uint8_t rate_select = ram_[register_a] & a_rs;
  if ((enabled & b_pie) != 0 && divider_runs() && rate_select != 0) {
    const int period = period_log2(rate_select);
    consider(time_of(((cycles(advanced_to_) >> period) + 1) << period));
  }
  if ((enabled & b_uie) != 0 && time_runs()) {
    consider(std::chrono::floor<seconds>(advanced_to_) + seconds(1));
  }
  if ((enabled & b_aie) != 0 && time_runs()) {
    const auto due = next_alarm(alarm(), format(), shown_at(advanced_to_));
    if (due) consider(*due - offset_);
  }
  if (earliest) *earliest -= divider_shift_;
  return earliest;
}

bool CmosRtc::deadline_moved() noexcept {
  const auto now = deadline();
  if (now == announced_deadline_) return false;
  announced_deadline_ = now;
  return deadline_listener_ != nullptr;
}

}  // namespace kvmbench
