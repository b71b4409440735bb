#include "devices/interrupt_source.hpp"

#include <algorithm>

#include "devices/register_access.hpp"

namespace kvmbench {
namespace {

constexpr std::uint32_t page_bytes = 4096;
static_assert(sizeof(kvmbench_irq_page) <= page_bytes);

}  // namespace

std::uint64_t InterruptSource::read(std::uint64_t offset, unsigned width) noexcept {
  if (width != 4) return all_ones(width);
  const std::lock_guard lock(mutex_);
  switch (offset) {
    case KVMBENCH_IRQ_ID:
      return KVMBENCH_IRQ_ID_VALUE;
    case KVMBENCH_IRQ_WAYS:
      return raiser_.ways();
    case KVMBENCH_IRQ_PAGE:
      return page_address_;
    case KVMBENCH_IRQ_ADDRESS:
      return request_.address;
    case KVMBENCH_IRQ_DATA:
      return request_.data;
    case KVMBENCH_IRQ_GAP:
      return request_.gap;
    case KVMBENCH_IRQ_WAY:
      return request_.way;
    case KVMBENCH_IRQ_STATUS:
      return status();
    default:
      return all_ones(width);
  }
}

void InterruptSource::write(std::uint64_t offset, unsigned width, std::uint64_t value) noexcept {
  if (width != 4) return;
  const auto word = static_cast<std::uint32_t>(value);
  const std::lock_guard lock(mutex_);
  switch (offset) {
    case KVMBENCH_IRQ_PAGE:
      refused_ = !choose_page(word);
      break;
    case KVMBENCH_IRQ_ADDRESS:
      request_.address = word;
      break;
    case KVMBENCH_IRQ_DATA:
      request_.data = word;
      break;
    case KVMBENCH_IRQ_GAP:
      request_.gap = std::min(word, KVMBENCH_IRQ_GAP_MAX);
      break;
    case KVMBENCH_IRQ_WAY:
      request_.way = word;
      break;
    case KVMBENCH_IRQ_RAISE:
      refused_ = !raise(word);
      break;
    case KVMBENCH_IRQ_DEASSERT:
      raiser_.deassert();
      break;
    default:
      break;
  }
}

std::uint32_t InterruptSource::status() const noexcept {
  return (raiser_.busy() ? KVMBENCH_IRQ_STATUS_BUSY : 0) | (refused_ ? KVMBENCH_IRQ_STATUS_REFUSED : 0) |
         (raiser_.gave_up() ? KVMBENCH_IRQ_STATUS_GAVE_UP : 0);
}

bool InterruptSource::choose_page(std::uint32_t address) noexcept {
  if (raiser_.busy() || address % page_bytes != 0) return false;
  const std::span<std::byte> page = memory_.range(Gpa{address}, page_bytes);
  if (page.empty()) return false;
  request_.page = page;
  page_address_ = address;
  return true;
}

bool InterruptSource::raise(std::uint32_t count) noexcept {
  if (count == 0) {
    raiser_.end();
    return true;
  }
  const bool has_way = request_.way < KVMBENCH_IRQ_WAY_COUNT && ((raiser_.ways() >> request_.way) & 1) != 0;
  if (!has_way || request_.page.empty()) return false;
  request_.count = count;
  return raiser_.begin(request_);
}

std::string InterruptSource::register_name(std::uint64_t offset, Direction) const {
  switch (offset) {
    case KVMBENCH_IRQ_ID:
      return "ID";
    case KVMBENCH_IRQ_WAYS:
      return "WAYS";
    case KVMBENCH_IRQ_PAGE:
      return "PAGE";
    case KVMBENCH_IRQ_ADDRESS:
      return "ADDRESS";
    case KVMBENCH_IRQ_DATA:
      return "DATA";
    case KVMBENCH_IRQ_GAP:
      return "GAP";
    case KVMBENCH_IRQ_WAY:
      return "WAY";
    case KVMBENCH_IRQ_RAISE:
      return "RAISE";
    case KVMBENCH_IRQ_STATUS:
      return "STATUS";
    case KVMBENCH_IRQ_DEASSERT:
      return "DEASSERT";
    default:
      return unnamed_register(offset);
  }
}

std::vector<Operation> InterruptSource::operations() const {
  return {{"interrupts", raiser_.handled()}};
}

}  // namespace kvmbench
