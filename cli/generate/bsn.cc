#include "cli/generate/bsn.h"

#include "cli/generate/random.h"

namespace sluis::cli {
namespace {

constexpr std::uint64_t kLeft = 9900;
constexpr std::uint64_t kRight = 9000;
constexpr int kRounds = 6;
static_assert(kLeft * kRight == kBsnCount);

std::uint64_t Permute(std::uint64_t seed, std::uint64_t index) {
  const std::uint64_t key = Mix(seed ^ Mix(static_cast<std::uint64_t>(Purpose::kNumber)));
  std::uint64_t left = index / kRight;
  std::uint64_t right = index % kRight;
  for (std::uint64_t round = 0; round < kRounds; round += 2) {
    left = (left + (Mix(key + (round << 32) + right) >> 32) % kLeft) % kLeft;
    right = (right + (Mix(key + ((round + 1) << 32) + left) >> 32) % kRight) % kRight;
  }
  return left * kRight + right;
}

}  // namespace

std::uint32_t BsnOf(std::uint64_t seed, std::uint64_t index) {
  const std::uint64_t rank = Permute(seed, index);
  const auto prefix = static_cast<std::uint32_t>(100'000 + rank / 9);
  auto eighth = static_cast<std::uint32_t>(rank % 9);
  std::uint32_t sum = 0;
  std::uint32_t rest = prefix;
  for (std::uint32_t weight = 3; weight <= 9; ++weight) {
    sum += weight * (rest % 10);
    rest /= 10;
  }
  // The check digit is (sum + 2 d8) mod 11 and must not be 10. Since 2 * 6 = 1 mod 11, exactly d8 = 6 (10 - sum) mod 11
  // is forbidden; where that is no digit, 9 is left out, so that every prefix has nine numbers.
  const std::uint32_t forbidden = 6 * (10 + 11 - sum % 11) % 11;
  if (eighth >= forbidden) {
    ++eighth;
  }
  return (prefix * 10 + eighth) * 10 + (sum + 2 * eighth) % 11;
}

bool PassesElevenTest(std::string_view digits) {
  if (digits.size() != 9) {
    return false;
  }
  int sum = 0;
  for (int i = 0; i < 9; ++i) {
    const char digit = digits[static_cast<std::size_t>(i)];
    if (digit < '0' || digit > '9') {
      return false;
    }
    sum += (i == 8 ? -1 : 9 - i) * (digit - '0');
  }
  return sum % 11 == 0;
}

}  // namespace sluis::cli
