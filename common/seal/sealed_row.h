#pragma once

#include <cstddef>
#include <string>
#include <string_view>

// What custodian and gate must agree on about a sealed row.

namespace sluis::common {

// Returns the associated data under which each row of a delivery is sealed (AeadSeal, under the delivery's random data
// key): "sluis-row-v1" || permit id || register || delivery id, each of the three after its length (4 bytes,
// big-endian). A row opens as a row of this delivery only.
[[nodiscard]] std::string SealedRowContext(std::string_view permit_id, std::string_view register_name,
                                           std::string_view delivery_id);

// Returns the length of a sealed row whose attributes take `row_width` bytes.
[[nodiscard]] std::size_t SealedRowBytes(std::size_t row_width);

}  // namespace sluis::common
