#include "linker/encode/hardening.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <map>
#include <random>
#include <set>

#include "common/status/matchers.h"
#include "linker/encode/encoding_plan.h"
#include "linker/encode/keyed_generator.h"

namespace sluis::linker {
namespace {

using Bits = std::vector<bool>;
using Words = std::vector<std::uint64_t>;

common::Hash256 Seed(std::string_view name) { return common::Sha256(name); }

Words RandomWords(std::size_t words, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  Words out(words);
  for (auto& word : out) word = random();
  return out;
}

// The naive versions work on one bool per bit.
Bits BitsOf(std::span<const std::uint64_t> words) {
  Bits bits;
  for (const std::uint64_t word : words) {
    for (int i = 0; i < 64; ++i) bits.push_back((word >> i & 1) != 0);
  }
  return bits;
}

TEST(KeyedGenerator, TakesSixteenBitsOfTheKeyStreamAndRejectsTheBiasedOnes) {
  for (const std::uint32_t bound : {1u, 2u, 3u, 1000u, 1024u, 40000u, 65535u, 65536u}) {
    std::array<std::uint8_t, 8192> stream;
    common::ChaCha20Stream(Seed("g"), 0, stream);
    KeyedGenerator generator(Seed("g"));
    for (std::size_t i = 0; i < stream.size(); i += 2) {
      const std::uint32_t word = stream[i] + 256u * stream[i + 1];
      if (word >= 65536 - 65536 % bound) continue;
      ASSERT_EQ(generator.Below(bound), word % bound);
    }
  }
}

// Chi-squared over 1,000 cells: mean 999, standard deviation 44.7; four of them above is a false alarm once in 30,000
// seeds, and the seed is fixed.
TEST(KeyedGenerator, IsUniform) {
  KeyedGenerator generator(Seed("uniform"));
  std::vector<double> counts(1000);
  for (int i = 0; i < 1'000'000; ++i) ++counts[generator.Below(1000)];
  double chi = 0;
  for (const double count : counts) chi += (count - 1000) * (count - 1000) / 1000;
  EXPECT_LT(chi, 999 + 4 * 44.7);
  EXPECT_GT(chi, 999 - 4 * 44.7);
}

TEST(KeyedGenerator, DistinctDrawsAreConsistentInPrefixes) {
  for (const std::uint32_t bound : {64u, 100u, 2048u}) {
    std::vector<std::uint16_t> all;
    KeyedGenerator(Seed("p")).AppendDistinct(bound, bound, all);
    EXPECT_EQ(std::set<std::uint16_t>(all.begin(), all.end()).size(), bound);
    for (std::size_t count = 0; count <= bound; count += 1 + count / 3) {
      std::vector<std::uint16_t> some;
      KeyedGenerator(Seed("p")).AppendDistinct(bound, count, some);
      EXPECT_TRUE(std::equal(some.begin(), some.end(), all.begin())) << count;
    }
  }
}

TEST(XorFold, EqualsTheNaiveFold) {
  for (int folds = 0; folds <= 4; ++folds) {
    Words words = RandomWords(32, 1);
    Bits bits = BitsOf(words);
    for (int fold = 0; fold < folds; ++fold) {
      Bits half(bits.size() / 2);
      for (std::size_t i = 0; i < half.size(); ++i) half[i] = bits[i] != bits[i + half.size()];
      bits = half;
    }
    EXPECT_EQ(BitsOf(XorFold(words, folds)), bits);
  }
}

// One bit after the other, each with its own digits, kept as a fraction.
TEST(FlipBits, EqualsTheNaiveComparisonWithTheStream) {
  for (const std::size_t size : {1, 15, 16, 17, 64}) {
    for (const double flip : {0.0, 1.0 / 4294967296, 0.02, 0.1, 0.3333333333, 0.5}) {
      Words words = RandomWords(size, 2);
      Bits bits = BitsOf(words);
      std::vector<std::uint8_t> stream(size * 32 * 8);
      common::ChaCha20Stream(Seed("noise"), 0, stream);
      const double threshold = std::round(flip * 4294967296.0) / 4294967296;
      std::size_t begin = 0;  // of the word's share of the stream, in bytes
      for (std::size_t word = 0; word < size; ++word) {
        std::size_t taken = 0;
        for (std::size_t j = 0; j < 64; ++j) {
          // A number is below the threshold, or not, whatever its further digits are, once [number, number + width]
          // lies on one side.
          double number = 0, width = 1;
          std::size_t digits = 0;
          for (; number < threshold && number + width > threshold; ++digits) {
            width /= 2;
            number += width * (stream[begin + 8 * digits + j / 8] >> (j % 8) & 1);
          }
          taken = std::max(taken, digits);
          if (number < threshold) bits[64 * word + j] = !bits[64 * word + j];
        }
        begin += 8 * taken;
      }
      NoiseStream noise(Seed("noise"));
      FlipBits(words, FlipThreshold(flip), noise);
      EXPECT_EQ(BitsOf(words), bits) << size << " " << flip;
    }
  }
}

TEST(FlipBits, ContinuesTheStreamOverTheEncodingsOfARecord) {
  Words whole = RandomWords(48, 2), parts = whole;
  NoiseStream noise(Seed("noise")), same(Seed("noise"));
  FlipBits(whole, FlipThreshold(0.1), noise);
  for (std::size_t word = 0; word < 48; word += 12) {
    FlipBits(std::span(parts).subspan(word, 12), FlipThreshold(0.1), same);
  }
  EXPECT_EQ(parts, whole);
}

// 1,024,000 bits at 0.02: standard deviation 142; five of them are a false alarm once in a million seeds.
TEST(FlipBits, FlipsTheShareThatWasAskedFor) {
  std::size_t flipped = 0;
  for (int record = 0; record < 1000; ++record) {
    Words words(16);
    NoiseStream noise(Seed(std::to_string(record)));
    FlipBits(words, FlipThreshold(0.02), noise);
    for (const std::uint64_t word : words) flipped += static_cast<std::size_t>(std::popcount(word));
  }
  EXPECT_NEAR(static_cast<double>(flipped), 20480, 5 * 142);
}

TEST(FlipThreshold, IsExact) {
  EXPECT_EQ(FlipThreshold(0), 0u);
  EXPECT_EQ(FlipThreshold(0.5), 0x80000000u);
  EXPECT_EQ(FlipThreshold(0.02), 85899346u);
}

TEST(NoiseSeed, DependsOnKeyPlanAndEncoding) {
  const auto key = [](char fill) {
    return common::HmacSha256(common::SecretBytes::CopyOf(common::AsBytes(std::string(32, fill))));
  };
  const auto first = key('a'), second = key('b');
  const Words words = RandomWords(16, 3);
  Words other = words;
  other[7] ^= 1;
  const common::Hash256 seed = NoiseSeed(first, Seed("plan"), words);
  EXPECT_EQ(NoiseSeed(first, Seed("plan"), words), seed);
  EXPECT_NE(NoiseSeed(second, Seed("plan"), words), seed);
  EXPECT_NE(NoiseSeed(first, Seed("plan 2"), words), seed);
  EXPECT_NE(NoiseSeed(first, Seed("plan"), other), seed);
}

TEST(Diffuse, EqualsTheNaiveSum) {
  for (const int taps : {1, 2, 3, 10}) {
    const Words input = RandomWords(16, 4);
    const auto positions = DiffusionPositions(Seed("layout"), 1024, taps);
    ASSERT_EQ(positions.size(), 1024u * static_cast<unsigned>(taps));
    Words output(16);
    Diffuse(input, positions, taps, output);
    const Bits in = BitsOf(input), out = BitsOf(output);
    for (std::size_t bit = 0; bit < 1024; ++bit) {
      bool sum = false;
      std::set<std::uint16_t> distinct;
      for (int tap = 0; tap < taps; ++tap) {
        const std::uint16_t position = positions[bit * static_cast<std::size_t>(taps) + static_cast<std::size_t>(tap)];
        ASSERT_LT(position, 1024);
        distinct.insert(position);
        sum = sum != in[position];
      }
      EXPECT_EQ(distinct.size(), static_cast<std::size_t>(taps));
      EXPECT_EQ(out[bit], sum) << bit;
    }
  }
  EXPECT_NE(DiffusionPositions(Seed("layout"), 1024, 3), DiffusionPositions(Seed("other"), 1024, 3));
}

TEST(KeyedPermutation, IsAPermutationOfItsSeed) {
  for (const std::uint32_t size : {1u, 2u, 128u, 2048u}) {
    const auto permutation = KeyedPermutation(Seed("layout"), size);
    EXPECT_EQ(std::set<std::uint16_t>(permutation.begin(), permutation.end()).size(), size);
    EXPECT_LT(*std::ranges::max_element(permutation), size);
    EXPECT_EQ(KeyedPermutation(Seed("layout"), size), permutation);
  }
  EXPECT_NE(KeyedPermutation(Seed("layout"), 2048), KeyedPermutation(Seed("other"), 2048));
}

// All six orders of three occur alike: 6,000 seeds, standard deviation 29 each.
TEST(KeyedPermutation, IsUnbiased) {
  std::map<std::vector<std::uint16_t>, int> counts;
  for (int i = 0; i < 6000; ++i) ++counts[KeyedPermutation(Seed(std::to_string(i)), 3)];
  ASSERT_EQ(counts.size(), 6u);
  for (const auto& [order, count] : counts) EXPECT_NEAR(count, 1000, 5 * 29);
}

TEST(Balance, PlacesInputAndComplementByThePermutation) {
  const Words input = RandomWords(16, 5);
  const auto permutation = KeyedPermutation(Seed("layout"), 2048);
  Words output(32);
  Balance(input, permutation, output);
  const Bits in = BitsOf(input), out = BitsOf(output);
  for (std::size_t i = 0; i < 1024; ++i) {
    EXPECT_EQ(out[permutation[i]], in[i]);
    EXPECT_EQ(out[permutation[1024 + i]], !in[i]);
  }
}

}  // namespace
}  // namespace sluis::linker
