// Deterministic mutations of valid schemas: parsing ends with a schema or INVALID_ARGUMENT, and a schema that parses
// can read any value.
#include <chrono>
#include <random>
#include <string>
#include <vector>

#include "common/schema/schema.h"
#include "common/schema/value.h"
#include "gtest/gtest.h"
#include "tests/long_tests.h"

namespace sluis::common {
namespace {

const std::vector<std::string> kSeeds = {
    "missingValues: [\"\", \".\"]\nprimaryKey: [a]\ndialect: {delimiter: \";\", header: true}\nfields:\n"
    "  - {name: a, x-role: identifier, x-check: elfproef, constraints: {pattern: \"[0-9]{9}\"}}\n"
    "  - {name: b, type: date, format: \"%Y%m%d\", x-partial-dates: true, x-role: quasi}\n"
    "  - &f {name: c, type: number, x-scale: 2, decimalChar: \",\", x-role: weight, constraints: {minimum: 0}}\n",
    R"({"fields": [{"name": "a", "type": "integer", "x-role": "attribute", "constraints": {"enum": [1, 2], "maximum": 9}},
        {"name": "b", "type": "boolean", "trueValues": ["J"], "x-role": "attribute", "x-fixed-width": {"start": 1, "width": 2}}]})"};

std::string Mutate(std::string text, std::mt19937& random) {
  static constexpr std::string_view kBytes = "{}[]\",:'&*-?|>%#!0123456789axY.\n\t \\(+";
  for (std::uint32_t n = 1 + random() % 4; n > 0 && !text.empty(); --n) {
    const std::size_t at = random() % text.size();
    switch (random() % 4) {
      case 0:
        text[at] = kBytes[random() % kBytes.size()];
        break;
      case 1:
        text.erase(at, random() % 10);
        break;
      case 2:
        text.insert(at, 1 + random() % 3, kBytes[random() % kBytes.size()]);
        break;
      default:
        text.insert(at, text.substr(random() % text.size(), random() % 40));
    }
  }
  return text;
}

TEST(SchemaMutation, EndsWithASchemaOrAClearError) {
  const std::vector<std::string> values = {"",          "1", "-1,5", "19700000", "2020-02-30", "\xC3\xA9\xC3\xA9",
                                           "111222333", "J"};
  std::mt19937 random(43);
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(::sluis::testing::Repetitions(2, 300));
  const int most = ::sluis::testing::Repetitions(20'000, 10'000'000);
  int rounds = 0;
  int parsed = 0;
  for (; rounds < most && std::chrono::steady_clock::now() < end; ++rounds) {
    const auto schema = Schema::Parse(Mutate(kSeeds[random() % kSeeds.size()], random));
    if (!schema.ok()) {
      ASSERT_EQ(schema.status().code(), absl::StatusCode::kInvalidArgument);
      ASSERT_FALSE(schema.status().message().empty());
      continue;
    }
    ++parsed;
    for (const SchemaField& field : schema->fields) {
      const ValueReader reader(field);
      for (const std::string& raw : values) {
        Value value;
        if (reader.Read(raw, value) != ValueFault::kNone) {
          ASSERT_EQ(value.state, ValueState::kMissing);
        }
        std::string text;
        AppendText(field, value, text);
      }
    }
  }
  EXPECT_GT(rounds, 100);
  EXPECT_GT(parsed, 10);
}

}  // namespace
}  // namespace sluis::common
