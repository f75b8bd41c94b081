#include "cli/tables/hierarchy_file.h"

#include <map>
#include <string>

#include "common/status/matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace sluis::cli {
namespace {

using common::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

// "T" -> "A B", for each code with parts.
std::map<std::string, std::string> Sums(const std::string& text, const std::string& total = "T") {
  const auto file = ParseHierarchy(text, "h.txt", total);
  SLUIS_EXPECT_OK(file);
  std::map<std::string, std::string> sums;
  if (!file.ok()) return sums;
  for (const auto& sum : file->sums) {
    std::string& parts = sums[file->codes[static_cast<std::size_t>(sum.total)]];
    for (const auto part : sum.parts) parts += (parts.empty() ? "" : " ") + file->codes[static_cast<std::size_t>(part)];
  }
  return sums;
}

TEST(ParseHierarchy, ReadsTheSameTreeInEveryForm) {
  for (const char* text : {
           "@;T\n@@;A\n@@@;A1\n@@@;A2\n@@;B\n",                           // level;code
           "\xEF\xBB\xBF@;T\r\n@@;A\r\n\r\n@@@;A1\r\n@@@; A2 \r\n@@;B",   // byte order mark, CR, blanks, no last end
           "parent,child\nT,A\nT,B\nA,A1\nA,A2\n",                        // parent-child
           "child;parent;label\nA1;A;x\nA2;A;y\nT;;all\nA;T;a\nB;T;b\n",  // any order, the root said
           "\"code\",\"parent\",\"label\"\n\"A\",\"T\",\"a\"\n\"B\",\"T\",\"b\"\nA1,A,\nA2,A,\n",
           "@T\n@@A\n@@@A1\n@@@A2\n@@B\n",  // indented with its total
           "A\n@A1\n@A2\nB\n",              // .hrc: total implied
           "  A\n  .A1\n  .A2\n  B\n",      // the same with another mark
       }) {
    EXPECT_THAT(Sums(text), UnorderedElementsAre(Pair("T", "A B"), Pair("A", "A1 A2"))) << text;
  }
  EXPECT_THAT(Sums("A\nB\n", "Total"), ElementsAre(Pair("Total", "A B")));
}

TEST(ParseHierarchy, KeepsOneChildLevelsAndUnevenDepth) {
  EXPECT_THAT(Sums("@;T\n@@;A\n@@@;A1\n@@@@;A11\n@@;B\n"),
              UnorderedElementsAre(Pair("T", "A B"), Pair("A", "A1"), Pair("A1", "A11")));
}

TEST(ParseHierarchy, TakesGroupsWithoutACommonTotal) {
  EXPECT_THAT(Sums("parent,child\nEU,NL\nEU,DE\nUSSR,RU\nUSSR,UA\n"),
              UnorderedElementsAre(Pair("EU", "NL DE"), Pair("USSR", "RU UA")));
}

TEST(ParseHierarchy, NamesLineAndCodeOfAnError) {
  const auto fails = [](const std::string& text, const char* message) {
    EXPECT_THAT(ParseHierarchy(text, "h.txt", "T"), StatusIs(absl::StatusCode::kInvalidArgument, message)) << text;
  };
  fails("", "h.txt: the file is empty");
  fails("\n \r\n", "the file is empty");
  fails("parent,child\n", "there is no code");
  fails("parent,child;a;b;c\nT,A\n", "line 1: the header needs the columns parent and child (or code)");
  fails("@;T\n@@;A\n@@;A\n", "line 3: the code A stands in two places, first on line 2");
  fails("@;T\n@@@;A\n", "line 2: the depth leaps");
  fails("@@;T\n@@;A\n", "line 1: the depth leaps");
  fails("@;T\n@@;A\n@;U\n", "line 3: a second total");
  fails("@;T\nA\n", "line 2: as many @");
  fails("@;T\n@@;\n", "line 2: a code is expected");
  fails("A\n@@B\n", "line 2: the depth leaps");
  fails("A\nT\n", "line 2: the code T stands in two places (it is the implied total)");
  fails("parent,child\nT,A\nT,A\n", "line 3: the code A stands in two places, first on line 2");
  fails("parent,child\nT,A\nU,A\n", "put overlapping groups into a hierarchy file of their own");
  fails("parent,child\nA,B\nB,C\nC,A\n", "is a part of itself");
  fails("parent,child\nA,A\n", "the code A is a part of itself");
  fails("parent,child\nT\n", "line 2: the record has another number of fields");
  fails("parent,child\nT,\"A\n", "h.txt line");
  fails("parent,child\nT,\n", "a code is expected");
  fails("@;T\n@@;\xFF\n", "not valid UTF-8");
  fails(std::string("@;T\n@@;A\0B\n", 11), "not valid UTF-8");
  fails("@;" + std::string(257, 'x') + "\n", "256 bytes");
}

}  // namespace
}  // namespace sluis::cli
