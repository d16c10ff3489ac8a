#include "core/host/frames.h"

#include "core/host/messages.h"
#include "tests/support/catch.h"

using namespace pganalytics::host;

TEST_CASE("frames survive any cutting of the stream") {
  const std::string stream = encode_frame(FrameType::kDocument, 7, "{}") + encode_frame(FrameType::kPong, 0, "") +
                             encode_frame(FrameType::kResult, 0xFFFF'FFFF'FFFF'FFFFU, std::string(100'000, 'x'));
  for (const std::size_t piece : {std::size_t{1}, std::size_t{15}, std::size_t{17}, stream.size()}) {
    FrameReader reader(FrameReader::From::kWorker);
    std::vector<Frame> frames;
    for (std::size_t at = 0; at < stream.size(); at += piece) {
      reader.feed(std::string_view(stream).substr(at, piece));
      for (;;) {
        auto frame = reader.next();
        REQUIRE(frame);
        if (!*frame) break;
        frames.push_back(std::move(**frame));
      }
    }
    REQUIRE(frames.size() == 3);
    CHECK(frames[0].payload == "{}");
    CHECK(frames[0].run == 7);
    CHECK(frames[1].type == FrameType::kPong);
    CHECK(frames[2].run == 0xFFFF'FFFF'FFFF'FFFFU);
    CHECK(frames[2].payload.size() == 100'000);
  }
}

TEST_CASE("the header is little-endian {u32 len, u16 type, u16 flags, u64 run}") {
  CHECK(encode_frame(FrameType::kDocument, 0x0102, "ab") == std::string("\x02\0\0\0\x42\0\0\0\x02\x01\0\0\0\0\0\0ab", 18));
}

TEST_CASE("what is no frame ends the stream before anything is allocated for it") {
  const auto first_error = [](std::string bytes, FrameReader::From from) {
    FrameReader reader(from);
    reader.feed(bytes);
    const auto frame = reader.next();
    return frame ? std::string("none") : frame.error().code;
  };
  const std::string good = encode_frame(FrameType::kPong, 0, "");
  std::string too_long = good, unknown = good, flagged = good;
  too_long.replace(0, 4, "\x01\0\0\x01", 4);  // 16 MiB + 1
  unknown[4] = 127;
  flagged[6] = 1;
  CHECK(first_error(good, FrameReader::From::kWorker) == "none");
  CHECK(first_error(too_long, FrameReader::From::kWorker) == "frame.length");
  CHECK(first_error(unknown, FrameReader::From::kWorker) == "frame.type");
  CHECK(first_error(flagged, FrameReader::From::kWorker) == "frame.flags");
  CHECK(first_error(good, FrameReader::From::kHost) == "frame.type");  // the other side's
}

TEST_CASE("a message unpacks to what was packed") {
  ResultMessage result;
  result.verdict = {PGA_E_TRANSIENT, "target.away", "it is away", 250};
  result.refused_documents = 3;
  result.staged = {{"cursor", "42"}, {"gone", std::nullopt}, {"empty", ""}};
  const auto back = unpack<ResultMessage>(pack(result));
  REQUIRE(back);
  CHECK(back->verdict.status == PGA_E_TRANSIENT);
  CHECK(back->verdict.code == "target.away");
  CHECK(back->verdict.message == "it is away");
  CHECK(back->verdict.retry_after_ms == 250);
  CHECK(back->refused_documents == 3);
  CHECK(back->staged == result.staged);
  const auto collect = unpack<CollectMessage>(pack(CollectMessage{2, -1, 5, 7}));
  REQUIRE(collect);
  CHECK(collect->scheduled_unix_ns == -1);
}

TEST_CASE("a message that is cut, or longer than it says, is none") {
  ResultMessage result;
  result.staged = {{"cursor", "42"}};
  const std::string bytes = pack(result);
  for (std::size_t length = 0; length < bytes.size(); ++length) CHECK_FALSE(unpack<ResultMessage>(bytes.substr(0, length)));
  CHECK_FALSE(unpack<ResultMessage>(bytes + "x"));
  // A length and a count far beyond the bytes that follow.
  CHECK_FALSE(unpack<LogMessage>(std::string("\x01\0\0\0\xFF\xFF\xFF\xFFx", 9)));
  FieldWriter huge_map;
  huge_map(std::uint32_t{0xFFFFFFFF});
  std::map<std::string, std::string> map;
  FieldReader reader(huge_map.bytes);
  reader(map);
  CHECK_FALSE(reader.complete());
  CHECK(map.empty());
}
