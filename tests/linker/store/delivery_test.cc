#include "linker/store/delivery.h"

#include <functional>

#include "common/status/matchers.h"
#include "gtest/gtest.h"
#include "linker/store/codec.h"
#include "tests/linker/store/record_store_fixture.h"

namespace sluis::linker {
namespace {

using common::testing::StatusIs;
using testing::ExamplePermit;
using testing::Jobs;

struct BrokenField {
  std::string message;
  std::function<void(DeliveryHeader&)> make;
};

TEST(CheckHeader, FailsIfAnyFieldIsNotThePermits) {
  const common::Permit permit = ExamplePermit();
  SLUIS_EXPECT_OK(CheckHeader(Jobs().header, permit));
  const std::vector<BrokenField> broken = {
      {"delivery_id", [](auto& h) { h.delivery_id = ""; }},
      {"delivery_id", [](auto& h) { h.delivery_id = "a/b"; }},
      {"delivery_id", [](auto& h) { h.delivery_id = std::string(64, 'a'); }},
      {"delivery_id", [](auto& h) { h.delivery_id = ".hidden"; }},
      {"replaces", [](auto& h) { h.replaces = "a/b"; }},
      {"replaces", [](auto& h) { h.replaces = h.delivery_id; }},
      {"permit_id", [](auto& h) { h.permit_id = "another"; }},
      {"permit_sha256", [](auto& h) { h.permit_sha256[0] ^= 1; }},
      {"register", [](auto& h) { h.register_name = "taxes"; }},
      {"records", [](auto& h) { h.records = 10'000'001; }},
      {"match_keys", [](auto& h) { std::swap(h.match_keys[0], h.match_keys[1]); }},
      {"match_keys", [](auto& h) { h.match_keys.pop_back(); }},
      {"row_bytes", [](auto& h) { h.row_bytes = 0; }},
      {"row_bytes", [](auto& h) { h.row_bytes = kMaxRowBytes + 1; }},
      {"sealed_data_key", [](auto& h) { h.sealed_data_key.clear(); }},
      {"sealed_data_key", [](auto& h) { h.sealed_data_key.resize(5000); }},
      {"schema_sha256", [](auto& h) { h.schema_sha256[0] ^= 1; }},
  };
  for (const BrokenField& field : broken) {
    DeliveryHeader header = Jobs().header;
    field.make(header);
    EXPECT_THAT(CheckHeader(header, permit),
                StatusIs(absl::StatusCode::kInvalidArgument, "delivery header, " + field.message + ":"));
  }
}

TEST(DecodeDelivery, FailsOnAnyPrefix) {
  DeliveryRecord delivery;
  delivery.header = Jobs().header;
  const std::string bytes = EncodeDelivery(delivery);
  SLUIS_ASSERT_OK(DecodeDelivery(bytes));
  // Earlier formats end before the signature, and before the encodings.
  const std::size_t format_2 = bytes.size() - 32 - 4;
  const std::size_t format_1 = format_2 - 4 - delivery.header.signature.size();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    if (size == format_1 || size == format_2) {
      continue;
    }
    EXPECT_THAT(DecodeDelivery(bytes.substr(0, size)), StatusIs(absl::StatusCode::kDataLoss, "format"));
  }
  EXPECT_THAT(DecodeDelivery(bytes + "x"), StatusIs(absl::StatusCode::kDataLoss, "format"));
}

}  // namespace
}  // namespace sluis::linker
