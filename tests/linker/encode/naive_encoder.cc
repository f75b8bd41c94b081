#include "tests/linker/encode/naive_encoder.h"

#include <algorithm>

#include "common/crypto/crypto.h"
#include "linker/encode/tokens.h"

namespace sluis::linker::testing {

std::vector<std::uint16_t> NaivePositions(const common::Hash256& seed, std::uint32_t bits, std::size_t count) {
  std::vector<std::uint8_t> stream(65536);
  common::ChaCha20Stream(seed, 0, stream);
  std::vector<std::uint16_t> positions;
  for (std::size_t i = 0; positions.size() < count; i += 2) {
    const std::uint32_t word = stream[i] + 256u * stream[i + 1];
    if (word >= 65536 / bits * bits || std::ranges::count(positions, word % bits) != 0) continue;
    positions.push_back(static_cast<std::uint16_t>(word % bits));
  }
  return positions;
}

common::Hash256 NaiveTokenSeed(const EncodingPlan& plan, const TokenSeeds& seeds, std::size_t feature,
                               std::string_view token, std::string_view salt, Section section) {
  const common::Hash256 seed = *seeds.Seed(TokenInput(plan.features[feature].name, salt, token));
  const common::Hash256 bound =
      common::Sha256(std::string(common::AsChars(seed)) + std::string(common::AsChars(plan.Digest())));
  return section == Section::kFirst ? bound : common::Sha256(std::string(common::AsChars(bound)) + "stable");
}

std::set<std::uint32_t> NaiveFeature(const EncodingPlan& plan, const TokenSeeds& seeds, std::size_t feature,
                                     std::string_view value, std::string_view salt, Section section) {
  auto tokens = *Tokenise(plan.features[feature].kind, value);
  std::ranges::sort(tokens, {},
                    [&](const std::string& token) { return NaiveTokenSeed(plan, seeds, feature, token, salt); });
  const bool first = section == Section::kFirst;
  const std::uint32_t share = (first ? plan.FeatureBits() : plan.StableFeatureBits())[feature];
  std::set<std::uint32_t> bits;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const std::size_t count = share / tokens.size() + (i < share % tokens.size() ? 1 : 0);
    const common::Hash256 seed = NaiveTokenSeed(plan, seeds, feature, tokens[i], salt, section);
    for (const std::uint16_t position : NaivePositions(seed, first ? plan.RawBits() : plan.StableRawBits(), count)) {
      bits.insert(position);
    }
  }
  return bits;
}

std::vector<std::uint64_t> NaiveRaw(const EncodingPlan& plan, const TokenSeeds& seeds,
                                    std::span<const std::string_view> values, Section section) {
  std::vector<std::uint64_t> words((section == Section::kFirst ? plan.RawBits() : plan.StableRawBits()) / 64);
  for (std::size_t feature = 0; feature < values.size(); ++feature) {
    for (const std::uint32_t bit : NaiveFeature(plan, seeds, feature, values[feature], "", section)) {
      words[bit / 64] |= std::uint64_t{1} << (bit % 64);
    }
  }
  return words;
}

}  // namespace sluis::linker::testing
