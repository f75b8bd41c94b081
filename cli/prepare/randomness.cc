#include "cli/prepare/randomness.h"

#include <span>

#include "common/bytes/secret.h"
#include "common/crypto/crypto.h"

namespace sluis::cli {
namespace {

std::span<std::uint8_t> BytesOf(std::array<std::uint64_t, 512>& buffer) {
  return {reinterpret_cast<std::uint8_t*>(buffer.data()), sizeof(buffer)};
}

}  // namespace

SystemRandom::~SystemRandom() { common::Wipe(BytesOf(buffer_)); }

std::uint64_t SystemRandom::Next() {
  if (used_ == buffer_.size()) {
    common::RandomBytes(BytesOf(buffer_));
    used_ = 0;
  }
  return buffer_[used_++];
}

std::uint64_t UniformBelow(RandomSource& random, std::uint64_t bound) {
  // 2^64 mod bound: numbers below it would give the small remainders one chance more than the others.
  const std::uint64_t rejected = (0 - bound) % bound;
  for (;;) {
    if (const std::uint64_t number = random.Next(); number >= rejected) {
      return number % bound;
    }
  }
}

}  // namespace sluis::cli
