#include "core/spool/rows.h"

#include <algorithm>
#include <optional>
#include <string_view>

namespace pganalytics::spool {
namespace {

constexpr std::size_t kUsable = kPageBytes;  // no bytes are reserved at the ends of a spool's pages
constexpr std::size_t kColumnsMax = 32;      // no table has more
constexpr std::uint64_t kRowBytesMax = std::uint64_t{1} << 30;

// SQLite's variable-length integer at `at`, which it moves behind it; nullopt: it goes past the end.
std::optional<std::uint64_t> varint(std::string_view bytes, std::size_t& at) {
  std::uint64_t value = 0;
  for (int i = 0; i < 9; ++i) {
    if (at >= bytes.size()) return std::nullopt;
    const auto byte = static_cast<unsigned char>(bytes[at++]);
    if (i == 8) return value << 8 | byte;
    value = value << 7 | (byte & 0x7FU);
    if ((byte & 0x80U) == 0) return value;
  }
  return std::nullopt;
}

// A cell's payload: the first bytes on its page, the others in a chain of pages.
struct Payload {
  std::uint64_t size = 0;
  std::string local;
  std::uint32_t overflow = 0;  // first page of the chain; 0: none
};

// How much of a payload of `size` bytes stands on the page itself.
std::size_t local_bytes(std::uint64_t size, bool table_leaf) {
  constexpr std::size_t kMin = (kUsable - 12) * 32 / 255 - 23;
  const std::size_t max = table_leaf ? kUsable - 35 : (kUsable - 12) * 64 / 255 - 23;
  if (size <= max) return static_cast<std::size_t>(size);
  const auto some = static_cast<std::size_t>(kMin + (size - kMin) % (kUsable - 4));
  return some <= max ? some : kMin;
}

class Scanner {
 public:
  Scanner(const Pages& pages, const std::function<void(Row&)>& each)
      : pages_(pages), each_(each), chain_pages_left_(2 * pages.written() + 64) {}

  void run() {
    // The first holds the schema.
    for (std::uint32_t number = pages_.next(2); number != 0; number = pages_.next(number + 1)) {
      if (pages_.read(number, page_)) scan_page();
    }
  }

 private:
  void scan_page() {
    const auto type = static_cast<unsigned char>(page_[0]);
    const bool table_leaf = type == 0x0D;
    if (!table_leaf && type != 0x0A && type != 0x02) return;  // the inner pages of a table hold no rows
    const std::size_t header = type == 0x02 ? 12 : 8;
    const std::size_t cells = std::min<std::size_t>(big_endian_16(page_.data() + 3), (kPageBytes - header) / 2);
    for (std::size_t i = 0; i < cells; ++i) {
      scan_cell(big_endian_16(page_.data() + header + 2 * i) + (type == 0x02 ? 4U : 0U), table_leaf);
    }
  }

  void scan_cell(std::size_t at, bool table_leaf) {
    Row row;
    Payload payload;
    const auto size = varint(page_, at);
    if (!size || *size == 0 || *size > kRowBytesMax) return;
    payload.size = *size;
    if (table_leaf) {
      const auto rowid = varint(page_, at);
      if (!rowid) return;
      row.rowid = static_cast<std::int64_t>(*rowid);
    }
    const std::size_t local = local_bytes(payload.size, table_leaf);
    const std::size_t link = local < payload.size ? 4 : 0;
    if (at > page_.size() || local + link > page_.size() - at) return;
    payload.local = page_.substr(at, local);
    if (link != 0) payload.overflow = big_endian_32(page_.data() + at + local);
    decode(payload, row);
  }

  void decode(const Payload& payload, Row& row) {
    std::size_t at = 0;
    const auto header = varint(payload.local, at);
    if (!header || *header > payload.local.size()) return;  // the headers of our rows are short
    std::uint64_t columns_end = *header;                    // where the columns but the last one end
    const std::string_view types = std::string_view(payload.local).substr(0, static_cast<std::size_t>(*header));
    std::vector<std::uint64_t> serials;
    while (at < types.size()) {
      const auto serial = varint(types, at);
      if (!serial || serials.size() == kColumnsMax) return;
      if (!serials.empty()) columns_end += size_of(serials.back());
      serials.push_back(*serial);
      if (columns_end > payload.size) return;
    }
    if (serials.empty() || columns_end + size_of(serials.back()) != payload.size) return;
    read_columns(payload, row, serials, *header, columns_end);
  }

  void read_columns(const Payload& payload, Row& row, const std::vector<std::uint64_t>& serials, std::uint64_t header,
                    std::uint64_t columns_end) {
    // A number at the end is no body: it is read at once, so that a row's checksum is.
    const std::uint64_t wanted = serials.back() < 12 ? payload.size : columns_end;
    std::string bytes;
    if (!read(payload, wanted, bytes)) return;
    auto at = static_cast<std::size_t>(header);
    for (const std::uint64_t serial : serials) {
      const auto size = static_cast<std::size_t>(size_of(serial));
      row.columns.push_back(at + size <= bytes.size() ? column(serial, std::string_view(bytes).substr(at, size)) : Column());
      row.columns.back().bytes_size = size;
      at += size;
    }
    if (wanted < payload.size) {
      row.columns.back().kind = serials.back() % 2 == 0 ? Column::Kind::kBlob : Column::Kind::kText;
      row.read_last = [this, &payload, columns_end](std::string& last) {
        std::string whole;
        if (!read(payload, payload.size, whole)) return false;
        last = whole.substr(static_cast<std::size_t>(columns_end));
        return true;
      };
    } else {
      row.read_last = [](std::string& last) { return last.clear(), true; };
    }
    each_(row);
  }

  static std::uint64_t size_of(std::uint64_t serial) {
    constexpr std::uint64_t kNumbers[] = {0, 1, 2, 3, 4, 6, 8, 8, 0, 0, 0, 0};
    return serial < 12 ? kNumbers[serial] : (serial - 12) / 2;
  }

  static Column column(std::uint64_t serial, std::string_view bytes) {
    Column column;
    if (serial == 0) return column;
    if (serial >= 12) {
      column.kind = serial % 2 == 0 ? Column::Kind::kBlob : Column::Kind::kText;
      column.bytes = bytes;
      return column;
    }
    column.kind = serial == 7 || serial > 9 ? Column::Kind::kOther : Column::Kind::kInteger;
    if (serial >= 8) {
      column.integer = serial == 9 ? 1 : 0;
      return column;
    }
    std::uint64_t value = !bytes.empty() && (static_cast<unsigned char>(bytes[0]) & 0x80U) != 0 ? ~std::uint64_t{0} : 0;
    for (const char byte : bytes) value = value << 8 | static_cast<unsigned char>(byte);
    column.integer = static_cast<std::int64_t>(value);
    return column;
  }

  // The first `bytes` of a payload.
  bool read(const Payload& payload, std::uint64_t bytes, std::string& out) {
    out = payload.local.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(bytes, payload.local.size())));
    std::string page;
    for (std::uint32_t next = payload.overflow; out.size() < bytes;) {
      if (chain_pages_left_ == 0 || !pages_.read(next, page)) return false;
      --chain_pages_left_;
      next = big_endian_32(page.data());
      out.append(page, 4, static_cast<std::size_t>(std::min<std::uint64_t>(bytes - out.size(), kPageBytes - 4)));
    }
    return true;
  }

  const Pages& pages_;
  const std::function<void(Row&)>& each_;
  std::uint64_t chain_pages_left_;
  std::string page_;
};

}  // namespace

void for_each_row(const Pages& pages, const std::function<void(Row&)>& each) { Scanner(pages, each).run(); }

}  // namespace pganalytics::spool
