#pragma once

#include <cstdlib>
#include <string_view>

namespace sluis::testing {

// Returns `usual`, or `in_long_form` where the environment says SLUIS_LONG_TESTS=1: for tests that repeat something
// random (a kill, a mutation) and find more the longer they run.
inline int Repetitions(int usual, int in_long_form) {
  const char* value = std::getenv("SLUIS_LONG_TESTS");
  return value != nullptr && std::string_view(value) == "1" ? in_long_form : usual;
}

}  // namespace sluis::testing
