#include "tests/linker/fuzzy/sources.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "common/status/matchers.h"

namespace sluis::linker::testing {
namespace {

constexpr std::uint32_t kBits = 1024;
constexpr std::uint32_t kFieldBits = 256;

}  // namespace

MatchPlan Plan(std::size_t passes) {
  MatchPlan plan;
  plan.encoding.label = "test";
  plan.encoding.features = {{"a"}, {"b"}, {"c"}, {"d"}};
  for (std::size_t i = 0; i < passes; ++i) plan.passes.push_back({"id" + std::to_string(i)});
  return plan;
}

MatchSource Source(const std::string& name, std::uint32_t first, std::uint32_t end, std::uint32_t noise) {
  MatchSource source;
  source.name = name;
  EncodingTable table = *EncodingTable::Create(kBits);
  std::vector<std::uint64_t> words(kBits / 64);
  for (std::uint32_t person = first; person < end; ++person) {
    std::mt19937_64 bits(person);
    std::mt19937_64 flips(person * 16 + noise);
    for (std::uint64_t& word : words) word = (bits() & bits()) ^ (flips() & flips() & flips() & flips());
    EXPECT_THAT(table.Append(words), common::testing::IsOk());
    source.record_of_row.push_back(source.records++);
  }
  source.tables.push_back(std::move(table));
  return source;
}

MatchPlan FieldPlan() {
  MatchPlan plan = Plan();
  plan.encoding.profile = EncodingProfile::kFieldLevel;
  plan.encoding.bits = kFieldBits;
  plan.encoding.hardening = {.folds = 0, .flip = 0};
  return plan;
}

MatchSource FieldSource(const std::string& name, std::uint32_t first, std::uint32_t end, std::uint32_t noise) {
  MatchSource source;
  source.name = name;
  source.records = end - first;
  std::vector<std::uint64_t> words(kFieldBits / 64);
  for (std::uint64_t field = 0; field < 4; ++field) {
    FieldColumn column = *FieldColumn::Create(kFieldBits);
    for (std::uint32_t person = first; person < end; ++person) {
      std::mt19937_64 slips(person * 64 + noise * 4 + field);
      std::mt19937_64 value(std::mt19937_64(person * 4 + field)() % 500 * 4 + field);
      std::mt19937_64 other(slips());
      const std::uint64_t slip = slips() % 20;
      for (std::uint64_t& word : words) word = slip < 2 ? other() & other() : value() & value();
      if (slip == 2) {
        column.AppendMissing();
      } else {
        EXPECT_THAT(column.Append(words), common::testing::IsOk());
      }
    }
    source.columns.push_back(std::move(column));
  }
  return source;
}

}  // namespace sluis::linker::testing
