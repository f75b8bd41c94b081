#include "common/seal/delivery_statement.h"

#include <functional>
#include <set>

#include "common/status/matchers.h"
#include "common/status/status.h"
#include "gtest/gtest.h"

namespace sluis::common {
namespace {

using testing::StatusIs;

DeliveryStatement Example() {
  DeliveryStatement statement;
  statement.permit_sha256.fill(0x11);
  statement.register_name = "jobs";
  statement.delivery_id = "jobs-2";
  statement.replaces = "jobs-1";
  statement.record_count = 0x0102030405060708;
  statement.row_bytes = 0x0A0B0C0D;
  statement.sealed_data_key = "abc";
  statement.schema_sha256.fill(0x22);
  statement.match_keys = {"bsn", "person"};
  return statement;
}

SigningKey ExampleKey() { return SigningKey::FromSeed(SecretBytes::CopyOf(AsBytes(std::string(32, 'k')))); }

struct Change {
  const char* what;
  std::function<void(DeliveryStatement&)> make;
};

// Each changes one field, or moves bytes from one field to its neighbour.
std::vector<Change> Changes() {
  return {
      {"permit", [](auto& s) { s.permit_sha256[31] ^= 1; }},
      {"register", [](auto& s) { s.register_name = "jobz"; }},
      {"delivery", [](auto& s) { s.delivery_id = "jobs-3"; }},
      {"replaces", [](auto& s) { s.replaces = "jobs-0"; }},
      {"replaces nothing", [](auto& s) { s.replaces.clear(); }},
      {"records", [](auto& s) { ++s.record_count; }},
      {"row bytes", [](auto& s) { ++s.row_bytes; }},
      {"data key", [](auto& s) { s.sealed_data_key = "abd"; }},
      {"schema", [](auto& s) { s.schema_sha256[0] ^= 1; }},
      {"a match key", [](auto& s) { s.match_keys[1] = "persom"; }},
      {"order of match keys", [](auto& s) { std::swap(s.match_keys[0], s.match_keys[1]); }},
      {"one match key fewer", [](auto& s) { s.match_keys.pop_back(); }},
      {"one match key more", [](auto& s) { s.match_keys.emplace_back(); }},
      {"match keys joined", [](auto& s) { s.match_keys = {"bsnperson"}; }},
      {"encodings", [](auto& s) { s.encoding_bytes = 128; }},
      {"an encoding plan", [](auto& s) { s.encoding_plan_sha256.fill(0x33); }},
      {"encodings by a plan",
       [](auto& s) {
         s.encoding_bytes = 128;
         s.encoding_plan_sha256.fill(0x33);
       }},
      {"register and delivery shifted",
       [](auto& s) {
         s.register_name = "job";
         s.delivery_id = "sjobs-2";
       }},
      {"delivery and replaces shifted",
       [](auto& s) {
         s.delivery_id = "jobs-2j";
         s.replaces = "obs-1";
       }},
  };
}

TEST(DeliveryStatementBytes, HasTheDocumentedBytes) {
  std::string repeated_11, repeated_22;
  for (int i = 0; i < 32; ++i) {
    repeated_11 += "11";
    repeated_22 += "22";
  }
  const std::string expected = HexEncode("sluis-delivery-statement-v1\n") + repeated_11 +  //
                               "00000004" + HexEncode("jobs") +                            //
                               "00000006" + HexEncode("jobs-2") +                          //
                               "00000006" + HexEncode("jobs-1") +                          //
                               "0102030405060708" + "0a0b0c0d" +
                               // SHA-256 of "abc": FIPS 180-2, appendix B.1.
                               "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" + repeated_22 +
                               "00000002" + "00000003" + HexEncode("bsn") + "00000006" + HexEncode("person");
  EXPECT_EQ(HexEncode(DeliveryStatementBytes(Example())), expected);
}

TEST(DeliveryStatementBytes, CoverEncodingsInVersion2Only) {
  DeliveryStatement statement = Example();
  const std::string without = DeliveryStatementBytes(statement);
  statement.encoding_plan_sha256.fill(0x33);
  statement.encoding_bytes = 0x0E0F;
  std::string expected = "sluis-delivery-statement-v2\n" + without.substr(without.find('\n') + 1);
  expected += std::string(32, '\x33') + std::string("\0\0\x0E\x0F", 4);
  EXPECT_EQ(HexEncode(DeliveryStatementBytes(statement)), HexEncode(expected));
}

TEST(DeliveryStatementBytes, DifferInEveryField) {
  std::set<std::string> seen = {DeliveryStatementBytes(Example())};
  for (const Change& change : Changes()) {
    DeliveryStatement statement = Example();
    change.make(statement);
    EXPECT_TRUE(seen.insert(DeliveryStatementBytes(statement)).second) << change.what;
  }
}

TEST(CheckDeliverySignature, HoldsForTheStatementThatWasSignedOnly) {
  const SigningKey key = ExampleKey();
  const std::string signature = SignDelivery(Example(), key);
  EXPECT_EQ(signature.size(), 64u);
  EXPECT_EQ(signature, SignDelivery(Example(), key));
  SLUIS_EXPECT_OK(CheckDeliverySignature(Example(), key.public_key, signature));
  for (const Change& change : Changes()) {
    DeliveryStatement statement = Example();
    change.make(statement);
    const absl::Status status = CheckDeliverySignature(statement, key.public_key, signature);
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument, "custodian_key")) << change.what;
    EXPECT_EQ(ReasonOf(status), "DELIVERY_SIGNATURE_WRONG") << change.what;
  }
}

TEST(CheckDeliverySignature, FailsWithoutSignatureOrWithAnothersOrAnotherUse) {
  const SigningKey key = ExampleKey();
  EXPECT_EQ(ReasonOf(CheckDeliverySignature(Example(), key.public_key, "")), "DELIVERY_UNSIGNED");
  const std::string signature = SignDelivery(Example(), key);
  for (const std::string& wrong :
       {SignDelivery(Example(), SigningKey::Generate()), signature.substr(0, 63), signature + "x",
        Sign(key, DeliveryStatementBytes(Example()).substr(std::string("sluis-delivery-statement-v1\n").size()))}) {
    EXPECT_EQ(ReasonOf(CheckDeliverySignature(Example(), key.public_key, wrong)), "DELIVERY_SIGNATURE_WRONG");
  }
  // An absent key in a permit must not accept anything.
  EXPECT_EQ(ReasonOf(CheckDeliverySignature(Example(), PublicKey{}, signature)), "DELIVERY_SIGNATURE_WRONG");
  EXPECT_EQ(ReasonOf(CheckDeliverySignature(Example(), PublicKey{}, std::string(64, '\0'))),
            "DELIVERY_SIGNATURE_WRONG");
}

}  // namespace
}  // namespace sluis::common
