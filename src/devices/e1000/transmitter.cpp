#include "devices/e1000/transmitter.hpp"

#include <algorithm>
#include <cstring>

#include "devices/e1000/internet_checksum.hpp"

namespace kvmbench::e1000 {

namespace {

constexpr std::size_t fcs_size = 4, least_frame = 60, ethernet_header = 14;
constexpr std::size_t addresses = 12;  // of an Ethernet frame, after which a VLAN tag goes

// Headers that a segmentation changes (3.5.9).
constexpr std::size_t ipv4_length = 2, ipv4_identification = 4;
constexpr std::size_t ipv6_length = 4, ipv6_header = 40;
constexpr std::size_t tcp_sequence = 4, tcp_flags = 13;
constexpr std::size_t udp_length = 4;
constexpr auto tcp_fin_and_psh = std::byte{0x09};

}  // namespace

Transmitter::Transmitter(RegisterFile& registers, GuestMemory& memory, const PciDevice& pci,
                         Interrupts& interrupts, Statistics& statistics, NetworkCounters& counters,
                         FrameSink& sink) noexcept
    : registers_(registers),
      memory_(memory),
      pci_(pci),
      interrupts_(interrupts),
      statistics_(statistics),
      counters_(counters),
      sink_(sink),
      ring_(registers, transmit_ring) {}

bool Transmitter::step() noexcept {
  if ((registers_[reg::tctl] & tctl::en) == 0 || !pci_.bus_master()) return false;
  if (!fetched_ && !fetch()) return false;
  switch (descriptor_.type()) {
    case TransmitType::context:
      take_context();
      break;
    case TransmitType::legacy:
    case TransmitType::data:
      if (!packet_.begun) begin_packet();
      if (packet_.segmented && !packet_.spoilt) {
        if (take_segment()) return true;
      } else {
        append(descriptor_.length());
      }
      if (descriptor_.has(tx_command::eop)) end_packet();
      break;
    case TransmitType::unknown:
      break;
  }
  finish_descriptor();
  return true;
}

bool Transmitter::fetch() noexcept {
  if (ring_.available() == 0) return false;
  const auto quads = memory_.load<std::array<std::uint64_t, 2>>(ring_.next());
  if (!quads) return false;  // a ring outside of memory stands still
  descriptor_ = {{*quads}};
  fetched_ = true;
  taken_ = 0;
  return true;
}

void Transmitter::finish_descriptor() noexcept {
  fetched_ = false;
  // The guest may have moved the ring while the descriptor was worked on: then its new place is written to.
  if (ring_.available() == 0) return;
  const bool report = descriptor_.has(tx_command::rs);
  if (report) static_cast<void>(memory_.store(ring_.next() + transmit_status, tx_done));
  ring_.advance();
  if (report) interrupts_.transmitted(descriptor_.has(tx_command::ide));
  if (ring_.available() == 0) interrupts_.raise(cause::txqe);
}

void Transmitter::take_context() noexcept {
  const TransmitDescriptor& from = descriptor_;
  Context& context = from.has(tx_command::tse) ? segmentation_ : offload_;
  context.ipcss = static_cast<std::uint8_t>(from.field(0, 8));
  context.ipcso = static_cast<std::uint8_t>(from.field(8, 8));
  context.ipcse = static_cast<std::uint16_t>(from.field(16, 16));
  context.tucss = static_cast<std::uint8_t>(from.field(32, 8));
  context.tucso = static_cast<std::uint8_t>(from.field(40, 8));
  context.tucse = static_cast<std::uint16_t>(from.field(48, 16));
  context.paylen = from.length();
  context.hdrlen = static_cast<std::uint8_t>(from.field(104, 8));
  context.mss = static_cast<std::uint16_t>(from.field(112, 16));
  context.ipv4 = from.has(tx_command::ip);
  context.tcp = from.has(tx_command::tcp);
}

/// Options and TSE count in the first data descriptor of a packet (3.3.7).
void Transmitter::begin_packet() noexcept {
  packet_ = {};
  packet_.begun = true;
  size_ = 0;
  packet_.legacy = descriptor_.type() == TransmitType::legacy;
  if (packet_.legacy) {
    packet_.css = descriptor_.legacy_css();
    return;
  }
  packet_.popts = descriptor_.popts();
  packet_.segmented = descriptor_.has(tx_command::tse);
  packet_.context = packet_.segmented ? segmentation_ : offload_;
  if (!packet_.segmented) return;
  packet_.tagged = descriptor_.has(tx_command::vle);
  packet_.tag = descriptor_.special();
  const Context& context = packet_.context;
  packet_.spoilt = context.mss == 0 || context.hdrlen + std::size_t{context.mss} > longest;
}

/// As much of the buffer as the next frame of a segmentation takes; true where that frame was sent and the
/// descriptor may have more.
bool Transmitter::take_segment() noexcept {
  const std::size_t header = packet_.context.hdrlen;
  const std::size_t whole = header + packet_.context.mss;
  const auto left = [this] { return std::size_t{descriptor_.length() - taken_}; };
  if (packet_.frames == 0 && size_ < header) {
    append(static_cast<std::uint32_t>(std::min(left(), header - size_)));
    if (packet_.spoilt || size_ < header) return false;
    std::memcpy(header_.data(), built().data(), header);
  }
  append(static_cast<std::uint32_t>(std::min(left(), whole - size_)));
  if (packet_.spoilt || size_ < whole) return false;
  send_segment();
  return true;
}

/// `count` bytes more of the descriptor's buffer.
void Transmitter::append(std::uint32_t count) noexcept {
  const Gpa from = Gpa{descriptor_.address()} + taken_;
  taken_ += count;
  if (count == 0 || packet_.spoilt) return;
  if (count > longest - size_) {
    packet_.spoilt = true;
    return;
  }
  if (descriptor_.address() == 0) return;  // a null address moves no data (table 3-9)
  if (memory_.read(from, std::span(frame_).subspan(room + size_, count))) {
    size_ += count;
  } else {
    packet_.spoilt = true;
  }
}

void Transmitter::end_packet() noexcept {
  if (packet_.spoilt) {
    counters_.send_dropped();
  } else if (packet_.segmented) {
    if (size_ > packet_.context.hdrlen) send_segment();
    if (packet_.frames > 1) statistics_.segmented();
  } else if (size_ != 0) {
    // What counts in the last descriptor (3.3.3, 3.3.7).
    packet_.tagged = descriptor_.has(tx_command::vle);
    packet_.tag = descriptor_.special();
    if (!packet_.legacy) {
      insert_checksums();
    } else if (descriptor_.has(tx_command::ic)) {
      insert_checksum(packet_.css, 0, descriptor_.legacy_cso(), false);
    }
    send_frame();
  }
  packet_ = {};
  size_ = 0;
}

void Transmitter::send_segment() noexcept {
  fix_headers();
  insert_checksums();
  send_frame();
  ++packet_.frames;
  // The next frame begins with the same headers.
  size_ = packet_.context.hdrlen;
  std::memcpy(built().data(), header_.data(), size_);
}

/// 3.5.9: lengths, IP identification, sequence number and flags of this frame. Headers that lie outside of it
/// are the guest's mistake, and stay.
void Transmitter::fix_headers() noexcept {
  const Context& context = packet_.context;
  const std::span<std::byte> frame = built();
  const auto has = [&frame](std::size_t start, std::size_t count) { return start + count <= frame.size(); };
  const std::size_t ip = context.ipcss, transport = context.tucss;
  const std::size_t ip_size = frame.size() - std::min(ip, frame.size());
  const std::size_t transport_size = frame.size() - std::min(transport, frame.size());
  const std::uint32_t before = packet_.frames * std::uint32_t{context.mss};  // bytes of payload
  if (context.ipv4 && has(ip, ipv4_identification + 2)) {
    store_be16(frame, ip + ipv4_length, static_cast<std::uint16_t>(ip_size));
    const unsigned identification = load_be16(frame, ip + ipv4_identification) + packet_.frames;
    store_be16(frame, ip + ipv4_identification, static_cast<std::uint16_t>(identification));
  } else if (!context.ipv4 && has(ip, ipv6_header)) {
    store_be16(frame, ip + ipv6_length, static_cast<std::uint16_t>(ip_size - ipv6_header));
  }
  if (context.tcp && has(transport, tcp_flags + 1)) {
    store_be32(frame, transport + tcp_sequence, load_be32(frame, transport + tcp_sequence) + before);
    const bool last = context.paylen <= before + context.mss;
    if (!last) frame[transport + tcp_flags] &= ~tcp_fin_and_psh;
  } else if (!context.tcp && has(transport, udp_length + 2)) {
    store_be16(frame, transport + udp_length, static_cast<std::uint16_t>(transport_size));
  }
  // The pseudo header's sum, which software left there, lacks the length: it differs from frame to frame.
  if ((packet_.popts & tx_options::txsm) != 0 && has(context.tucso, 2)) {
    std::uint32_t sum = load_be16(frame, context.tucso) + static_cast<std::uint32_t>(transport_size);
    sum = (sum & 0xffff) + (sum >> 16);
    store_be16(frame, context.tucso, static_cast<std::uint16_t>(sum));
  }
}

void Transmitter::insert_checksums() noexcept {
  const Context& context = packet_.context;
  if ((packet_.popts & tx_options::txsm) != 0) {
    insert_checksum(context.tucss, context.tucse, context.tucso, true);
  }
  if ((packet_.popts & tx_options::ixsm) != 0) {
    insert_checksum(context.ipcss, context.ipcse, context.ipcso, false);
  }
}

/// Over the bytes from `start` to `end`, the latter included; 0 is the end of the packet (3.6). Outside of
/// the packet nothing is inserted. `zero_means_none`: UDP's, where 0 says that there is no checksum, and the
/// other zero of ones' complement is sent instead (RFC 768), which TCP takes as well.
void Transmitter::insert_checksum(std::size_t start, std::size_t end, std::size_t place,
                                  bool zero_means_none) noexcept {
  const std::span<std::byte> frame = built();
  const std::size_t stop = end != 0 ? std::min(end + 1, frame.size()) : frame.size();
  if (start >= stop || place + 2 > frame.size()) return;
  auto sum = static_cast<std::uint16_t>(~ones_sum(frame.subspan(start, stop - start)));
  if (sum == 0 && zero_means_none) sum = 0xffff;
  store_be16(frame, place, sum);
}

void Transmitter::send_frame() noexcept {
  std::span<std::byte> frame = built();
  if (packet_.tagged && (registers_[reg::ctrl] & ctrl::vme) != 0 && frame.size() >= addresses) {
    frame = std::span(frame_).first(room + frame.size());
    std::memmove(frame.data(), frame.data() + room, addresses);
    store_be16(frame, addresses, static_cast<std::uint16_t>(registers_[reg::vet]));
    store_be16(frame, addresses + 2, packet_.tag);
  }
  if (frame.size() < least_frame && (registers_[reg::tctl] & tctl::psp) != 0) {
    std::memset(frame.data() + frame.size(), 0, least_frame - frame.size());
    frame = {frame.data(), least_frame};
  }
  if (frame.size() < ethernet_header || !sink_.send(frame)) {
    counters_.send_dropped();
    return;
  }
  statistics_.transmitted(destination_of(frame), frame.size() + fcs_size);
  counters_.sent(frame.size());
}

void Transmitter::reset() noexcept {
  fetched_ = false;
  offload_ = {};
  segmentation_ = {};
  packet_ = {};
  size_ = 0;
}

}  // namespace kvmbench::e1000
