#include "common/tlog/tile.h"

#include "common/status/matchers.h"
#include "gtest/gtest.h"

namespace sluis::common {
namespace {

using ::sluis::common::testing::StatusIs;

TEST(TilePaths, AreThoseOfTheSpecification) {
  EXPECT_EQ(TilePath({.level = 0, .index = 1234067}), "tile/0/x001/x234/067");
  EXPECT_EQ(TilePath({.level = 2, .index = 0, .width = 1}), "tile/2/000.p/1");
  EXPECT_EQ(TilePath({.entries = true, .index = 273, .width = 112}), "tile/entries/273.p/112");
  EXPECT_EQ(TilePath({.entries = true, .index = 1000}), "tile/entries/x001/000");
}

TEST(TilePaths, RoundTrip) {
  for (const std::uint64_t index : {0ull, 7ull, 999ull, 1000ull, 1234067ull, 999999999ull, 36028797018963967ull}) {
    for (const std::uint64_t width : {1ull, 255ull, 256ull}) {
      for (const TileName& name : {TileName{.level = 3, .index = index, .width = width},
                                   TileName{.entries = true, .index = index, .width = width}}) {
        const auto parsed = ParseTilePath(TilePath(name));
        SLUIS_ASSERT_OK(parsed);
        EXPECT_EQ(*parsed, name) << TilePath(name);
      }
    }
  }
}

TEST(TilePaths, RefusesEverythingElse) {
  for (const char* path : {"",
                           "checkpoint",
                           "tile",
                           "tile/",
                           "tile/0",
                           "tile/0/",
                           "/tile/0/000",
                           "tile/0/000/",
                           "tile//000",
                           "tile/00/000",
                           "tile/8/000",
                           "tile/-1/000",
                           "tile/+1/000",
                           "tile/0/0",
                           "tile/0/0000",
                           "tile/0/00a",
                           "tile/0/x000/001",
                           "tile/0/001/002",
                           "tile/0/x001/x002",
                           "tile/0/000.p",
                           "tile/0/000.p/",
                           "tile/0/000.p/0",
                           "tile/0/000.p/256",
                           "tile/0/000.p/01",
                           "tile/0/000.p/1.p/1",
                           "tile/0/000.p/1/",
                           "tile/0/../000",
                           "tile/0/x../001",
                           "tile/entries/../../etc/passwd",
                           "tile/entries",
                           "tile/entries/",
                           "tile/Entries/000",
                           "tile/0/x018/x446/x744/x073/x709/x551/616",
                           "tile/0/x999/x999/x999/x999/x999/x999/x999/999"}) {
    EXPECT_THAT(ParseTilePath(path), StatusIs(absl::StatusCode::kInvalidArgument, "a log resource is")) << path;
  }
  EXPECT_FALSE(ParseTilePath(std::string_view("tile/0/000\0", 11)).ok());
}

TEST(Bundles, HaveBigEndianLengths) {
  std::string bundle;
  AppendToBundle(bundle, "one");
  AppendToBundle(bundle, std::string(kMaxEntryBytes, 'x'));
  EXPECT_EQ(bundle.substr(0, 7), std::string("\0\3one\xff\xff", 7));
  EXPECT_EQ(bundle.size(), 2 + 3 + 2 + kMaxEntryBytes);
}

}  // namespace
}  // namespace sluis::common
