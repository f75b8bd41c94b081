#include "common/status/status.h"

#include <memory>
#include <string>

#include "absl/strings/cord.h"
#include "common/status/matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace sluis::common {
namespace {

using ::sluis::common::testing::IsOk;
using ::sluis::common::testing::StatusIs;
using ::testing::Not;

TEST(WithReason, AttachesAReasonThatReasonOfReturns) {
  const absl::Status status = WithReason(absl::FailedPreconditionError("the permit has ended"), "PERMIT_EXPIRED");
  EXPECT_EQ(ReasonOf(status), "PERMIT_EXPIRED");
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kFailedPrecondition, "the permit has ended"));
}

TEST(WithReason, ReplacesAnEarlierReason) {
  EXPECT_EQ(ReasonOf(WithReason(WithReason(absl::AbortedError("x"), "FIRST"), "SECOND")), "SECOND");
}

TEST(WithReason, LeavesOkAlone) {
  const absl::Status status = WithReason(absl::OkStatus(), "PERMIT_EXPIRED");
  SLUIS_EXPECT_OK(status);
  EXPECT_EQ(ReasonOf(status), "");
}

TEST(ReasonOf, IsEmptyWithoutAReasonAndIgnoresForeignPayloads) {
  absl::Status status = absl::InternalError("x");
  EXPECT_EQ(ReasonOf(status), "");
  status.SetPayload("type.example/other", absl::Cord("OTHER"));
  EXPECT_EQ(ReasonOf(status), "");
}

TEST(Annotate, PutsTheContextInFrontAndKeepsCodeReasonAndPayloads) {
  absl::Status status = WithReason(absl::NotFoundError("no such file"), "FILE_MISSING");
  status.SetPayload("type.example/other", absl::Cord("kept"));
  const absl::Status annotated = Annotate(Annotate(status, "schema"), "persons");
  EXPECT_EQ(annotated.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(annotated.message(), "persons: schema: no such file");
  EXPECT_EQ(ReasonOf(annotated), "FILE_MISSING");
  EXPECT_EQ(annotated.GetPayload("type.example/other"), absl::Cord("kept"));
}

TEST(Annotate, LeavesOkAlone) { EXPECT_EQ(Annotate(absl::OkStatus(), "persons"), absl::OkStatus()); }

absl::Status ReturnIfError(const absl::Status& first, int& reached) {
  SLUIS_RETURN_IF_ERROR(first);
  ++reached;
  return absl::OkStatus();
}

TEST(ReturnIfError, ReturnsTheErrorUnchangedAndGoesOnWhenOk) {
  int reached = 0;
  const absl::Status error = WithReason(absl::DataLossError("broken"), "LOG_BROKEN");
  EXPECT_EQ(ReturnIfError(error, reached), error);
  EXPECT_EQ(reached, 0);
  SLUIS_EXPECT_OK(ReturnIfError(absl::OkStatus(), reached));
  EXPECT_EQ(reached, 1);
}

TEST(ReturnIfError, EvaluatesItsExpressionOnceAndIsOneStatement) {
  int evaluated = 0;
  const auto run = [&](bool fail) -> absl::Status {
    if (fail)
      SLUIS_RETURN_IF_ERROR((++evaluated, absl::InternalError("x")));
    else
      SLUIS_RETURN_IF_ERROR((++evaluated, absl::OkStatus()));
    return absl::OkStatus();
  };
  EXPECT_FALSE(run(true).ok());
  EXPECT_EQ(evaluated, 1);
  SLUIS_EXPECT_OK(run(false));
  EXPECT_EQ(evaluated, 2);
}

absl::StatusOr<std::unique_ptr<int>> Boxed(int value) {
  if (value < 0) return WithReason(absl::OutOfRangeError("negative"), "NEGATIVE");
  return std::make_unique<int>(value);
}

absl::StatusOr<int> Sum(int a, int b) {
  SLUIS_ASSIGN_OR_RETURN(const std::unique_ptr<int> first, Boxed(a));
  SLUIS_ASSIGN_OR_RETURN(const std::unique_ptr<int> second, Boxed(b));
  int third = 0;
  SLUIS_ASSIGN_OR_RETURN(third, absl::StatusOr<int>(1));
  return *first + *second + third;
}

TEST(AssignOrReturn, MovesTheValueOutOrReturnsTheStatus) {
  const auto sum = Sum(2, 3);
  SLUIS_ASSERT_OK(sum);
  EXPECT_EQ(*sum, 6);
  for (const auto& failed : {Sum(-1, 3), Sum(2, -1)}) {
    EXPECT_THAT(failed, StatusIs(absl::StatusCode::kOutOfRange, "negative"));
    EXPECT_EQ(ReasonOf(failed.status()), "NEGATIVE");
  }
}

TEST(Matchers, TellCodeAndFragmentApart) {
  const absl::Status status = absl::NotFoundError("field age");
  EXPECT_THAT(status, Not(IsOk()));
  EXPECT_THAT(absl::OkStatus(), IsOk());
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kNotFound, "age"));
  EXPECT_THAT(status, Not(StatusIs(absl::StatusCode::kNotFound, "sex")));
  EXPECT_THAT(status, Not(StatusIs(absl::StatusCode::kInternal, "age")));
  EXPECT_THAT(absl::StatusOr<int>(status), StatusIs(absl::StatusCode::kNotFound, "age"));
}

}  // namespace
}  // namespace sluis::common
