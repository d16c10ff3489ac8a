#include "core/spool/witness.h"

#include "core/log/log.h"
#include "core/spool/file_bytes.h"
#include "core/spool/record.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace pganalytics::spool {
namespace {

constexpr std::size_t kSlotBytes = 32768;
constexpr std::size_t kEpochsMax = 24, kPluginsMax = 64, kRunsMax = 1000;  // what a slot has room for: ids are at most 36 bytes
constexpr std::size_t kTriedMax = 16;  // two at a time are handed out, and what kills leave is the next to be
constexpr std::string_view kMagic = "pga spool tally 2";

// Numbers and texts in a row, as a slot holds them.
class Writer {
 public:
  Writer& add(std::uint64_t value) {
    for (int i = 0; i < 8; ++i) bytes_ += static_cast<char>(value >> (8 * i));
    return *this;
  }
  Writer& add(std::string_view text) {
    add(std::uint64_t{text.size()});
    bytes_ += text;
    return *this;
  }
  [[nodiscard]] const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}

  std::uint64_t number() {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < 8; ++i) value |= std::uint64_t{static_cast<unsigned char>(take(1)[0])} << (8 * i);
    return value;
  }
  std::string text() {
    const std::uint64_t size = number();
    if (size > bytes_.size()) return failed_ = true, std::string();
    return std::string(take(static_cast<std::size_t>(size)));
  }
  [[nodiscard]] bool failed() const { return failed_; }

 private:
  std::string_view take(std::size_t size) {
    if (size > bytes_.size()) {
      failed_ = true;
      return std::string_view("\0", 1);
    }
    const std::string_view taken = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return taken;
  }

  std::string_view bytes_;
  bool failed_ = false;
};

std::string slot_of(const Testimony& testimony, std::uint64_t turn) {
  Writer writer;
  writer.add(kMagic).add(turn).add(std::uint64_t{testimony.epochs.size()});
  for (const auto& epoch : testimony.epochs) {
    writer.add(epoch.epoch).add(epoch.collector_id).add(epoch.last_seq).add(epoch.produced).add(epoch.acknowledged);
    writer.add(epoch.lost).add(std::uint64_t{epoch.complete ? 1U : 0U}).add(std::uint64_t{epoch.waiting.runs.size()});
    for (const auto& [first, last] : epoch.waiting.runs) writer.add(first).add(last);
    writer.add(std::uint64_t{epoch.waiting.parts.size()});
    for (const auto& [seq, part] : epoch.waiting.parts) writer.add(seq).add(part);
  }
  writer.add(std::uint64_t{testimony.states.size()});
  for (const auto& [plugin, digest] : testimony.states) writer.add(plugin).add(digest);
  writer.add(testimony.ledger_documents).add(std::uint64_t{testimony.tried.size()});
  for (const BatchKey& key : testimony.tried) writer.add(key.epoch).add(key.seq).add(key.part);
  const auto crc = static_cast<std::uint64_t>(crc32_of(writer.bytes()));
  return Writer().add(crc).add(writer.bytes()).bytes();
}

// Its turn too.
std::optional<Testimony> read_slot(std::string_view bytes, std::uint64_t& turn) {
  Reader slot(bytes);
  const std::uint64_t crc = slot.number();
  const std::string content = slot.text();
  if (slot.failed() || static_cast<std::uint64_t>(crc32_of(content)) != crc) return std::nullopt;
  Reader reader(content);
  if (reader.text() != kMagic) return std::nullopt;
  turn = reader.number();
  Testimony testimony;
  for (std::uint64_t left = std::min<std::uint64_t>(reader.number(), kEpochsMax); left > 0; --left) {
    Testimony::Epoch epoch;
    epoch.epoch = reader.text();
    epoch.collector_id = reader.text();
    epoch.last_seq = reader.number();
    epoch.produced = reader.number();
    epoch.acknowledged = reader.number();
    epoch.lost = reader.number();
    epoch.complete = reader.number() != 0;
    for (std::uint64_t runs = std::min<std::uint64_t>(reader.number(), kRunsMax); runs > 0; --runs) {
      const std::uint64_t first = reader.number();
      epoch.waiting.runs[first] = reader.number();
    }
    for (std::uint64_t parts = std::min<std::uint64_t>(reader.number(), kRunsMax); parts > 0; --parts) {
      const std::uint64_t seq = reader.number();
      epoch.waiting.parts.insert({seq, reader.text()});
    }
    testimony.epochs.push_back(std::move(epoch));
  }
  for (std::uint64_t left = std::min<std::uint64_t>(reader.number(), kPluginsMax); left > 0; --left) {
    std::string plugin = reader.text();
    testimony.states[std::move(plugin)] = reader.number();
  }
  testimony.ledger_documents = reader.number();
  for (std::uint64_t left = std::min<std::uint64_t>(reader.number(), kTriedMax); left > 0; --left) {
    BatchKey key;
    key.epoch = reader.text();
    key.seq = reader.number();
    key.part = reader.text();
    testimony.tried.push_back(std::move(key));
  }
  return reader.failed() ? std::nullopt : std::optional(std::move(testimony));
}

constexpr const char* kEpochs =
    "SELECT epoch, collector_id, last_seq, produced, acknowledged, lost FROM epoch ORDER BY rowid DESC LIMIT 24";

Outcome testify_epochs(Statement& rows, const WaitingKeys& waiting, Testimony& testimony) {
  std::size_t room = kRunsMax;
  for (;;) {
    PGA_TRY(const bool found, rows.step());
    if (!found) return {};
    Testimony::Epoch epoch;
    epoch.epoch = rows.bytes(0);
    epoch.collector_id = rows.bytes(1);
    epoch.last_seq = rows.count(2);
    epoch.produced = rows.count(3);
    epoch.acknowledged = rows.count(4);
    epoch.lost = rows.count(5);
    if (const auto known = waiting.epochs().find(epoch.epoch); known != waiting.epochs().end()) {
      const std::size_t size = known->second.runs.size() + 2 * known->second.parts.size();
      epoch.complete = size <= room;
      if (epoch.complete) {
        epoch.waiting = known->second;
        room -= size;
      }
    }
    testimony.epochs.push_back(std::move(epoch));
  }
}

Outcome testify_states(Statement& rows, Testimony& testimony) {
  for (;;) {
    PGA_TRY(const bool found, rows.step());
    if (!found) break;
    testimony.states[rows.bytes(0)] += (std::uint64_t{1} << 40) + rows.count(1);  // how many, and a sum over them
  }
  if (testimony.states.size() > kPluginsMax) testimony.states.clear();  // nothing said is better than half
  return {};
}

Outcome testify_tried(Statement& rows, Testimony& testimony) {
  for (;;) {
    PGA_TRY(const bool found, rows.step());
    if (!found) return {};
    testimony.tried.push_back({rows.bytes(0), rows.count(1), rows.bytes(2)});
  }
}

}  // namespace

const Testimony::Epoch* Testimony::find(const std::string& epoch) const {
  const auto found = std::find_if(epochs.begin(), epochs.end(), [&](const Epoch& known) { return known.epoch == epoch; });
  return found == epochs.end() ? nullptr : &*found;
}

Expected<Testimony> Witness::testify(Database& database) {
  Testimony testimony;
  if (!questions_) return Error{PGA_E_FAIL, "spool.witness", "the witness follows no database", "", 0};
  PGA_CHECK(waiting_->catch_up(database));
  PGA_CHECK(testify_epochs(questions_->epochs, *waiting_, testimony));
  PGA_CHECK(questions_->ledger.step());
  testimony.ledger_documents = questions_->ledger.count(0);
  questions_->ledger.reset();
  PGA_CHECK(testify_states(questions_->states, testimony));
  PGA_CHECK(testify_tried(questions_->tried, testimony));
  return testimony;
}

Expected<Witness> Witness::open(const std::string& dir) {
  const std::string path = dir + "/spool.tally";
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return Error{PGA_E_FAIL, "spool.witness", "unable to open " + path + ": " + std::strerror(errno), "", 0};
  Witness witness(fd, path);
  witness.read();
  return witness;
}

Witness::Witness(Witness&& other) noexcept
    : fd_(other.fd_),
      path_(std::move(other.path_)),
      turn_(other.turn_),
      said_(std::move(other.said_)),
      waiting_(std::move(other.waiting_)),
      questions_(std::move(other.questions_)),
      complained_(other.complained_) {
  other.fd_ = -1;
}

Witness::~Witness() {
  if (fd_ >= 0) ::close(fd_);
}

void Witness::read() {
  const FileBytes file(path_);
  for (const std::uint64_t at : {std::uint64_t{0}, std::uint64_t{kSlotBytes}}) {
    if (file.size() <= at) break;
    std::string bytes;
    std::uint64_t turn = 0;
    if (!file.read(at, static_cast<std::size_t>(std::min<std::uint64_t>(kSlotBytes, file.size() - at)), bytes)) continue;
    auto testimony = read_slot(bytes, turn);
    if (!testimony || (said_ && turn < turn_)) continue;
    turn_ = turn;
    said_ = std::move(testimony);
  }
}

Outcome Witness::follow(Database& database) {
  PGA_TRY(waiting_, WaitingKeys::follow(database));
  PGA_TRY(Statement epochs, database.prepare(kEpochs));
  PGA_TRY(Statement ledger, database.prepare("SELECT coalesce(sum(documents), 0) FROM loss"));
  PGA_TRY(Statement states, database.prepare("SELECT plugin, crc FROM state"));
  PGA_TRY(Statement tried, database.prepare(("SELECT b.epoch, b.seq, b.part FROM tried t JOIN batch b ON b.id = t.batch"
                                             " ORDER BY b.position, b.part LIMIT " +
                                             std::to_string(kTriedMax))
                                                .c_str()));
  questions_.emplace(Questions{std::move(epochs), std::move(ledger), std::move(states), std::move(tried)});
  return {};
}

void Witness::note(Database& database) {
  auto testimony = testify(database);
  const Outcome written = testimony ? write(testimony.value()) : Outcome(testimony.error());
  if (!written && !complained_) log::warn("the spool's figures are not written down twice: " + written.error().message);
  complained_ = !written;
}

Outcome Witness::write(const Testimony& testimony) {
  const std::string slot = slot_of(testimony, turn_ + 1);
  const auto at = static_cast<off_t>((turn_ + 1) % 2 * kSlotBytes);
  if (slot.size() > kSlotBytes) return Error{PGA_E_LIMIT, "spool.witness", path_ + " has no room for all figures", "", 0};
  if (::pwrite(fd_, slot.data(), slot.size(), at) != static_cast<ssize_t>(slot.size())) {
    return Error{PGA_E_FAIL, "spool.witness", "unable to write " + path_ + ": " + std::strerror(errno), "", 0};
  }
  ++turn_;
  said_ = testimony;
  return {};
}

}  // namespace pganalytics::spool
