#include "disclosure/table/columns.h"

#include "common/status/matchers.h"
#include "tests/disclosure/table/country.h"

namespace sluis::disclosure {
namespace {

using common::testing::StatusIs;
using testing::CountryPermit;
using ::testing::ElementsAre;
using testing::RowBytes;

TEST(RegisterColumns, DecodesRowsFieldAfterField) {
  const common::Permit permit = CountryPermit();
  RegisterColumns jobs(&permit.registers[1]);
  RowBytes rows;
  rows.Date(100).Date(common::kMissingDate).Integer(2500).Token(7);
  rows.Date(-3).Date(40).Integer(common::kMissingInteger).Token(0);
  SLUIS_ASSERT_OK(jobs.AppendRows(rows.bytes(), std::vector<std::int32_t>{4, -1}));
  EXPECT_EQ(jobs.rows(), 2);
  EXPECT_THAT(jobs.column(0).dates, ElementsAre(100, -3));
  EXPECT_THAT(jobs.column(1).dates, ElementsAre(common::kMissingDate, 40));
  EXPECT_THAT(jobs.column(2).integers, ElementsAre(2500, common::kMissingInteger));
  EXPECT_THAT(jobs.column(3).tokens, ElementsAre(7, 0));
  EXPECT_THAT(jobs.persons(), ElementsAre(4, -1));
  SLUIS_EXPECT_OK(jobs.CheckPersons(5));
  EXPECT_THAT(jobs.CheckPersons(4), StatusIs(absl::StatusCode::kInvalidArgument, "row 0 names a person"));
}

TEST(RegisterColumns, RefusesWhatThePermitLacksAndKeepsNothing) {
  const common::Permit permit = CountryPermit();
  RegisterColumns jobs(&permit.registers[1]), benefits(&permit.registers[2]);
  const auto code = absl::StatusCode::kInvalidArgument;
  const std::vector<std::int32_t> one = {0}, none, low = {-2};
  EXPECT_THAT(benefits.AppendRows(RowBytes().Code(4).bytes(), one), StatusIs(code, "row 0: field born has a code"));
  EXPECT_THAT(jobs.AppendRows(RowBytes().Date(1).Date(1).Integer(-1).Token(1).bytes(), one),
              StatusIs(code, "field wage is outside"));
  EXPECT_THAT(jobs.AppendRows("short", one), StatusIs(code, "not whole rows of 24 bytes"));
  EXPECT_THAT(benefits.AppendRows(RowBytes().Code(0).bytes(), none), StatusIs(code, "each row needs its person"));
  EXPECT_THAT(benefits.AppendRows(RowBytes().Code(0).bytes(), low), StatusIs(code, "the person is below -1"));
  EXPECT_EQ(jobs.rows() + benefits.rows(), 0);
  SLUIS_EXPECT_OK(benefits.AppendRows(RowBytes().Code(common::kMissingCode).bytes(), one));
}

}  // namespace
}  // namespace sluis::disclosure
