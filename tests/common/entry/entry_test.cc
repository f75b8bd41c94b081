#include "common/entry/entry.h"

#include "common/status/matchers.h"
#include "gtest/gtest.h"

namespace sluis::common {
namespace {

TEST(Entry, IsCanonicalJson) {
  EXPECT_EQ(FormatEntry("permit", 5, {{"project", "p"}, {"aaa", std::int64_t{7}}}),
            R"({"aaa":7,"project":"p","time":5,"type":"permit","v":1})");
}

TEST(Entry, ComesBackAsItWas) {
  const std::string bytes =
      FormatEntry("delivery", 1'790'000'000, {{"register", "ju\"bs\n\xc3\xa9"}, {"records", std::int64_t{12}}});
  EXPECT_EQ(bytes.find('\n'), std::string::npos);
  const auto entry = ParseEntry(bytes);
  SLUIS_ASSERT_OK(entry);
  EXPECT_EQ(entry->type, "delivery");
  EXPECT_EQ(entry->time_seconds, 1'790'000'000);
  EXPECT_EQ(entry->Text("register"), "ju\"bs\n\xc3\xa9");
  EXPECT_EQ(entry->Number("records"), 12);
  EXPECT_EQ(entry->Text("absent"), "");
}

TEST(Entry, RefusesEveryOtherSpelling) {
  for (const char* bytes :
       {"", "[]", "{}", R"({"v":1})", R"({"time":5,"type":"permit","v":2})", R"({"time":5, "type":"permit","v":1})",
        R"({"type":"permit","time":5,"v":1})", R"({"time":5,"time":6,"type":"permit","v":1})",
        R"({"a":1.5,"time":5,"type":"permit","v":1})", R"({"a":null,"time":5,"type":"permit","v":1})",
        R"({"a":{},"time":5,"type":"permit","v":1})", R"({"time":"5","type":"permit","v":1})"}) {
    EXPECT_THAT(ParseEntry(bytes), testing::StatusIs(absl::StatusCode::kInvalidArgument, "canonical")) << bytes;
  }
}

}  // namespace
}  // namespace sluis::common
