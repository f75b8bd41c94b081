#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "common/bytes/secret.h"

namespace sluis::linker {

// Tabulation hashing of tokens to one 31-bit number and one output bit per encoding bit: eight tables of 256 random
// rows, from which a token picks one row each by eight bytes of its seed; the rows are XORed. 8 KiB a bit, wiped at the
// end. Source: Smith (2017), Secure pseudonymisation for privacy-preserving probabilistic record linkage, J. Inf.
// Secur. Appl. 34.
class TabulationHash {
 public:
  // Tables from the ChaCha20 stream under `seed`. Precondition: 1 <= bits <= 4096.
  TabulationHash(const common::Hash256& seed, std::uint32_t bits);
  ~TabulationHash();
  TabulationHash(const TabulationHash&) = delete;
  TabulationHash& operator=(const TabulationHash&) = delete;

  // Lowers minima[i] to the token's word i if that is less; a word is the 31-bit number and, lowest, the output bit.
  // Precondition: minima has `bits` entries.
  void LowerMinima(const common::Hash256& token_seed, std::span<std::uint32_t> minima) const;

 private:
  std::uint32_t bits_;
  std::vector<std::uint32_t> rows_;
};

// Returns -log2(1 - u) in units of 2^-24 for u = number / 2^31: an exponential variate if u is uniform. In integers, so
// that all machines agree; the error is below 2^-20. Precondition: number < 2^31.
[[nodiscard]] std::uint32_t Exponential(std::uint32_t number);

}  // namespace sluis::linker
