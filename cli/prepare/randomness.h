#pragma once

#include <array>
#include <cstdint>

namespace sluis::cli {

// Random numbers for the shuffle. Passed in, so that a test can be repeated.
class RandomSource {
 public:
  virtual ~RandomSource() = default;
  // Returns 64 uniformly random bits.
  virtual std::uint64_t Next() = 0;
};

// The system's generator by way of libsodium, buffered. Not thread-safe.
class SystemRandom : public RandomSource {
 public:
  ~SystemRandom() override;
  std::uint64_t Next() override;

 private:
  std::array<std::uint64_t, 512> buffer_{};
  std::size_t used_ = buffer_.size();
};

// Returns a number in 0 .. bound-1, each equally likely (numbers that would favour the small ones are drawn again).
// Precondition: bound > 0.
[[nodiscard]] std::uint64_t UniformBelow(RandomSource& random, std::uint64_t bound);

}  // namespace sluis::cli
