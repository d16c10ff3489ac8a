// Any bytes as what a worker sends: the frame decoder and every message that a host unpacks.
// links: pganalytics::host_frames
#include "core/host/frames.h"

#include <cstdint>
#include <cstdlib>

#include "core/host/messages.h"

using namespace pganalytics::host;

namespace {

// What unpacks packs to bytes that unpack again; nothing holds more than it was given.
template <class Message>
void check_message(const std::string& payload) {
  auto message = unpack<Message>(payload);
  if (!message) return;
  if (!unpack<Message>(pack(std::move(*message)))) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::size_t piece = static_cast<std::size_t>(data[0]) % 64 + 1;
  FrameReader reader(data[0] % 2 == 0 ? FrameReader::From::kWorker : FrameReader::From::kHost);
  std::size_t taken = 0;
  for (std::size_t at = 1; at < size; at += piece) {
    reader.feed(bytes.substr(at, piece));
    for (;;) {
      auto frame = reader.next();
      if (!frame) return 0;
      if (!*frame) break;
      taken += kFrameHeaderBytes + (*frame)->payload.size();
      if (taken > size) std::abort();
      const std::string& payload = (*frame)->payload;
      check_message<HelloMessage>(payload);
      check_message<ConfiguredMessage>(payload);
      check_message<ResultMessage>(payload);
      check_message<LogMessage>(payload);
      check_message<AskMessage>(payload);
      check_message<StartMessage>(payload);
    }
  }
  return 0;
}
