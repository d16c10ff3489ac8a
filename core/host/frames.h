// The frames between host and worker: {u32 len, u16 type, u16 flags, u64 run}, little-endian, then len bytes.
//
// Here: cutting a byte stream into frames and back. Not here: what is in them (messages.h), sockets. Either side may be
// hostile: a length is checked before anything is allocated for it, an unknown type ends the stream. Used by the host and by the
// worker, each on one thread per FrameReader.
#pragma once

#include <cstdint>
#include <optional>
#include <pganalytics/expected.hpp>
#include <string>
#include <string_view>

namespace pganalytics::host {

inline constexpr std::size_t kFrameHeaderBytes = 16;
// The exit status of a worker that was told to end and did. A plugin's exit(0) does not look like it.
inline constexpr int kWorkerDone = 100;
// Of any frame; each of a worker's has its own limit below that (frames.cpp), since so much the host may have to hold for it.
inline constexpr std::size_t kFramePayloadBytesMax = 16u << 20;

// The values are the protocol; host and worker come from one build, so they may change between versions.
enum class FrameType : std::uint16_t {
  // host to worker
  kLoad = 1,       // which file; answered by kHello
  kStart = 2,      // limits and committed state; makes the instance
  kConfigure = 3,  // answered by kConfigured
  kCollect = 4,    // header's run names the run; answered by kDocument..., kResult
  kCancel = 5,     // the run in the header
  kSettle = 6,     // the run in the header is durable, or dropped
  kAnswer = 7,     // to kAsk
  kPing = 8,       // answered by kPong, also during a run
  kShutdown = 9,   // destroy the instance and exit
  kCredit = 10,    // so many bytes of documents more, of the run in the header
  // worker to host
  kHello = 64,
  kConfigured = 65,
  kDocument = 66,
  kResult = 67,
  kLog = 68,
  kAsk = 69,
  kPong = 70,
};

struct Frame {
  FrameType type{};
  std::uint64_t run = 0;  // 0 outside runs
  std::string payload;
};

// The frame's bytes. The payload is at most kFramePayloadBytesMax long: the caller's duty, checked by the reader.
std::string encode_frame(FrameType type, std::uint64_t run, std::string_view payload);

// How many bytes follow this header (kFrameHeaderBytes of it), as it says: not checked.
std::uint32_t payload_bytes(std::string_view header);

class FrameReader {
 public:
  // Which side's frames are taken; the other's are a protocol error.
  enum class From { kHost, kWorker };
  explicit FrameReader(From from) : from_(from) {}

  void feed(std::string_view bytes) { buffer_.append(bytes); }

  // The next whole frame, nullopt if more bytes are needed. An error (code "frame.length", "frame.type", "frame.flags") is
  // final: nothing after it can be trusted.
  Expected<std::optional<Frame>> next();

 private:
  From from_;
  std::string buffer_;
  std::size_t taken_ = 0;  // bytes of buffer_ already handed out
};

}  // namespace pganalytics::host
