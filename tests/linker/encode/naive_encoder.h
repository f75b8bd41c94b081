#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "linker/encode/encoding_plan.h"
#include "linker/encode/token_seeds.h"

// Random hashing by its documented rule, from the key stream alone: no cache, no positions drawn ahead.

namespace sluis::linker::testing {

enum class Section { kFirst, kStable };

std::vector<std::uint16_t> NaivePositions(const common::Hash256& seed, std::uint32_t bits, std::size_t count);

// The seed of a token under the plan, of the stable section if asked for.
common::Hash256 NaiveTokenSeed(const EncodingPlan& plan, const TokenSeeds& seeds, std::size_t feature,
                               std::string_view token, std::string_view salt = "", Section section = Section::kFirst);

// The raw bits that one feature sets in a section.
std::set<std::uint32_t> NaiveFeature(const EncodingPlan& plan, const TokenSeeds& seeds, std::size_t feature,
                                     std::string_view value, std::string_view salt = "",
                                     Section section = Section::kFirst);

// Words of one section's raw bits, all features together.
std::vector<std::uint64_t> NaiveRaw(const EncodingPlan& plan, const TokenSeeds& seeds,
                                    std::span<const std::string_view> values, Section section);

}  // namespace sluis::linker::testing
