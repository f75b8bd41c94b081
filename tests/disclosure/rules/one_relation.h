#pragma once

#include <numeric>
#include <vector>

#include "absl/status/statusor.h"
#include "common/status/matchers.h"
#include "disclosure/system/system.h"
#include "gmock/gmock.h"

// What the tests of rules over relations share.

namespace sluis::disclosure::testing {

inline constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

// One total, cell 0, with cells 1 .. `parts` as its parts.
inline Relations OneRelation(int32_t parts) {
  Relations relations;
  std::vector<int32_t> cells(static_cast<size_t>(parts));
  std::iota(cells.begin(), cells.end(), 1);
  relations.Add(0, cells);
  return relations;
}

// The value of `result`, which is expected to have one.
template <typename T>
T ValueOf(absl::StatusOr<T> result) {
  EXPECT_THAT(result, common::testing::IsOk());
  return std::move(result).value_or(T{});
}

}  // namespace sluis::disclosure::testing
