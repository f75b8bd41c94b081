#pragma once

#include <ostream>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"

// GoogleMock matchers for absl::Status (Debian's abseil has none). For tests only.

namespace sluis::common::testing {

inline const absl::Status& AsStatus(const absl::Status& status) { return status; }
template <typename T>
const absl::Status& AsStatus(const absl::StatusOr<T>& status_or) {
  return status_or.status();
}

// Matches an OK Status or StatusOr.
MATCHER(IsOk, negation ? "is not OK" : "is OK") {
  const absl::Status& status = AsStatus(arg);
  *result_listener << "whose status is " << status.ToString();
  return status.ok();
}

// Matches a Status or StatusOr of the given code whose message contains `fragment`.
MATCHER_P2(StatusIs, code, fragment, "has the code and the message fragment") {
  const absl::Status& status = AsStatus(arg);
  *result_listener << "whose status is " << status.ToString();
  return status.code() == code && std::string(status.message()).find(fragment) != std::string::npos;
}

}  // namespace sluis::common::testing

#define SLUIS_ASSERT_OK(expr) ASSERT_THAT((expr), ::sluis::common::testing::IsOk())
#define SLUIS_EXPECT_OK(expr) EXPECT_THAT((expr), ::sluis::common::testing::IsOk())
