#include "common/rpc/status_convert.h"

#include <string>

#include "absl/strings/cord.h"
#include "common/status/matchers.h"
#include "common/status/status.h"
#include "gtest/gtest.h"

namespace sluis::common {
namespace {

class EveryCode : public ::testing::TestWithParam<int> {};

TEST_P(EveryCode, RoundTripsWithMessageAndReason) {
  const absl::Status plain(static_cast<absl::StatusCode>(GetParam()), "field age: 0..120 is expected");
  EXPECT_EQ(FromGrpc(ToGrpc(plain)), plain);
  const absl::Status reasoned = WithReason(plain, "FIELD_OUT_OF_RANGE_2");
  const grpc::Status wire = ToGrpc(reasoned);
  EXPECT_EQ(static_cast<int>(wire.error_code()), GetParam());
  EXPECT_EQ(wire.error_details(), "FIELD_OUT_OF_RANGE_2");
  EXPECT_EQ(FromGrpc(wire), reasoned);
}

// 1 CANCELLED to 16 UNAUTHENTICATED.
INSTANTIATE_TEST_SUITE_P(ErrorCodes, EveryCode, ::testing::Range(1, 17));

TEST(StatusConvert, OkIsOk) {
  EXPECT_TRUE(ToGrpc(absl::OkStatus()).ok());
  SLUIS_EXPECT_OK(FromGrpc(grpc::Status::OK));
}

TEST(ToGrpc, SendsNoPayloadButTheReason) {
  absl::Status status = absl::InternalError("x");
  status.SetPayload("type.example/other", absl::Cord("for us alone"));
  EXPECT_EQ(ToGrpc(status).error_details(), "");
}

TEST(FromGrpc, DropsDetailsThatAreNoReason) {
  for (const std::string& details : {std::string("\x08\x05\x12\x03proxy"), std::string("lower_case"),
                                     std::string("WITH SPACE"), std::string("A-B"), std::string(65, 'A')}) {
    const absl::Status status = FromGrpc(grpc::Status(grpc::StatusCode::UNAVAILABLE, "from a proxy", details));
    EXPECT_EQ(status, absl::UnavailableError("from a proxy"));
    EXPECT_EQ(ReasonOf(status), "");
  }
  EXPECT_EQ(ReasonOf(FromGrpc(grpc::Status(grpc::StatusCode::UNAVAILABLE, "x", std::string(64, 'A')))),
            std::string(64, 'A'));
}

}  // namespace
}  // namespace sluis::common
