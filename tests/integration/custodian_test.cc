// The custodian's commands against services that run, where something is wrong on one side or the other.

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "common/crypto/crypto.h"
#include "common/status/matchers.h"
#include "gtest/gtest.h"
#include "keys/oprf/server.h"
#include "proto/sluis/keys/v1/keys.grpc.pb.h"
#include "tests/integration/world.h"

namespace sluis::testing {
namespace {

using nlohmann::json;

std::string ReasonOf(const Outcome& outcome) {
  const std::size_t start = outcome.err.rfind("{\"error\"");
  return start == std::string::npos ? "" : json::parse(outcome.err.substr(start), nullptr, false).value("reason", "");
}

void Replace(std::string& text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  ASSERT_NE(at, std::string::npos);
  text.replace(at, from.size(), to);
}

// A process with the key holder's certificate and another key: what a custodian would meet if the key holder used a key
// of its own for this custodian.
class Impostor : public keys::v1::Keys::Service {
 public:
  explicit Impostor(const common::TlsFiles& tls) {
    const auto credentials = common::MakeServerCredentials(tls);
    EXPECT_THAT(credentials, common::testing::IsOk());
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", *credentials, &port_);
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
    EXPECT_NE(server_, nullptr);
  }
  ~Impostor() override { server_->Shutdown(); }
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

  grpc::Status Evaluate(grpc::ServerContext*, const keys::v1::EvaluateRequest* request,
                        keys::v1::EvaluateResponse* response) override {
    ++asked;
    const auto evaluated = keys::BlindEvaluate(key_, request->blinded_elements());
    EXPECT_THAT(evaluated, common::testing::IsOk());
    response->set_evaluated_elements(*evaluated);
    response->set_proof(*keys::GenerateProof(key_, request->blinded_elements(), *evaluated));
    return grpc::Status::OK;
  }

  std::atomic<int> asked = 0;

 private:
  const keys::KeyPair key_ = keys::KeyPair::Generate();
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

class Custodian : public ::testing::Test {
 protected:
  void SetUp() override { world_.MakeCountry(); }

  // The base 64 of the public key for identifiers in the permit.
  std::string PermitKey() const {
    const auto key = world_.Permit().oprf_public_keys.at("identifiers");
    return common::Base64Encode(common::AsChars(key));
  }
  // A copy of the permit that names another key for identifiers, approved like the true one.
  void MakeOtherPermit() {
    std::filesystem::copy(world_ / "permit", world_ / "other", std::filesystem::copy_options::recursive);
    std::string document = ReadWhole(world_ / "other/permit.yaml");
    const keys::KeyPair pair = keys::KeyPair::Generate();
    Replace(document, PermitKey(), common::Base64Encode(common::AsChars(pair.public_key())));
    WriteWhole(world_ / "other/permit.yaml", document);
    for (const std::string officer : {"anna", "bram"}) {
      const Outcome approved =
          world_.Sluis({"permit", "approve", "other", "--name", officer, "--key", "approvers/" + officer + ".key"});
      ASSERT_EQ(approved.exit_code, 0) << approved.err;
    }
  }
  static std::vector<std::string> SubmitUnder(const std::string& permit) {
    return {"--json", "submit",     "--config", "clients/employment.yaml", "--permit", permit, "--register",
            "jobs",   "--delivery", "jobs-1",   "country/jobs.csv"};
  }
  // `sluis-keysd ARGUMENTS` to its end, in the world's folder.
  Outcome Keysd(const std::vector<std::string>& arguments) {
    std::vector<std::string> all = {std::string(std::getenv("SLUIS_BINARY_DIR")) + "/sluis-keysd"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    return Command(all, world_.directory(), world_ / "output/keysd").Wait();
  }
  Outcome As(const std::string& command, const std::string& delivery) {
    return world_.SluisAs("employment", command, {"--register", "jobs", "--delivery", delivery});
  }

  World world_;
};

// The key holder holds another key than the permit names. A service that holds the permit does not start with it, and
// one with another permit under the project's name is noticed before anything is evaluated.
TEST_F(Custodian, IsToldThatTheKeyHolderHoldsAnotherKeyAndNothingLeaves) {
  MakeOtherPermit();
  if (HasFatalFailure()) return;
  const auto deliveries = world_.AuditLog("linker").by_type["delivery"];
  const auto quota = world_.QuotaUsed("employment");
  const Outcome refused = world_.Sluis(SubmitUnder("other"));
  EXPECT_EQ(refused.exit_code, 3) << refused.err;
  EXPECT_EQ(ReasonOf(refused), "PERMIT_MISMATCH") << refused.err;
  EXPECT_EQ(world_.QuotaUsed("employment"), quota);
  EXPECT_EQ(world_.AuditLog("linker").by_type["delivery"], deliveries);

  // The key holder's own check: it does not serve a permit whose keys it does not hold.
  world_.Stop("keys");
  const std::string config = ReadWhole(world_ / "services/keys.yaml");
  std::string other = config;
  Replace(other, "../permit", "../other");
  WriteWhole(world_ / "services/keys-other.yaml", other);
  const Outcome start = Keysd({"serve", "--config", "services/keys-other.yaml"});
  EXPECT_EQ(start.exit_code, 1);
  EXPECT_NE(start.err.find("KEY_MISMATCH"), std::string::npos) << start.err;
  EXPECT_NE(start.err.find("names another public key for identifiers"), std::string::npos) << start.err;

  world_.Start("keys");
  // The refused delivery took its id for the other permit, until it is given up.
  const Outcome taken = world_.Sluis(SubmitUnder("permit"));
  EXPECT_EQ(taken.exit_code, 3);
  EXPECT_NE(taken.err.find("sluis abort"), std::string::npos) << taken.err;
  EXPECT_EQ(As("abort", "jobs-1").exit_code, 0);
  const Outcome good = world_.Sluis(SubmitUnder("permit"));
  EXPECT_EQ(good.exit_code, 0) << good.err;
}

TEST_F(Custodian, FindsOutAKeyHolderThatAnswersWithAnotherKey) {
  Impostor impostor(world_.Tls("keys"));
  std::string config = ReadWhole(world_ / "clients/employment.yaml");
  Replace(config, world_.Address("keys"), impostor.address());
  WriteWhole(world_ / "clients/deceived.yaml", config);
  const auto quota = world_.QuotaUsed("employment");
  std::vector<std::string> submit = World::Submit("deceived", "jobs", "jobs-1", "country/jobs.csv");
  const Outcome refused = world_.Sluis(submit);
  EXPECT_EQ(refused.exit_code, 3) << refused.err;
  EXPECT_EQ(ReasonOf(refused), "OPRF_PROOF_INVALID") << refused.err;
  EXPECT_NE(refused.err.find("another key"), std::string::npos) << refused.err;
  EXPECT_GT(impostor.asked, 0);
  EXPECT_EQ(world_.AuditLog("linker").by_type["delivery"], 0u);
  EXPECT_EQ(world_.QuotaUsed("employment"), quota);
  // Nothing of the wrong answers is in the cache: the true key holder is asked for all, and the same command succeeds.
  const Outcome good = world_.Sluis(World::Submit("employment", "jobs", "jobs-1", "country/jobs.csv"));
  EXPECT_EQ(good.exit_code, 0) << good.err;
  EXPECT_GT(world_.QuotaUsed("employment")["identifiers"], quota.at("identifiers"));
}

TEST_F(Custodian, PutsAForgottenPredecessorRightUnderTheSameName) {
  const auto submit = [&](const std::string& delivery, const std::string& file, std::vector<std::string> more) {
    return world_.Sluis(World::Submit("employment", "jobs", delivery, file, more));
  };
  ASSERT_EQ(submit("Jobs.2026-Q3", "country/jobs.csv", {}).exit_code, 0);
  const std::string jobs = ReadWhole(world_ / "country/jobs.csv");
  std::size_t end = 0;
  for (int line = 0; line < 101; ++line) end = jobs.find('\n', end) + 1;
  WriteWhole(world_ / "country/shorter.csv", jobs.substr(0, end));
  const auto quota = world_.QuotaUsed("employment");

  const Outcome forgotten = submit("Jobs.2026-Q4", "country/shorter.csv", {});
  EXPECT_EQ(forgotten.exit_code, 3);
  EXPECT_NE(forgotten.err.find("run the same command again with --replaces"), std::string::npos) << forgotten.err;
  const Outcome wrong = submit("Jobs.2026-Q4", "country/shorter.csv", {"--replaces", "Jobs.2025"});
  EXPECT_EQ(wrong.exit_code, 3) << wrong.err;
  const Outcome corrected = submit("Jobs.2026-Q4", "country/shorter.csv", {"--replaces", "Jobs.2026-Q3"});
  EXPECT_EQ(corrected.exit_code, 0) << corrected.err;
  // A corrected delivery finds its pseudonyms in the cache.
  EXPECT_EQ(world_.QuotaUsed("employment"), quota);
  // The replaced delivery is forgotten: its file may be delivered again.
  const Outcome back = submit("Jobs.2026-Q5", "country/jobs.csv", {"--replaces", "Jobs.2026-Q4"});
  EXPECT_EQ(back.exit_code, 0) << back.err;
  EXPECT_EQ(world_.QuotaUsed("employment"), quota);
}

TEST_F(Custodian, GivesUpADeliveryThatIsNotComplete) {
  EXPECT_EQ(As("abort", "jobs-1").exit_code, 2);  // there is none
  // The key holder answers, the linker cannot be reached: prepared, not delivered.
  world_.Stop("linker");
  const std::vector<std::string> submit = World::Submit("employment", "jobs", "jobs-1", "country/jobs.csv");
  EXPECT_EQ(world_.Sluis(submit).exit_code, 5);
  const std::string spool = world_ / "clients/employment/deliveries/jobs.jobs-1.spool";
  EXPECT_TRUE(std::filesystem::exists(spool));
  EXPECT_EQ(As("abort", "jobs-1").exit_code, 5);
  EXPECT_TRUE(std::filesystem::exists(spool));
  world_.Start("linker");
  const Outcome aborted = As("abort", "jobs-1");
  EXPECT_EQ(aborted.exit_code, 0) << aborted.err;
  EXPECT_EQ(json::parse(aborted.out, nullptr, false).value("aborted", ""), "jobs-1");
  EXPECT_TRUE(std::filesystem::is_empty(world_ / "clients/employment/deliveries"));

  const auto quota = world_.QuotaUsed("employment");
  const Outcome again = world_.Sluis(submit);
  EXPECT_EQ(again.exit_code, 0) << again.err;
  EXPECT_EQ(world_.QuotaUsed("employment"), quota);
  EXPECT_EQ(As("abort", "jobs-1").exit_code, 3);  // delivered: it can only be withdrawn
  EXPECT_EQ(As("withdraw", "jobs-1").exit_code, 0);
}

TEST_F(Custodian, IsToldByADryRunWhatThePseudonymsNeedAndNothingIsSent) {
  world_.Stop("keys");
  world_.Stop("linker");
  const std::vector<std::string> submit =
      World::Submit("employment", "jobs", "jobs-1", "country/jobs.csv", {"--dry-run"});
  const Outcome dry = world_.Sluis(submit);
  ASSERT_EQ(dry.exit_code, 0) << dry.err;
  const json report = json::parse(dry.out, nullptr, false);
  const json& purpose = report["identifiers"][0];
  EXPECT_GT(purpose["needed"], 0);
  EXPECT_EQ(purpose["needed"], purpose["distinct"].get<int>() - purpose["cached"].get<int>());
  EXPECT_GE(purpose["delivery_budget"], purpose["needed"]);
  const Outcome text = world_.Sluis({submit.begin() + 1, submit.end()});
  EXPECT_NE(text.out.find("nothing was sent"), std::string::npos) << text.out;
  EXPECT_NE(text.out.find("would need these evaluations"), std::string::npos) << text.out;
}

TEST_F(Custodian, GetsNothingMoreOnceTheKeysAreDestroyed) {
  const std::vector<std::string> destroy = {"destroy-key", "--config",       "services/keys.yaml",
                                            "--project",   World::kPermitId, "--confirm"};
  const auto with = [&](const std::string& confirmation) {
    std::vector<std::string> arguments = destroy;
    arguments.push_back(confirmation);
    return Keysd(arguments);
  };
  EXPECT_EQ(with(World::kPermitId).exit_code, 1);  // the service runs
  world_.Stop("keys");
  const Outcome unconfirmed = with("yes");
  EXPECT_EQ(unconfirmed.exit_code, 2);
  EXPECT_NE(unconfirmed.err.find("cannot be undone"), std::string::npos) << unconfirmed.err;
  const Outcome destroyed = with(World::kPermitId);
  ASSERT_EQ(destroyed.exit_code, 0) << destroyed.err;
  EXPECT_EQ(json::parse(destroyed.out, nullptr, false)["destroyed"].size(), 3u);
  const Outcome anew = Keysd(
      {"create-key", "--config", "services/keys.yaml", "--project", World::kPermitId, "--purpose", "identifiers"});
  EXPECT_EQ(anew.exit_code, 1);
  EXPECT_NE(anew.err.find("KEY_DESTROYED"), std::string::npos) << anew.err;
  world_.Start("keys");
  const Outcome refused = world_.Sluis(World::Submit("employment", "jobs", "jobs-1", "country/jobs.csv"));
  EXPECT_EQ(refused.exit_code, 3) << refused.err;
  EXPECT_EQ(ReasonOf(refused), "KEY_DESTROYED");
  EXPECT_EQ(world_.AuditLog("keys").by_type["key-destroyed"], 3u);
}

}  // namespace
}  // namespace sluis::testing
