// The value of an Expected that a fixture cannot do without; its error as an exception, which fails the test.
#pragma once

#include <pganalytics/expected.hpp>
#include <stdexcept>
#include <utility>

namespace pganalytics::testing {

template <class T>
T must(Expected<T> result) {
  if (!result) throw std::runtime_error(result.error().message);
  return std::move(result).value();
}

inline void must(const Outcome& outcome) {
  if (!outcome) throw std::runtime_error(outcome.error().message);
}

}  // namespace pganalytics::testing
