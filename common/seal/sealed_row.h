#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "common/bytes/secret.h"

// What custodian and gate must agree on about a sealed row.

namespace sluis::common {

// Returns the associated data under which each row of a delivery is sealed (AeadSeal, under the delivery's random data
// key): "sluis-row-v2" || SHA-256 of the permit's document || register || delivery id, the last two after their length
// (4 bytes, big-endian). A row opens as a row of this delivery under this version of the permit only.
[[nodiscard]] std::string SealedRowContext(const Hash256& permit_sha256, std::string_view register_name,
                                           std::string_view delivery_id);

// Returns the length of a sealed row whose attributes take `row_width` bytes.
[[nodiscard]] std::size_t SealedRowBytes(std::size_t row_width);

}  // namespace sluis::common
