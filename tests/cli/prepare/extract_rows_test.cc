#include "cli/prepare/extract_rows.h"

#include <gtest/gtest.h>

#include "common/csv/byte_source.h"
#include "common/status/matchers.h"
#include "linker/encode/match_key.h"
#include "tests/cli/extract/sample.h"

namespace sluis::cli {
namespace {

using common::testing::StatusIs;

class ExtractRowsTest : public ::testing::Test {
 protected:
  absl::StatusOr<ExtractRows> Open(const std::string& bytes) {
    ExtractReader::Options options;
    options.token_key = &token_key_;
    auto plan = std::make_shared<ExtractPlan>(*testing::SamplePlan());
    plan->permit_register = permit_.registers[0];
    auto reader = ExtractReader::OpenSource(common::MakeMemorySource(bytes), plan, options);
    if (!reader.ok()) {
      return reader.status();
    }
    reader_ = *std::move(reader);
    return ExtractRows::Make(*reader_, permit_);
  }

  common::SecretBytes token_key_ = common::SecretBytes::Random(32);
  common::Permit permit_ = testing::SamplePermit();
  std::unique_ptr<ExtractReader> reader_;
};

TEST_F(ExtractRowsTest, GivesKeyComponentsInCanonicalFormAndAttributes) {
  auto rows = Open(testing::kSampleHeader + std::string(testing::kSampleRow));
  SLUIS_ASSERT_OK(rows);
  SourceRow row;
  ASSERT_TRUE(*rows->Next(row));
  ASSERT_EQ(row.components.size(), 2u);
  EXPECT_EQ(row.components[0], (std::vector<std::string_view>{"111222333"}));
  EXPECT_EQ(row.components[1], (std::vector<std::string_view>{"1980-02-29", "M", "1234AB"}));
  EXPECT_EQ(row.attributes.size(), permit_.registers[0].RowWidth());
  for (std::size_t i = 0; i < row.components.size(); ++i) {
    const auto input = linker::MatchKeyInput(permit_.match_keys[i], row.components[i]);
    SLUIS_ASSERT_OK(input);
    EXPECT_TRUE(input->has_value());
  }
  EXPECT_FALSE(*rows->Next(row));
}

TEST_F(ExtractRowsTest, GivesMissingAndUnknownPartsSoThatTheKeyIsAbsent) {
  auto rows = Open(testing::kSampleHeader + std::string(";19800200;M;1234AB;Turkije;1,00;36;2024-05-17;W1;\n"));
  SLUIS_ASSERT_OK(rows);
  SourceRow row;
  ASSERT_TRUE(*rows->Next(row));
  EXPECT_EQ(row.components[0][0], "");
  EXPECT_EQ(row.components[1][0], "1980-02-00");
  EXPECT_EQ(*linker::MatchKeyInput(permit_.match_keys[0], row.components[0]), std::nullopt);
  EXPECT_EQ(*linker::MatchKeyInput(permit_.match_keys[1], row.components[1]), std::nullopt);
}

TEST_F(ExtractRowsTest, GivesFeaturesInThePermitsOrderAsTheyAreCompared) {
  using common::SimilarityKind;
  permit_.similarity.emplace().features = {{"town", SimilarityKind::kDigits, {}, {}},
                                           {"surname", SimilarityKind::kName, {}, {}},
                                           {"born", SimilarityKind::kDate, {}, {}},
                                           {"pay", SimilarityKind::kNumber, {}, {}}};
  permit_.registers[0].features = {{"born", "birth_date"}, {"town", "postcode"}, {"pay", "wage"}};
  auto rows =
      Open(testing::kSampleHeader + std::string(testing::kSampleRow) + ";19800200;M;;Turkije;1,00;36;2024-05-17;W1;\n");
  SLUIS_ASSERT_OK(rows);
  SourceRow row;
  ASSERT_TRUE(*rows->Next(row));
  EXPECT_EQ(row.features, (std::vector<std::string_view>{"1234AB", "", "1980-02-29", "1234.56"}));
  // What is unknown of a date is left out, and what is missing is empty.
  ASSERT_TRUE(*rows->Next(row));
  EXPECT_EQ(row.features, (std::vector<std::string_view>{"", "", "1980-02", "1.00"}));
  permit_.registers[0].features[0].source = "born";
  EXPECT_THAT(Open(testing::kSampleHeader),
              StatusIs(absl::StatusCode::kInvalidArgument, "lacks the field born of feature born"));
}

TEST_F(ExtractRowsTest, GivesNoFeaturesOfARegisterThatHasNone) {
  auto rows = Open(testing::kSampleHeader + std::string(testing::kSampleRow));
  SLUIS_ASSERT_OK(rows);
  SourceRow row;
  ASSERT_TRUE(*rows->Next(row));
  EXPECT_TRUE(row.features.empty());
}

TEST_F(ExtractRowsTest, StopsAtAFaultyRowWithoutEchoingIt) {
  auto rows = Open(testing::kSampleHeader + std::string(testing::kSampleRow) +
                   "111222333;19800229;SECRET;1234AB;Turkije;1,00;36;2024-05-17;W1;\n");
  SLUIS_ASSERT_OK(rows);
  SourceRow row;
  ASSERT_TRUE(*rows->Next(row));
  const auto faulty = rows->Next(row);
  EXPECT_THAT(faulty, StatusIs(absl::StatusCode::kInvalidArgument, "changed after it was checked"));
  EXPECT_EQ(std::string(faulty.status().message()).find("SECRET"), std::string::npos);
}

TEST_F(ExtractRowsTest, RefusesFaultyColumnsAndAPermitWithoutTheKey) {
  EXPECT_THAT(Open("bsn;unknown\n1;2\n"), StatusIs(absl::StatusCode::kFailedPrecondition, "check the extract first"));
  permit_.match_keys.pop_back();
  EXPECT_THAT(Open(testing::kSampleHeader), StatusIs(absl::StatusCode::kInvalidArgument, "lacks the match key"));
}

}  // namespace
}  // namespace sluis::cli
