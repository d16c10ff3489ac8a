#include "core/host/frames.h"

namespace pganalytics::host {
namespace {

template <class Integer>
void put(std::string& out, Integer value) {
  for (std::size_t i = 0; i < sizeof value; ++i) out += static_cast<char>(static_cast<std::uint64_t>(value) >> (8 * i) & 0xFF);
}

template <class Integer>
Integer get(std::string_view from) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < sizeof(Integer); ++i)
    value |= static_cast<std::uint64_t>(static_cast<unsigned char>(from[i])) << (8 * i);
  return static_cast<Integer>(value);
}

bool is_known(std::uint16_t type, FrameReader::From from) {
  const auto within = [type](FrameType first, FrameType last) {
    return type >= static_cast<std::uint16_t>(first) && type <= static_cast<std::uint16_t>(last);
  };
  return from == FrameReader::From::kHost ? within(FrameType::kLoad, FrameType::kCredit)
                                          : within(FrameType::kHello, FrameType::kPong);
}

// What the worker makes of its own accord is short; what a plugin decides about is as long as the worker lets it be.
std::size_t payload_bytes_max(std::uint16_t type) {
  constexpr std::size_t kTextBytesMax = 16 * 1024, kWholeBytesMax = 4u << 20;
  switch (static_cast<FrameType>(type)) {
    case FrameType::kPong: return 0;
    case FrameType::kConfigured:
    case FrameType::kLog:
    case FrameType::kAsk: return kTextBytesMax;
    case FrameType::kHello:
    case FrameType::kDocument:
    case FrameType::kResult: return kWholeBytesMax;
    default: return kFramePayloadBytesMax;
  }
}

Error broken(const char* code, const std::string& why) { return Error{PGA_E_FAIL, code, why, "", 0}; }

}  // namespace

std::string encode_frame(FrameType type, std::uint64_t run, std::string_view payload) {
  std::string bytes;
  bytes.reserve(kFrameHeaderBytes + payload.size());
  put(bytes, static_cast<std::uint32_t>(payload.size()));
  put(bytes, static_cast<std::uint16_t>(type));
  put(bytes, std::uint16_t{0});
  put(bytes, run);
  bytes += payload;
  return bytes;
}

std::uint32_t payload_bytes(std::string_view header) { return get<std::uint32_t>(header); }

Expected<std::optional<Frame>> FrameReader::next() {
  const std::string_view rest = std::string_view(buffer_).substr(taken_);
  if (rest.size() < kFrameHeaderBytes) return std::optional<Frame>();
  const std::uint32_t length = payload_bytes(rest);
  const auto type = get<std::uint16_t>(rest.substr(4));
  const auto flags = get<std::uint16_t>(rest.substr(6));
  if (!is_known(type, from_)) return broken("frame.type", "frame type " + std::to_string(type) + " is unknown");
  if (length > payload_bytes_max(type))
    return broken("frame.length",
                  "a frame of " + std::to_string(length) + " bytes is too long for its type, " + std::to_string(type));
  if (flags != 0) return broken("frame.flags", "frame flags " + std::to_string(flags) + " are unknown");
  if (rest.size() - kFrameHeaderBytes < length) return std::optional<Frame>();
  Frame frame{static_cast<FrameType>(type), get<std::uint64_t>(rest.substr(8)),
              std::string(rest.substr(kFrameHeaderBytes, length))};
  taken_ += kFrameHeaderBytes + length;
  // Give the space back when everything was taken, or when more is dead than alive: each byte moves at most once on average.
  if (taken_ * 2 >= buffer_.size()) {
    buffer_.erase(0, taken_);
    taken_ = 0;
  }
  return std::optional<Frame>(std::move(frame));
}

}  // namespace pganalytics::host
