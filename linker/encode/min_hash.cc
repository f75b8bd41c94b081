#include "linker/encode/min_hash.h"

#include <algorithm>
#include <array>
#include <bit>

#include "common/crypto/crypto.h"
#include "linker/encode/wipe.h"

namespace sluis::linker {
namespace {

constexpr std::size_t kTables = 8;
constexpr std::size_t kRows = 256;
constexpr int kFractionBits = 24;
constexpr int kTableBits = 12;

// log2(1 + i / 4096) in units of 2^-24, by repeated squaring.
constexpr std::array<std::uint32_t, (1 << kTableBits) + 1> MakeLogarithms() {
  std::array<std::uint32_t, (1 << kTableBits) + 1> table{};
  for (std::size_t i = 0; i < (1 << kTableBits); ++i) {
    std::uint64_t x = (std::uint64_t{1} << 31) + (std::uint64_t{i} << (31 - kTableBits));  // in units of 2^-31
    std::uint32_t fraction = 0;
    for (int bit = 0; bit < kFractionBits; ++bit) {
      x = x * x;  // below 2^64
      const bool above_two = x >> 63 != 0;
      x >>= above_two ? 32 : 31;
      fraction = fraction << 1 | (above_two ? 1 : 0);
    }
    table[i] = fraction;
  }
  table[1 << kTableBits] = 1u << kFractionBits;
  return table;
}

const std::array<std::uint32_t, (1 << kTableBits) + 1>& Logarithms() {
  static const auto table = MakeLogarithms();
  return table;
}

}  // namespace

TabulationHash::TabulationHash(const common::Hash256& seed, std::uint32_t bits)
    : bits_(bits), rows_(kTables * kRows * bits) {
  std::array<std::uint8_t, 4096> stream;
  std::uint32_t block = 0;
  for (std::size_t begin = 0; begin < rows_.size(); begin += stream.size() / 4, block += stream.size() / 64) {
    common::ChaCha20Stream(seed, block, stream);
    const std::size_t words = std::min(stream.size() / 4, rows_.size() - begin);
    for (std::size_t i = 0; i < words; ++i) {
      const std::uint8_t* bytes = stream.data() + 4 * i;
      rows_[begin + i] = std::uint32_t{bytes[0]} | std::uint32_t{bytes[1]} << 8 | std::uint32_t{bytes[2]} << 16 |
                         std::uint32_t{bytes[3]} << 24;
    }
  }
  common::Wipe(stream);
}

TabulationHash::~TabulationHash() { WipeElements(rows_); }

void TabulationHash::LowerMinima(const common::Hash256& token_seed, std::span<std::uint32_t> minima) const {
  std::array<const std::uint32_t*, kTables> row;
  for (std::size_t table = 0; table < kTables; ++table) {
    row[table] = rows_.data() + (table * kRows + token_seed[table]) * bits_;
  }
  for (std::size_t i = 0; i < minima.size(); ++i) {
    const std::uint32_t word =
        row[0][i] ^ row[1][i] ^ row[2][i] ^ row[3][i] ^ row[4][i] ^ row[5][i] ^ row[6][i] ^ row[7][i];
    minima[i] = std::min(minima[i], word);
  }
}

std::uint32_t Exponential(std::uint32_t number) {
  const std::uint32_t rest = (std::uint32_t{1} << 31) - number;  // 1 - u, in 1 .. 2^31
  const int exponent = static_cast<int>(std::bit_width(rest)) - 1;
  // The mantissa in units of 2^-31, its upper bits for the table, the others to interpolate.
  const std::uint32_t mantissa = (rest << (31 - exponent)) - (std::uint32_t{1} << 31);
  constexpr int kLow = 31 - kTableBits;
  const std::uint32_t index = mantissa >> kLow;
  const std::uint64_t low = mantissa & ((std::uint32_t{1} << kLow) - 1);
  const auto& table = Logarithms();
  const std::uint64_t fraction = table[index] + ((table[index + 1] - table[index]) * low >> kLow);
  return static_cast<std::uint32_t>((std::uint64_t{31} << kFractionBits) -
                                    (static_cast<std::uint64_t>(exponent) << kFractionBits) - fraction);
}

}  // namespace sluis::linker
