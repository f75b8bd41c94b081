#include <gtest/gtest.h>
#include <malloc.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <new>
#include <span>
#include <string>

#include "common/crypto/crypto.h"
#include "common/status/matchers.h"
#include "linker/encode/hardening.h"
#include "linker/encode/keyed_generator.h"
#include "linker/encode/record_encoder.h"
#include "linker/encode/tokens.h"
#include "tests/linker/encode/naive_encoder.h"

// Every block of memory that is given back is searched for secrets: positions are as good as seeds, and bits before
// noise as good as the record.

namespace {

constexpr std::size_t kSecretBytes = 16;

struct Watch {
  bool on = false;
  std::array<std::array<unsigned char, kSecretBytes>, 2048> secrets{};
  std::size_t count = 0;
  std::size_t blocks = 0;
  std::size_t found = 0;
};
Watch watch;

void Release(void* block) noexcept {
  if (watch.on && block != nullptr) {
    ++watch.blocks;
    const std::size_t size = malloc_usable_size(block);
    for (std::size_t i = 0; i < watch.count; ++i) {
      if (memmem(block, size, watch.secrets[i].data(), kSecretBytes) != nullptr) ++watch.found;
    }
  }
  std::free(block);
}

}  // namespace

void* operator new(std::size_t size) {
  if (void* block = std::malloc(size == 0 ? 1 : size); block != nullptr) return block;
  throw std::bad_alloc();
}
void* operator new(std::size_t size, std::align_val_t align) {
  const auto alignment = static_cast<std::size_t>(align);
  if (void* block = std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment); block != nullptr) {
    return block;
  }
  throw std::bad_alloc();
}
void operator delete(void* block) noexcept { Release(block); }
void operator delete(void* block, std::size_t) noexcept { Release(block); }
void operator delete(void* block, std::align_val_t) noexcept { Release(block); }
void operator delete(void* block, std::size_t, std::align_val_t) noexcept { Release(block); }

namespace sluis::linker {
namespace {

using common::SecretBytes;
using testing::Section;
using Record = std::vector<std::string_view>;

const Record kRecords[] = {{"Anna", "van den Berg", "Dorpsstraat 7", "1234 AB", "1980-02-13", "f"},
                           {"Pieter", "Jansen", "Markt 112", "9711XX", "1957-11-30", "m"}};

SecretBytes Key(char fill) { return SecretBytes::CopyOf(common::AsBytes(std::string(32, fill))); }

EncodingPlan Plan() {
  const FieldDescription fields[] = {{"given_name", FeatureKind::kName}, {"surname", FeatureKind::kName},
                                     {"street", FeatureKind::kText},     {"postcode", FeatureKind::kDigits},
                                     {"born", FeatureKind::kDate},       {"sex", FeatureKind::kCategory}};
  return DefaultPlan(fields);
}

template <typename Element>
void Guard(std::span<const Element> secret) {
  ASSERT_GE(secret.size_bytes(), kSecretBytes);
  ASSERT_LT(watch.count, watch.secrets.size());
  std::memcpy(watch.secrets[watch.count++].data(), secret.data(), kSecretBytes);
}

void GuardTokens(const EncodingPlan& plan, const TokenSeeds& seeds) {
  for (const Record& record : kRecords) {
    for (std::size_t feature = 0; feature < record.size(); ++feature) {
      const auto tokens = *Tokenise(plan.features[feature].kind, record[feature]);
      for (const std::string& token : tokens) {
        const common::Hash256 raw = *seeds.Seed(TokenInput(plan.features[feature].name, "", token));
        Guard(std::span<const std::uint8_t>(raw));
        for (const Section section : {Section::kFirst, Section::kStable}) {
          const auto seed = testing::NaiveTokenSeed(plan, seeds, feature, token, "", section);
          Guard(std::span<const std::uint8_t>(seed));
          const std::uint32_t bound = section == Section::kFirst ? plan.RawBits() : plan.StableRawBits();
          if (bound == 0) continue;
          const auto positions = testing::NaivePositions(seed, bound, 8);
          Guard(std::span<const std::uint16_t>(positions));
        }
      }
    }
  }
}

// Encodes with an encoder that forgets on the way and returns how often a secret was seen in memory given back.
std::size_t SecretsLeftBy(const EncodingPlan& plan, const TokenSeeds& seeds) {
  const SecretBytes noise = Key('n');
  watch.found = watch.blocks = 0;
  for (const std::size_t max_cached_tokens : {std::size_t{1} << 20, std::size_t{20}}) {
    watch.on = true;
    {
      auto encoder = RecordEncoder::Make(plan, seeds, {.noise_key = &noise, .max_cached_tokens = max_cached_tokens});
      Encoding out;
      for (int round = 0; round < 2; ++round) {
        for (const Record& record : kRecords) {
          if (!encoder.ok() || !encoder->Encode(record, out).ok()) std::abort();
        }
      }
    }
    watch.on = false;
  }
  EXPECT_GT(watch.blocks, 50u);
  return watch.found;
}

class Wiping : public ::testing::Test {
 protected:
  Wiping() { watch.count = 0; }
  const TokenSeeds seeds_ = *TokenSeeds::FromKey(Key('t'));
};

TEST_F(Wiping, TheWatchSeesASecret) {
  const common::Hash256 seed = common::Sha256("seed");
  Guard(std::span<const std::uint8_t>(seed));
  watch.found = 0;
  watch.on = true;
  { const std::vector<std::uint8_t> copy(seed.begin(), seed.end()); }
  watch.on = false;
  EXPECT_EQ(watch.found, 1u);
}

TEST_F(Wiping, TheEncoderLeavesNeitherSeedsNorPositionsNorBitsBeforeNoise) {
  const EncodingPlan plan = Plan();
  ASSERT_NE(plan.stable_bits, 0u);
  GuardTokens(plan, seeds_);
  // The buffer holds the last record; its first half is overwritten by folding.
  for (const Section section : {Section::kFirst, Section::kStable}) {
    const auto raw = testing::NaiveRaw(plan, seeds_, kRecords[1], section);
    Guard(std::span<const std::uint64_t>(raw).last(2));
  }
  EXPECT_EQ(SecretsLeftBy(plan, seeds_), 0u);
}

TEST_F(Wiping, NorTheLayout) {
  EncodingPlan plan = Plan();
  plan.stable_bits = 0;
  plan.hardening.diffusion = 3;
  plan.hardening.balanced = true;
  const auto layout = DeriveSeed(*seeds_.Seed(LayoutInput()), common::AsChars(plan.Digest()));
  Guard(std::span<const std::uint8_t>(layout));
  const auto taps = DiffusionPositions(layout, plan.bits, 3);
  Guard(std::span<const std::uint16_t>(taps));
  const auto permutation = KeyedPermutation(layout, plan.EncodedBits());
  Guard(std::span<const std::uint16_t>(permutation));
  EXPECT_EQ(SecretsLeftBy(plan, seeds_), 0u);
}

TEST_F(Wiping, NorTheTablesOfMinHash) {
  EncodingPlan plan = Plan();
  plan.stable_bits = 0;
  plan.hashing = Hashing::kTabulationMinHash;
  plan.hardening.folds = 0;
  const auto layout = DeriveSeed(*seeds_.Seed(LayoutInput()), common::AsChars(plan.Digest()));
  std::array<std::uint8_t, 64> rows;
  common::ChaCha20Stream(DeriveSeed(layout, "tabulation"), 0, rows);
  Guard(std::span<const std::uint8_t>(rows));
  EXPECT_EQ(SecretsLeftBy(plan, seeds_), 0u);
}

}  // namespace
}  // namespace sluis::linker
