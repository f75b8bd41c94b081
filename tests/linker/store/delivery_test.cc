#include "linker/store/delivery.h"

#include <functional>

#include "common/crypto/crypto.h"
#include "common/status/matchers.h"
#include "gtest/gtest.h"
#include "linker/encode/permit_plan.h"
#include "linker/store/codec.h"
#include "tests/linker/store/people.h"
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

TEST(CheckHeader, FailsIfEncodingsAreNotThePermits) {
  const common::Permit permit = testing::SimilarPermit();
  const DeliveryHeader good =
      testing::MakeEncodedExtract("jobs", "jobs-1", {{1, 11}}, testing::AnyEncodings(1, "x")).header;
  SLUIS_EXPECT_OK(CheckHeader(good, permit));
  // Another project's plan, which differs in its label alone.
  common::Permit other = permit;
  other.id = "another-project";
  const std::vector<BrokenField> broken = {
      {"encoding_plan_sha256: is not the permit's encoding plan", [](auto& h) { h.encoding_plan_sha256[0] ^= 1; }},
      {"encoding_plan_sha256: is not", [&](auto& h) { h.encoding_plan_sha256 = PlanOf(other)->Digest(); }},
      {"encoding_plan_sha256: is not", [](auto& h) { h.encoding_plan_sha256 = {}, h.encoding_bytes = 0; }},
      {"encoding_bytes: the permit's encoding plan has " + std::to_string(good.encoding_bytes) + " a record",
       [](auto& h) { h.encoding_bytes = 64; }},
      {"encoding_bytes:", [](auto& h) { h.encoding_bytes = 0; }},
  };
  for (const BrokenField& field : broken) {
    DeliveryHeader header = good;
    field.make(header);
    header.signature = common::SignDelivery(StatementOf(header), testing::CustodianKey());
    EXPECT_THAT(CheckHeader(header, permit),
                StatusIs(absl::StatusCode::kInvalidArgument, "delivery header, " + field.message));
  }
  // The plan does not follow the permit's version: encodings outlive it.
  common::Permit next = permit;
  next.version = 2;
  EXPECT_EQ(PlanOf(next)->Digest(), good.encoding_plan_sha256);
  // What the custodian did not sign, and what the permit does not ask for.
  DeliveryHeader unsigned_plan = Jobs().header;
  unsigned_plan.encoding_plan_sha256 = good.encoding_plan_sha256;
  unsigned_plan.encoding_bytes = good.encoding_bytes;
  EXPECT_THAT(CheckHeader(unsigned_plan, permit), StatusIs(absl::StatusCode::kInvalidArgument, "signature"));
  EXPECT_THAT(CheckHeader(good, ExamplePermit()),
              StatusIs(absl::StatusCode::kInvalidArgument, "the permit gives the register no features"));
  common::Permit neither = ExamplePermit();
  neither.registers[1].match_keys.clear();
  DeliveryHeader without_keys = Jobs().header;
  without_keys.match_keys.clear();
  EXPECT_THAT(CheckHeader(without_keys, neither),
              StatusIs(absl::StatusCode::kInvalidArgument, "neither match keys nor features"));
}

TEST(ChunkDigest, CoversEncodingsAndLeavesOthersAsTheyWere) {
  const Chunk chunk = Jobs().ChunkAt(0);
  const auto digest_of = [](std::string_view format, const std::string& content) {
    return common::Sha256(std::string(format) + std::string("\0\0\0\1\0\0\0\4", 8) + content);
  };
  const std::string pseudonyms(chunk.pseudonyms), rows(chunk.rows);
  EXPECT_EQ(ChunkDigest(1, chunk), digest_of("sluis-chunk-v1\n", pseudonyms + rows));
  Chunk with = chunk;
  with.encodings = "encodings";
  EXPECT_EQ(ChunkDigest(1, with), digest_of("sluis-chunk-v2\n", pseudonyms + "encodings" + rows));
}

TEST(HeaderDigest, CoversEncodingsAndLeavesOthersAsTheyWere) {
  DeliveryHeader header = Jobs().header;
  EXPECT_EQ(HeaderDigest(header), common::Sha256("sluis-delivery-header-v1\n" + EncodeHeader(header)));
  const common::Hash256 without = HeaderDigest(header);
  header.encoding_bytes = 128;
  const common::Hash256 with = HeaderDigest(header);
  EXPECT_NE(with, without);
  header.encoding_plan_sha256[0] ^= 1;
  EXPECT_NE(HeaderDigest(header), with);
}

TEST(DecodeDelivery, FailsOnAnyPrefix) {
  DeliveryRecord delivery;
  delivery.header = testing::MakeEncodedExtract("jobs", "jobs-1", {{1, 11}}, testing::AnyEncodings(1, "x")).header;
  EXPECT_EQ(DecodeDelivery(EncodeDelivery(delivery))->header, delivery.header);
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
