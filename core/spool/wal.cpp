#include "core/spool/wal.h"

#include <array>
#include <string_view>

namespace pganalytics::spool {
namespace {

constexpr std::size_t kWalHeaderBytes = 32, kFrameHeaderBytes = 24, kFrameBytes = kFrameHeaderBytes + kPageBytes;
constexpr std::uint32_t kMagic = 0x377F0682;  // its last bit: the checksums are over big-endian numbers

struct Sum {
  std::uint32_t a = 0, b = 0;
};
bool operator==(const Sum& x, const Sum& y) { return x.a == y.a && x.b == y.b; }

int distance(std::uint32_t x, std::uint32_t y) { return __builtin_popcount(x ^ y); }

std::uint32_t little_endian_32(const char* bytes) { return __builtin_bswap32(big_endian_32(bytes)); }

// SQLite's own checksum; bytes.size() is a multiple of 8.
Sum checksum(Sum sum, std::string_view bytes, bool big_endian) {
  for (std::size_t at = 0; at + 8 <= bytes.size(); at += 8) {
    const char* const pair = bytes.data() + at;
    sum.a += (big_endian ? big_endian_32(pair) : little_endian_32(pair)) + sum.b;
    sum.b += (big_endian ? big_endian_32(pair + 4) : little_endian_32(pair + 4)) + sum.a;
  }
  return sum;
}

Sum stored_sum(const char* bytes) { return {big_endian_32(bytes), big_endian_32(bytes + 4)}; }

struct Header {
  std::uint32_t salt_1 = 0, salt_2 = 0;
  bool big_endian = false, whole = false;
  std::array<Sum, 2> seeds;  // what the first frame may be seeded with
};

Header read_header(const std::string& bytes, const FileBytes& file) {
  Header header;
  const std::uint32_t magic = big_endian_32(bytes.data());
  header.big_endian = (magic & 1U) != 0;
  const Sum stored = stored_sum(bytes.data() + 24);
  const Sum computed = checksum({}, std::string_view(bytes).substr(0, 24), header.big_endian);
  header.whole = (magic | 1U) == (kMagic | 1U) && stored == computed && big_endian_32(bytes.data() + 8) == kPageBytes;
  header.seeds = {stored, computed};
  std::string salts = bytes.substr(16, 8);
  // A damaged header: every frame repeats the salts.
  if (!header.whole) {
    if (std::string frame; file.read(kWalHeaderBytes, kFrameHeaderBytes, frame)) salts = frame.substr(8, 8);
    header.big_endian = false;  // as this machine writes them, unless the log says otherwise and is believed
  }
  header.salt_1 = big_endian_32(salts.data());
  header.salt_2 = big_endian_32(salts.data() + 4);
  return header;
}

// The checksum covers the page number, the size and the page. One flipped bit of the first two, or of the stored sum, is put
// right.
bool put_right(std::string& bytes, const Sum& seed, const Sum& stored, bool big_endian) {
  const std::string_view page = std::string_view(bytes).substr(kFrameHeaderBytes);
  for (std::size_t bit = 0; bit < 64; ++bit) {
    std::string head = bytes.substr(0, 8);
    head[bit / 8] = static_cast<char>(head[bit / 8] ^ (1 << (bit % 8)));
    if (!(checksum(checksum(seed, head, big_endian), page, big_endian) == stored)) continue;
    bytes.replace(0, 8, head);
    return true;
  }
  return false;
}

class Reader {
 public:
  Reader(const FileBytes& file, const Header& header) : file_(file), header_(header), seeds_(header.seeds) {}

  Wal run() {
    FileBytes::Extent extent;
    for (std::uint64_t at = kWalHeaderBytes; file_.read(at, kFrameBytes, bytes_); at += kFrameBytes) {
      if (at + kFrameBytes > extent.end) extent = file_.data_from(at);
      if (extent.begin >= at + kFrameBytes) {
        at = pass_over(extent.begin);
      } else {
        frames_.push_back(frame(at + kFrameHeaderBytes));
      }
    }
    return trimmed();
  }

 private:
  struct Candidate {
    WalFrame frame;
    bool ours = false;  // has this generation's salts
  };

  // A hole, however large, is one damaged frame. Returns where its last one begins, before the frame with the first byte of data.
  std::uint64_t pass_over(std::uint64_t data) {
    frames_.emplace_back();
    seeds_ = {};
    return data - (data - kWalHeaderBytes) % kFrameBytes - kFrameBytes;
  }

  Candidate frame(std::uint64_t at) {
    Candidate result;
    const bool written = bytes_.find_first_not_of('\0') < kFrameHeaderBytes;  // the salts of a lost header are zeros as well
    result.ours = written && distance(big_endian_32(bytes_.data() + 8), header_.salt_1) +
                                     distance(big_endian_32(bytes_.data() + 12), header_.salt_2) <=
                                 1;
    const Sum stored = stored_sum(bytes_.data() + 16);
    Sum computed;
    if (result.ours) {
      for (const Sum& seed : seeds_) {
        computed = sum_from(seed);
        result.frame.whole =
            computed == stored || distance(computed.a, stored.a) + distance(computed.b, stored.b) == 1 || repaired(seed, stored);
        if (result.frame.whole) break;
      }
    }
    seeds_ = {stored, computed};
    result.frame.page = big_endian_32(bytes_.data());
    result.frame.database_pages = big_endian_32(bytes_.data() + 4);
    result.frame.at = at;
    return result;
  }

  bool repaired(const Sum& seed, const Sum& stored) {
    if (attempts_left_ == 0) return false;
    --attempts_left_;
    return put_right(bytes_, seed, stored, header_.big_endian);
  }

  Sum sum_from(const Sum& seed) const {
    const std::string_view bytes(bytes_);
    return checksum(checksum(seed, bytes.substr(0, 8), header_.big_endian), bytes.substr(kFrameHeaderBytes), header_.big_endian);
  }

  // Behind the last frame of this generation stand those of earlier ones, long copied into the database.
  Wal trimmed() {
    while (!frames_.empty() && !frames_.back().ours) frames_.pop_back();
    Wal wal;
    bool damaged = !header_.whole;
    std::size_t commits_behind = 0;
    for (const Candidate& candidate : frames_) {
      wal.frames.push_back(candidate.frame);
      damaged = damaged || !candidate.frame.whole;
      if (!candidate.frame.whole || candidate.frame.database_pages == 0) continue;
      wal.committed = wal.frames.size();
      if (damaged) {
        ++commits_behind;
      } else {
        wal.sound = wal.committed;
      }
    }
    wal.broken = commits_behind >= 2;
    return wal;
  }

  const FileBytes& file_;
  const Header& header_;
  std::array<Sum, 2> seeds_;
  std::size_t attempts_left_ = 512;  // each is 64 checksums: a large log of nothing but damage must not take minutes
  std::string bytes_;
  std::vector<Candidate> frames_;
};

}  // namespace

Wal read_wal(const FileBytes& file) {
  std::string bytes;
  if (!file.read(0, kWalHeaderBytes, bytes)) return {};
  const Header header = read_header(bytes, file);
  return Reader(file, header).run();
}

}  // namespace pganalytics::spool
