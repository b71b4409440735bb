#include "devices/acpi_pm.hpp"

#include "devices/register_access.hpp"

namespace kvmbench {

namespace {

constexpr RegisterPlace pm1_sts{AcpiPm::event_block, 2};
constexpr RegisterPlace pm1_en{AcpiPm::event_block + 2, 2};
constexpr RegisterPlace pm1_cnt{AcpiPm::control_block, 2};
constexpr RegisterPlace pm_tmr{AcpiPm::timer_block, 4};

// PM1 status and enable bits (4.8.4.1): only TMR and PWRBTN events ever happen.
enum : std::uint32_t {
  tmr = 1u << 0,
  gbl = 1u << 5,
  pwrbtn = 1u << 8,
  slpbtn = 1u << 9,
  rtc = 1u << 10,
  enable_bits = gbl | pwrbtn | slpbtn | rtc,
};

// PM1 control bits (4.8.4.2).
enum : std::uint32_t {
  sci_en = 1u << 0,
  bm_rld = 1u << 1,
  slp_typ_shift = 10,
  slp_typ = 7u << slp_typ_shift,
  slp_en = 1u << 13,
};

// The timer's carry (4.8.4.1.1): with 32 bits TMR_STS is set whenever bit 31 changes.
constexpr unsigned carry_bit = 31;

}  // namespace

AcpiPm::AcpiPm(InterruptLine& sci, PowerControl& power, const MonotonicClock& clock) noexcept
    : sci_(sci), power_(power), clock_(clock), carries_seen_(ticks() >> carry_bit) {}

std::uint64_t AcpiPm::read(std::uint64_t offset, unsigned width) noexcept {
  const std::lock_guard lock(mutex_);
  const std::uint64_t now = ticks();
  note_timer_carry(now);
  std::uint64_t value = all_ones(width);
  value = read_from(pm1_sts, status_, offset, width, value);
  value = read_from(pm1_en, enable_, offset, width, value);
  value = read_from(pm1_cnt, control_ | sci_en, offset, width, value);
  return read_from(pm_tmr, static_cast<std::uint32_t>(now), offset, width, value);
}

void AcpiPm::write(std::uint64_t offset, unsigned width, std::uint64_t value) noexcept {
  const RegisterWrite status = written_to(pm1_sts, offset, width, value);
  const RegisterWrite enable = written_to(pm1_en, offset, width, value);
  const RegisterWrite control = written_to(pm1_cnt, offset, width, value);
  bool off = false;
  {
    const std::lock_guard lock(mutex_);
    note_timer_carry(ticks());
    status_ &= ~status.value;
    enable_ = (enable_ & ~enable.mask) | (enable.value & enable_bits);
    off = write_control(control.value, control.mask);
    drive_sci();
  }
  if (off) power_.power_off();
}

std::string AcpiPm::register_name(std::uint64_t offset, Direction) const {
  if (reaches(pm1_sts, offset, 1)) return "PM1a_STS";
  if (reaches(pm1_en, offset, 1)) return "PM1a_EN";
  if (reaches(pm1_cnt, offset, 1)) return "PM1a_CNT";
  if (reaches(pm_tmr, offset, 1)) return "PM_TMR";
  return unnamed_register(offset);
}

void AcpiPm::press_power_button() noexcept {
  const std::lock_guard lock(mutex_);
  status_ |= pwrbtn;
  drive_sci();
}

std::uint64_t AcpiPm::ticks() const noexcept {
  constexpr std::uint64_t nanoseconds_per_second = 1'000'000'000;
  const std::uint64_t now = clock_.nanoseconds();
  return now / nanoseconds_per_second * timer_frequency +
         now % nanoseconds_per_second * timer_frequency / nanoseconds_per_second;
}

void AcpiPm::note_timer_carry(std::uint64_t ticks) noexcept {
  if (ticks >> carry_bit == carries_seen_) return;
  carries_seen_ = ticks >> carry_bit;
  status_ |= tmr;
}

/// True where the write puts the machine to S5.
bool AcpiPm::write_control(std::uint32_t value, std::uint32_t mask) noexcept {
  constexpr std::uint32_t kept = bm_rld | slp_typ;  // SLP_EN and GBL_RLS are write-only
  control_ = (control_ & ~(mask & kept)) | (value & kept);
  return (value & slp_en) != 0 && (control_ & slp_typ) >> slp_typ_shift == s5_sleep_type;
}

void AcpiPm::drive_sci() noexcept {
  const bool asserted = (status_ & enable_) != 0;
  if (asserted == sci_asserted_) return;
  sci_asserted_ = asserted;
  sci_.set(asserted);
}

}  // namespace kvmbench
