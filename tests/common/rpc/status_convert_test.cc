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

TEST(ForCaller, KeepsTheServicesFaultsFromCallers) {
  for (const absl::Status& fault :
       {WithReason(absl::ResourceExhaustedError("store: cannot write /srv/linker/data/1.log"), "DISK_FULL"),
        WithReason(absl::UnavailableError("store: cannot read /srv/linker/data/1.sst"), "STORE_FAULT"),
        WithReason(absl::DataLossError("store: /srv/linker/data is damaged"), "STORE_FAULT"),
        absl::InternalError("/srv/linker/keystore")}) {
    const absl::Status told = ForCaller(fault);
    EXPECT_EQ(told.code(), fault.code());
    EXPECT_EQ(ReasonOf(told), ReasonOf(fault));
    EXPECT_EQ(std::string(told.message()).find("/srv"), std::string::npos) << told;
    EXPECT_NE(std::string(told.message()).find("operator"), std::string::npos) << told;
  }
}

TEST(ForCaller, LeavesTheRestAsItIs) {
  for (const absl::Status& status :
       {absl::OkStatus(), absl::InvalidArgumentError("field age: 0..120 is expected"),
        WithReason(absl::ResourceExhaustedError("of the budget of 10, 10 are used"), "QUOTA_EXHAUSTED"),
        WithReason(absl::DataLossError("register jobs: the linker sent a row twice"), "ROW_REPEATED")}) {
    EXPECT_EQ(ForCaller(status), status);
  }
}

}  // namespace
}  // namespace sluis::common
