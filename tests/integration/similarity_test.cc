#include <filesystem>
#include <nlohmann/json.hpp>

#include "common/bytes/secret.h"
#include "common/document/permit_document.h"
#include "common/status/matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "proto/sluis/keys/v1/keys.grpc.pb.h"
#include "tests/integration/world.h"

// Linkage by similarity through the programs: what the office is told, and permits by which nobody can encode.

namespace sluis::testing {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr int kExitUsage = 2;
constexpr std::chrono::seconds kCallTimeout(20);

// Of the demonstration's registers diplomas has no match keys: all of its links are by similarity.
TEST(Similarity, TheOfficeIsToldWhatWasLinkedAndHowGoodThatIs) {
  World world;
  world.MakeCountry();
  world.SubmitAll();
  if (::testing::Test::HasFatalFailure()) return;
  const Outcome linked = world.SluisAs("office", "link", {});
  ASSERT_EQ(linked.exit_code, 0) << linked.err;
  const json report = json::parse(linked.out);
  const auto diplomas = std::find_if(report["registers"].begin(), report["registers"].end(),
                                     [](const json& one) { return one["register"] == "diplomas"; });
  ASSERT_NE(diplomas, report["registers"].end());
  for (const json& pass : (*diplomas)["passes"]) EXPECT_EQ(pass["linked"], 0) << pass;
  const json& similarity = (*diplomas)["similarity"];
  EXPECT_EQ(similarity["credible"], true) << similarity;
  EXPECT_EQ(similarity["nothing_left"], false);
  // Keys and noise are random. Eight worlds linked 430 of 447 records each, with an estimated precision of 94 to 99 %
  // (low 84 or more) and recall of 91 to 96 % (low 68 or more).
  EXPECT_GE(similarity["linked"], 420);
  EXPECT_LE(similarity["linked"], 440);
  EXPECT_EQ(similarity["linked"].get<int>() % 10, 0);
  EXPECT_EQ(similarity["linked_records"], similarity["linked"]);  // a record a person
  for (const std::string share : {"precision_percent", "recall_percent"}) {
    const json& percent = similarity[share];
    EXPECT_LE(percent["low"], percent["value"]);
    EXPECT_LE(percent["value"], percent["high"]);
    EXPECT_LE(percent["high"], 100);
  }
  EXPECT_GE(similarity["precision_percent"]["value"], 90);
  EXPECT_GE(similarity["precision_percent"]["low"], 75);
  EXPECT_GE(similarity["recall_percent"]["value"], 86);
  EXPECT_GE(similarity["recall_percent"]["low"], 55);
  // Registers without features say nothing of it.
  for (const json& one : report["registers"]) {
    if (one["register"] == "jobs") {
      EXPECT_FALSE(one.contains("similarity"));
    }
  }

  const Outcome text = world.Sluis({"link", "--config", "clients/office.yaml", "--permit", "permit"});
  ASSERT_EQ(text.exit_code, 0) << text.err;
  EXPECT_THAT(text.out, AllOf(HasSubstr("  by similarity                  linked " +
                                        std::to_string(similarity["linked"].get<int>()) + "; estimated precision " +
                                        std::to_string(similarity["precision_percent"]["value"].get<int>()) + " % ("),
                              HasSubstr(", recall ")));
}

// Of the demonstration's registers jobs has no features.
TEST(Similarity, ACustodianWithoutFeaturesIsGivenNoTokens) {
  World world;
  const auto evaluate = [&world](const std::string& custodian, const std::string& delivery) {
    // The encoded generator of ristretto255 (RFC 9496, appendix A.1).
    const auto element = common::HexDecode("e2f2ae0a6abc4e71a884a961c500515f58e30b6aa582dd8db6a65945e08d2d76");
    keys::v1::EvaluateRequest request;
    request.set_permit_id(World::kPermitId);
    const common::Hash256 permit = world.Permit().sha256;
    request.set_permit_sha256(std::string(common::AsChars(permit)));
    request.set_purpose(common::kPurposeTokens);
    request.set_delivery_id(delivery);
    request.set_blinded_elements(*element);
    keys::v1::EvaluateResponse response;
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + kCallTimeout);
    const grpc::Status status =
        keys::v1::Keys::NewStub(world.Channel(custodian, "keys"))->Evaluate(&context, request, &response);
    EXPECT_EQ(response.evaluated_elements().empty(), !status.ok());
    return status;
  };
  const grpc::Status refused = evaluate("employment", "jobs/jobs-1");
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_THAT(refused.error_message(), HasSubstr("budget of 0"));
  // Nor for a register of somebody else that has them.
  EXPECT_EQ(evaluate("employment", "persons/persons-1").error_code(), grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_FALSE(world.QuotaUsed("employment").contains(common::kPurposeTokens));
  // The control.
  const grpc::Status given = evaluate("population", "persons/persons-1");
  EXPECT_TRUE(given.ok()) << given.error_message();
  EXPECT_EQ(world.QuotaUsed("population").at(common::kPurposeTokens), 1u);
}

// The permit's settings are in ranges that only the rules of encoding know.
TEST(Similarity, APermitByWhichNobodyCanEncodeIsRefusedByEveryoneWhoWouldUseIt) {
  World world;
  world.MakeCountry();
  const std::string good = ReadWhole(world / "permit/permit.yaml");
  std::filesystem::copy(world / "permit", world / "broken", std::filesystem::copy_options::recursive);
  std::string document = good;
  const std::string profile = "  profile: RECORD_LEVEL\n";
  const std::size_t at = document.find(profile);
  ASSERT_NE(at, std::string::npos);
  document.insert(at + profile.size(), "  bits: 100\n");
  WriteWhole(world / "broken/permit.yaml", document);
  const auto expect_refused = [](const Outcome& outcome, const std::string& who) {
    EXPECT_EQ(outcome.exit_code, kExitUsage) << who << outcome.out << outcome.err;
    EXPECT_THAT(outcome.err, AllOf(HasSubstr("permit field similarity"), HasSubstr("bits"))) << who;
  };
  expect_refused(world.Sluis({"permit", "approve", "broken", "--name", "anna", "--key", "approvers/anna.key"}),
                 "approver");

  // Officers with a program that does not check can approve it all the same.
  for (const std::string officer : {"anna", "bram"}) {
    const std::string text = ReadWhole(world / ("approvers/" + officer + ".key"));
    const auto seed = common::Base64Decode(text.substr(0, text.find('\n')));
    SLUIS_ASSERT_OK(seed);
    SLUIS_ASSERT_OK(common::ApprovePermit(
        world / "broken", officer, common::SigningKey::FromSeed(common::SecretBytes::CopyOf(common::AsBytes(*seed)))));
  }
  expect_refused(world.Sluis({"permit", "check", "--config", "clients/office.yaml", "broken"}), "check");
  expect_refused(world.Sluis({"submit", "--config", "clients/population.yaml", "--permit", "broken", "--register",
                              "persons", "--delivery", "persons-1", "country/persons.csv"}),
                 "custodian");
  for (const auto& [purpose, used] : world.QuotaUsed("population")) EXPECT_EQ(used, 0u) << purpose;

  world.Stop("linker");
  const std::string config = ReadWhole(world / "services/linker.yaml");
  std::string other = config;
  other.replace(other.find("[../permit]"), std::string("[../permit]").size(), "[../broken]");
  WriteWhole(world / "services/linker.yaml", other);
  expect_refused(world.Run("sluis-linkerd", {"serve", "--config", "services/linker.yaml"}), "linker");
  EXPECT_FALSE(std::filesystem::exists(world / "services/linker/ready"));
  // The control: with the good one it starts.
  WriteWhole(world / "services/linker.yaml", config);
  world.Start("linker");
}

}  // namespace
}  // namespace sluis::testing
