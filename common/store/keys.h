#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "common/store/store.h"

// What both back ends must agree on about keys.

namespace sluis::common {

// Returns the smallest byte string that is greater than every key with `prefix` (of at most kMaxKeyBytes): the prefix
// with its last byte below 0xff raised and the rest cut off; for a prefix of 0xff only, kMaxKeyBytes + 1 such bytes.
[[nodiscard]] std::string PrefixEnd(std::string_view prefix);

// Errors: INVALID_ARGUMENT if the key of `change` is too long or an empty prefix.
[[nodiscard]] absl::Status CheckChange(const WriteBatch::Change& change);

// INVALID_ARGUMENT for a family that the store was not opened with.
[[nodiscard]] absl::Status UnknownFamily(std::string_view family);

}  // namespace sluis::common
