/// What the backends that write and read a descriptor have in common.
#pragma once

#include <string>

#include "hostio/input_reader.hpp"
#include "hostio/output_writer.hpp"
#include "hostio/serial_backend.hpp"

namespace kvmbench::hostio {

class StreamBackend : public SerialBackend {
 public:
  [[nodiscard]] CharacterSink& sink() noexcept final { return writer_.queue(); }
  void start(Receive receive) final { reader_.start(std::move(receive)); }
  void room() noexcept final { reader_.room(); }
  void close() noexcept final { writer_.queue().close(); }
  void drain() final;

  /// What of the guest's output could not be written, and why; "" if nothing is missing.
  [[nodiscard]] std::string loss() const;

 protected:
  /// `name` is what messages call the descriptor: "standard output".
  StreamBackend(boost::asio::io_context& io, std::string name);

  /// Writes what is queued; returns how many bytes it gave up on.
  virtual std::size_t write_rest();
  /// A write failed with `error`. The end of all output, unless a backend can have another reader.
  virtual void output_failed(int error);
  /// Nothing more comes from where input was read.
  virtual void input_ended();

  [[nodiscard]] OutputWriter& writer() noexcept { return writer_; }
  [[nodiscard]] InputReader& reader() noexcept { return reader_; }

 private:
  std::string name_;
  OutputWriter writer_;
  InputReader reader_;
  int error_ = 0;
  std::uint64_t given_up_ = 0;
};

}  // namespace kvmbench::hostio
