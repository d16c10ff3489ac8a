#include "core/spool/record.h"

#include <zlib.h>

#include <array>

namespace pganalytics::spool {

RecordCrc& RecordCrc::add(std::int64_t value) {
  std::array<Bytef, 8> bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<Bytef>(static_cast<std::uint64_t>(value) >> (8 * i));
  }
  crc_ = ::crc32_z(crc_, bytes.data(), bytes.size());
  return *this;
}

RecordCrc& RecordCrc::add(std::string_view text) {
  add(static_cast<std::int64_t>(text.size()));
  if (!text.empty()) crc_ = ::crc32_z(crc_, reinterpret_cast<const Bytef*>(text.data()), text.size());
  return *this;
}

Error damaged(const std::string& what) {
  return Error{PGA_E_FAIL, "spool.corrupt", what + " is not as it was written", "Check the disk and the memory of this machine.",
               0};
}

std::int64_t crc32_of(std::string_view bytes) {
  return static_cast<std::int64_t>(::crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

}  // namespace pganalytics::spool
