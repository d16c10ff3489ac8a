// The one JSON writer of the tree: typed values in, valid UTF-8 JSON text out.
//
// Here: JsonWriter, a thin guard over RapidJSON's Writer. Not here: reading (use rapidjson::Document or the schema walk).
// It promises what RapidJSON leaves to the caller: a string that is not UTF-8 is mended with U+FFFD instead of producing text
// that no parser takes, a number that JSON cannot say (NaN, infinity) becomes null, and memory that cannot be had is
// std::bad_alloc. Header-only; one thread at a time.
#ifndef PGANALYTICS_JSON_HPP
#define PGANALYTICS_JSON_HPP

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

namespace pganalytics {

// `text` with each byte that is no part of a well-formed UTF-8 sequence (RFC 3629) replaced by U+FFFD.
inline std::string mend_utf8(std::string_view text);
// True if `text` is well-formed UTF-8.
inline bool is_utf8(std::string_view text);

// A text that is empty where there is none, as a value that is null there: member("parent", text_or_null(parent)).
inline std::optional<std::string_view> text_or_null(std::string_view text) {
  return text.empty() ? std::nullopt : std::optional(text);
}

namespace json_detail {

// RapidJSON writes through what malloc() returned without a look at it.
struct ThrowingAllocator {
  static constexpr bool kNeedFree = true;
  void* Malloc(std::size_t size) { return size == 0 ? nullptr : checked(std::malloc(size)); }
  void* Realloc(void* block, std::size_t, std::size_t size) {
    if (size != 0) return checked(std::realloc(block, size));
    std::free(block);
    return nullptr;
  }
  static void Free(void* block) { std::free(block); }

 private:
  static void* checked(void* block) {
    if (block == nullptr) throw std::bad_alloc();
    return block;
  }
};

}  // namespace json_detail

class JsonWriter {
 public:
  JsonWriter() : writer_(buffer_) {}

  JsonWriter& begin_object() { return writer_.StartObject(), *this; }
  JsonWriter& end_object() { return writer_.EndObject(), *this; }
  JsonWriter& begin_array() { return writer_.StartArray(), *this; }
  JsonWriter& end_array() { return writer_.EndArray(), *this; }

  JsonWriter& key(std::string_view name) {
    writer_.Key(name.data(), static_cast<rapidjson::SizeType>(name.size()));
    return *this;
  }

  JsonWriter& value(std::nullptr_t) { return writer_.Null(), *this; }
  JsonWriter& value(bool flag) { return writer_.Bool(flag), *this; }
  JsonWriter& value(double number) { return (std::isfinite(number) ? writer_.Double(number) : writer_.Null()), *this; }
  JsonWriter& value(std::string_view text) {
    if (is_utf8(text)) return raw_string(text);
    return raw_string(mend_utf8(text));
  }
  JsonWriter& value(const char* text) { return value(std::string_view(text)); }
  JsonWriter& value(const std::string& text) { return value(std::string_view(text)); }

  template <class Integer, std::enable_if_t<std::is_integral_v<Integer> && !std::is_same_v<Integer, bool>, int> = 0>
  JsonWriter& value(Integer number) {
    if constexpr (std::is_signed_v<Integer>) {
      writer_.Int64(static_cast<std::int64_t>(number));
    } else {
      writer_.Uint64(static_cast<std::uint64_t>(number));
    }
    return *this;
  }

  // null when there is no value: "not known" is never 0.
  template <class T>
  JsonWriter& value(const std::optional<T>& maybe) {
    return maybe ? value(*maybe) : value(nullptr);
  }

  // key and value at once.
  template <class T>
  JsonWriter& member(std::string_view name, const T& what) {
    return key(name).value(what);
  }

  // Insert text that is JSON already. The caller vouches that it is one complete value.
  JsonWriter& json(std::string_view text) {
    writer_.RawValue(text.data(), text.size(), rapidjson::kObjectType);
    return *this;
  }

  [[nodiscard]] std::string_view text() const { return {buffer_.GetString(), buffer_.GetSize()}; }
  [[nodiscard]] bool complete() const { return writer_.IsComplete(); }

  void clear() {
    buffer_.Clear();
    writer_.Reset(buffer_);
  }

 private:
  JsonWriter& raw_string(std::string_view text) {
    writer_.String(text.data(), static_cast<rapidjson::SizeType>(text.size()));
    return *this;
  }

  using Buffer = rapidjson::GenericStringBuffer<rapidjson::UTF8<>, json_detail::ThrowingAllocator>;

  Buffer buffer_;
  rapidjson::Writer<Buffer, rapidjson::UTF8<>, rapidjson::UTF8<>, json_detail::ThrowingAllocator> writer_;
};

namespace json_detail {

// Length of the well-formed UTF-8 sequence at the start of `text` (RFC 3629, section 4), 0 if there is none.
inline std::size_t utf8_sequence_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto continues = [&](std::size_t i, unsigned low = 0x80, unsigned high = 0xBF) {
    return i < text.size() && byte(i) >= low && byte(i) <= high;
  };
  const unsigned lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return continues(1) ? 2 : 0;
  if (lead >= 0xE0 && lead <= 0xEF) {
    const unsigned low = lead == 0xE0 ? 0xA0 : 0x80;   // no overlong forms
    const unsigned high = lead == 0xED ? 0x9F : 0xBF;  // no surrogates
    return continues(1, low, high) && continues(2) ? 3 : 0;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    const unsigned low = lead == 0xF0 ? 0x90 : 0x80;
    const unsigned high = lead == 0xF4 ? 0x8F : 0xBF;  // nothing above U+10FFFF
    return continues(1, low, high) && continues(2) && continues(3) ? 4 : 0;
  }
  return 0;
}

}  // namespace json_detail

inline bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = json_detail::utf8_sequence_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

inline std::string mend_utf8(std::string_view text) {
  std::string mended;
  mended.reserve(text.size() + 8);
  while (!text.empty()) {
    const std::size_t length = json_detail::utf8_sequence_length(text);
    if (length == 0) {
      mended += "\xEF\xBF\xBD";
      text.remove_prefix(1);
    } else {
      mended.append(text.substr(0, length));
      text.remove_prefix(length);
    }
  }
  return mended;
}

}  // namespace pganalytics

#endif
