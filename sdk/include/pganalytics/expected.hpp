// The one error type of the tree: what failed, as a value.
//
// Here: Error (a status of the ABI plus words for people) and Expected<T> (a T or an Error). Not here: logging, exceptions.
// Everything that can fail in an expected way (server away, file missing, bad input) returns one of these; exceptions
// stay inside the module that has to deal with a throwing library. Header-only, C++17, no dependency but plugin.h.
#ifndef PGANALYTICS_EXPECTED_HPP
#define PGANALYTICS_EXPECTED_HPP

#include <pganalytics/plugin.h>

#include <cstdint>
#include <string>
#include <utility>
#include <variant>

namespace pganalytics {

// Never part of the ABI, so padding is nobody's concern, whatever an author's own flags say.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpadded"

// message: what was tried, on what, why it failed; lower case, no full stop. hint: a sentence that says what to do next,
// or empty. code: a stable token for machines ("pg.connect", "config.unknown_key", a SQLSTATE), or empty.
struct Error {
  pga_status status = PGA_E_FAIL;
  std::string code;
  std::string message;
  std::string hint;
  std::uint32_t retry_after_ms = 0;  // 0: the receiver's own backoff

  // The same error, told from one level further out: "while doing this: message".
  [[nodiscard]] Error while_doing(const std::string& what) && {
    message = what + ": " + message;
    return std::move(*this);
  }
};

#pragma GCC diagnostic pop

template <class T>
class [[nodiscard]] Expected {
 public:
  Expected(T value) : content_(std::in_place_index<0>, std::move(value)) {}      // NOLINT(google-explicit-constructor)
  Expected(Error error) : content_(std::in_place_index<1>, std::move(error)) {}  // NOLINT(google-explicit-constructor)

  explicit operator bool() const noexcept { return content_.index() == 0; }

  // Only after operator bool said true (value) or false (error); anything else terminates by std::bad_variant_access.
  [[nodiscard]] T& value() & { return std::get<0>(content_); }
  [[nodiscard]] const T& value() const& { return std::get<0>(content_); }
  [[nodiscard]] T&& value() && { return std::get<0>(std::move(content_)); }
  [[nodiscard]] const Error& error() const& { return std::get<1>(content_); }
  [[nodiscard]] Error&& error() && { return std::get<1>(std::move(content_)); }

  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

 private:
  std::variant<T, Error> content_;
};

template <>
class [[nodiscard]] Expected<void> {
 public:
  Expected() = default;
  Expected(Error error) : content_(std::move(error)) {}  // NOLINT(google-explicit-constructor)

  explicit operator bool() const noexcept { return content_.index() == 0; }
  [[nodiscard]] const Error& error() const& { return std::get<1>(content_); }
  [[nodiscard]] Error&& error() && { return std::get<1>(std::move(content_)); }

 private:
  std::variant<std::monostate, Error> content_;
};

using Outcome = Expected<void>;  // done, or why not

}  // namespace pganalytics

// PGA_TRY(auto row, read_row(text));  -> declares `row`, or returns the error from the enclosing function.
// PGA_CHECK(write_file(path));        -> the same for an Outcome.
#define PGA_JOIN_INNER(a, b) a##b
#define PGA_JOIN(a, b) PGA_JOIN_INNER(a, b)
#define PGA_TRY_INNER(declaration, expression, result)                 \
  auto result = (expression);                                          \
  if (!result) return ::pganalytics::Error(std::move(result).error()); \
  declaration = std::move(result).value()
#define PGA_TRY(declaration, expression) PGA_TRY_INNER(declaration, expression, PGA_JOIN(pga_try_, __LINE__))
#define PGA_CHECK(expression)                                                                 \
  do {                                                                                        \
    if (auto pga_checked = (expression); !pga_checked) return std::move(pga_checked).error(); \
  } while (false)

#endif
