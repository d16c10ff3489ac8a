#include "core/server/store/cursor.h"

#include "core/crypto/digest.h"

#include <array>
#include <charconv>

namespace pganalytics::server::store {
namespace {

constexpr std::size_t kSealBytes = 8;  // against mistakes, not against malice: a cursor grants nothing

std::string seal_of(const std::string& position, const std::string& question) {
  return crypto::sha256(position + "|" + question).substr(0, kSealBytes);
}

// "1:2:3" -> three numbers.
std::optional<std::array<std::int64_t, 3>> parse_position(std::string_view text) {
  std::array<std::int64_t, 3> numbers{};
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), numbers[i]);
    if (code != std::errc{}) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    const bool last = i + 1 == numbers.size();
    if (last ? !text.empty() : text.empty() || text.front() != ':') return std::nullopt;
    if (!last) text.remove_prefix(1);
  }
  return numbers;
}

}  // namespace

std::string to_text(const Cursor& cursor, const std::string& question) {
  const std::string position =
      std::to_string(cursor.ts_us) + ":" + std::to_string(cursor.id) + ":" + std::to_string(cursor.newest_id);
  return crypto::base64url(seal_of(position, question) + position);
}

std::optional<Cursor> parse_cursor(const std::string& text, const std::string& question) {
  const auto bytes = crypto::parse_base64url(text);
  if (!bytes || bytes->size() <= kSealBytes) return std::nullopt;
  const std::string position = bytes->substr(kSealBytes);
  if (bytes->compare(0, kSealBytes, seal_of(position, question)) != 0) return std::nullopt;
  const auto numbers = parse_position(position);
  if (!numbers) return std::nullopt;
  return Cursor{(*numbers)[0], (*numbers)[1], (*numbers)[2]};
}

std::string question_of(const MetricsQuery& query) {
  const auto text_of = [](const std::optional<std::int64_t>& time) { return time ? std::to_string(*time) : "-"; };
  return query.collector_id + "|" + query.type + "|" + text_of(query.from_unix_ns) + "|" + text_of(query.to_unix_ns);
}

}  // namespace pganalytics::server::store
