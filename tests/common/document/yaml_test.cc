#include "common/document/yaml.h"

#include "common/status/matchers.h"
#include "gtest/gtest.h"
#include "proto/sluis/common/v1/permit.pb.h"

namespace sluis::common {
namespace {

using testing::StatusIs;

TEST(ParseYaml, KeepsTheSpellingOfCodes) {
  v1::Field field;
  SLUIS_ASSERT_OK(ParseYaml("name: residence\ntype: CODE\ncodes: [01, no, 1e3, \"true\", ~]\nmaximum: 12", field));
  ASSERT_EQ(field.codes_size(), 4);
  EXPECT_EQ(field.codes(0), "01");
  EXPECT_EQ(field.codes(1), "no");
  EXPECT_EQ(field.codes(2), "1e3");
  EXPECT_EQ(field.codes(3), "true");
  EXPECT_EQ(field.maximum(), 12);
}

TEST(ParseYaml, RefusesWhatTheMessageDoesNotDefine) {
  v1::Field field;
  EXPECT_THAT(ParseYaml("naam: x", field), StatusIs(absl::StatusCode::kInvalidArgument, "naam"));
  EXPECT_THAT(ParseYaml("name: [x]", field), StatusIs(absl::StatusCode::kInvalidArgument, "name"));
  EXPECT_THAT(ParseYaml("type: NONE", field), StatusIs(absl::StatusCode::kInvalidArgument, "type"));
  EXPECT_THAT(ParseYaml("name: x\nname: y", field), StatusIs(absl::StatusCode::kInvalidArgument, "line 2"));
  EXPECT_THAT(ParseYaml("- name", field), StatusIs(absl::StatusCode::kInvalidArgument, "map"));
  EXPECT_THAT(ParseYaml("", field), StatusIs(absl::StatusCode::kInvalidArgument, "one YAML document"));
  EXPECT_THAT(ParseYaml("name: x\n---\nname: y", field),
              StatusIs(absl::StatusCode::kInvalidArgument, "one YAML document"));
  EXPECT_THAT(ParseYaml("name: {", field), StatusIs(absl::StatusCode::kInvalidArgument, "line"));
}

// yaml-cpp finds empty documents without end there.
TEST(ParseYaml, EndsWhereADocumentBeginsWithAComma) {
  v1::Field field;
  for (const char* text : {",", ", name: x", "name: x\n---\n,", "name: x\n...\n, "}) {
    EXPECT_THAT(ParseYaml(text, field), StatusIs(absl::StatusCode::kInvalidArgument, "")) << text;
    EXPECT_THAT(YamlToJson(text), StatusIs(absl::StatusCode::kInvalidArgument, "")) << text;
  }
}

TEST(ParseYaml, BoundsWhatAliasesUnfoldTo) {
  std::string bomb = "a: &a [x,x,x,x,x,x,x,x,x,x]\n";
  for (char c = 'b'; c < 'j'; ++c) {
    bomb += std::string(1, c) + ": &" + c + " [";
    for (int i = 0; i < 10; ++i) bomb += std::string(i ? "," : "") + "*" + static_cast<char>(c - 1);
    bomb += "]\n";
  }
  EXPECT_THAT(YamlToJson(bomb), StatusIs(absl::StatusCode::kInvalidArgument, "100,000 nodes"));
}

TEST(ParseYaml, BoundsDepthAndSize) {
  EXPECT_FALSE(YamlToJson("a: " + std::string(100, '[') + std::string(100, ']')).ok());
  EXPECT_THAT(YamlToJson("a: " + std::string(5 << 20, 'x')), StatusIs(absl::StatusCode::kInvalidArgument, "4 MiB"));
}

TEST(ParseYaml, RefusesBytesThatAreNoUtf8) {
  v1::Field field;
  EXPECT_FALSE(ParseYaml("name: \"\xff\xfe\"", field).ok());
}

}  // namespace
}  // namespace sluis::common
