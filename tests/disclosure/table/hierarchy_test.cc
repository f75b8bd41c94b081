#include "disclosure/table/hierarchy.h"

#include "common/status/matchers.h"
#include "disclosure/table/attachment_csv.h"

namespace sluis::disclosure {
namespace {

using common::testing::IsOk;
using common::testing::StatusIs;
using ::testing::ElementsAre;

constexpr char kTree[] =
    "code,parent,label\nXNL,TOT,Abroad\nTOT,,Total\nTUR,XNL,Turkey\nNLD,TOT,\"The "
    "\"\"Netherlands\"\"\"\nMAR,XNL,Morocco\n";

TEST(ReadAttachmentCsv, ReadsQuotesByteOrderMarkAndCrLf) {
  const auto records = ReadAttachmentCsv(
      "\xEF\xBB\xBF"
      "a,b\r\n\"x, y\",\"line\nbreak\"\r\n",
      "f.csv", {"a", "b"});
  SLUIS_ASSERT_OK(records);
  EXPECT_THAT(*records, ElementsAre(ElementsAre("x, y", "line\nbreak")));
}

TEST(ReadAttachmentCsv, NamesFileAndRecord) {
  const auto code = absl::StatusCode::kInvalidArgument;
  EXPECT_THAT(ReadAttachmentCsv("", "f.csv", {}), StatusIs(code, "f.csv: is empty"));
  EXPECT_THAT(ReadAttachmentCsv("a,c\n", "f.csv", {"a", "b"}), StatusIs(code, "f.csv: the header must be a,b"));
  EXPECT_THAT(ReadAttachmentCsv("a,b\n1,2\n1\n", "f.csv", {}), StatusIs(code, "f.csv: record 3: 1 cells"));
  EXPECT_THAT(ReadAttachmentCsv("a,b\n\"1,2\n", "f.csv", {}), StatusIs(code, "record 2: broken quoting"));
}

TEST(Hierarchy, StandsInPreorderWithContiguousLeaves) {
  const auto tree = Hierarchy::Parse(kTree, "h.csv");
  SLUIS_ASSERT_OK(tree);
  std::vector<std::string> codes;
  for (const Hierarchy::Node& node : tree->nodes()) codes.push_back(node.code);
  EXPECT_THAT(codes, ElementsAre("TOT", "XNL", "TUR", "MAR", "NLD"));
  const Hierarchy::Node& abroad = tree->nodes()[1];
  EXPECT_EQ(abroad.depth, 1);
  EXPECT_EQ(abroad.leaf_begin, 0);
  EXPECT_EQ(abroad.leaf_end, 2);
  EXPECT_FALSE(abroad.is_leaf);
  EXPECT_EQ(tree->nodes()[0].leaf_end, 3);
  EXPECT_EQ(tree->nodes()[4].label, "The \"Netherlands\"");
  EXPECT_EQ(tree->LeafNode(2), 4);
}

TEST(Hierarchy, AcceptsARootAlone) {
  const auto tree = Hierarchy::Parse("code,parent,label\nT,,Total\n", "h.csv");
  SLUIS_ASSERT_OK(tree);
  EXPECT_EQ(tree->num_leaves(), 1);
  EXPECT_TRUE(tree->nodes()[0].is_leaf);
}

TEST(Hierarchy, RefusesWhatIsNoTree) {
  const auto parse = [](const std::string& records) {
    return Hierarchy::Parse("code,parent,label\n" + records, "h.csv").status();
  };
  const auto code = absl::StatusCode::kInvalidArgument;
  EXPECT_THAT(parse(""), StatusIs(code, "no code is without parent"));
  EXPECT_THAT(parse("A,,a\nB,,b\n"), StatusIs(code, "codes A and B are both without parent"));
  EXPECT_THAT(parse("A,,a\nB,X,b\n"), StatusIs(code, "code B: its parent X is no code"));
  EXPECT_THAT(parse("A,,a\nB,A,b\nB,A,c\n"), StatusIs(code, "code B stands twice"));
  EXPECT_THAT(parse("A,,a\nB,C,b\nC,B,c\n"), StatusIs(code, "code B does not lead to the total"));
  EXPECT_THAT(parse("A,,a\n,A,b\n"), StatusIs(code, "record 3: the code is empty"));
}

TEST(Hierarchy, FindsLeavesAndNamesWhatIsNone) {
  const auto tree = Hierarchy::Parse(kTree, "h.csv");
  SLUIS_ASSERT_OK(tree);
  const auto leaves = tree->LeavesOf({"NLD", "TUR"}, "origin");
  SLUIS_ASSERT_OK(leaves);
  EXPECT_THAT(*leaves, ElementsAre(2, 0));
  EXPECT_THAT(tree->LeavesOf({"BEL"}, "origin"),
              StatusIs(absl::StatusCode::kInvalidArgument, "dimension origin: the data may hold code BEL"));
  EXPECT_THAT(tree->LeavesOf({"XNL"}, "origin"),
              StatusIs(absl::StatusCode::kInvalidArgument, "code XNL, an inner node"));
}

TEST(Hierarchy, RestrictDropsBranchesAndRenumbersLeaves) {
  const auto tree = Hierarchy::Parse(kTree, "h.csv");
  SLUIS_ASSERT_OK(tree);
  const Hierarchy part = tree->Restrict({false, true, false});
  ASSERT_EQ(part.size(), 3);  // TOT > XNL > MAR
  EXPECT_EQ(part.nodes()[2].code, "MAR");
  EXPECT_EQ(part.nodes()[2].leaf_begin, 0);
  EXPECT_EQ(part.num_leaves(), 1);
  EXPECT_FALSE(part.Find("NLD").has_value());
}

}  // namespace
}  // namespace sluis::disclosure
