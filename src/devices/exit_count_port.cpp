#include "devices/exit_count_port.hpp"

#include <cstddef>
#include <optional>

#include "devices/register_access.hpp"

namespace kvmbench {
namespace {

static_assert(sizeof(kvmbench_request) == 24);

constexpr Gpa entry_address(Gpa block, std::uint32_t index) noexcept {
  return block + std::uint64_t{index} * sizeof(kvmbench_request);
}

constexpr Gpa answer_address(Gpa entry) noexcept {
  return entry + offsetof(kvmbench_request, eax);
}

struct BlockLength {
  std::uint32_t entries = 0;  ///< before the one that ends it
  std::uint32_t status = KVMBENCH_BLOCK_DONE;
};

BlockLength measure(const GuestMemory& memory, Gpa block) noexcept {
  if (block.value % alignof(kvmbench_request) != 0) return {0, KVMBENCH_BLOCK_MISALIGNED};
  for (std::uint32_t i = 0; i <= KVMBENCH_BLOCK_MAX; ++i) {
    const auto entry = memory.load<kvmbench_request>(entry_address(block, i));
    if (!entry) return {0, KVMBENCH_BLOCK_NOT_RAM};
    if (entry->leaf == 0) return {i, KVMBENCH_BLOCK_DONE};
  }
  return {0, KVMBENCH_BLOCK_ENDLESS};
}

}  // namespace

ExitCountPort::ExitCountPort(const std::vector<Vcpu>& vcpus, std::uint32_t features,
                             const stats::HardwareAccount& hardware, const CurrentVcpu& current,
                             GuestMemory& memory, GuestPhases& phases)
    : registers_(vcpus.size()),
      features_(features),
      hardware_(hardware),
      current_(current),
      memory_(memory),
      phases_(phases) {
  for (std::size_t i = 0; i < vcpus.size(); ++i) registers_[i].vcpu = vcpus[i];
}

ExitCountPort::Registers* ExitCountPort::registers() noexcept {
  const unsigned vcpu = current_.current();
  return vcpu < registers_.size() ? &registers_[vcpu] : nullptr;
}

std::uint64_t ExitCountPort::read(std::uint64_t offset, unsigned width) noexcept {
  Registers* const at = registers();
  if (at == nullptr || width != 4) return all_ones(width);
  const bool queries = (features_ & KVMBENCH_FEATURE_PORT) != 0;
  if (offset == KVMBENCH_PORT_ANSWER && queries) {
    const std::uint32_t word = at->answer[at->next];
    at->next = (at->next + 1) % at->answer.size();
    return word;
  }
  if (offset == KVMBENCH_PORT_BLOCK && queries) return at->block_status;
  if (offset == KVMBENCH_PORT_PAGE && at->vcpu.page != nullptr) return at->vcpu.page->kept() ? 1 : 0;
  return all_ones(width);
}

void ExitCountPort::write(std::uint64_t offset, unsigned width, std::uint64_t value) noexcept {
  Registers* const at = registers();
  if (at == nullptr || width != 4) return;
  const bool queries = (features_ & KVMBENCH_FEATURE_PORT) != 0;
  const auto word = static_cast<std::uint32_t>(value);
  switch (offset) {
    case KVMBENCH_PORT_LEAF:
      at->leaf = word;
      break;
    case KVMBENCH_PORT_REASON:
      if (queries) ask(*at, word);
      break;
    case KVMBENCH_PORT_BLOCK:
      if (queries) at->block_status = answer_block(*at->vcpu.counts, Gpa{word});
      break;
    case KVMBENCH_PORT_MARK:
      phases_.mark(word);
      break;
    case KVMBENCH_PORT_NAME:
      add_to_name(*at, word);
      break;
    case KVMBENCH_PORT_PAGE:
      if (at->vcpu.page != nullptr && word <= 1) at->vcpu.page->keep(word == 1);
      break;
    default:
      break;
  }
}

void ExitCountPort::ask(Registers& registers, std::uint32_t reason) const noexcept {
  const stats::Answer answer = stats::answer(registers.leaf, reason, hardware_, *registers.vcpu.counts);
  registers.answer = {answer.eax, answer.ebx, answer.ecx, answer.edx};
  registers.next = 0;
}

// The vCPU is out of its guest, so its counts stand still: one block is one instant. Another vCPU may write
// to the block meanwhile; what has been measured stays the bound, and each entry is copied before it is
// looked at.
std::uint32_t ExitCountPort::answer_block(const stats::ExitCounts& counts, Gpa address) noexcept {
  const auto [entries, status] = measure(memory_, address);
  if (status != KVMBENCH_BLOCK_DONE) {
    // Where the first entry is no RAM, only the register can tell.
    if (memory_.load<kvmbench_request>(address)) {
      (void)memory_.store(answer_address(address), stats::Answer{0, 0, status, KVMBENCH_REFUSED});
    }
    return status;
  }
  for (std::uint32_t i = 0; i < entries; ++i) {
    const Gpa entry = entry_address(address, i);
    const auto request = memory_.load<kvmbench_request>(entry);
    if (!request) continue;
    (void)memory_.store(answer_address(entry),
                        stats::answer(request->leaf, request->reason, hardware_, counts));
  }
  (void)memory_.store(answer_address(entry_address(address, entries)), stats::Answer{entries, 0, status, 0});
  return status;
}

void ExitCountPort::add_to_name(Registers& registers, std::uint32_t characters) noexcept {
  for (unsigned shift = 0; shift < 32; shift += 8) {
    const auto character = static_cast<char>(characters >> shift & 0xff);
    if (character == '\0') {
      if (registers.name_length > 0) phases_.named({registers.name.data(), registers.name_length});
      registers.name_length = 0;
      return;
    }
    if (registers.name_length == registers.name.size()) continue;
    const bool printable = character >= ' ' && character <= '~';
    registers.name[registers.name_length++] = printable ? character : '?';
  }
}

std::string ExitCountPort::register_name(std::uint64_t offset, Direction) const {
  switch (offset) {
    case KVMBENCH_PORT_LEAF:
      return "leaf";
    case KVMBENCH_PORT_REASON:
      return "reason";
    case KVMBENCH_PORT_ANSWER:
      return "answer";
    case KVMBENCH_PORT_BLOCK:
      return "request block";
    case KVMBENCH_PORT_MARK:
      return "phase mark";
    case KVMBENCH_PORT_NAME:
      return "phase name";
    case KVMBENCH_PORT_PAGE:
      return "page";
    default:
      return unnamed_register(offset);
  }
}

}  // namespace kvmbench
